"""Walk the definition over the journal.

A plain recursive walk: a step that has settled answers from its record, the others run. The law: nothing new starts
once the run is to hand over or the task was cancelled. What each kind of step does is in `steps/`.
"""

import asyncio
from typing import Any

from contracts.definition import (
    ActionStep,
    AgentStep,
    CanaryStep,
    MapStep,
    MissionStep,
    PlanStep,
    RaceStep,
    Step,
    Target,
)
from contracts.failure_class import ANY, ASKING, most_specific
from contracts.record import Failure, Record
from contracts.step import ESCALATE, UNANSWERED, BaseStep, Fallback
from contracts.view import MissionState
from workflows.interpreter.ask import ask_apart, escalation_question
from workflows.interpreter.attempt import run_attempts
from workflows.interpreter.bound import run_within
from workflows.interpreter.dispatch import actor, handle
from workflows.interpreter.ending import Broken, MissionEnded, StepFailed, Suspended, at
from workflows.interpreter.hold import give_back, leave, let_go, take, under
from workflows.interpreter.join import halt_if_cancelled, run_all
from workflows.interpreter.ladder import RECOVERY, all_tried, came_of, note_tries, on_a_rung, went
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope
from workflows.interpreter.tell import withdraw_inside

OPEN = frozenset({"running", "waiting"})
UNREACHED = frozenset({"unavailable", "timed_out"})
HAS, NOTICED = "what it has so far", "what it noticed"
"""Where people see it in the context: no variable has such a name."""
SHOWN = 20


async def run_step(step: Step, parent: str, scope: Scope) -> Any:
    """Run one step below a path and bind its output; answer from the journal where it has settled."""
    path = f"{parent}/{step.step}" if parent else step.step
    settled = scope.journal.settled(path)
    if settled is not None and _closed(step, settled):
        _bind(step, settled.status, settled.output, scope, by_hand=bool(settled.by))
        return settled.output
    fresh = scope.journal.get(path) is None
    if settled is None:
        await _begin(step, path, scope)
    try:
        with at(path):
            outcome = await _outcome(step, path, scope, fresh=fresh)
    except StepFailed as failed:
        _close(step, path, "failed", scope, failure=failed.failure)
        raise
    except MissionEnded as ended:
        _close(step, path, "cancelled", scope, failure=_reason(path, ended))
        raise
    except asyncio.CancelledError:
        _close(step, path, "cancelled", scope)
        raise
    except Broken as broken:
        _close(step, path, "failed", scope, failure=broken.failure("run the step"))
        raise
    if settled is None:
        scope.journal.finish(path, outcome.status, scope.ports.now(), output=outcome.kept, **outcome.fields)
    _bind(step, outcome.status, outcome.output, scope)
    scope.ports.changed()
    return outcome.output


def _closed(step: Step, settled: Record) -> bool:
    """Whether a settled step's record is all there is to it.

    The others are walked again, for the sake of what the steps inside them and behind them have set.
    """
    kept = isinstance(step, ActionStep | MapStep | RaceStep | CanaryStep | PlanStep | MissionStep)
    unasked = settled.answer is None and settled.output is None
    by_hand = settled.status == "skipped" and settled.by != ""
    return (kept and settled.status == "succeeded") or (settled.status == "skipped" and unasked) or by_hand


async def _outcome(step: Step, path: str, scope: Scope, *, fresh: bool) -> Outcome:
    """Run a step unless its `when` says no. Its locks are given back whatever comes of it."""
    if fresh and step.when is not None and not scope.test(step.when, path):
        return Outcome(status="skipped")
    try:
        outcome = await _mended(step, path, scope)
    except (StepFailed, MissionEnded, asyncio.CancelledError):
        await leave(path, scope)
        raise
    await give_back(path, scope)
    return outcome


async def _mended(step: Step, path: str, scope: Scope) -> Outcome:
    """Run a step, and go where its `on_failure` points when it fails."""
    record = scope.journal.get(path)
    failure = record.failure if record is not None else None
    if failure is None:
        try:
            return await _tried(step, path, scope)
        except StepFailed as failed:
            failure = failed.failure
            note_tries(failure, path, scope)
            if _way(step, path, failure, scope) is None:
                raise
    way = _way(step, path, failure, scope)
    if way is not None and not on_a_rung(path, scope):
        went(way, failure, path, scope, failure=failure)
    await let_go(path, scope)
    try:
        outcome = await _recover(step, failure, path, under(path, scope))
    except (StepFailed, MissionEnded):
        came_of("failed", path, scope)
        raise
    came_of("succeeded", path, scope)
    return outcome


async def _tried(step: Step, path: str, scope: Scope) -> Outcome:
    """Run a step, again where its `retry` says so; the attempts of an agent or a tool are the port's."""
    if step.retry is None or isinstance(step, AgentStep | ActionStep):
        return await _locked(step, path, path, scope)
    return await run_attempts(step, step.retry, path, scope, lambda here: _locked(step, path, here, scope))


async def _locked(step: Step, path: str, here: str, scope: Scope) -> Outcome:
    """Run a step's body at a path, once the step has its locks."""
    await take(step, path, scope)
    return await _bounded(step, here, under(path, scope))


async def _bounded(step: Step, path: str, scope: Scope) -> Outcome:
    if step.timeout is None or isinstance(step, AgentStep | ActionStep):
        return await handle(step, path, scope)
    return await run_within(step.timeout, handle(step, path, scope), path, scope)


def _way(step: Step, path: str, failure: Failure, scope: Scope) -> Target | Fallback | None:
    """Return where a failure leads: where an operator said, or the definition."""
    if path in scope.control.state.escalated:
        return ESCALATE
    return most_specific(failure.code, step.on_failure) or _asked_of_people(step, failure, scope)


