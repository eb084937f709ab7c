"""The way of a mission from its frozen plan to its ending: bind the inputs, walk, reach a verdict.

Pure: a mission takes the same way on Temporal (`workflows/mission.py`) and in a rehearsal (`rehearsal/play.py`).
The law: whatever is known to stop a walk is an ending. A bug, a cancellation and a hand-over are not: what those mean
the shell says, which also undoes what an ending leaves to be undone.
"""

from typing import Any

from contracts.plan import Ending, Limits, Plan
from contracts.record import Failure
from contracts.view import MissionState
from language.schema import errors
from language.start import first_values
from language.steps import by_name, called_names
from workflows.governance.event import Eventbook
from workflows.governance.tally import Gatebook
from workflows.interpreter.ending import Broken, MissionEnded, StepFailed, at
from workflows.interpreter.join import halt_if_cancelled
from workflows.interpreter.journal import Journal
from workflows.interpreter.scope import Mission, Ports, Scope, Variables
from workflows.interpreter.walk import run_step, run_steps, run_target


def scope_of(
    plan: Plan,
    mission: Mission,
    ports: Ports,
    journal: Journal,
    gates: Gatebook,
    *,
    events: Eventbook | None = None,
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
    )


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


def failing(failure: Failure) -> Ending:
    """Return the ending of a mission that failed."""
    return Ending(state=MissionState.FAILED, reason=str(failure), failure=failure)


def broken(operation: str, bug: Exception) -> Ending:
    """Return the ending of a mission that met a bug of ours, with the step that did."""
    return failing((bug if isinstance(bug, Broken) else Broken("", bug)).failure(operation))


def to_be_undone(ending: Ending) -> bool:
    """Whether what the mission did is to be undone: only a completed one keeps it."""
    return ending.state != MissionState.COMPLETED


def state_of(ending: Ending | None, *, over: bool, asking: bool) -> MissionState:
    """Return how a mission stands: by its ending, whether it is over, and whether a gate waits."""
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
