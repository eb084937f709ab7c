"""An activity on a stage: what Temporal would tell it, and what it answers or raises."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

POLICY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=60),
    maximum_attempts=3,
)

TIMED = {"start_to_close_timeout": timedelta(minutes=2)}


def stage(**info: Any) -> ActivityEnvironment:
    """Return an environment in mission-1, its first attempt of three."""
    known = {"workflow_id": "mission-1", "workflow_run_id": "run-9", "retry_policy": POLICY, **TIMED}
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, **{**known, **info})
    return environment


async def failing(work: Any) -> ApplicationError:
    """Return the failure that the work ends with."""
    try:
        answer = await asyncio.wait_for(work, 10)
    except ApplicationError as error:
        return error
    raise AssertionError(f"it answered {answer}")


def told(error: ApplicationError) -> tuple[str | None, str, bool]:
    """Return a failure's code, what it says was applied, and whether it may be tried again."""
    return error.type, error.details[0]["applied"], not error.non_retryable
