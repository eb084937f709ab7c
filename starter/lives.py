"""What the record tells of a mission's runs: how each began, was reset, handed over, and how the mission ended."""

from typing import Any

from activities.past import BY_RESET
from contracts.base import digest
from contracts.halt import HALTS
from contracts.lock import LOCKS
from contracts.plan import MissionInput, MissionResult
from starter.history import Reader

Told = dict[str, Any]


def started(given: MissionInput | None, attributes: Any) -> Told:
    """Tell how a run began: a mission, or the next run of one."""
    if given is None and attributes.workflow_type.name in {HALTS, LOCKS}:
        what = f"{attributes.workflow_type.name} started"
        return {"what": what, "who": attributes.identity, "why": "all missions share it"}
    if given is None:
        why = "what it was given cannot be read"
        return {"what": "started without a frozen plan", "who": attributes.identity, "why": why}
    plan = given.plan
    known = {"mission": plan.definition.mission, "version": plan.definition.version, "team": plan.definition.team}
    if given.carried is not None and not given.rerun_of:
        return {"what": "run continued", "digest": plan.digest, "detail": {**known, "run": given.carried.runs}}
    detail = {**known, "inputs_digest": digest(given.inputs), "started_by": attributes.identity}
    if given.rerun_of:
        detail["rerun_of"] = given.rerun_of
    if given.parent is not None:
        detail["parent"] = given.parent.id
    return {
        "what": "mission started",
        "who": given.requested_by,
        "digest": plan.digest,
        "why": _asked_for(given),
        "detail": detail,
    }


def _asked_for(given: MissionInput) -> str:
    """Return why a mission began."""
    by = f"requested by {given.requested_by}{', with a signed order' if given.order else ''}"
    child = f", as the child of {given.parent.id}" if given.parent is not None else ""
    return f"{by}{child}{f', anew after {given.rerun_of}' if given.rerun_of else ''}"


def reset(attributes: Any) -> Told:
    """Tell that a run goes on from an earlier point of another."""
    said = attributes.failure.message
    detail = {"from_run": attributes.base_run_id, "reason": said}
    return {"what": "mission reset", "who": attributes.identity, "why": said, "detail": detail}


async def cancelling(reader: Reader, attributes: Any) -> Told:
    said = await reader.words(attributes.cause)
    return {"what": "cancellation asked for", "who": attributes.identity, "why": said, "detail": {"reason": said}}


async def ended(reader: Reader, name: str, event: Any, mission: str) -> Told | None:
    """Tell how a run ended, and with it the mission, by its name, where no other run follows."""
    attributes: Any = getattr(event, f"{name}_event_attributes", None)
    match name:
        case "workflow_execution_completed":
            return {"who": mission, **_came_to(await reader.one(attributes.result.payloads, MissionResult))}
        case "workflow_execution_failed":
            cause, _ = await reader.failure(attributes.failure)
            return {"what": "mission failed", "who": mission, "why": cause, "detail": {"cause": cause}}
        case "workflow_execution_canceled":
            return {"what": "mission cancelled", "who": mission, "why": "its cancellation was asked for"}
        case "workflow_execution_terminated":
            return _terminated(attributes)
        case "workflow_execution_timed_out":
            return {"what": "mission timed out", "who": mission, "why": "it may not take longer"}
        case "workflow_execution_continued_as_new":
            return {"what": "run handed over", "detail": {"next_run": attributes.new_execution_run_id}}
        case _:
            return None


def _came_to(result: MissionResult | None) -> Told:
    if result is None:
        return {"what": "mission ended", "why": "what it came to cannot be read"}
    spent = {name: value for name, value in result.spent.model_dump(mode="json").items() if value}
    detail = {"verdict": result.verdict, "reason": result.reason, "cost": spent, "runs": result.runs}
    why = result.reason or (f"it came to {result.verdict}" if result.verdict else "its last step is over")
    return {"what": f"mission {result.state}", "why": why, "detail": detail}


def _terminated(attributes: Any) -> Told:
    detail = {"reason": attributes.reason}
    what = "run left for a reset" if attributes.identity in BY_RESET else "mission terminated"
    return {"what": what, "who": attributes.identity, "why": attributes.reason, "detail": detail}
