"""The company's MCP server: the path that every call takes.

Law: a call is noted before its tool runs, every answer says whether anything was applied, and nothing blocks the loop
(tools are plain functions, which the SDK runs in threads). What the tools do is in the module of each department.
"""

from dataclasses import replace
from typing import Any

from anyio import to_thread
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, InputRequiredResult

from demo import changelog, endpoint, fleet, intel, inventory, knowledge, publication, release, siem, ticket
from demo.answer import Rejected, refuse
from demo.attempt import begin, end
from demo.call import Call, current, read_call
from demo.credential import Gatekeeper
from demo.fault import Fault, after, before
from demo.ledger import payload_digest
from demo.store import Store

INSTRUCTIONS = (
    "The systems of Larkfield Instruments: SIEM, asset inventory, change log, threat intelligence, knowledge base, "
    "endpoint protection, tickets, publications and releases. Tools that change something need an idempotency key in "
    "_meta."
)
DEPARTMENTS = (siem, inventory, changelog, intel, knowledge, endpoint, ticket, publication, release, fleet)


class CompanyServer(MCPServer[Any]):
    """Every department's tools over one store."""

    def __init__(self, store: Store, gatekeeper: Gatekeeper | None = None) -> None:
        super().__init__(name="company", instructions=INSTRUCTIONS, log_level="CRITICAL")
        self.store = store
        self._gatekeeper = gatekeeper
        for department in DEPARTMENTS:
            department.register(self, store)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Note the call, let its fault happen, run the tool, note how it ended."""
        call = read_call(name, arguments, context)
        number, fault = await to_thread.run_sync(begin, self.store, call)
        try:
            result = await self._run(call, fault, context)
        except ToolError as error:
            refusal = refuse(error)
            outcome = "failed" if refusal.structured_content["retry"] else "rejected"
            await to_thread.run_sync(end, self.store, number, outcome, refusal.structured_content["reason"])
            return refusal
        await to_thread.run_sync(end, self.store, number, "answered")
        return result

    async def _run(
        self, call: Call, fault: Fault | None, context: Context[Any, Any] | None
    ) -> CallToolResult | InputRequiredResult:
        await before(fault)
        await self._check_names(call)
        if self._gatekeeper is not None:
            digest = payload_digest(call.arguments)
            warrant = await to_thread.run_sync(self._gatekeeper.warrant, call.bearer, call.tool, digest, call.key)
            call = replace(call, warrant=warrant)
        token = current.set(call)
        try:
            result = await super().call_tool(call.tool, dict(call.arguments), context)
        finally:
            current.reset(token)
        await after(fault)
        return result

    async def _check_names(self, call: Call) -> None:
        # The SDK drops arguments that a tool does not know; dropped silently, a misspelt one would be a wrong effect.
        known = {tool.name: tool.input_schema for tool in await self.list_tools()}
        if call.tool not in known:
            raise Rejected(f"no tool is named {call.tool!r}; there are {', '.join(sorted(known))}")
        if unknown := sorted(set(call.arguments) - set(known[call.tool].get("properties", {}))):
            raise Rejected(f"{call.tool} knows no argument {', '.join(map(repr, unknown))}")
