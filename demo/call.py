"""One call of a tool, as it arrived: what the ledgers need to know beside the tool's own arguments.

`server.py` sets it around each call; it follows into the thread that the tool runs in.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mcp.server.mcpserver import Context

from demo.credential import Warrant

KEY = "gonogo/idempotency-key"
UNDOES = "gonogo/undoes-key"


@dataclass(frozen=True)
class Call:
    """A tool's name, its arguments as sent, the caller's idempotency key and trace."""

    tool: str
    arguments: Mapping[str, Any]
    key: str | None = None
    traceparent: str | None = None
    bearer: str = ""
    """The credential that came with it."""
    warrant: Warrant | None = None
    """What that is good for, where the company wants one."""
    undoes: str | None = None
    """The idempotency key of the call that this one undoes."""


current: ContextVar[Call] = ContextVar("current")


def read_call(tool: str, arguments: Mapping[str, Any], context: Context[Any, Any] | None) -> Call:
    """Take the key from the request's `_meta` and the trace from its HTTP headers."""
    if context is None:
        return Call(tool, arguments)
    meta = context.request_context.meta or {}
    key, undoes = (word if isinstance(word, str) and word else None for word in (meta.get(KEY), meta.get(UNDOES)))
    headers = context.headers or {}
    kind, _, bearer = headers.get("authorization", "").partition(" ")
    bearer = bearer.strip() if kind.lower() == "bearer" else ""
    return Call(tool, arguments, key, headers.get("traceparent"), bearer, undoes=undoes)


def now() -> str:
    """Return the time in UTC, to the millisecond, as every table spells it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
