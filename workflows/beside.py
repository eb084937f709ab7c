"""What is worked out beside a mission by whoever serves missions: the ruling on a decision, the loading of a plan.

Ordinary activities on the missions' own queue, never local ones (ADR 16); missions from before keep theirs.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

from contracts.base import Message
from contracts.call import JUDGE_DECISION
from contracts.decision import Hearing, Ruling
from contracts.payload import LARGEST, Bulky
from contracts.plan import Limits
from contracts.policy import ADMIT, Admission, Admitting
from workflows.interpreter.ending import EffectFailed
from workflows.label import label

LAST_WORDS = timedelta(seconds=5)
ADMITTING = timedelta(seconds=30)
MOST_BYTES = 1_000_000
"""The longest call that goes to the server: it takes 2 MB, and a task that sends more is tried again for ever."""


def demand_sendable(message: Bulky, limits: Limits) -> int:
    """Return how many bytes are sent; refuse what a server would not take, or what is too large to lie beside it."""
    size = len(message.model_dump_json().encode())
    most = LARGEST if limits.by_reference and message.may_lie_apart() else MOST_BYTES
    if size > most:
        cause = f"the call has {size} bytes; at most {most} can be sent"
        raise EffectFailed("over_budget", cause, tried="nothing was sent", applied="no")
    return size


async def judge(hearing: Hearing, number: int, *, exact: bool) -> Ruling:
    """Have a run's decision of this number ruled on. A judge that cannot be asked refuses: nothing passes unheard."""
    asked = beside(f"decision/{number}", "judge a decision", LAST_WORDS, exact=exact)
    try:
        ruling: Ruling = await asked(JUDGE_DECISION, hearing, Ruling)
    except EffectFailed as failed:
        return Ruling(accepted=False, reason=f"the decision could not be judged: {failed.cause}")
    return ruling


async def admit(*, heeds: bool = False) -> Admission:
    """Have policy asked of the whole mission before its first step. Where it cannot be asked, nothing begins."""
    try:
        admission: Admission = await beside("admission", "ask policy of the plan", ADMITTING, exact=True)(
            ADMIT, Admitting(heeds=heeds), Admission
        )
    except EffectFailed as failed:
        return Admission(findings=(f"policy could not be asked: {failed.cause}",))
    return admission


async def in_force(path: str) -> str:
    """Return the version of the rules in force: what the judge says who is asked to judge nothing."""
    info = workflow.info()
    asking = Hearing(
        token="",
        received_at=workflow.now(),
        mission=info.workflow_id,
        first_run_id=info.first_execution_run_id,
        asks=True,
    )
    try:
        ruling: Ruling = await beside(f"{path}/rules", "see which rules are in force", LAST_WORDS, exact=True)(
            JUDGE_DECISION, asking, Ruling
        )
    except EffectFailed:
        return ""
    return ruling.governance


def beside(name: str, summary: str, patience: timedelta, *, exact: bool) -> Callable[[str, Message, type], Any]:
    """Return how to have something worked out by whoever serves missions; `name` is the activity's id."""
    run = partial(workflow.execute_activity, activity_id=label(name)) if exact else workflow.execute_local_activity

    async def work_out(kind: str, given: Message, answer: type) -> Any:
        try:
            return await run(
                kind,
                given,
                result_type=answer,
                start_to_close_timeout=patience,
                retry_policy=RetryPolicy(maximum_attempts=3),
                summary=summary[:400],
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from error
            raise EffectFailed("failed", str(error.cause), applied="no") from error

    return work_out
