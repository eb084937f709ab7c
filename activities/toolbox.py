"""The tools in an agent's hands: those that its contract names, and of them only those that read.

Law: deny by default, by this worker's contracts. What an agent may not do is refused before anything is sent.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from temporalio.exceptions import ApplicationError

from activities.bench import CONTRACT, SEARCH, Bench, Stores
from activities.failure import failure
from activities.halts import Brake, halting, not_begun, nothing_halted
from activities.mcp_tools import ToolFailed, ToolServers
from contracts.agent import Observe
from contracts.base import canonical
from contracts.workspace import Tool
from language import schema
from language.sensitive import hidden

TOLD = 400
"""Characters of a tool's answer that are observed; the agent has all of it."""


Permit = Callable[[str, Tool, Mapping[str, Any]], str]
"""`permit(tool, contract, arguments)`: why policy does not let the agent use a tool; empty where it does."""


def unnoticed(*_: Any) -> None:
    """Observe nothing."""


def _told(value: Any) -> str:
    try:
        text = canonical(value).decode()
    except (TypeError, ValueError):  # An agent's own arguments; what is wrong with them is said where they are checked.
        text = repr(value)
    return text if len(text) <= TOLD else f"{text[:TOLD]}… ({len(text)} characters)"


class ReadingTools:
    """A `contracts.agent.Toolbox` for an agent that awaits."""

    def __init__(
        self,
        names: frozenset[str],
        tools: Mapping[str, Tool],
        servers: ToolServers,
        brake: Brake = nothing_halted,
        *,
        observe: Observe = unnoticed,
        bench: Bench | None = None,
        permit: Permit,
    ) -> None:
        self._permit = permit
        self._observe = observe
        self._bench = bench or Bench(Stores(), frozenset(), observe)
        if self._bench.searches():
            names, tools = names | {SEARCH}, {**tools, SEARCH: CONTRACT}
        self._names = names
        self._brake = brake
        self._tools = tools
        self._servers = servers
        self._closed = False
        self.calls = 0
        self.answers_only = False
        """Whether nothing is wanted but an answer: no files, and no word to people."""
        self.halted: ApplicationError | None = None
        """Why the agent could not use a tool: whatever it answers without, it is asked again once that is lifted."""

    def none(self) -> "ReadingTools":
        """Return a toolbox with nothing in it."""
        bare = ReadingTools(
            frozenset(), self._tools, self._servers, self._brake, observe=self._observe, permit=self._permit
        )
        bare.answers_only = True
        return bare

    def keeps(self) -> bool:
        """Whether files can be left."""
        return self._bench.keeps()

    def offered(self) -> dict[str, Tool]:
        """Return the contracts of what may be called: a tool that acts is not even named to a model."""
        return {
            name: self._tools[name] for name in sorted(self._names & self._tools.keys()) if not self._tools[name].acts()
        }

    async def call(self, tool: str, /, **arguments: Any) -> Any:
        """Call a tool and return its structured answer; both are observed."""
        contract = self._contract(tool)
        self._observe(_told(hidden(contract.input, arguments)), tool, "call")
        try:
            answer = await self._asked(tool, contract, arguments)
        except ToolFailed as failed:
            self._observe(f"failed: {failed}", tool, "answer")
            raise
        self._observe(_told(hidden(contract.output, answer)), tool, "answer")
        return answer

    async def artifact(self, name: str, media_type: str, data: str | bytes) -> dict[str, Any]:
        """Leave a file with the step's result, and return its name, media type, digest and size."""
        if self._closed:
            raise PermissionError("nobody waits for this agent any more")
        return await self._bench.leave(name, media_type, data)

    def left(self) -> dict[str, Any]:
        """Return the files that were left, and the sources that were shown."""
        return self._bench.left()

    async def _asked(self, tool: str, contract: Tool, arguments: dict[str, Any]) -> Any:
        wrong = schema.errors(contract.input, arguments)
        if wrong:
            raise ToolFailed(
                "bad_input", f"{tool}: the arguments do not fit its contract: {'; '.join(wrong[:3])}", "no"
            )
        await self._demand_free(tool)
        if denied := self._permit(tool, contract, arguments):
            raise ToolFailed("refused", denied, "no")
        self.calls += 1
        if contract is CONTRACT:
            return await self._bench.search(**arguments)
        answer = await self._servers.call(tool, contract, arguments)
        wrong = schema.errors(contract.output, answer)
        if wrong:
            raise ToolFailed(
                "tool_failed", f"{tool}: its answer does not fit its contract: {'; '.join(wrong[:3])}", "no"
            )
        return answer

    async def _demand_free(self, tool: str) -> None:
        halts = await self._brake(tool=tool)
        if halts:
            self.halted = failure("halted", not_begun(tool, halts), **halting(halts))
            raise self.halted

    def close(self) -> None:
        """Allow nothing more: the attempt is over."""
        self._closed = True

    def _contract(self, tool: str) -> Tool:
        if self._closed:
            raise PermissionError("nobody waits for this agent any more")
        if tool not in self._names or tool not in self._tools:
            raise PermissionError(
                f"{tool!r} is not among the agent's tools: {', '.join(sorted(self._names)) or 'none'}"
            )
        contract = self._tools[tool]
        if contract.acts():
            raise PermissionError(f"{tool!r} changes the world; only an action of the mission may use it")
        return contract


class WaitingTools:
    """The same tools for an agent that is a plain function: it runs in a thread, where a call waits for its answer."""

    def __init__(self, tools: ReadingTools) -> None:
        self._tools = tools
        self._loop = asyncio.get_running_loop()

    def call(self, tool: str, /, **arguments: Any) -> Any:
        """Call a tool and return its structured answer."""
        return asyncio.run_coroutine_threadsafe(self._tools.call(tool, **arguments), self._loop).result()

    def artifact(self, name: str, media_type: str, data: str | bytes) -> dict[str, Any]:
        """Leave a file with the step's result."""
        left = self._tools.artifact(name, media_type, data)
        return asyncio.run_coroutine_threadsafe(left, self._loop).result()
