"""The audit of a mission from its history alone: who, what, when, and the digest that proves it.

One method per kind of event that matters; the others are Temporal's own bookkeeping. The other half, the mission's
own view of itself, is its journal: where the two differ, the history is right.
"""

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

from temporalio.client import Client, WorkflowHistory

from contracts.base import digest
from contracts.call import EXECUTE_ACTION, JUDGE_DECISION, RUN_AGENT, AgentCall, AgentResult, ToolCall, ToolResult
from contracts.child import UNDO_CHILD, WATCH_CHILD, Child, Report
from contracts.decision import COMMANDS, DECIDE, Ruling, token_digest
from contracts.event import EVENT, Event
from contracts.halt import HALTS
from contracts.lock import LOCKS
from contracts.notice import SEND_NOTICE
from contracts.plan import MissionInput, MissionResult
from contracts.planned import LOAD_PLAN, LoadedPlan
from contracts.view import AuditEntry
from starter.history import LOCAL_ACTIVITY, Reader, name_of, run_id, runs_of
from starter.told import Told
from starter.waits import WAITED, Waits

Call = AgentCall | ToolCall
BESIDE = frozenset((JUDGE_DECISION, LOAD_PLAN))
MODELS: dict[str, type[AgentCall] | type[ToolCall]] = {RUN_AGENT: AgentCall, EXECUTE_ACTION: ToolCall}


async def chronicle(client: Client, mission: str) -> list[AuditEntry]:
    """Return the audit of all runs of a mission, in the order of its events."""
    entries: list[AuditEntry] = []
    for history in await runs_of(client, mission):
        run = Run(history, Reader(client.data_converter))
        entries += [entry async for entry in run.entries()]
    return entries


