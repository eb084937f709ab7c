"""A mission's histories: every run of its chain, each event as it was, each payload decoded.

What is read here needs no worker: it is what Temporal itself keeps. `starter/chronicle.py` turns it into sentences.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from activities.content import ContentLost
from activities.mission_payloads import unspelt
from activities.past import RESET, reset_in
from contracts.payload import KeyLacking
from starter.problem import Refused

Model = TypeVar("Model")
LOCAL_ACTIVITY = "core_local_activity"


class Gone(Refused):
    """A mission, or a run of one, that the server does not have, or keeps no longer."""


@dataclass(frozen=True)
class Part:
    """One run of a mission, and the first of its events that is its own: a reset copies those before it."""

    run: str
    history: WorkflowHistory
    since: int = 0


async def runs_of(client: Client, mission: str) -> list[WorkflowHistory]:
    """Return the histories of all runs of a mission, the first run first."""
    return [part.history for part in await lineage(client, mission)]


async def lineage(client: Client, mission: str, known: str = "") -> list[Part]:
    """Return all runs of a mission in the order in which they began, those that a reset left behind as well.

    What is before the run `known` is not looked for: somebody has it already. A run that the server keeps no longer is
    `Gone`, but for one that a reset left: what led there is in the run after it.
    """
    newest = await _history(client, mission, None)
    found = {run_id(newest): newest}
    await _follow(client, mission, newest, known, found)
    if any(reset_in(history.events)[0] for history in found.values()):
        async for other in _left(client, mission, found, newest):
            await _follow(client, mission, other, known, found)
    order = sorted(found, key=lambda run: _began(found[run]))
    return [Part(run, found[run], _since(found, run, known)) for run in order]


def part_of(history: WorkflowHistory) -> Part:
    """Return a history that stands alone."""
    return Part(run_id(history), history)


async def _follow(
    client: Client, mission: str, history: WorkflowHistory, known: str, found: dict[str, WorkflowHistory]
) -> None:
    """Find the runs that a run names, and those that these name in turn."""
    waiting = [history]
    while waiting:
        history = waiting.pop()
        for run, needed in _links(history, known).items():
            if run in found:
                continue
            try:
                found[run] = await _history(client, mission, run)
            except Gone:
                if needed:
                    raise
                continue
            waiting.append(found[run])


def _links(history: WorkflowHistory, known: str) -> Mapping[str, bool]:
    """Return the runs before and after a run, and whether the record is not whole without them."""
    last = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    after = {last: True} if last else {}
    if run_id(history) == known:
        return after
    before = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    _, reset = reset_in(history.events)
    base = {reset.base_run_id: False} if reset is not None else {}
    return {**({before: True} if before else {}), **base, **after}


async def _left(
    client: Client, mission: str, found: dict[str, WorkflowHistory], newest: WorkflowHistory
) -> AsyncIterator[WorkflowHistory]:
    """Yield the runs that no other names: a mission that was reset twice from one run has left the one between."""
    first = newest.events[0].workflow_execution_started_event_attributes.first_execution_run_id
    async for run in client.list_workflows(f"WorkflowId = '{mission}'" if "'" not in mission else "WorkflowId = ''"):
        if run.run_id in found:
            continue
        with suppress(Gone):
            other = await _history(client, mission, run.run_id)
            if other.events[0].workflow_execution_started_event_attributes.first_execution_run_id == first:
                found[run.run_id] = other
                yield other


def _began(history: WorkflowHistory) -> datetime:
    """Return when a run's own events begin."""
    at, _ = reset_in(history.events)
    return history.events[max(at, 1) - 1].event_time.ToDatetime(UTC)


def _since(found: Mapping[str, WorkflowHistory], run: str, known: str) -> int:
    """Return the first event of a run that no run before it has told."""
    at, reset = reset_in(found[run].events)
    told = reset is not None and (known or reset.base_run_id in found)
    return at if told else 0


async def _history(client: Client, mission: str, run: str | None) -> WorkflowHistory:
    try:
        history = await client.get_workflow_handle(mission, run_id=run).fetch_history()
    except RPCError as error:
        if error.status in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
            missing = (
                f"run {run} of mission {mission!r}: the server keeps it no longer" if run else f"mission {mission!r}"
            )
            raise Gone(f"no {missing}; `gonogo list` shows what there is") from None
        raise
    return history


def run_id(history: WorkflowHistory) -> str:
    """Return the id of the run that a history is of. One that was reset has its own beside that of the first."""
    _, reset = reset_in(history.events)
    if reset is not None:
        return str(reset.new_run_id)
    return history.events[0].workflow_execution_started_event_attributes.original_execution_run_id


def is_reset(attributes: Any) -> bool:
    """Whether a failed workflow task is the mark of a reset."""
    return bool(attributes.cause == RESET)


def name_of(event_type: Any) -> str:
    """Return an event's type as a word: `activity_task_scheduled`."""
    return EventType.Name(event_type).removeprefix("EVENT_TYPE_").lower()


class Reader:
    """Decode payloads; one that cannot be decoded is None, for the record must tell the rest.

    Where `whole` is asked for, what only this process cannot read is an error: content that lies apart and is not found
    there (`ContentLost`), and what a key is missing for (`KeyLacking`).
    """

    def __init__(self, converter: DataConverter, *, whole: bool = False) -> None:
        self._converter = converter
        self._whole = whole

    async def one(self, payloads: Iterable[Payload], model: type[Model], *, strange: bool = False) -> Model | None:
        """Return the first payload as a model. What is `strange` anybody may have sent, and it hinders nothing."""
        try:
            values = await self._converter.decode(list(payloads)[:1], [model])
        except (ContentLost, KeyLacking):
            if self._whole and not strange:
                raise
            return None
        except Exception:
            return None
        return values[0] if values and isinstance(values[0], model) else None

    async def words(self, text: str) -> str:
        """Return a text that may be a payload, as `gonogo cancel` leaves it."""
        payload = unspelt(text)
        if payload is None:
            return text
        return await self.one([payload], str, strange=True) or "what was said cannot be read"

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
