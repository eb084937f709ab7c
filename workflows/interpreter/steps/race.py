"""Run branches at once until one has a good answer."""

import asyncio
from typing import Any

from contracts.definition import RaceStep, Step
from contracts.record import Failure
from workflows.interpreter.ending import StepFailed, Suspended
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope


async def run_race(step: RaceStep, path: str, scope: Scope) -> Outcome:
    """Take the first good answer and cancel the rest. A branch that failed, or answered badly, is out of the race."""
    won: list[dict[str, Any]] = []
    tasks: list[asyncio.Task[str]] = []

    async def run(branch: Step) -> str:
        try:
            reason = await _entered(step, branch, path, scope, won)
        except (asyncio.CancelledError, Suspended):
            raise
        except Exception:
            _stop(tasks)
            raise
        if won:
            _stop(tasks)
        return reason

    tasks.extend(asyncio.ensure_future(run(branch)) for branch in step.race)
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    broken = [one for one in ended if isinstance(one, Exception) and not isinstance(one, Suspended)]
    if won:
        return Outcome(output=won[0], kept=won[0])
    for one in (*broken, *ended):
        if isinstance(one, BaseException):
            raise one
    cause = "; ".join(str(reason) for reason in ended)
    raise StepFailed(Failure(code="no_winner", step=path, operation="win the race", cause=cause))


async def _entered(step: RaceStep, branch: Step, path: str, scope: Scope, won: list[dict[str, Any]]) -> str:
    """Run a branch; return why it did not win, or nothing."""
    here = f"{path}/{branch.step}"
    known = scope.journal.get(here)
    if known is not None and known.status == "failed" and known.failure is not None:
        return str(known.failure)
    apart = scope.apart()
    try:
        answer = await scope.run_step(branch, path, apart)
    except StepFailed as failed:
        return str(failed)
    if won:
        return "it came too late"
    if step.good is not None and not apart.inside(result=answer).test(step.good, here):
        return f"{branch.step} answered, and not well enough"
    won.append({"winner": branch.step, "answer": answer})
    return ""


def _stop(tasks: "list[asyncio.Task[str]]") -> None:
    for task in tasks:
        if task is not asyncio.current_task():
            task.cancel()
