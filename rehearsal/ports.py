"""The interpreter's ports over a script: agents and tools answer from it, time is the clock's, and nothing is real.

The law: what the real world would do with an effect happens here too. Failures are tried again with the mission's
backoff, what takes longer than its timeout fails, arguments are held against the tool's contract, and a tool that has
begun reports even where its branch was cancelled. `workflows/ports.py` is the same over Temporal.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Literal

from contracts.call import AgentCall, AgentResult, ToolCall, ToolResult, Usage, idempotency_key
from contracts.child import Child, Report
from contracts.lock import Claim, Holder, Standing
from contracts.notice import Notice
from contracts.plan import MissionInput, Plan
from contracts.planned import LoadedPlan, PlanOrder
from contracts.step import Place, Retry
from contracts.workspace import Tool
from language.admitted import Ask, admitted
from language.finding import Finding
from language.planned import load_plan
from language.schema import errors
from rehearsal.check import step_of
from rehearsal.child import Children
from rehearsal.clock import Clock, Halted
from rehearsal.crowd import Crowd
from rehearsal.helm import Steered
from rehearsal.invent import CannotInvent, invent
from rehearsal.keyring import Keyring
from rehearsal.purse import Purse
from rehearsal.script import Answer, Cue, Rehearsal
from workflows.governance.control import Control
from workflows.interpreter.effort import NEVER_RETRIED
from workflows.interpreter.ending import Applied, EffectFailed
from workflows.interpreter.join import see_through
from workflows.interpreter.ports import Effort
from workflows.interpreter.scope import Mission


@dataclass(frozen=True)
class Act:
    """One use of a tool that changed the world, or may have. `undoes` names the tool that it compensates."""

    at: datetime
    path: str
    tool: str
    arguments: dict[str, Any]
    key: str
    undoes: str
    applied: Applied


class Unanswered(Halted):
    """An agent or a tool was called, and the script does not say what it answers."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass(frozen=True)
class Part:
    """Who is to answer, where, and by which schema.

    What is said to a step, by path or by name, comes before the general answer. A name that is also that of one of
    the `others` who answer means that one.
    """

    kind: Literal["agent", "tool"]
    name: str
    path: str
    schema: dict[str, Any]
    cues: dict[str, Cue]
    others: Collection[str]

    def cue(self) -> Cue | None:
        told = (self.cues.get(key) for key in (self.path, step_of(self.path)) if key not in self.others)
        return next((cue for cue in told if cue), None) or self.cues.get(self.name)


