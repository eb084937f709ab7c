"""The way of a mission from its frozen plan to its ending: bind the inputs, walk, reach a verdict.

Pure: a mission takes the same way on Temporal (`workflows/mission.py`) and in a rehearsal (`rehearsal/play.py`).
The law: whatever is known to stop a walk is an ending. A bug, a cancellation and a hand-over are not: what those mean
the shell says, which also undoes what an ending leaves to be undone.
"""

import asyncio
from typing import Any

from contracts.command import DeadLetter
from contracts.definition import DeadLetterBox
from contracts.plan import Ending, Limits, Plan
from contracts.policy import Admission
from contracts.record import Failure
from contracts.view import MissionState
from language.schema import errors
from language.start import first_values
from language.steps import by_name, called_names
from workflows.governance.control import Control
from workflows.governance.event import Eventbook
from workflows.governance.tally import Gatebook
from workflows.interpreter.ending import Broken, MissionEnded, StepFailed, Suspended, at
from workflows.interpreter.join import halt_if_cancelled
from workflows.interpreter.journal import Journal
from workflows.interpreter.ladder import left_to_operators, tried_around
from workflows.interpreter.passing import ask_to_pass
from workflows.interpreter.ports import Ports
from workflows.interpreter.scope import Mission, Scope, Variables
from workflows.interpreter.tell import tell_operators
from workflows.interpreter.walk import run_step, run_steps, run_target

MOST_FINDINGS = 20
"""How much of what policy found against a mission its ending tells; the record has all."""


def scope_of(
    plan: Plan,
    mission: Mission,
    ports: Ports,
    journal: Journal,
    gates: Gatebook,
    *,
    events: Eventbook | None = None,
    control: Control | None = None,
    limits: Limits | None = None,
) -> Scope:
    """Return the scope that a walk starts from."""
    steps = by_name(plan.definition)
    return Scope(
        plan=plan,
        mission=mission,
        ports=ports,
        journal=journal,
        gates=gates,
        events=events or Eventbook(),
        limits=limits or Limits(),
        variables=Variables(steps={name: {"status": "not_run"} for name in steps}),
        by_name=steps,
        called=frozenset(called_names(plan.definition)),
        run_step=run_step,
        run_target=run_target,
        control=control or Control(),
    )


async def follow_under_control(scope: Scope, inputs: dict[str, Any]) -> Ending:
    """Walk as operators have left it, and wait with a failure for them where the definition says so."""
    scope.variables = fresh_variables(scope)
    asking = [asyncio.ensure_future(ask_to_pass(ruling, scope)) for ruling in scope.control.state.asking]
    try:
        ending = await _followed(scope, {**inputs, **scope.control.state.values})
    except (Exception, asyncio.CancelledError):
        await _stopped(asking)
        raise
    await _stopped(asking)
    return ending


async def _stopped(asking: "list[asyncio.Task[None]]") -> None:
    """Stop asking: the next walk asks again. Not in a `finally`: a mission that is evicted has nothing to wait in."""
    for task in asking:
        task.cancel()
    for ended in await asyncio.gather(*asking, return_exceptions=True) if asking else ():
        if isinstance(ended, Exception) and not isinstance(ended, Suspended):
            raise ended


def fresh_variables(scope: Scope) -> Variables:
    """Return the variables that a walk starts with: none, and no step has run."""
    return Variables(steps={name: {"status": "not_run"} for name in scope.by_name})


async def _followed(scope: Scope, inputs: dict[str, Any]) -> Ending:
    control = scope.control
    if control.letter is None or control.stopped():
        ending = await follow(scope, inputs)
        box = _box(ending, scope)
        if ending.state == MissionState.COMPLETED and control.overriding():
            raise Suspended
        stopped = control.stopped()
        if stopped and ending.failure is None:
            return await _released(ending, scope)
        if ending.failure is None or (not stopped and (box is None and not control.overriding())):
            return ending
        # Without a box it waits no longer than for the command that was there before the failure.
        now = scope.ports.now()
        at_once = now if not stopped else None
        deadline = at_once if box is None else now + box.timeout if box.timeout is not None else None
        tried = tuple(tried_around(ending.failure.step, scope))
        control.put(letter=DeadLetter(failure=ending.failure, at=now, deadline=deadline, tried=tried))
        left_to_operators(ending.failure, scope)
        scope.ports.changed()
        tell_operators(ending.failure.step, deadline, scope)
    return await _wait_for_operators(scope)


