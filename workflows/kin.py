"""Child workflows, and looking at them: the ports that have to do with other missions.

A child stands by itself: what its parent's end means for it is `parentage.py`. What became of another mission is asked
of an activity that fails while there is nothing to tell and is tried again: a wait of days holds no worker, writes no
event, and goes on in the next run.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

from contracts.base import Message
from contracts.child import FIND_CHILD, STOP_CHILD, WATCH_PARENT, Child, Claim
from contracts.decision import DECIDE
from contracts.plan import MissionInput
from workflows.board import at_start
from workflows.interpreter.effort import NEVER_RETRIED
from workflows.interpreter.ending import EffectFailed
from workflows.label import label
from workflows.running import Running

LOOK = timedelta(seconds=15)
"""The time that one look may take."""
FIRST = timedelta(seconds=0.2)
SOON, LATER = timedelta(seconds=5), timedelta(seconds=30)
"""The longest wait between two looks at a child, and at a parent: a child that is held makes nobody wait."""
GROWTH = 1.3
PARENT = "/parent"
"""The id of the activity that looks at the parent: no step has such a path."""


async def start_child(mission_id: str, given: MissionInput) -> Child:
    """Start a child workflow, seen through whatever is cancelled meanwhile: it has started, or it has not."""
    starting = asyncio.create_task(_start(mission_id, given))
    while not starting.done():
        with suppress(asyncio.CancelledError, WorkflowAlreadyStartedError, ChildWorkflowError):
            await asyncio.shield(starting)
    try:
        handle = starting.result()
    except WorkflowAlreadyStartedError:
        return await _found(mission_id, given)
    except ChildWorkflowError as error:
        raise EffectFailed("failed", str(error.cause or error), applied="no") from error
    # Nobody waits for it here: what becomes of it is asked of the server. An error that nobody took would be logged.
    handle.add_done_callback(lambda child: child.cancelled() or child.exception())
    return Child(id=handle.id, run=handle.first_execution_run_id or "", mission=given.plan.definition.mission)


async def _start(mission_id: str, given: MissionInput) -> "workflow.ChildWorkflowHandle[Any, Any]":
    definition = given.plan.definition
    return await workflow.start_child_workflow(
        definition.mission,
        given,
        id=mission_id,
        # The policies of Temporal would also strike when the parent continues as a new run.
        parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        search_attributes=at_start(definition.mission, definition.team),
        static_summary=f"{definition.mission} {definition.version}, started by {workflow.info().workflow_id}"[:200],
        static_details=definition.description or None,
    )


async def _found(mission_id: str, given: MissionInput) -> Child:
    """Take up a child that this chain of runs has started already: it was reset to before that. No other will do."""
    parent, name = given.parent, given.plan.definition.mission
    if parent is None:
        raise AssertionError(mission_id)
    claim = Claim(child=mission_id, mission=name, parent=parent)
    try:
        found: Child = await workflow.execute_activity(
            FIND_CHILD,
            claim,
            activity_id=label(f"{parent.path}/find"),
            result_type=Child,
            start_to_close_timeout=LOOK,
            retry_policy=RetryPolicy(maximum_interval=SOON, non_retryable_error_types=list(NEVER_RETRIED)),
            summary=f"find {mission_id}"[:400],
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise asyncio.CancelledError from error
        raise EffectFailed("refused", str(error.cause), applied="no") from error
    return found


async def stop_child(child: Child, name: str) -> None:
    """Cancel a child. Whoever waits for its end asks again, so a failure here is none."""
    with suppress(ActivityError):
        await workflow.execute_activity(
            STOP_CHILD,
            child,
            activity_id=label(name),
            start_to_close_timeout=LOOK,
            retry_policy=RetryPolicy(maximum_attempts=20, maximum_interval=SOON),
            summary=f"stop {child.id}"[:400],
        )


async def tell_child(child: Child, token: str) -> None:
    """Pass an operator's command on to a child, which judges it itself. One that is over has nothing to hear."""
    with suppress(Exception):
        await workflow.get_external_workflow_handle(child.id).signal(DECIDE, token)


async def look(
    kind: str,
    kin: Message,
    name: str,
    answer: type,
    *,
    stopping: Callable[[], bool],
    summary: str,
    running: Running,
) -> Any:
    """Look at another mission until there is an answer; None when the run is to hand over first.

    The waits between grow with the time that has passed, so an answer is late by a part of what it took.
    """
    if stopping():
        return None

    def begin(named: str) -> "asyncio.Task[Any]":
        return workflow.start_activity(
            kind,
            kin,
            activity_id=label(named),
            result_type=answer,
            start_to_close_timeout=LOOK,
            retry_policy=RetryPolicy(
                initial_interval=FIRST,
                backoff_coefficient=GROWTH,
                maximum_interval=LATER if kind == WATCH_PARENT else SOON,
                # Nobody knows how long a mission takes. What trying again cannot mend ends it.
                maximum_attempts=0,
                non_retryable_error_types=list(NEVER_RETRIED),
            ),
            summary=summary[:400],
        )

    effect = running.take(name, name.partition("~")[0], begin, agent=False)
    looking = effect.handle
    try:
        await workflow.wait_condition(lambda: looking.done() or stopping())
        # Left as it is by a run that ends: begun and taken back within one task it would leave no event, unless a query
        # parted the two, and then no replay would make it.
        # A walk that is stopped for a command leaves it to the next walk.
        if not looking.done():
            return None
        running.over(name)
        return await looking
    except asyncio.CancelledError:
        looking.cancel()
        running.over(name, given_up=True)
        raise
    except ActivityError as error:
        if is_cancelled_exception(error):
            if effect.recalled:
                return None
            raise asyncio.CancelledError from error
        cause = error.cause
        code = cause.type if isinstance(cause, ApplicationError) and cause.type else "failed"
        raise EffectFailed(code, str(cause or error), tried="it was looked up") from error
