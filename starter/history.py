"""A mission's histories: every run of its chain, each event as it was, each payload decoded.

What is read here needs no worker: it is what Temporal itself keeps. `starter/audit.py` turns it into sentences.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from starter.problem import Refused

Model = TypeVar("Model")
LOCAL_ACTIVITY = "core_local_activity"


async def runs_of(client: Client, mission: str) -> list[WorkflowHistory]:
    """Return the histories of all runs of a mission, the first run first."""
    newest = await _history(client, mission, None)
    started = newest.events[0].workflow_execution_started_event_attributes
    found, run = [newest], started.continued_execution_run_id
    while run:
        earlier = await _history(client, mission, run)
        found.append(earlier)
        run = earlier.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return found[::-1]


async def _history(client: Client, mission: str, run: str | None) -> WorkflowHistory:
    try:
        history = await client.get_workflow_handle(mission, run_id=run).fetch_history()
    except RPCError as error:
        if error.status in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
            missing = (
                f"run {run} of mission {mission!r}: the server keeps it no longer" if run else f"mission {mission!r}"
            )
            raise Refused(f"no {missing}; `gonogo list` shows what there is") from None
        raise
    return history


def run_id(history: WorkflowHistory) -> str:
    """Return the id of the run that a history is of."""
    return history.events[0].workflow_execution_started_event_attributes.original_execution_run_id


def name_of(event_type: Any) -> str:
    """Return an event's type as a word: `activity_task_scheduled`."""
    return EventType.Name(event_type).removeprefix("EVENT_TYPE_").lower()


class Reader:
    """Decode payloads; one that cannot be decoded is None, for the audit must tell the rest."""

    def __init__(self, converter: DataConverter) -> None:
        self._converter = converter

    async def one(self, payloads: Iterable[Payload], model: type[Model]) -> Model | None:
        """Return the first payload as a model."""
        try:
            values = await self._converter.decode(list(payloads)[:1], [model])
        except Exception:
            return None
        return values[0] if values and isinstance(values[0], model) else None

    async def failure(self, failure: Any) -> tuple[str, dict[str, Any]]:
        """Return a failure's own words and its first details."""
        try:
            error: Any = await self._converter.decode_failure(failure)
        except Exception:
            return str(failure.message), {}
        details = getattr(error, "details", ())
        first = details[0] if details and isinstance(details[0], dict) else {}
        kind = getattr(error, "type", None)
        text = getattr(error, "message", None) or str(error)
        return (f"{kind}: {text}" if isinstance(kind, str) else str(text)), first