class Run:
    """One run's events, told in turn. Remembers which activity an event speaks of."""

    def __init__(self, history: WorkflowHistory, reader: Reader) -> None:
        self._history = history
        self._reader = reader
        self._calls: dict[int, Call] = {}
        self._waits = Waits(reader)
        self._kin: dict[int, Child] = {}
        self._told_of = Told(reader)

    async def entries(self) -> AsyncIterator[AuditEntry]:
        """Yield what the audit says of this run."""
        for event in self._history.events:
            told = await self._told(event)
            if told is not None:
                at = event.event_time.ToDatetime(tzinfo=UTC)
                yield AuditEntry(at=at, run_id=run_id(self._history), event_id=event.event_id, **told)

    async def _told(self, event: Any) -> dict[str, Any] | None:
        match name_of(event.event_type):
            case "workflow_execution_started":
                return await self._started(event.workflow_execution_started_event_attributes)
            case "activity_task_scheduled":
                return await self._scheduled(event.event_id, event.activity_task_scheduled_event_attributes)
            case "activity_task_started":
                return await self._again(event.activity_task_started_event_attributes)
            case "activity_task_completed":
                return await self._completed(event.activity_task_completed_event_attributes)
            case "activity_task_failed":
                return await self._failed(event.activity_task_failed_event_attributes)
            case "activity_task_timed_out":
                return await self._failed(event.activity_task_timed_out_event_attributes)
            case "child_workflow_execution_started":
                return _child_started(event.child_workflow_execution_started_event_attributes)
            case "activity_task_canceled":
                return self._about(event.activity_task_canceled_event_attributes.scheduled_event_id, "cancelled")
            case "marker_recorded":
                return await self._marked(event.marker_recorded_event_attributes)
            case "workflow_execution_signaled":
                return await self._signalled(event.workflow_execution_signaled_event_attributes)
            case "upsert_workflow_search_attributes":
                return await self._stated(event.upsert_workflow_search_attributes_event_attributes)
            case "timer_started" | "timer_fired" | "timer_canceled" as what:
                return self._timer(what, event)
            case "workflow_execution_cancel_requested":
                return _cancel_requested(event.workflow_execution_cancel_requested_event_attributes)
            case name:
                return await self._ended(name, event)

    async def _started(self, attributes: Any) -> dict[str, Any]:
        given = await self._reader.one(attributes.input.payloads, MissionInput)
        if given is None and attributes.workflow_type.name in {HALTS, LOCKS}:
            return {"what": f"{attributes.workflow_type.name} started", "who": attributes.identity}
        if given is None:
            return {"what": "started without a frozen plan", "who": attributes.identity}
        plan = given.plan
        known = {"mission": plan.definition.mission, "version": plan.definition.version, "team": plan.definition.team}
        if given.carried is not None and not given.rerun_of:
            return {"what": "run continued", "digest": plan.digest, "detail": {**known, "run": given.carried.runs}}
        detail = {**known, "inputs_digest": digest(given.inputs), "started_by": attributes.identity}
        if given.rerun_of:
            detail["rerun_of"] = given.rerun_of
        return {"what": "mission started", "who": given.requested_by, "digest": plan.digest, "detail": detail}

    async def _scheduled(self, event_id: int, attributes: Any) -> dict[str, Any] | None:
        kind = attributes.activity_type.name
        if kind in BESIDE:
            return None
        if kind == SEND_NOTICE:
            return await self._told_of.ordered(event_id, attributes.input.payloads)
        if kind in WAITED:
            return await self._waits.begun(event_id, kind, attributes.input.payloads)
        model: type[Call] | None = MODELS.get(kind)
        call = await self._reader.one(attributes.input.payloads, model) if model else None
        child = await self._reader.one(attributes.input.payloads, Child) if kind in {WATCH_CHILD, UNDO_CHILD} else None
        if child is not None:
            self._kin[event_id] = child
        if call is None:
            return {"what": f"activity {kind} asked for", "detail": {"child": child.id} if child else {}}
        self._calls[event_id] = call
        if isinstance(call, AgentCall):
            detail = {"task": call.task, "context_digest": digest(call.context), "asked_again": bool(call.errors)}
            return {
                "what": "agent asked",
                "who": call.name,
                "step": call.path,
                "digest": digest(call.agent),
                "detail": detail,
            }
        what = "compensation ordered" if call.undoes else "action ordered"
        detail = {"arguments": call.arguments, "key": call.key, "undoes": call.undoes, "approved": _approval(call)}
        return {"what": what, "who": call.tool, "step": call.path, "digest": digest(call.arguments), "detail": detail}

    async def _completed(self, attributes: Any) -> dict[str, Any] | None:
        if waited := await self._waits.over(attributes):
            return waited
        call = self._calls.get(attributes.scheduled_event_id)
        if call is None:
            return await self._reported(attributes)
        if isinstance(call, AgentCall):
            result = await self._reader.one(attributes.result.payloads, AgentResult)
            detail = {"errors": list(result.errors), "observations": len(result.observations)} if result else {}
            detail |= result.left() if result else {}
            answered = {"digest": digest(result.output) if result else "", "detail": detail}
            return {"what": "agent answered", "who": call.name, "step": call.path, **answered}
        if isinstance(call, ToolCall):
            done = await self._reader.one(attributes.result.payloads, ToolResult)
            what = "compensation executed" if call.undoes else "action executed"
            detail = {"key": call.key, "undoes": call.undoes, "arguments_digest": digest(call.arguments)}
            return self._about(attributes.scheduled_event_id, what, digest(done.output) if done else "", detail)
        return None

    async def _reported(self, attributes: Any) -> dict[str, Any] | None:
        """Tell what came of a notice, or what the server said of a child mission, or of the parent."""
        told = await self._told_of.sent(attributes.scheduled_event_id, attributes.result.payloads)
        if told is not None:
            return told
        child = self._kin.get(attributes.scheduled_event_id)
        report = await self._reader.one(attributes.result.payloads, Report) if child else None
        if child is None or report is None:
            return await self._judged(attributes.result.payloads)
        detail = {"state": report.state, "verdict": report.verdict, "held": report.held}
        return {"what": "child mission reported", "who": child.mission, "detail": {"child": child.id, **detail}}

    async def _again(self, attributes: Any) -> dict[str, Any] | None:
        """Tell of an agent or a tool that was asked more than once: for the how manieth time, and why."""
        if attributes.attempt <= 1 or attributes.scheduled_event_id not in self._calls:
            return None
        cause, details = await self._reader.failure(attributes.last_failure)
        detail = {"attempt": attributes.attempt, "cause": cause, **details}
        return self._about(attributes.scheduled_event_id, "tried again", "", detail)

    async def _failed(self, attributes: Any) -> dict[str, Any] | None:
        cause, details = await self._reader.failure(attributes.failure)
        if told := self._told_of.failed(attributes.scheduled_event_id, cause):
            return told
        call = self._calls.get(attributes.scheduled_event_id)
        noun = "agent" if isinstance(call, AgentCall) else "compensation" if call and call.undoes else "action"
        verb = "failed" if details.pop("halts", None) is None else "held up"
        return self._about(attributes.scheduled_event_id, f"{noun} {verb}", "", {"cause": cause, **details})

    def _about(
        self, scheduled: int, what: str, proof: str = "", detail: dict[str, Any] | None = None
    ) -> dict[str, Any] | None:
        call = self._calls.get(scheduled)
        if call is None:
            return None
        who = call.name if isinstance(call, AgentCall) else call.tool
        return {"what": what, "who": who, "step": call.path, "digest": proof, "detail": detail or {}}

    async def _marked(self, attributes: Any) -> dict[str, Any] | None:
        if attributes.marker_name != LOCAL_ACTIVITY or "result" not in attributes.details:
            return None
        return await self._judged(attributes.details["result"].payloads)

    async def _judged(self, payloads: Any) -> dict[str, Any] | None:
        """Tell of a ruling, or of a plan that was loaded; their answers say what was asked."""
        ruling = await self._reader.one(payloads, Ruling)
        if ruling is not None:
            return _ruled(ruling)
        plan = await self._reader.one(payloads, LoadedPlan)
        return _planned(plan) if plan is not None else None

    async def _signalled(self, attributes: Any) -> dict[str, Any]:
        if attributes.signal_name == EVENT:
            return await self._happened(attributes)
        token = await self._reader.one(attributes.input.payloads, str)
        if attributes.signal_name != DECIDE or token is None:
            return {"what": f"signal {attributes.signal_name!r} received", "detail": {"sent_by": attributes.identity}}
        return {
            "what": "decision received",
            "digest": token_digest(token),
            "detail": {"sent_by": attributes.identity},
        }

    async def _happened(self, attributes: Any) -> dict[str, Any]:
        event = await self._reader.one(attributes.input.payloads, Event)
        detail = {"sent_by": attributes.identity}
        if event is None:
            return {"what": "unreadable event received", "detail": detail}
        detail |= {"event": event.event, "key": event.key, "id": event.id}
        return {"what": "event received", "digest": digest(event.payload), "detail": detail}

    async def _stated(self, attributes: Any) -> dict[str, Any]:
        fields = attributes.search_attributes.indexed_fields
        values = {name: (await self._reader.one([payload], object)) for name, payload in fields.items()}
        return {"what": "state told", "detail": {name: value for name, value in values.items() if value is not None}}

    def _timer(self, what: str, event: Any) -> dict[str, Any]:
        verb = what.removeprefix("timer_")
        attributes = getattr(event, f"{what}_event_attributes")
        detail: dict[str, Any] = {"timer": attributes.timer_id}
        if verb == "started":
            detail["seconds"] = attributes.start_to_fire_timeout.ToTimedelta().total_seconds()
        return {"what": f"timer {verb.replace('canceled', 'stopped')}", "detail": detail}

    async def _ended(self, name: str, event: Any) -> dict[str, Any] | None:
        match name:
            case "workflow_execution_completed":
                attributes = event.workflow_execution_completed_event_attributes
                result = await self._reader.one(attributes.result.payloads, MissionResult)
                detail = {"verdict": result.verdict, "reason": result.reason} if result else {}
                return {"what": f"mission {result.state}" if result else "mission ended", "detail": detail}
            case "workflow_execution_failed":
                cause, _ = await self._reader.failure(event.workflow_execution_failed_event_attributes.failure)
                return {"what": "mission failed", "detail": {"cause": cause}}
            case "workflow_execution_canceled":
                return {"what": "mission cancelled"}
            case "workflow_execution_terminated":
                attributes = event.workflow_execution_terminated_event_attributes
                return {
                    "what": "mission terminated",
                    "who": attributes.identity,
                    "detail": {"reason": attributes.reason},
                }
            case "workflow_execution_timed_out":
                return {"what": "mission timed out"}
            case "workflow_execution_continued_as_new":
                attributes = event.workflow_execution_continued_as_new_event_attributes
                return {"what": "run handed over", "detail": {"next_run": attributes.new_execution_run_id}}
            case _:
                return None


