"""What the record tells of what was said to a mission: signals, the rulings on decisions and commands, loaded plans."""

from typing import Any

from contracts.base import digest
from contracts.call import JUDGE_DECISION
from contracts.decision import COMMANDS, DECIDE, Hearing, Ruling, token_digest
from contracts.event import EVENT, Event
from contracts.planned import LOAD_PLAN, LoadedPlan
from contracts.policy import ADMIT, POLICY, Admission, wanted
from starter.history import LOCAL_ACTIVITY, Reader

Told = dict[str, Any]
BESIDE = frozenset((JUDGE_DECISION, LOAD_PLAN, ADMIT))
"""Activities of which only the answer is told: it says what was asked."""


class Heard:
    """What one run was told. Remembers the statements that are being ruled on."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._tokens: dict[int, str] = {}
        self._admitting: set[int] = set()

    async def heard(self, event: int, kind: str, payloads: Any) -> None:
        """Take note of a statement that is to be ruled on, or that policy is asked of the mission."""
        if kind == ADMIT:
            self._admitting.add(event)
        hearing = await self._reader.one(payloads, Hearing) if kind == JUDGE_DECISION else None
        if hearing is not None:
            self._tokens[event] = hearing.token

    async def judged(self, payloads: Any, event: int = 0) -> Told | None:
        """Tell of a ruling, of a plan that was loaded, or of what policy said of the mission."""
        if event in self._admitting:
            admission = await self._reader.one(payloads, Admission)
            return _admitted(admission) if admission is not None else None
        ruling = await self._reader.one(payloads, Ruling)
        if ruling is not None and ruling.asked:
            return None
        if ruling is not None:
            return _ruled(ruling, ruling.token or self._tokens.get(event, ""))
        plan = await self._reader.one(payloads, LoadedPlan)
        return _planned(plan) if plan is not None else None

    async def marked(self, attributes: Any) -> Told | None:
        """Tell of a ruling that stands in a marker, as missions of before have it."""
        if attributes.marker_name != LOCAL_ACTIVITY or "result" not in attributes.details:
            return None
        return await self.judged(attributes.details["result"].payloads)

    async def signalled(self, attributes: Any) -> Told:
        if attributes.signal_name == EVENT:
            return await self._happened(attributes)
        token = await self._reader.one(attributes.input.payloads, str, strange=True)
        detail = {"sent_by": attributes.identity}
        if attributes.signal_name != DECIDE or token is None:
            return {"what": f"signal {attributes.signal_name!r} received", "detail": detail}
        # Who sent it has proved nothing yet: the ruling names whoever signed it.
        return {"what": "decision received", "digest": token_digest(token), "why": "to be ruled on", "detail": detail}

    async def _happened(self, attributes: Any) -> Told:
        event = await self._reader.one(attributes.input.payloads, Event, strange=True)
        detail = {"sent_by": attributes.identity}
        if event is None:
            return {"what": "unreadable event received", "detail": detail}
        detail |= {"event": event.event, "key": event.key, "id": event.id}
        return {"what": "event received", "digest": digest(event.payload), "detail": detail}


def _admitted(admission: Admission) -> Told:
    by = " and ".join(admission.by)
    detail = {
        "signed": admission.signed,
        "asked": admission.asked,
        "findings": list(admission.findings),
        "version": admission.version,
        "policy": [answer.model_dump(mode="json", exclude_defaults=True) for answer in admission.answers],
    }
    what = "mission admitted" if admission.admitted else "mission not admitted"
    allowed = f"policy was asked {admission.asked} times, and allows it{f', as {by} approve' if by else ''}"
    why = "; ".join(admission.findings) or allowed
    return {"what": what, "who": POLICY, "digest": admission.version, "why": why, "detail": detail}


def _ruled(ruling: Ruling, token: str) -> Told:
    detail = {
        "verb": ruling.verb,
        "reason": ruling.reason,
        "comment": ruling.comment,
        "changes": ruling.changes,
        "to": ruling.to,
        "roles": list(ruling.roles),
        "jti": ruling.jti,
        "token_digest": token_digest(token) if token else "",
        "policy": [ruling.policy.model_dump(mode="json", exclude_defaults=True)] if ruling.policy else [],
    }
    said = "command" if ruling.verb in COMMANDS else "decision"
    return {
        "what": f"{said} {'accepted' if ruling.accepted else 'refused'}",
        "who": ruling.person,
        "step": ruling.step,
        "digest": ruling.digest,
        "why": ruling.reason or ruling.comment or f"may {ruling.verb} as {', '.join(ruling.roles) or ruling.person}",
        # Who could not be told signed nothing that is worth keeping.
        "token": token if ruling.person else "",
        "detail": detail,
    }


def _planned(plan: LoadedPlan) -> Told:
    detail = {
        "plan": plan.id,
        "findings": list(plan.findings),
        "policy": [answer.model_dump(mode="json", exclude_defaults=True) for answer in plan.policy],
    }
    return {
        "what": "plan refused" if plan.findings else "plan loaded",
        "step": plan.id.partition("/")[2],
        "digest": plan.digest,
        "why": "; ".join(plan.findings)
        or (f"policy wants it approved by {wanted(plan.approval)}" if plan.wanting else ""),
        "detail": detail,
    }
