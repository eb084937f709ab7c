"""The ports of locks, bound to Temporal: activities that ask the table, and wait a little for a better answer.

The law: nothing is learnt from signals. Whoever reaches the server can send one, and what a mission does on one may
come in another order on replay. The other ports are in `workflows/ports.py`.
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
from workflows.label import label
from workflows.meter import EFFECT, Meter

PATIENCE = timedelta(seconds=30)
RETRY = RetryPolicy(
    maximum_attempts=100, maximum_interval=timedelta(seconds=10), non_retryable_error_types=list(NEVER_RETRIED)
)
FIRST_LOOK = timedelta(seconds=1)
LAST_LOOK = timedelta(seconds=30)
"""How soon a mission asks again, at first and at most."""
KEPT_BACK = 5.0
"""Seconds for which an answer may be kept back, should it become a better one."""


class LockPorts:
    """The table of locks, as a mission sees it."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    async def ask_locks(self, claim: Claim) -> Standing:
        summary = f"ask for {', '.join(claim.names)}"
        claim = claim.model_copy(update={"patience": min(KEPT_BACK, claim.patience)})
        standing: Standing = await self._call(ASK_LOCKS, claim, claim.holder, result_type=Standing, summary=summary)
        return standing

    async def release_locks(self, holder: Holder) -> None:
        await self._call(RELEASE_LOCKS, holder, holder, summary="give locks back")

    def nudged(self, path: str) -> int:
        del path
        return 0

    def look_again(self, times: int) -> datetime:
        # At once the first time: then the answer may be kept back.
        span: timedelta = FIRST_LOOK * (2 ** min(times, 10) - 1)
        return workflow.now() + min(span, LAST_LOOK)

    async def _call(self, name: str, argument: Claim | Holder, holder: Holder, **more: Any) -> Any:
        more["summary"] = more["summary"][:400]
        try:
            return await workflow.execute_activity(
                name,
                argument,
                activity_id=label(f"{holder.path}/{name}"),
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
