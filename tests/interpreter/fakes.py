"""The interpreter's ports as fakes: agents and tools from tables, people from a script, time that jumps.

No server, no network, no sleeping: a mission of any length runs in milliseconds.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.call import AgentCall, AgentResult, ToolCall, ToolResult, Usage
from contracts.child import Child, Report
from contracts.decision import Opening, Ruling
from contracts.definition import Definition
from contracts.lock import Claim, Holder, Standing
from contracts.mind import Agent, CodeAgent
from contracts.notice import Notice
from contracts.plan import Carried, Limits, MissionInput, Plan
from contracts.planned import LoadedPlan, PlanOrder
from contracts.view import MissionState
from contracts.workspace import Escalation, Tool
from language.planned import load_plan
from language.start import first_values
from language.steps import by_name, called_names
from workflows.governance.event import Eventbook
from workflows.governance.lock import Locktable
from workflows.governance.tally import Gatebook
from workflows.interpreter.ending import EffectFailed, MissionEnded, StepFailed
from workflows.interpreter.journal import Journal
from workflows.interpreter.ports import Effort, Touched
from workflows.interpreter.scope import Mission, Scope, Variables
from workflows.interpreter.undo import undo_all
from workflows.interpreter.walk import run_step, run_steps, run_target


class Endless(BaseException):
    """A wait without end that nobody answers. No `Exception`: a walk would take it for a bug."""


TURNS = 30
"""Turns of the loop after which nothing else is taken to move."""
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class FakePorts:
    """`agents` and `tools` map a name to a value, an exception, a list of those in turn, or a callable of the call."""

    agents: dict[str, Any] = field(default_factory=dict)
    tools: dict[str, Any] = field(default_factory=dict)
    people: Callable[[Opening], tuple[Any, ...] | None] = lambda _: None
    """Says who decides what at an opening: `(person, verb)`, to answer `(person, verb, answer)`; None for silence."""
    changes: dict[str, Any] | None = None
    book: Gatebook | None = None
    clock: datetime = START
    calls: list[str] = field(default_factory=list)
    world: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """Tool, idempotency key, arguments of every call that reached a tool."""
    openings: list[Opening] = field(default_factory=list)
    heard: list[Opening] = field(default_factory=list)
    missions: dict[str, Any] = field(default_factory=dict)
    """Name to how a child ends: a `Report`, an exception, a list of those in turn, or a callable of the child."""
    undoing: Any = True
    """What having a child undone comes to: done, a report, a hand-over, or an exception; or a list of those in turn."""
    kin: list[tuple[str, str]] = field(default_factory=list)
    """What was asked of child missions: the verb, the child's id."""
    stop_after: int | None = None
    """Hand over once so many effects were asked for."""
    nonces: int = 0
    locks: Locktable = field(default_factory=Locktable)
    started: dict[str, MissionInput] = field(default_factory=dict)
    overridden: list[Touched] = field(default_factory=list)
    """For each command that stopped the walk, what it ends."""
    notices: list[Notice] = field(default_factory=list)
    rules: str = "v1"
    """The version of the rules in force."""

    def now(self) -> datetime:
        return self.clock

    def nonce(self) -> str:
        self.nonces += 1
        return f"nonce-{self.nonces}"

    def later(self, seconds: float) -> datetime:
        return self.clock + timedelta(seconds=seconds)

    def key(self, path: str, arguments_digest: str, generation: int) -> str:
        return f"{path}{f'~{generation}' if generation else ''}#{arguments_digest[-8:]}"

    @contextmanager
    def within(self, path: str) -> Iterator[None]:
        del path
        yield

    def stopping(self) -> bool:
        return self.stop_after is not None and len(self.calls) >= self.stop_after

    def changed(self) -> None: ...

    def holds(self, path: str, generation: int) -> bool:
        del path, generation
        return False

    def override(self, touched: Touched) -> None:
        self.overridden.append(touched)

    async def reported(self, touched: Touched) -> None:
        del touched

    def interrupt(self, path: str, generation: int, cause: str) -> bool:
        del generation
        self.kin.append(("interrupt", f"{path}: {cause}"))
        return True

    def stop(self) -> None:
        self.kin.append(("stop", "the mission"))

    def tell_child(self, child: Child, token: str) -> None:
        self.kin.append(("tell", f"{child.id}: {token}"))

    async def run_agent(self, call: AgentCall, effort: Effort) -> AgentResult:
        del effort
        self.calls.append(call.path)
        answer = await self._answer(self.agents, call.name, call)
        if isinstance(answer, AgentResult):
            return answer
        return AgentResult(output=answer, usage=Usage(agent_runs=1))

    async def watch_agent(self, call: AgentCall, effort: Effort) -> AgentResult:
        del call, effort
        return AgentResult()

    async def run_tool(self, call: ToolCall, effort: Effort) -> ToolResult:
        del effort
        self.calls.append(call.path)
        self.world.append((call.tool, call.key, call.arguments))
        return ToolResult(output=await self._answer(self.tools, call.tool, call), usage=Usage(tool_calls=1))

    async def load_plan(self, order: PlanOrder) -> LoadedPlan:
        self.calls.append(f"load {order.id}")
        return load_plan(order)

    async def start_mission(self, mission_id: str, given: MissionInput) -> Child:
        self.calls.append(mission_id)
        self.kin.append(("start", mission_id))
        self.started[mission_id] = given
        return Child(id=mission_id, run=f"run of {mission_id}", mission=given.plan.definition.mission)

    async def watch_mission(self, child: Child, path: str) -> Report | None:
        del path
        if self.stopping():
            return None
        report: Report = await self._answer(self.missions, child.mission, child)
        return report

    async def stop_mission(self, child: Child, path: str) -> None:
        del path
        self.kin.append(("stop", child.id))

    async def undo_mission(self, child: Child, path: str) -> Report | None:
        del path
        self.kin.append(("undo", child.id))
        done: Report | bool = await self._answer({"": self.undoing}, "", child)
        return (Report(state="cancelled") if done else None) if isinstance(done, bool) else done

    async def wait(self, ready: Callable[[], bool], until: datetime | None, summary: str) -> bool:
        """Let people speak once about each opening; what they leave open, time closes once nothing else moves."""
        del summary
        for _ in range(TURNS):
            await asyncio.sleep(0)
            if ready():
                return True
        for opening in self.book.openings() if self.book else ():
            if opening in self.heard:
                continue
            self.heard.append(opening)
            # Who is reminded is asked again, by the same opening.
            if all(one.model_copy(update={"reminders": opening.reminders}) != opening for one in self.openings):
                self.openings.append(opening)
            said = self.people(opening)
            if said is not None:
                person, verb, *answer = said
                self.book.count(  # type: ignore[union-attr]
                    Ruling(
                        accepted=True,
                        person=person,
                        verb=verb,
                        answer=answer[0] if answer else None,
                        step=opening.subject.step,
                        nonce=opening.nonce,
                        digest=opening.digest,
                        jti=f"{person}-{opening.nonce}",
                        comment=f"{person} says {verb}",
                        changes=self.changes if verb == "modify" else None,
                        token=f"signed by {person}",
                    )
                )
        if not ready() and not self.stopping():
            if until is None:
                raise Endless
            self.clock = max(self.clock, until)
        return ready()

    async def governance(self, path: str) -> str:
        self.kin.append(("rules", path))
        return self.rules

    def notify(self, notice: Notice) -> None:
        self.notices.append(notice)

    async def ask_locks(self, claim: Claim) -> Standing:
        await asyncio.sleep(0)
        self.locks.ask(claim, self.clock)
        return self.locks.standing(claim.holder)

    async def release_locks(self, holder: Holder) -> None:
        await asyncio.sleep(0)
        self.locks.release(holder, self.clock)

    def nudged(self, path: str) -> int:
        return sum(holder.path == path for holder in self.locks.moves)

    def look_again(self, times: int) -> datetime | None:
        del times
        return None

    async def _answer(self, table: dict[str, Any], name: str, call: Any) -> Any:
        answer = table.get(name, {})
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(call)
        if asyncio.iscoroutine(answer):
            answer = await answer
        await asyncio.sleep(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


TOOLS = {
    "isolate": Tool(
        server="s", effect="write", idempotency="key", compensated_by=("release",), description="Isolate a host"
    ),
    "release": Tool(server="s", effect="write", idempotency="key", autonomy="allowed", manual="Pull the cable back in"),
    "file": Tool(server="s", effect="write", idempotency="key", autonomy="allowed", compensated_by=("unfile",)),
    "unfile": Tool(server="s", effect="write", idempotency="key", autonomy="allowed"),
    "look": Tool(server="s", effect="read", idempotency="native"),
    "once": Tool(server="s", effect="write", idempotency="none", autonomy="allowed"),
}


ROLES = {"lea": ("lead",), "lou": ("lead",), "cleo": ("chief",), "ian": ("intern",)}
"""Whom a plan may ask."""


@dataclass
class Run:
    """How a rehearsal went."""

    state: str
    scope: Scope
    ports: FakePorts
    error: Exception | None = None
    runs: int = 1

    @property
    def journal(self) -> Journal:
        return self.scope.journal

    def statuses(self) -> dict[str, str]:
        return {record.path: record.status for record in self.journal.records()}


def plan_of(steps: list[dict[str, Any]], agents: dict[str, Agent] | None = None, **more: Any) -> Plan:
    """Make a plan from steps in the frozen form; agents that are not given answer anything."""
    definition = Definition.model_validate(
        {
            "mission": "rehearsal",
            "version": "1",
            "team": "tests",
            "verdict": {"one_of": ["done"], "value": "'done'"},
            "steps": steps,
            **more,
        }
    )
    named = {name: CodeAgent(callable="tests:none") for name in ("ann", "ben", "cid", "dot", "eva")}
    escalation = Escalation(role="chief", timeout=timedelta(hours=1))
    known = {**named, **(agents or {})}
    return Plan(definition=definition, agents=known, tools=TOOLS, escalation=escalation, people=ROLES).sealed()


def scope_of(
    plan: Plan, ports: FakePorts, inputs: dict[str, Any], carried: Carried | None = None, limits: Limits | None = None
) -> Scope:
    """Make the scope that a run starts from."""
    carried = carried or Carried()
    ports.book = Gatebook(carried.openings, carried.votes_seen, carried.refusals)
    return Scope(
        plan=plan,
        mission=Mission("m-1", "run-1", "rita", tells=True),
        ports=ports,
        journal=Journal(carried.records, carried.revision, carried.order),
        gates=ports.book,
        events=Eventbook(carried.events, carried.events_seen),
        variables=Variables(
            first_values(plan.definition, inputs), {name: {"status": "not_run"} for name in by_name(plan.definition)}
        ),
        by_name=by_name(plan.definition),
        called=frozenset(called_names(plan.definition)),
        run_step=run_step,
        run_target=run_target,
        limits=limits or Limits(),
    )


async def rehearse(
    plan: Plan,
    ports: FakePorts,
    inputs: dict[str, Any] | None = None,
    carried: Carried | None = None,
    limits: Limits | None = None,
) -> Run:
    """Walk to the end and undo what is abandoned, as the workflow does."""
    scope = scope_of(plan, ports, inputs or {}, carried, limits)
    task = asyncio.ensure_future(run_steps(plan.definition.steps, "", scope))
    error: Exception | None = None
    try:
        await task
        state: str = MissionState.COMPLETED
    except MissionEnded as ended:
        state, error = ended.state, ended
    except StepFailed as failed:
        state, error = MissionState.FAILED, failed
    if state != MissionState.COMPLETED:
        await undo_all(scope)
    return Run(state, scope, ports, error)


def carry(scope: Scope) -> Carried:
    """Carry a scope over to the next run, through JSON as history would."""
    carried = Carried(
        records=scope.journal.records(),
        revision=scope.journal.revision,
        order=scope.journal.order,
        openings=scope.gates.openings(),
        votes_seen=tuple(scope.gates.used),
        refusals=tuple(scope.gates.refusals),
        events=scope.events.waiting(),
        events_seen=scope.events.seen(),
    )
    return Carried.model_validate_json(carried.model_dump_json())


def failing(code: str = "tool_failed", applied: Any = "unknown") -> EffectFailed:
    return EffectFailed(code, "it would not", tried="3 attempts", applied=applied)
