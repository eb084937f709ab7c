"""Look back, in a run that was reset: how the run before ended, and which actions it had begun that were dropped.

The law: only what the server kept is told. A reset copies the history up to a workflow task and drops what that task
itself asked for; an action among it may have been done. `workflows/reset.py` asks, `contracts/past.py` is the answer.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.failure import explained, failure
from activities.mission_payloads import converter
from activities.statement import show
from contracts.call import EXECUTE_ACTION, ToolCall
from contracts.past import READ_PAST, Past

PATIENCE = timedelta(seconds=10)
BY_RESET = frozenset({"history-resetter", "history-service"})
"""As whom the server itself ends the run that a reset starts from."""
SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
RESET = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW


class Historian:
    """The activity that a mission has look back."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name=READ_PAST)
    async def read(self) -> Past:
        """Return why the mission stopped that this run goes on from, and what it had begun."""
        info = activity.info()
        mission, run = info.workflow_id or "", info.workflow_run_id or ""
        at, reset = reset_in(await self._events(mission, run))
        if reset is None:
            return Past(cause="")
        said = reset.failure.message
        try:
            before = await self._events(mission, reset.base_run_id)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise failure("unavailable", f"what {mission} did cannot be read: {explained(error)}") from None
            return Past(cause=f"reset from outside: {show(said)}; the server keeps no history of what was before")
        return Past(
            cause=cause(before, said), begun=tuple([path async for path in self._begun(mission, before[at - 1 :])])
        )

    async def _begun(self, mission: str, dropped: Sequence[Any]) -> AsyncIterator[str]:
        """Yield the paths of the actions that a run had asked for in what a reset drops. Undoing is asked for anew."""
        payloads = converter(self._client, mission)
        for event in dropped:
            facts = event.activity_task_scheduled_event_attributes
            if event.event_type == SCHEDULED and facts.activity_type.name == EXECUTE_ACTION:
                [call] = await payloads.decode(facts.input.payloads, [ToolCall])
                if not call.undoes:
                    yield call.path

    async def _events(self, mission: str, run: str) -> Sequence[Any]:
        handle = self._client.get_workflow_handle(mission, run_id=run)
        return (await handle.fetch_history(rpc_timeout=PATIENCE)).events


def reset_in(events: Sequence[Any]) -> tuple[int, Any]:
    """Return the number and the facts of the event that says that a run was reset: the latest."""
    for event in reversed(events):
        facts = event.workflow_task_failed_event_attributes
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED and facts.cause == RESET:
            return event.event_id, facts
    return 0, None


def cause(events: Sequence[Any], said: str) -> str:
    """Return why a run ended, as the server tells it; `said` is the reason of the reset."""
    last = events[-1]
    match last.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
            facts = last.workflow_execution_terminated_event_attributes
            if facts.identity not in BY_RESET:
                return f"terminated from outside by {show(facts.identity)}: {facts.reason or 'no reason given'}"[:500]
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
            return "ended from outside: its time on the server ran out"
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            return f"it had failed before, and was reset: {said}"[:500]
        case _:
            pass
    return f"stopped from outside: {said}"[:500]
