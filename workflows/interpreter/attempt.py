"""Try a step as a whole again when it fails, as often as its `retry` says.

Each attempt has a path of its own (`patch#2/drain`), so nothing of the last one is taken for the next one's: not an
answer, not an approval, not an idempotency key. What a failed attempt did is undone before the next begins.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from contracts.base import digest
from contracts.definition import Step
from contracts.record import Failure
from contracts.step import Retry
from workflows.interpreter.bound import sleep_until
from workflows.interpreter.ending import MissionEnded, StepFailed
from workflows.interpreter.hold import give_back
from workflows.interpreter.ladder import came_of, tried_again
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope
from workflows.interpreter.undo import undo_below

Body = Callable[[str], Awaitable[Outcome]]


async def run_attempts(step: Step, retry: Retry, path: str, scope: Scope, body: Body) -> Outcome:
    """Run a step's body until an attempt succeeds. The last failure is the step's own."""
    for number in range(1, retry.attempts + 1):
        here = f"{path}#{number}"
        known = scope.journal.get(here)
        if known is not None and known.status == "failed":
            continue
        if known is None:
            await scope.begin_effect(here)
            scope.journal.start(here, "attempt", "", scope.ports.now())
        if known is None or known.failure is None:
            outcome = await _attempt(here, scope, body)
            if isinstance(outcome, Outcome):
                came_of("succeeded", path, scope)
                return outcome
        failure = scope.journal.get(here).failure  # type: ignore[union-attr]
        if number == retry.attempts and failure is not None:
            scope.journal.finish(here, "failed", scope.ports.now())
            came_of("failed", path, scope)
            raise StepFailed(failure)
        if failure is not None:
            tried_again(failure, number + 1, path, scope)
        await undo_below(here, scope)
        await give_back(path, scope)
        record = scope.journal.get(here)
        since = record.ended_at if record is not None and record.ended_at else scope.ports.now()
        await sleep_until(since + pause(retry, number, here, scope), f"{step.step} is tried again", here, scope)
        scope.journal.finish(here, "failed", scope.ports.now())
    raise AssertionError(path)


async def _attempt(here: str, scope: Scope, body: Body) -> Outcome | Failure:
    settled = scope.journal.settled(here) is not None
    try:
        outcome = await body(here)
    except StepFailed as failed:
        scope.journal.update(here, failure=failed.failure, ended_at=scope.ports.now())
        scope.ports.changed()
        return failed.failure
    except (MissionEnded, asyncio.CancelledError):
        scope.journal.finish(here, "cancelled", scope.ports.now())
        raise
    if not settled:
        scope.journal.finish(here, "succeeded", scope.ports.now(), output=outcome.kept, **outcome.fields)
    return outcome


def pause(retry: Retry, number: int, here: str, scope: Scope) -> timedelta:
    """Return how long to wait after an attempt: a part of the whole wait, by chance that is the same on replay.

    The chance is another in each mission, so that many who failed together do not come back together.
    """
    growth = min(retry.factor ** (number - 1), retry.most / retry.first) if retry.first else 1.0
    whole = min(retry.first * growth, retry.most)
    if not scope.limits.jitter:
        return whole
    return whole * (1 + chance(scope.mission.id, scope.mission.first_run_id, here)) / 2


def chance(*of: str) -> float:
    """Return a number from 0 to 1 that hangs on words alone."""
    return int(digest(list(of))[-8:], 16) / 16**8
