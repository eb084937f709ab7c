"""Work again until it is good enough, or often enough.

Rounds that only go round in a circle (`circle.py`) are often enough: unless the loop provides for that failure it goes
where its bound would lead, and what the last whole round came to is its result.
"""

from typing import Any

from contracts.definition import LoopStep
from contracts.failure_class import most_specific
from contracts.record import Failure
from contracts.step import ESCALATE
from workflows.interpreter.circle import STUCK
from workflows.interpreter.ending import MissionEnded, StepFailed
from workflows.interpreter.ladder import came_of, went
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope


async def run_loop(step: LoopStep, path: str, scope: Scope) -> Outcome:
    """Run `do`, then ask `until`; at the bound go where `on_max` says. The output is the last round's."""
    output = None
    for number in range(1, step.loop.max_iterations + 1):
        inner = scope.inside(iteration=number)
        here = f"{path}[{number}]"
        known = scope.journal.get(here)
        settled = scope.journal.settled(here)
        if known is None or known.failure is None:
            if settled is None:
                scope.journal.start(here, "iteration", "", scope.ports.now())
            try:
                output = await scope.run_target(step.loop.do, here, inner)
            except StepFailed as failed:
                _leave_the_circle(step, failed, path, here, scope)
        if _circled(here, scope) is not None:
            return await _often_enough(step, path, here, output, scope)
        enough = settled.output["until"] if settled else inner.test(step.loop.until, here)
        if settled is None:
            scope.journal.finish(here, "succeeded", scope.ports.now(), output={"until": enough})
        if enough:
            return Outcome(output=output)
    await scope.run_target(step.loop.on_max, f"{path}/on_max", scope)
    return Outcome(output=output)


def _leave_the_circle(step: LoopStep, failed: StepFailed, path: str, here: str, scope: Scope) -> None:
    """Note that a round leads round in a circle. Any other failure, and one that is provided for, is none of ours."""
    failure, provided = failed.failure, most_specific(STUCK, step.on_failure) is not None
    if failure.code != STUCK or failure.loop != path or provided:
        raise failed
    scope.journal.finish(here, "failed", scope.ports.now(), failure=failure)


def _circled(here: str, scope: Scope) -> Failure | None:
    record = scope.journal.get(here)
    return record.failure if record is not None else None


async def _often_enough(step: LoopStep, path: str, here: str, output: Any, scope: Scope) -> Outcome:
    """Go from a circle where the bound leads. People who are asked are told of the circle."""
    way, failure, record = step.loop.on_max, _circled(here, scope), scope.journal.get(path)
    if failure is not None and record is not None and not record.rungs:
        went(way, failure, path, scope)
    try:
        await scope.run_target(way, here if way == ESCALATE else f"{path}/on_max", scope)
    except (StepFailed, MissionEnded):
        came_of("failed", path, scope)
        raise
    came_of("succeeded", path, scope)
    return Outcome(output=output)
