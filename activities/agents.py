"""Run agents: by the runtime that a workspace names for them, with the tools that it gives them.

Law: deny by default. An agent runs as this worker's own `agents.yaml` says, or not at all, and an answer that does not
fit the agent's schema is handed back, never passed on: it is data. The runtimes are in `activities/runtimes/`.
"""

import time
from collections.abc import Mapping
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.assent import NOTHING, Assented, Assents
from activities.bench import NO_STORES, Bench, Stores
from activities.consent import Consent
from activities.failure import adding, failure
from activities.fit import misfits
from activities.fuse import NoFuse, given_up
from activities.halts import Brake, halting, not_begun, nothing_halted
from activities.later import put_off, taken_up
from activities.mcp_tools import ToolServers
from activities.memory import Memory
from activities.notebook import Notebook
from activities.overtime import in_time
from activities.people import Unreadable
from activities.pins import pinned
from activities.policy import Policy
from activities.purse import NoPurse, Payment, Thinker, thinker_of
from activities.runtimes.cast import Cast
from activities.runtimes.runtime import Asks, Misfit, Runtime, Work
from activities.shelf import NoShelf
from activities.statement import Refusal, show
from activities.toolbox import ReadingTools
from contracts.agent import Escalate
from contracts.call import RUN_AGENT, AgentCall, AgentResult, Usage
from contracts.mind import Agent
from contracts.observation import KEY as NOTICED
from contracts.policy import told
from contracts.usage import KEY, billed
from contracts.workspace import Tool


