"""When a decision reached the server, as the server's own history has it.

Law: a mission that no worker served hears late what came in time. Its clock stands at the task that heard it, so where
that alone makes a decision late, the history says when it came. Nobody else's word counts, least of all the sender's.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from activities.failure import explained, failure
from activities.mission_payloads import converter
from contracts.decision import DECIDE

PATIENCE = timedelta(seconds=4)
Handle = WorkflowHandle[Any, Any]


class Arrivals:
    """Looks up signals of the mission that asks, in whichever of its runs took them in."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __call__(self, token: str, taken_in: datetime) -> datetime | None:
        """Return when a token first came to the run that took it in at a moment; none if it never did."""
        info = activity.info()
        run: str | None = info.workflow_run_id
        try:
            while run:
                handle = self._client.get_workflow_handle(info.workflow_id or "", run_id=run)
                began, earlier, came = await self._in(handle, token, taken_in)
                if came is not None or began <= taken_in:
                    return came
                run = earlier
        except RPCError as error:
            raise failure("unavailable", f"nobody knows when the decision came: {explained(error)}") from None
        return None

    async def _in(self, handle: Handle, token: str, taken_in: datetime) -> tuple[datetime, str, datetime | None]:
        """Return when a run began, the one before it, and when the token came; a run that began later is not read."""
        began, earlier = taken_in, ""
        async for event in handle.fetch_history_events(rpc_timeout=PATIENCE):
            at = event.event_time.ToDatetime(tzinfo=UTC)
            if event.HasField("workflow_execution_started_event_attributes"):
                began = at
                earlier = event.workflow_execution_started_event_attributes.continued_execution_run_id
                if began > taken_in:
                    break
            elif event.HasField("workflow_execution_signaled_event_attributes"):
                signal = event.workflow_execution_signaled_event_attributes
                if signal.signal_name == DECIDE and await self._says(handle.id, signal.input.payloads, token):
                    return began, earlier, at
        return began, earlier, None

    async def _says(self, mission: str, payloads: Any, token: str) -> bool:
        try:
            return await converter(self._client, mission).decode(list(payloads), [str]) == [token]
        except Exception:
            return False  # whatever else was sent is not this decision
