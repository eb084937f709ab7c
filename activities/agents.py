"""Run agents: the code that a workspace names for them, with the tools that it gives them.

Law: deny by default. Only a callable that this worker's own `agents.yaml` names for this agent is ever imported, and
an answer that does not fit the agent's schema is handed back, never passed on. `contracts/agent.py` is the other half.
"""

import asyncio
import inspect
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.failure import explained, failure
from activities.halts import Brake, halting, not_begun, nothing_halted
from activities.mcp_tools import ToolFailed, ToolServers
from activities.notebook import Notebook
from activities.pulse import beating
from activities.purse import NoPurse, Payment
from activities.statement import show
from activities.toolbox import ReadingTools, WaitingTools
from contracts.agent import AskLater
from contracts.base import canonical
from contracts.call import RUN_AGENT, AgentCall, AgentResult, Usage
from contracts.workspace import Agent, Tool
from language import schema

MOST_BYTES = 300_000
THREADS = ThreadPoolExecutor(max_workers=100, thread_name_prefix="agent")


class AgentRunner:
    """The activity that lets an agent work. Errors are those of `activities/failure.py`."""

    def __init__(
        self,
        agents: Mapping[str, Agent],
        tools: Mapping[str, Tool],
        servers: ToolServers,
        brake: Brake = nothing_halted,
        purse: NoPurse | None = None,
    ) -> None:
        self._agents = agents
        self._tools = tools
        self._servers = servers
        self._brake = brake
        self._purse = purse or NoPurse()

    @activity.defn(name=RUN_AGENT)
    async def run(self, call: AgentCall) -> AgentResult:
        """Let an agent do a task and return its answer, or how its answer does not fit."""
        work = _callable(call.name, self._admit(call))
        await self._demand_free(call)
        async with self._purse.paying(call) as payment:
            return await self._paid(call, work, payment)

    async def _paid(self, call: AgentCall, work: Any, payment: Payment) -> AgentResult:
        started = time.monotonic()
        notebook = Notebook(lambda: activity.heartbeat(*notebook.details()))
        for said in call.guidance:
            notebook.observe(f"An operator says: {said}", "guidance", "progress")
        for news in payment.held.news:
            notebook.observe(str(news), "budget", "progress")
        tools = ReadingTools(self._given(call), self._tools, self._servers, self._brake)
        async with beating(notebook.details):
            try:
                output = await _answer(work, call, tools, notebook)
            except Exception:
                if tools.halted is None:
                    raise
            finally:
                notebook.close()
                tools.close()
        if tools.halted is not None:
            raise tools.halted
        wrong = _misfits(call, output)
        usage = payment.known = Usage(agent_runs=1, tool_calls=tools.calls, seconds=time.monotonic() - started)
        return AgentResult(
            output=None if wrong else output,
            observations=notebook.all(),
            usage=usage,
            errors=wrong,
            news=payment.held.news,
        )

    def _admit(self, call: AgentCall) -> str:
        """Return the callable to import, which both the mission's plan and this workspace must name."""
        known = self._agents.get(call.name)
        if known is None:
            raise failure("refused", f"{show(call.name)} is no agent of this worker's workspace")
        if known.callable != call.agent.callable:
            raise failure("refused", f"{call.name} is {show(known.callable)} here, not {show(call.agent.callable)}")
        return known.callable

    async def _demand_free(self, call: AgentCall) -> None:
        """Refuse to begin what is halted: the agent, its team, the mission's team."""
        halts = await self._brake(agent=call.name, teams=(self._agents[call.name].team, call.agent.team, call.team))
        if halts:
            raise failure("halted", not_begun(call.name, halts), **halting(halts))

    def _given(self, call: AgentCall) -> frozenset[str]:
        """Return the tools that both this workspace and the mission's plan give the agent."""
        return frozenset(self._agents[call.name].tools) & frozenset(call.agent.tools)


def _callable(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    try:
        work = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise failure("not_found", f"{name}: {place} cannot be loaded: {explained(error)}") from None
    if not callable(work):
        raise failure("not_found", f"{name}: {place} cannot be called")
    return work


async def _answer(work: Any, call: AgentCall, tools: ReadingTools, notebook: Notebook) -> Any:
    """Run the agent's code and turn whatever it raises into a failure with one clear sentence."""
    try:
        if inspect.iscoroutinefunction(work) or inspect.iscoroutinefunction(type(work).__call__):
            return await work(call, tools, notebook.observe)
        return await _in_a_thread(work, call, WaitingTools(tools), notebook.observe)
    except ToolFailed as failed:
        raise failure(failed.code, f"{call.name}: {failed}", "no", final=failed.final, after=failed.after) from None
    except AskLater as later:
        after = timedelta(seconds=max(0.0, later.seconds))
        raise failure("rate_limited", f"{call.name}: {later}", after=after) from None
    except PermissionError as error:
        raise failure("refused", f"{call.name} was refused: {error}") from None
    except ApplicationError as error:
        if error.type == "halted":  # Only a worker says so, of what it would not begin.
            raise failure("tool_failed", f"{call.name} failed: {error.message}") from None
        raise
    except (Exception, SystemExit) as error:
        raise failure("tool_failed", f"{call.name} failed: {explained(error)}") from None


async def _in_a_thread(work: Any, *arguments: Any) -> Any:
    """Run a plain function with the activity's context, in a pool that no slow agent can block for the others."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(THREADS, partial(copy_context().run, work, *arguments))


def _misfits(call: AgentCall, output: Any) -> tuple[str, ...]:
    """Return how an answer does not fit; the agent is told these when it is asked again."""
    try:
        size = len(canonical(output))
    except (TypeError, ValueError) as error:
        return (f"the answer is no JSON: {explained(error)}",)
    if size > MOST_BYTES:
        return (f"the answer has {size} bytes; at most {MOST_BYTES} are taken",)
    try:
        return tuple(schema.errors(call.agent.output, output))
    except ValueError as error:
        raise failure("bad_input", f"{call.name}: its output schema cannot be used: {error}") from None