class ScriptedPorts(Steered):
    """The world, as a script tells it. `changed` calls whoever watches."""

    def __init__(
        self,
        plan: Plan,
        mission: Mission,
        script: Rehearsal,
        clock: Clock,
        crowd: Crowd,
        *,
        control: Control,
        children: Children,
        watch: Callable[[], None],
        invents: bool = False,
        policy: Ask | None = None,
    ) -> None:
        super().__init__(control, clock)
        self.acts: list[Act] = []
        self._agents = {name: agent for one in plan.family() for name, agent in one.agents.items()}
        self._tools = {name: tool for one in plan.family() for name, tool in one.tools.items()}
        self._children = children
        self._mission = mission
        self._script = script
        self._clock = clock
        self._crowd = crowd
        self._watch = watch
        self._invents = invents
        self._policy = policy
        self._nonces = count(1)
        self._attempts: dict[Place, int] = {}
        self._keyring = Keyring(script.locks, clock)
        self._purse = Purse()

    def now(self) -> datetime:
        return self._clock.now

    def nonce(self) -> str:
        return f"nonce-{next(self._nonces)}"

    def key(self, path: str, arguments_digest: str, generation: int) -> str:
        mission = self._mission
        return idempotency_key(
            "rehearsal", mission.id, mission.first_run_id, path, arguments_digest, generation=generation
        )

    @contextmanager
    def within(self, path: str) -> Iterator[None]:
        del path
        yield

    def changed(self) -> None:
        self._crowd.look()
        self._watch()

    async def wait(self, ready: Callable[[], bool], until: datetime | None, summary: str) -> bool:
        del summary
        if until is None:
            await self._clock.condition(lambda: ready() or self.stopping())
            return ready()
        alarm = self._clock.alarm(until)
        try:
            await self._clock.condition(lambda: ready() or self.stopping() or alarm.done())
        finally:
            alarm.cancel()
        return ready()

    async def governance(self, path: str) -> str:
        """Return no version: who rehearses plays by the rules as they are."""
        del path
        return ""

    def notify(self, notice: Notice) -> None:
        """Tell nobody: a rehearsal stays in the house."""

    def begin(self) -> None:
        """Start to count the time for which others hold locks."""
        self._keyring.begin()

    async def ask_locks(self, claim: Claim) -> Standing:
        return self._keyring.ask(claim)

    async def release_locks(self, holder: Holder) -> None:
        self._keyring.release(holder)

    def nudged(self, path: str) -> int:
        return self._keyring.moves(path)

    def look_again(self, times: int) -> datetime | None:
        del times
        return None

    async def run_agent(self, call: AgentCall, effort: Effort) -> AgentResult:
        part = Part("agent", call.name, call.path, call.agent.output, self._script.agents, self._agents)
        news = self._purse.begin(call, self.now())
        answer, usage = await self.effect(call, lambda: self._try(part, effort))
        self._purse.pay(call, usage)
        return AgentResult(output=answer.answer, usage=usage.model_copy(update={"agent_runs": 1}), news=news)

    async def watch_agent(self, call: AgentCall, effort: Effort) -> AgentResult:
        del call, effort
        return AgentResult()

    async def run_tool(self, call: ToolCall, effort: Effort) -> ToolResult:
        """Let a tool act. A cancellation waits for its report, or nobody would know what to undo."""
        result: ToolResult = await self.effect(
            call, lambda: see_through(self._act(call, self._tools[call.tool], effort))
        )
        return result

    async def load_plan(self, order: PlanOrder) -> LoadedPlan:
        loaded = load_plan(order)
        if self._policy is None or loaded.findings:
            return loaded
        # With which models agents think, only workers know.
        return admitted(order, loaded, self._policy, lambda *_: ())

    async def start_mission(self, mission_id: str, given: MissionInput) -> Child:
        return self._children.start(mission_id, given, self._apart())

    async def watch_mission(self, child: Child, path: str) -> Report | None:
        del path
        return await self._children.report(child, self.stopping)

    async def stop_mission(self, child: Child, path: str) -> None:
        del path
        self._children.stop(child)

    async def undo_mission(self, child: Child, path: str) -> Report | None:
        del path
        return await self._children.undo(child)

    def _apart(self) -> "ScriptedPorts":
        """Return the same world for a child, which no command stops."""
        own = copy(self)
        Steered.__init__(own, Control(), self._clock)
        return own

    async def _act(self, call: ToolCall, tool: Tool, effort: Effort) -> ToolResult:
        wrong = errors(tool.input, call.arguments)
        if wrong:
            cause = f"{call.tool}: the arguments do not fit its contract: {'; '.join(wrong[:3])}"
            raise EffectFailed("bad_input", cause, tried="nothing was sent", applied="no")
        part = Part("tool", call.tool, call.path, tool.output, self._script.tools, self._tools)
        try:
            answer, usage = await self._try(part, effort)
        except EffectFailed as failed:
            self._note(call, tool, failed.applied)
            raise
        self._note(call, tool, "yes")
        return ToolResult(output=answer.answer, usage=usage.model_copy(update={"tool_calls": 1}))

    def _note(self, call: ToolCall, tool: Tool, applied: Applied) -> None:
        if tool.acts() and applied != "no":
            act = Act(self.now(), call.path, call.tool, call.arguments, call.key, call.undoes, applied)
            self.acts.append(act)

    async def _try(self, part: Part, effort: Effort) -> tuple[Answer, Usage]:
        """Return the first attempt that answers, and what it cost; raise when the last one has failed."""
        applied: list[Applied] = []
        for attempt in count(1):
            answer = self._scripted(part) or await self._missing(part)
            in_time = answer.after <= effort.timeout
            await self._clock.pause(min(answer.after, effort.timeout))
            if in_time and not answer.fails:
                seconds = answer.after.total_seconds()
                costs = {"tool_calls": answer.tool_calls, "usd": answer.usd, "tokens": answer.tokens}
                return answer, Usage(seconds=seconds, **costs)
            applied.append(answer.applied if answer.fails else "unknown")
            code = answer.fails if in_time else "timed_out"
            if code in NEVER_RETRIED or attempt >= effort.retry.attempts:
                cause = answer.cause or f"the rehearsal lets {part.name} fail"
                cause = cause if in_time else f"no answer within {effort.timeout}"
                tried = f"attempt {attempt} of {effort.retry.attempts}"
                raise EffectFailed(code, cause, tried=tried, applied=_together(applied), attempts=attempt)
            await self._clock.pause(_backoff(effort.retry, attempt))
        raise AssertionError(part)

    def _scripted(self, part: Part) -> Answer | None:
        """Return what the script says to this attempt, if it says anything."""
        cue = part.cue()
        if cue is None or cue.each_time:
            return cue.answers[0] if cue else None
        number = self._attempts.get(cue.place, 0)
        self._attempts[cue.place] = number + 1
        return cue.answers[number] if number < len(cue.answers) else None

    async def _missing(self, part: Part) -> Answer:
        """Invent what the script does not say, or stop the rehearsal."""
        cue, key = part.cue(), f"{part.kind}s"
        why = f"whose {len(cue.answers)} answers are used up" if cue else "which has no answer in this rehearsal"
        if self._invents:
            try:
                return Answer(answer=invent(part.schema))
            except CannotInvent as error:
                why = f"for which none can be invented: {error}"
        place = cue.place if cue else self._script.place(key, "like")
        message = f"{part.path} calls the {part.kind} '{part.name}', {why}"
        mend = f"write '{part.name}: …' under '{key}', or rehearse with --invent"
        return await self._clock.halt(Unanswered(Finding("NO_ANSWER", message, place, mend)))


def _together(applied: list[Applied]) -> Applied:
    """Return whether the world was changed by any of several attempts: `no` only when surely by none."""
    if "yes" in applied:
        return "yes"
    return "no" if set(applied) == {"no"} else "unknown"


def _backoff(retry: Retry, attempt: int) -> timedelta:
    """Return the wait before the next attempt: the mission's own, without the jitter."""
    growth: float = min(retry.factor ** min(attempt - 1, 64), retry.most / retry.first if retry.first else 1.0)
    return min(retry.first * growth, retry.most)
