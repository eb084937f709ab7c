"""What comes in and goes out of a mission as Temporal has it: events from signals, results from endings."""

import asyncio
from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from contracts.event import Event
from contracts.plan import Ending, MissionResult
from contracts.view import MissionState
from workflows.governance.event import Eventbook
from workflows.refused import why


def happened(args: Sequence[RawValue], events: Eventbook) -> str:
    """Take an event in; return why it is refused, or nothing."""
    try:
        [given] = args
        event = Event.model_validate(workflow.payload_converter().from_payload(given.payload, Event))
        return events.take_in(event.model_copy(update={"received_at": workflow.now()}))
    except Exception as error:
        said = "an event is one JSON object with `event`, and with `key`, `payload` and `id` as needed"
        return f"{said}; {why(error)}"


def said_in_force(args: Sequence[RawValue]) -> str:
    """Return which rules somebody says are in force; what cannot be read names none."""
    try:
        [given] = args
        return str(workflow.payload_converter().from_payload(given.payload, str))
    except Exception:
        return ""


def delivered(result: MissionResult, ending: Ending) -> MissionResult:
    """Return a mission's result, or end the workflow as its state says."""
    match ending.state:
        case MissionState.FAILED:
            code = ending.failure.code if ending.failure else "failed"
            raise ApplicationError(ending.reason, result.model_dump(mode="json"), type=code, non_retryable=True)
        case MissionState.CANCELLED:
            raise asyncio.CancelledError(ending.reason)
        case _:
            return result
