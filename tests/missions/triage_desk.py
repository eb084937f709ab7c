"""The shipped workspace's agents at work in the real company: MCP without the network, a world for each test."""

import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from mcp.client.client import Client

from contracts.call import AgentCall
from demo.ledger import effects
from demo.store import Store
from language import schema
from language.workspace import load_workspace

MISSIONS = Path(__file__).parents[2] / "missions"
ALERTS = MISSIONS / "incident_triage" / "alerts"
WORKSPACE = load_workspace(MISSIONS)
AGENTS, TOOLS, PEOPLE = WORKSPACE.agents, WORKSPACE.tools, WORKSPACE.people


def load_alert(name: str) -> dict[str, Any]:
    return json.loads((ALERTS / f"{name}.json").read_text())["alert"]


@dataclass
class ReadingToolbox:
    """Only tools that the agent's contract names and that read; what goes in and out fits the tool's contract."""

    client: Client
    names: tuple[str, ...]
    used: list[str] = field(default_factory=list)

    async def call(self, tool: str, **arguments: Any) -> Any:
        if tool not in self.names or TOOLS[tool].acts():
            raise PermissionError(tool)
        assert schema.errors(TOOLS[tool].input, arguments) == []
        self.used.append(tool)
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result.structured_content
        assert schema.errors(TOOLS[tool].output, result.structured_content) == []
        return result.structured_content


@dataclass
class Desk:
    """A world, and agents at work in it."""

    client: Client
    store: Store
    observations: list[tuple[str, str, str]] = field(default_factory=list)
    used: dict[str, list[str]] = field(default_factory=dict)

    async def run(
        self, agent: str, mission: str = "case-1", errors: tuple[str, ...] = (), **context: Any
    ) -> dict[str, Any]:
        """Let one agent of the workspace answer; its answer must fit its contract."""
        contract = AGENTS[agent]
        module, _, name = contract.callable.partition(":")
        work: Callable[..., Awaitable[dict[str, Any]]] = getattr(import_module(module), name)
        tools = ReadingToolbox(self.client, contract.tools)
        known = {"mission": mission, "path": agent, "name": agent, "agent": contract, "task": "", "errors": errors}
        call = AgentCall(**known, context=context)
        answer = await work(call, tools, self._observe)
        assert schema.errors(contract.output, answer) == []
        self.used[agent] = tools.used
        return answer

    async def triage(self, alert: dict[str, Any]) -> dict[str, Any]:
        """Run retriever and correlator, as the mission does; return what the correlator proposes."""
        findings = await self.run("retriever", alert=alert)
        return {**await self.run("correlator", alert=alert, findings=findings), "findings": findings}

    async def act(self, tool: str, key: str, **arguments: Any) -> Any:
        result = await self.client.call_tool(tool, arguments, meta={"gonogo/idempotency-key": key})
        assert not result.is_error, result.structured_content
        return result.structured_content

    def ledger(self) -> list[dict[str, Any]]:
        """Return every effect that the company committed."""
        return effects(self.store)

    def _observe(self, text: str, source: str = "", kind: str = "finding") -> None:
        self.observations.append((text, source, kind))


OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]