def _box(ending: Ending, scope: Scope) -> DeadLetterBox | None:
    """Return the box in which a failure waits for operators: always where nothing was left to spend."""
    spent = ending.failure is not None and ending.failure.over
    return scope.plan.definition.dead_letter or (DeadLetterBox() if spent else None)


async def _released(ending: Ending, scope: Scope) -> Ending:
    """Return an ending once operators let a mission go on that was stopped from outside."""
    halt_if_cancelled()
    if not await scope.ports.wait(lambda: not scope.control.stopped(), None, "it was stopped from outside"):
        raise Suspended
    halt_if_cancelled()
    return ending


async def _wait_for_operators(scope: Scope) -> Ending:
    """Wait until a command stops the walk. At the deadline the mission fails after all, and is undone."""
    letter = scope.control.letter
    if letter is None:
        raise AssertionError
    halt_if_cancelled()
    await scope.ports.wait(lambda: False, letter.deadline, f"{letter.failure.step} waits for an operator")
    if letter.deadline is None or scope.ports.now() < letter.deadline or scope.control.overriding():
        raise Suspended
    return overdue(letter)


def overdue(letter: DeadLetter) -> Ending:
    """Return the ending of a mission whose operators have not said in time how it goes on."""
    said = "; no operator said in time how to go on"
    return failing(letter.failure.model_copy(update={"remains": f"{letter.failure.remains}{said}".removeprefix("; ")}))


async def follow(scope: Scope, inputs: dict[str, Any], below: str = "") -> Ending:
    """Walk the definition, its paths below another where that is given, and return what that came to."""
    try:
        with at("inputs"):
            _bind_inputs(scope, inputs)
        await run_steps(scope.plan.definition.steps, below, scope)
        halt_if_cancelled()
        with at("verdict"):
            return Ending(state=MissionState.COMPLETED, verdict=_verdict(scope))
    except MissionEnded as ended:
        return Ending(state=ended.state, reason=ended.reason)
    except StepFailed as failed:
        return failing(failed.failure)


def refused(admission: Admission) -> Ending:
    """Return the ending of a mission that policy does not admit, with all findings."""
    more = len(admission.findings) - MOST_FINDINGS
    said = [*admission.findings[:MOST_FINDINGS], *([f"and {more} more"] if more > 0 else [])]
    return Ending(state=MissionState.REFUSED, reason=f"policy does not admit it: {'; '.join(said)}")


def failing(failure: Failure) -> Ending:
    """Return the ending of a mission that failed."""
    return Ending(state=MissionState.FAILED, reason=str(failure), failure=failure)


def broken(operation: str, bug: Exception) -> Ending:
    """Return the ending of a mission that met a bug of ours, with the step that did."""
    return failing((bug if isinstance(bug, Broken) else Broken("", bug)).failure(operation))


def to_be_undone(ending: Ending) -> bool:
    """Whether what the mission did is to be undone: only a completed one keeps it."""
    return ending.state != MissionState.COMPLETED


def state_of(ending: Ending | None, *, over: bool, asking: bool, control: Control | None = None) -> MissionState:
    """Return how a mission stands: by its ending, whether it is over, what operators said, and whether a gate waits."""
    if ending is None and control is not None and control.letter is not None:
        return MissionState.DEAD_LETTER
    if ending is None and control is not None and control.paused is not None:
        return MissionState.PAUSED
    if ending is None:
        return MissionState.WAITING if asking else MissionState.RUNNING
    if over:
        return MissionState(ending.state)
    return MissionState.DEAD_LETTER if asking else MissionState.COMPENSATING


def _bind_inputs(scope: Scope, inputs: dict[str, Any]) -> None:
    schema = scope.plan.definition.inputs
    wrong = errors(schema, inputs) if schema else []
    if wrong:
        cause = "; ".join(wrong)[:500]
        raise StepFailed(Failure(code="bad_input", step="inputs", operation="check the inputs", cause=cause))
    scope.variables.values.update(first_values(scope.plan.definition, inputs))


def _verdict(scope: Scope) -> str:
    verdict = scope.plan.definition.verdict
    answer = scope.evaluate(verdict.value, "verdict")
    if not isinstance(answer, str) or answer not in verdict.one_of:
        cause = f"`{verdict.value}` gave {repr(answer)[:200]}, which is none of {', '.join(verdict.one_of)}"
        raise StepFailed(Failure(code="verdict_undeclared", step="verdict", operation="reach a verdict", cause=cause))
    return answer