def _asked_of_people(step: Step, failure: Failure, scope: Scope) -> Target | None:
    """Return the way to people, for what is theirs to say unless the definition says otherwise."""
    unreached = isinstance(step, AgentStep) and failure.code in UNREACHED
    degrades = unreached and "people" in scope.plan.agents[step.agent].degrade  # type: ignore[union-attr]
    return ESCALATE if failure.code in ASKING or degrades else None


async def _recover(step: Step, failure: Failure, path: str, scope: Scope) -> Outcome:
    way = _way(step, path, failure, scope)
    if isinstance(way, Fallback) and isinstance(step, AgentStep):
        further = {ANY: way.else_} if way.else_ is not None else {}
        work = {"task": step.task, "context": step.context, "retry": step.retry}
        other = AgentStep(step=RECOVERY, agent=way.agent, on_failure=further, **work)
        output = await run_step(other, path, scope)
        return Outcome(output=output, kept=output, status="recovered")
    if way is not None and not isinstance(way, Fallback):
        await run_target(way, f"{path}/{RECOVERY}", scope)
    # What people let pass stands: they have seen it.
    output = so_far(failure, path, scope) if way == ESCALATE else None
    return Outcome(output=output, kept=output, status="recovered")


async def run_target(target: Target, path: str, scope: Scope) -> Any:
    """Go where a definition points: a built-in word, a named step, or steps written in place."""
    match target:
        case "continue":
            return None
        case "abort":
            raise MissionEnded(MissionState.ABORTED, f"the definition aborts the mission at {path}")
        case "escalate":
            return await _escalate(path, scope)
        case str():
            return await run_step(scope.by_name[target], path, scope)
        case tuple():
            return await run_steps(target, path, scope)


async def run_steps(steps: tuple[Step, ...], parent: str, scope: Scope) -> dict[str, Any]:
    """Run a list: in order, or as the task graph that its `needs` make. Return the outputs by step."""
    own = [step for step in steps if step.step not in scope.called]
    if any(step.needs is not None for step in own):
        return await _run_graph(own, parent, scope)
    outputs = {}
    for step in own:
        outputs[step.step] = await run_step(step, parent, scope)
    return outputs


async def _run_graph(steps: list[Step], parent: str, scope: Scope) -> dict[str, Any]:
    ended = {step.step: asyncio.Event() for step in steps}
    outputs: dict[str, Any] = {}

    async def node(step: Step) -> None:
        try:
            for need in step.needs or ():
                await ended[need].wait()
                if need not in outputs:
                    raise Suspended
            outputs[step.step] = await run_step(step, parent, scope)
        finally:
            ended[step.step].set()

    await run_all([lambda step=step: node(step) for step in steps])  # type: ignore[misc]
    return outputs


async def _escalate(path: str, scope: Scope) -> Any:
    around = path.removesuffix(f"/{RECOVERY}")
    record = scope.journal.get(around)
    failure = record.failure if record is not None else None
    why = f" ({failure})" if failure is not None else ""
    tried = all_tried(around, scope) if scope.limits.ladder else []
    shown = {HAS: so_far(failure, around, scope), NOTICED: noticed_at(around, scope)} if _asks(failure) else {}
    question = escalation_question(f"{path} needs somebody to say how to go on{why}", scope, tried, shown)
    answer = await ask_apart(question, f"{path}/{ESCALATE}", scope)
    if answer.decided == "timed_out" and scope.plan.definition.dead_letter is not None:
        cause = f"{scope.plan.escalation.role} did not say in time how to go on"
        raise StepFailed(Failure(code=UNANSWERED, step=around, operation="ask people", cause=cause))
    if answer.decided != "approved":
        raise MissionEnded(MissionState.REFUSED, answer.comment or f"nobody would go on from {path}")
    return answer.output()


def _asks(failure: Failure | None) -> bool:
    return failure is not None and failure.code in ASKING


def so_far(failure: Failure | None, path: str, scope: Scope) -> Any:
    """Return what an agent has come to whose step asks for people."""
    record = scope.journal.get(path)
    return record.output if _asks(failure) and record is not None else None


def noticed_at(path: str, scope: Scope) -> list[str]:
    """Return the last that was noticed at a step, in words."""
    record = scope.journal.get(path)
    return [f"{one.kind}: {one.text}" for one in record.observations[-SHOWN:]] if record is not None else []


async def _begin(step: Step, path: str, scope: Scope) -> None:
    halt_if_cancelled()
    known = scope.journal.get(path)
    if known is None or known.status not in OPEN:
        await scope.begin_effect(path)
    scope.journal.start(path, step.kind, actor(step), scope.ports.now())
    scope.variables.steps[step.step] = {"status": "running"}
    scope.ports.changed()


def _close(step: Step, path: str, status: Any, scope: Scope, failure: Failure | None = None) -> None:
    scope.journal.finish(path, status, scope.ports.now(), failure=failure)
    withdraw_inside(path, scope)
    scope.variables.steps[step.step] = {"status": status}
    scope.ports.changed()


def _bind(step: BaseStep, status: str, output: Any, scope: Scope, *, by_hand: bool = False) -> None:
    """Make a step's result known: as the variable that it names, and under `steps`."""
    instead = output is not None and (status == "recovered" or by_hand)
    if step.output and (status == "succeeded" or instead):
        scope.variables.values[step.output] = output
    scope.variables.steps[step.step] = {"status": status, "output": output}


def _reason(path: str, ended: MissionEnded) -> Failure:
    return Failure(code=ended.state, step=path, operation="go on", cause=ended.reason)