def _child_started(attributes: Any) -> dict[str, Any]:
    execution = attributes.workflow_execution
    detail = {"child": execution.workflow_id, "run": execution.run_id}
    return {"what": "child mission started", "who": attributes.workflow_type.name, "detail": detail}


def _ruled(ruling: Ruling) -> dict[str, Any]:
    detail = {
        "verb": ruling.verb,
        "reason": ruling.reason,
        "comment": ruling.comment,
        "changes": ruling.changes,
        "to": ruling.to,
        "roles": list(ruling.roles),
        "jti": ruling.jti,
        "token_digest": token_digest(ruling.token) if ruling.token else "",
    }
    said = "command" if ruling.verb in COMMANDS else "decision"
    what = f"{said} accepted" if ruling.accepted else f"{said} refused"
    return {"what": what, "who": ruling.person, "step": ruling.step, "digest": ruling.digest, "detail": detail}


def _planned(plan: LoadedPlan) -> dict[str, Any]:
    detail = {"plan": plan.id, "findings": list(plan.findings)}
    what = "plan refused" if plan.findings else "plan loaded"
    return {"what": what, "step": plan.id.partition("/")[2], "digest": plan.digest, "detail": detail}


def _approval(call: ToolCall) -> str:
    """Return the digest of what people approved for a call, or an empty text."""
    return call.grant.subject.digest() if call.grant else ""


def _cancel_requested(attributes: Any) -> dict[str, Any]:
    return {"what": "cancellation asked for", "who": attributes.identity, "detail": {"reason": attributes.cause}}
