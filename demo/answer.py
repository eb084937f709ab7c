"""How the company says no: a tool error whose structured content tells whether anything was applied.

Law: `applied` is `no` only where surely nothing happened. `retry` says whether the same call could succeed later.
`server.py` turns these exceptions into answers; README.md shows them to callers.
"""

from typing import Literal

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent
from pydantic import ValidationError

Applied = Literal["no", "unknown"]


class Rejected(ToolError):
    """The call itself is wrong: nothing was applied, and sending it again will not help."""


class Failed(ToolError):
    """The company could not do it, or did it and cannot say so."""

    def __init__(self, reason: str, applied: Applied) -> None:
        super().__init__(reason)
        self.applied = applied


def refuse(error: ToolError) -> CallToolResult:
    """Turn whatever stopped a tool into the error that the caller gets."""
    match error.__cause__ or error:
        case Failed() as cause:
            return _error(str(cause), applied=cause.applied, retry=True)
        case Rejected() as cause:
            return _error(str(cause), applied="no", retry=False)
        case ValidationError() as cause:
            return _error(_say(cause), applied="no", retry=False)
        case ToolError() as cause:  # the SDK's own refusal, such as an unknown tool
            return _error(str(cause), applied="no", retry=False)
        case _:
            return _error(str(error), applied="unknown", retry=True)


def _say(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())


def _error(reason: str, *, applied: Applied, retry: bool) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(type="text", text=reason)],
        structured_content={"applied": applied, "retry": retry, "reason": reason},
        is_error=True,
    )
