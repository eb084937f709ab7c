"""The ports of locks, bound to Temporal: short activities that ask the table, and word that it may have changed.

The law: word is a hint. Whoever reaches the server can send it, and it may be lost; what the table answers counts.
Beside `workflows/ports.py` the only file here that names an activity.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from contracts.lock import ASK_LOCKS, RELEASE_LOCKS, Claim, Holder, Standing
from workflows.interpreter.effort import NEVER_RETRIED
from workflows.interpreter.ending import EffectFailed
from workflows.meter import EFFECT, WORD, Meter

PATIENCE = timedelta(seconds=30)
RETRY = RetryPolicy(
    maximum_attempts=100, maximum_interval=timedelta(seconds=10), non_retryable_error_types=list(NEVER_RETRIED)
)
FIRST_LOOK = timedelta(seconds=15)
LAST_LOOK = timedelta(minutes=5)
"""How soon a mission asks again by itself, at first and at most: word may be lost, and a mission in the way may have
been terminated."""


class LockPorts:
    """The table of locks, as a mission sees it."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._nudges: dict[str, int] = {}

    async def ask_locks(self, claim: Claim) -> Standing:
        summary = f"ask for {', '.join(claim.names)}"
        standing: Standing = await self._call(ASK_LOCKS, claim, claim.holder, result_type=Standing, summary=summary)
        return standing

    async def release_locks(self, holder: Holder) -> None:
        await self._call(RELEASE_LOCKS, holder, holder, summary="give locks back")

    def nudged(self, path: str) -> int:
        return self._nudges.setdefault(path, 0)

    def nudge(self, path: str) -> None:
        """Count word that the locks of a step moved. Only those who have asked for locks can have it."""
        if path in self._nudges:
            self._nudges[path] += 1
            self._meter.count(WORD)

    def look_again(self, times: int) -> datetime:
        span: timedelta = FIRST_LOOK * 2 ** min(times, 10)
        return workflow.now() + min(span, LAST_LOOK)

    async def _call(self, name: str, argument: Claim | Holder, holder: Holder, **more: Any) -> Any:
        more["summary"] = more["summary"][:400]
        try:
            return await workflow.execute_activity(
                name,
                argument,
                activity_id=f"{holder.path}/{name}",
                start_to_close_timeout=PATIENCE,
                retry_policy=RETRY,
                **more,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from error
            code = error.cause.type if isinstance(error.cause, ApplicationError) else None
            raise EffectFailed(code or "unavailable", f"{name}: {error.cause}", applied="no") from error
        finally:
            self._meter.count(EFFECT)
