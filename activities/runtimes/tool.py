"""The runtime `mcp`: one tool that reads is the agent. Its arguments are the context, as far as its contract asks.

The tool is called by the same guarded hands as any agent's; `activities/toolbox.py` is that half.
"""

from typing import Any

from activities.failure import failure
from activities.mcp_tools import ToolFailed
from activities.runtimes.runtime import Work
from contracts.call import AgentCall


class ToolRuntime:
    """Asks one tool, and answers with what it says."""

    def __init__(self, tool: str, server: str = "") -> None:
        self._tool = tool
        self._server = server

    def endpoint(self) -> str:
        """Return who is asked, whom all workers share."""
        return f"mcp:{self._server}" if self._server else ""

    async def answer(self, work: Work) -> Any:
        """Call the tool once; another attempt calls it again, since it only reads."""
        call, contract = work.call, work.tools.offered().get(self._tool)
        if contract is None:
            raise failure("refused", f"{call.name}: {self._tool!r} is no tool that reads, here and in its plan")
        try:
            return await work.tools.call(self._tool, **arguments(call, contract.input))
        except ToolFailed as failed:
            raise failure(failed.code, f"{call.name}: {failed}", "no", final=failed.final, after=failed.after) from None


def arguments(call: AgentCall, schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a tool's schema asks for: a variable of that name, else that property of the one that has it.

    The task is a variable too where nothing else is called `task`. What is not found is left out, and the tool's
    contract says whether that is wrong.
    """
    known = {"task": call.task, **call.context}
    found = {}
    for name in schema.get("properties", {}):
        inside = [value[name] for value in known.values() if isinstance(value, dict) and name in value]
        if name in known:
            found[name] = known[name]
        elif len(inside) == 1:
            found[name] = inside[0]
    return found
