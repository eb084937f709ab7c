"""The record of a mission from its history alone: who, what, when, why, and the digest that proves it.

Each kind of event is told by the file that knows it; the others are Temporal's own bookkeeping. The law: the same
history gives the same entries, and what follows never changes what was told before. The other half, the mission's own
view of itself, is its journal: where the two differ, the history is right.
"""

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

from temporalio.client import Client

from activities.mission_payloads import converter
from contracts.audit import AuditEntry
from contracts.child import FIND_CHILD, STOP_CHILD, UNDO_CHILD, WATCH_CHILD, WATCH_PARENT, Child, Report
from contracts.notice import SEND_NOTICE
from contracts.past import READ_PAST
from contracts.plan import MissionInput
from starter import lives
from starter.asides import apart
from starter.heard import BESIDE, Heard
from starter.history import Part, Reader, is_reset, lineage, name_of
from starter.told import Told
from starter.waits import WAITED, Waits
from starter.worked import Work

KIN = {
    FIND_CHILD: "child looked for",
    WATCH_CHILD: "child watched",
    STOP_CHILD: "child told to stop",
    UNDO_CHILD: "child told to undo",
    WATCH_PARENT: "parent watched",
    READ_PAST: "past of the mission read",
}


async def chronicle(client: Client, mission: str) -> list[AuditEntry]:
    """Return the record of all runs of a mission, in the order of its events."""
    entries: list[AuditEntry] = []
    payloads = converter(client, mission)
    for part in await lineage(client, mission):
        entries += [entry async for entry in Run(part, Reader(payloads)).entries()]
    return entries


class Run:
    """One run's events, told in turn. Each teller remembers what its later events do not say again."""

    def __init__(self, part: Part, reader: Reader) -> None:
        self._part = part
        self._reader = reader
        self._work = Work(reader)
        self._heard = Heard(reader)
        self._waits = Waits(reader)
        self._kin: dict[int, Child] = {}
        self._told_of = Told(reader)
        self._name = ""

    async def entries(self) -> AsyncIterator[AuditEntry]:
        """Yield what the record says of this run; what a reset copied from another run was told there."""
        for event in self._part.history.events:
            told = await self._told(event)
            if told is not None and event.event_id >= self._part.since:
                at = event.event_time.ToDatetime(tzinfo=UTC)
                for entry in apart(AuditEntry(at=at, run_id=self._part.run, event_id=event.event_id, **told)):
                    yield entry

    async def _told(self, event: Any) -> dict[str, Any] | None:
        name = name_of(event.event_type)
        attributes: Any = getattr(event, f"{name}_event_attributes", None)
        match name:
            case "workflow_execution_started":
                return await self._started(attributes)
            case "workflow_task_failed" if is_reset(attributes):
                return lives.reset(attributes)
            case "activity_task_scheduled":
                return await self._scheduled(event.event_id, attributes)
            case "activity_task_started":
                return await self._work.again(attributes)
            case "activity_task_completed":
                return await self._completed(attributes)
            case "activity_task_failed" | "activity_task_timed_out":
                return await self._failed(attributes)
            case "activity_task_canceled":
                return self._work.cancelled(attributes.scheduled_event_id)
            case "child_workflow_execution_started":
                return _child_started(attributes)
            case "marker_recorded":
                return await self._heard.marked(attributes)
            case "workflow_execution_signaled":
                return await self._heard.signalled(attributes)
            case "upsert_workflow_search_attributes":
                return await self._stated(attributes)
            case "timer_started" | "timer_fired" | "timer_canceled":
                return _timer(name, attributes)
            case "workflow_execution_cancel_requested":
                return await lives.cancelling(self._reader, attributes)
            case _:
                return await lives.ended(self._reader, name, event, self._name)

    async def _started(self, attributes: Any) -> dict[str, Any]:
        given = await self._reader.one(attributes.input.payloads, MissionInput)
        self._name = attributes.workflow_type.name
        if given is not None:
            self._work.know(given.plan.tools)
        return lives.started(given, attributes)

    async def _scheduled(self, event: int, attributes: Any) -> dict[str, Any] | None:
        kind, payloads = attributes.activity_type.name, attributes.input.payloads
        if kind in BESIDE:
            await self._heard.heard(event, kind, payloads)
            return None
        if kind == SEND_NOTICE:
            return await self._told_of.ordered(event, payloads)
        if kind in WAITED:
            return await self._waits.begun(event, kind, payloads)
        child = await self._reader.one(payloads, Child) if kind in {WATCH_CHILD, UNDO_CHILD} else None
        if child is not None:
            self._kin[event] = child
        other = {"what": KIN.get(kind, f"activity {kind} asked for"), "detail": {"child": child.id} if child else {}}
        return await self._work.ordered(event, kind, payloads) or other

    async def _completed(self, attributes: Any) -> dict[str, Any] | None:
        event, payloads = attributes.scheduled_event_id, attributes.result.payloads
        if waited := await self._waits.over(attributes):
            return waited
        if worked := await self._work.done(event, payloads):
            return worked
        if told := await self._told_of.sent(event, payloads):
            return told
        child = self._kin.get(event)
        report = await self._reader.one(payloads, Report) if child else None
        if child is None or report is None:
            return await self._heard.judged(payloads, event)
        detail = {"state": report.state, "verdict": report.verdict, "held": report.held}
        return {"what": "child mission reported", "who": child.mission, "detail": {"child": child.id, **detail}}

    async def _failed(self, attributes: Any) -> dict[str, Any] | None:
        cause, _ = await self._reader.failure(attributes.failure)
        told = self._told_of.failed(attributes.scheduled_event_id, cause)
        return told or await self._work.failed(attributes.scheduled_event_id, attributes.failure)

    async def _stated(self, attributes: Any) -> dict[str, Any]:
        fields = attributes.search_attributes.indexed_fields
        values = {name: (await self._reader.one([fields[name]], object)) for name in sorted(fields)}
        return {"what": "state told", "detail": {name: value for name, value in values.items() if value is not None}}


def _child_started(attributes: Any) -> dict[str, Any]:
    execution = attributes.workflow_execution
    detail = {"child": execution.workflow_id, "run": execution.run_id}
    return {"what": "child mission started", "who": attributes.workflow_type.name, "detail": detail}


def _timer(what: str, attributes: Any) -> dict[str, Any]:
    verb = what.removeprefix("timer_")
    detail: dict[str, Any] = {"timer": attributes.timer_id}
    if verb == "started":
        detail["seconds"] = attributes.start_to_fire_timeout.ToTimedelta().total_seconds()
    return {"what": f"timer {verb.replace('canceled', 'stopped')}", "detail": detail}
