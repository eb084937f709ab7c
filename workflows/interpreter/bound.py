"""Time: let it pass, and bound what a step may take of it.

At the bound its body is asked to stop, and what it had begun reports first, so that the saga knows every effect.
Pure: the wait is a port.
"""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

from contracts.record import Failure
from workflows.interpreter.ending import StepFailed
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope


async def sleep_until(moment: datetime, why: str, path: str, scope: Scope) -> None:
    """Let time pass. A hand-over moves no moment: the next run waits for the rest."""
    while scope.ports.now() < moment:
        await scope.begin_effect()
        with scope.ports.within(path):
            await scope.ports.wait(lambda: False, moment, f"{why} at {moment:%Y-%m-%d %H:%M:%S} UTC")


async def run_within(span: timedelta, body: Coroutine[Any, Any, Outcome], path: str, scope: Scope) -> Outcome:
    """Run a step's body; fail the step when it takes longer than the span, counted from the step's first start."""
    record = scope.journal.get(path)
    until = (record.started_at if record is not None else scope.ports.now()) + span
    task = asyncio.ensure_future(body)
    try:
        while not task.done() and not scope.ports.stopping():
            await scope.ports.wait(task.done, until, f"{path} may take {span}")
            if not task.done() and scope.ports.now() >= until:
                return await _stopped(task, span, path)
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


async def _stopped(task: "asyncio.Future[Outcome]", span: timedelta, path: str) -> Outcome:
    task.cancel()
    [ended] = await asyncio.gather(task, return_exceptions=True)
    if isinstance(ended, Outcome):
        return ended
    if isinstance(ended, Exception):
        raise ended
    cause = f"it was not done within {span}"
    raise StepFailed(Failure(code="timed_out", step=path, operation="finish in time", cause=cause))
