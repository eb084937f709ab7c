"""What is said in a party, as the timeline tells it: a sign, a text, a note. Pure."""

from collections.abc import Callable
from typing import Any

from contracts.record import Record

Told = tuple[str, str, str]


def _turn(record: Record) -> Told:
    stance = _said(record)
    answers = f", agreeing with {stance['answers']}" if stance.get("stand") == "agree" else ""
    answers = answers or (f", objecting to {stance['answers']}" if stance.get("stand") == "object" else "")
    text = f"{record.actor}: {stance.get('position')}{answers} ({stance.get('confidence')})"
    return "done", text, "; ".join(str(reason) for reason in stance.get("reasons", ()))


def _moderation(record: Record) -> Told:
    said = _said(record)
    return "done", f"{record.actor} calls on {said.get('next')}", str(said.get("question", ""))


def _judgement(record: Record) -> Told:
    said = _said(record)
    text = f"recommends {said.get('recommendation')}" if said.get("settled") else "finds it not settled"
    return "done", f"{record.actor} {text}", "; ".join(str(reason) for reason in said.get("reasons", ()))


def _interjection(record: Record) -> Told:
    said = _said(record)
    verbs = {"call_vote": "calls for the vote", "end": "ends it"}
    return "agreed", f"{record.actor} {verbs.get(str(said.get('verb')), 'speaks')}", str(said.get("text", ""))


def _party(record: Record) -> Told:
    said = _said(record)
    by = str(said.get("by", "")).replace("_", " ")
    if not said.get("reached"):
        return "done", f"nothing is recommended ({by})", ""
    against = ", ".join(str(one["agent"]) for one in said.get("dissent", ()))
    return "done", f"{said.get('recommendation')} is recommended ({by})", f"against it: {against}" if against else ""


def _said(record: Record) -> dict[str, Any]:
    return record.output if isinstance(record.output, dict) else {}


TELLING: dict[str, Callable[[Record], Told]] = {
    "turn": _turn,
    "moderation": _moderation,
    "judgement": _judgement,
    "interjection": _interjection,
    "party": _party,
}
