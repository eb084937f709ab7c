"""Walk the definition over the journal.

A plain recursive walk: a step that has settled answers from its record, the others run. The law: nothing new starts
once the run is to hand over or the task was cancelled. What each kind of step does is in `steps/`.
"""

import asyncio
from typing import Any

from contracts.definition import ESCALATE, ActionStep, AgentStep, BaseStep, GateStep, Step, Target
from contracts.record import Failure
from contracts.view import MissionState
from workflows.interpreter.ask import ask_apart, escalation_question
from workflows.interpreter.dispatch import actor, handle
from workflows.interpreter.ending import MissionEnded, StepFailed, Suspended
from workflows.interpreter.join import halt_if_cancelled, run_all
from workflows.interpreter.scope import Scope

Leaf = AgentStep | GateStep | ActionStep


async def run_step(step: Step, parent: str, scope: Scope) -> Any:
    """Run one step below a path and bind its output; answer from the journal where it has settled."""
    path = f"{parent}/{step.step}" if parent else step.step
    settled = scope.journal.settled(path)
    if settled is not None and isinstance(step, Leaf):
        _bind(step, settled.status, settled.output, scope)
        return settled.output
    if settled is None:
        _begin(step, path, scope)
    try:
        outcome = await handle(step, path, scope)
    except StepFailed as failed:
        _close(step, path, "failed", scope, failure=failed.failure)
        raise
    except MissionEnded as ended:
        _close(step, path, "cancelled", scope, failure=_reason(path, ended))
        raise
    except asyncio.CancelledError:
        _close(step, path, "cancelled", scope)
        raise
    if settled is None:
        scope.journal.finish(path, outcome.status, scope.ports.now(), output=outcome.kept, **outcome.fields)
    _bind(step, outcome.status, outcome.output, scope)
    scope.ports.changed()
    return outcome.output


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
    question = escalation_question(f"{path} needs somebody to say how to go on", scope)
    answer = await ask_apart(question, f"{path}/{ESCALATE}", scope)
    if answer.decided != "approved":
        raise MissionEnded(MissionState.REFUSED, answer.comment or f"nobody would go on from {path}")
    return answer.output()


def _begin(step: Step, path: str, scope: Scope) -> None:
    halt_if_cancelled()
    known = scope.journal.get(path)
    if known is None and scope.ports.stopping():
        raise Suspended
    scope.journal.start(path, step.kind, actor(step), scope.ports.now())
    scope.variables.steps[step.step] = {"status": "running"}
    scope.ports.changed()


def _close(step: Step, path: str, status: Any, scope: Scope, failure: Failure | None = None) -> None:
    scope.journal.finish(path, status, scope.ports.now(), failure=failure)
    scope.variables.steps[step.step] = {"status": status}
    scope.ports.changed()


def _bind(step: BaseStep, status: str, output: Any, scope: Scope) -> None:
    """Make a step's result known: as the variable that it names, and under `steps`."""
    if status == "succeeded" and step.output:
        scope.variables.values[step.output] = output
    scope.variables.steps[step.step] = {"status": status, "output": output}


def _reason(path: str, ended: MissionEnded) -> Failure:
    return Failure(code=ended.state, step=path, operation="go on", cause=ended.reason)