class AgentRunner:
    """The activity that lets an agent work. Errors are those of `activities/failure.py`."""

    def __init__(
        self,
        agents: Mapping[str, Agent],
        tools: Mapping[str, Tool],
        servers: ToolServers,
        brake: Brake = nothing_halted,
        cast: Cast | None = None,
        *,
        purse: NoPurse | None = None,
        shelf: NoShelf | None = None,
        fuse: NoFuse | None = None,
        stores: Stores = NO_STORES,
        policy: Policy,
        assents: Assents | None = None,
    ) -> None:
        self._policy = policy
        self._assents = assents
        self._stores = stores
        self._cast = cast or Cast()
        self._agents = agents
        self._tools = tools
        self._servers = servers
        self._brake = brake
        self._purse = purse or NoPurse()
        self._shelf = shelf or NoShelf()
        self._fuse = fuse or NoFuse()

    @activity.defn(name=RUN_AGENT)
    async def run(self, call: AgentCall) -> AgentResult:
        """Let an agent do a task and return its answer, or how its answer does not fit."""
        try:
            return await self._run(call)
        except ApplicationError as error:
            cleaned = self._cast.strongbox.cleaned_error(error)
            if cleaned is error:
                raise
            raise cleaned from None

    async def _run(self, call: AgentCall) -> AgentResult:
        runtime = self._cast.play(call.name, self._admit(call), call.agent)
        await self._demand_free(call)
        consent = Consent(self._policy, call, self._agents[call.name], self._tools, await self._assented(call))
        consent.demand("run_agent", call.name, admitted=call.admitted)
        consent.demand_thinking(thinker_of(runtime))
        thinker = thinker_of(runtime)
        known = await self._shelf.find(call, thinker)
        if known is not None:
            return known.model_copy(update={"policy": consent.answers()})
        memory = Memory(await taken_up(call.resume, self._stores.content))
        try:
            return await self._made(call, runtime, memory, consent)
        except ApplicationError as error:
            if not given_up(error):
                raise
            return await self._degraded(call, thinker, error, memory, consent)

    async def _made(self, call: AgentCall, runtime: Runtime, memory: Memory, consent: Consent) -> AgentResult:
        """Have an answer made, and paid for."""
        thinker = thinker_of(runtime)
        async with self._fuse.asking(call, thinker.endpoint), self._purse.paying(call, thinker) as payment:
            if payment.soft() and (cheaper := self._cheaper(call, consent)) is not None:
                runtime, thinker = cheaper, thinker_of(cheaper)
            result = await self._paid(call, runtime, payment, memory, consent)
        await self._shelf.keep(call, thinker, result)
        return result

    async def _degraded(
        self, call: AgentCall, thinker: Thinker, error: ApplicationError, memory: Memory, consent: Consent
    ) -> AgentResult:
        """Do instead what the agent's contract says, in its order, where nobody answers whom it asks.

        What was spent until then is among what the answer says that was.
        """
        for way in call.agent.degrade:
            match way:
                case "cached":
                    if (known := await self._shelf.find(call, thinker, stale=True)) is not None:
                        spent = known.usage.plus(billed(error.details))
                        return known.model_copy(update={"usage": spent, "policy": consent.answers()})
                case "cheaper":
                    if (cheaper := self._cheaper(call, consent)) is not None:
                        try:
                            return await self._made(call, cheaper, memory, consent)
                        except ApplicationError as again:
                            if not given_up(again):
                                raise
                            error = adding(error, _left(again))
                case "people":
                    raise adding(failure("unavailable", error.message, final=True), _left(error)) from None
        raise error

    def _cheaper(self, call: AgentCall, consent: Consent) -> Runtime | None:
        cheaper = self._cast.cheaper(call.name, self._admit(call), call.agent)
        if cheaper is not None:
            consent.demand_thinking(thinker_of(cheaper))
        return cheaper

    async def _paid(
        self, call: AgentCall, runtime: Runtime, payment: Payment, memory: Memory, consent: Consent
    ) -> AgentResult:
        started = time.monotonic()
        notebook = Notebook(lambda: activity.heartbeat(*notebook.details()), memory.before, call.path)
        for said in call.guidance:
            notebook.observe(f"An operator says: {said}", "guidance", "progress")
        for news in payment.held.news:
            notebook.observe(str(news), "budget", "progress")
        beside = self._bench(call, notebook)
        contracts = {name: pinned(name, tool, call.pins) for name, tool in self._tools.items()}
        tools = ReadingTools(self._given(call), contracts, self._servers, self._brake, permit=consent.permit, **beside)
        notebook.carry(memory.carried)
        payment.details = notebook.details
        before = memory.tally.copy()

        async def bill() -> Usage:
            spent = Usage(agent_runs=1, tool_calls=tools.calls, seconds=time.monotonic() - started)
            return await self._purse.count(payment, spent, memory.tally, before)

        try:
            answered = await _answered(runtime, Work(call, tools, notebook, memory))
        except ApplicationError as error:
            left = notebook.everything() if memory.begun(thinks=bool(payment.thinker.models)) else None
            waits = await put_off(error, left, self._stores.content)
            spent = {KEY: (await bill()).model_dump(mode="json")}
            raise adding(waits, told(consent.answers()) | spent) from error.__cause__
        except BaseException:
            await bill()
            raise
        usage = await bill()
        return answered.model_copy(
            update={
                "observations": notebook.all(),
                "usage": usage,
                "news": payment.held.news,
                "policy": consent.answers(),
                **tools.left(),
            },
        )

    def _admit(self, call: AgentCall) -> Agent:
        """Return the agent as this workspace knows it."""
        known = self._agents.get(call.name)
        if known is None:
            raise failure("refused", f"{show(call.name)} is no agent that this worker serves")
        return known

    async def _assented(self, call: AgentCall) -> Assented:
        """Return what people approved of the mission that policy wants approved."""
        try:
            return await self._assents.of(call) if self._assents is not None else NOTHING
        except (Refusal, Unreadable) as no:
            raise failure("refused", str(no)) from None

    async def _demand_free(self, call: AgentCall) -> None:
        """Refuse to begin what is halted: the agent, its team, the mission's team."""
        halts = await self._brake(agent=call.name, teams=(self._agents[call.name].team, call.agent.team, call.team))
        if halts:
            raise failure("halted", not_begun(call.name, halts), **halting(halts))

    def _bench(self, call: AgentCall, notebook: Notebook) -> dict[str, Any]:
        """Return what stands beside the tools: what both this workspace and the mission's plan give the agent."""
        known = frozenset(self._agents[call.name].reads()) & frozenset(call.agent.reads())
        return {"observe": notebook.observe, "bench": Bench(self._stores, known, notebook.observe)}

    def _given(self, call: AgentCall) -> frozenset[str]:
        """Return the tools that both this workspace and the mission's plan give the agent."""
        return frozenset(self._agents[call.name].hands()) & frozenset(call.agent.hands())


def _left(error: ApplicationError) -> dict[str, Any]:
    """Return what a failure says that the agent noticed, and what was spent."""
    first = error.details[0] if error.details and isinstance(error.details[0], dict) else {}
    return {name: first[name] for name in (NOTICED, KEY) if name in first}


async def _answered(runtime: Runtime, work: Work) -> AgentResult:
    """Let an agent work, its heart beating, and return its answer or how that does not fit."""
    async with work.notebook.kept():
        try:
            async with in_time(work.call):
                output = await runtime.answer(work)
            work.notebook.conclude(output)
            wrong = misfits(work.call, output)
            answered = AgentResult(output=None if wrong else output, errors=wrong)
        except Escalate as asks:
            fits = not misfits(work.call, asks.so_far)
            reason = str(asks) or "it does not say why"
            answered = AgentResult(output=asks.so_far if fits else None, escalated=reason)
        except Asks as asks:
            answered = AgentResult(talk=asks.talk)
        except Misfit as misfit:
            answered = AgentResult(errors=misfit.errors, handed_back=misfit.handed_back)
        except Exception:
            if work.tools.halted is None:
                raise
        finally:
            work.notebook.close()
            work.tools.close()
    if work.tools.halted is not None:
        raise work.tools.halted
    return answered
