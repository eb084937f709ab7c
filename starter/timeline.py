"""The story of a mission as lines in time, told once each.

Pure: what has been told is remembered here, so that whoever polls prints only what is new. `starter/render.py` gives
the lines their colours.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.call import Observation
from contracts.command import CommandNote, DeadLetter
from contracts.decision import Ruling
from contracts.gate import CHANGES
from contracts.halt import HaltNote
from contracts.lock import LockNote
from contracts.money import price
from contracts.notice import Note
from contracts.planning import PLANNING
from contracts.record import Effect, Failure, Record
from contracts.rung import RUNGS, Taken
from contracts.view import MissionView, Waiting
from starter.conversation import TELLING

PARTED = f"parallel group loop condition iteration attempt map item race canary plan round {CHANGES}"
CONTAINERS = frozenset(PARTED.split())
"""Kinds whose own beginning and end say nothing that their steps do not say."""
SPOKEN = frozenset({"turn", "moderation", "judgement"})
"""What agents say in a party."""
ASKING = frozenset({"gate", "review"})
NOTED = 160
"""Characters of what a tool was asked or answered; `gonogo explain` has more."""
UNDOING = {
    "running": "is being undone",
    "done": "was undone",
    "failed": "could NOT be undone",
    "given_up": "was left as it is",
}


@dataclass(frozen=True)
class Line:
    """One thing that happened. `sign` is a word for the renderer; `inner` lines stand under their step."""

    at: datetime
    sign: str
    text: str
    note: str = ""
    step: str = ""
    inner: bool = False


def _climbed(rung: Taken, record: Record) -> Line:
    """Tell where a failure led; what came of it is told by the steps that it led to."""
    did = RUNGS[rung.rung].format(who=rung.who)
    times = f", {rung.number} tries in all" if rung.number else ""
    return Line(rung.at, "progress", f"{did}{times}, since {rung.code}", rung.cause, record.path)


class Timeline:
    """Turn what is known of a mission into lines, each of them once."""

    def __init__(self) -> None:
        self._told: set[tuple[object, ...]] = set()

    def news(self, view: MissionView, live: Iterable[tuple[str, Observation]] = ()) -> list[Line]:
        """Return what has not been told yet, in the order in which it happened."""
        # What happened at one moment is told step by step, in the order in which the steps began.
        records = sorted(view.records, key=lambda record: record.started_at)
        lines = [line for record in records for line in self._record(record, view)]
        lines += [line for step, observation in live for line in self._observation(step, observation)]
        lines += [line for waiting in view.waiting for line in self._waiting(waiting, view)]
        lines += [line for ruling in view.refusals for line in self._refusal(ruling)]
        lines += [_commanded(one) for one in view.commands if self._first("command", one.number) and not one.refused]
        if view.letter is not None and self._first("letter", view.letter.at):
            lines.append(_stuck(view.letter))
        return sorted(lines, key=lambda line: line.at)

    def _first(self, *mark: object) -> bool:
        new = mark not in self._told
        self._told.add(mark)
        return new

    def _record(self, record: Record, view: MissionView) -> Iterator[Line]:
        if record.kind in {"agent", "action", PLANNING, *SPOKEN} and self._first("start", *_time(record)):
            yield Line(record.started_at, "start", record.actor or record.kind, _given(record), record.path)
        if record.locks is not None:
            yield from self._locks(record, record.locks)
        if record.halted is not None:
            yield from self._halted(record.halted)
        for number, rung in enumerate(record.rungs):
            if self._first("rung", *_time(record), number):
                yield _climbed(rung, record)
        if record.child and self._first("child", *_time(record)):
            yield Line(record.started_at, "start", f"starts {record.child.mission}", record.child.id, record.path)
        for observation in record.observations:
            yield from self._observation(record.path, observation)
        for note in record.notices:
            if self._first("notice", record.path, note):
                yield _noticed(record, note)
        for ruling in record.decisions:
            yield from self._aside(record, ruling)
        ready = record.kind == CHANGES or (record.kind in ASKING and record.ended_at)
        said = record.answer or (record.output if ready else None)
        if isinstance(said, dict) and self._first("settled", *_time(record)):
            yield _settled(record, said)
        if record.ended_at and self._first("end", *_time(record), record.status):
            yield from self._end(record, record.ended_at)
        if record.effect and record.effect.undo_status in UNDOING:
            yield from self._undoing(record, record.effect, view)

    def _aside(self, record: Record, ruling: Ruling) -> Iterator[Line]:
        """Tell who had their say without a vote, or took it back."""
        words = {"abstain": "abstained", "withdraw": "withdrew the approval", "answer": "answered"}
        words["delegate"] = f"left it to {ruling.to}"
        if ruling.received_at and ruling.verb in words and self._first("aside", record.path, ruling.jti):
            said = f"{ruling.person} {words[ruling.verb]}"
            yield Line(ruling.received_at, "question", said, ruling.comment, record.path)

    def _locks(self, record: Record, note: LockNote) -> Iterator[Line]:
        """Tell whom a step waits for, and when it has what it waited for."""
        since = note.since or record.started_at
        for blocker in note.behind if note.state == "waiting" else ():
            if self._first("behind", record.path, note.turn, blocker):
                yield Line(since, "waiting", f"waits: {blocker}", "", record.path)
                self._told.add(("waited", record.path, note.turn))
        waited = ("waited", record.path, note.turn) in self._told
        if note.state == "held" and waited and self._first("held", record.path, note.turn):
            yield Line(since, "agreed", f"holds {', '.join(note.names)}", "", record.path)

    def _halted(self, note: HaltNote) -> Iterator[Line]:
        """Tell what holds a call up, and when that was lifted."""
        for halt in note.halts:
            if self._first("halted", note.path, halt):
                yield Line(note.since, "waiting", f"waits: {halt}", "", note.path)
        if note.until is not None and self._first("unhalted", note.path, note.until):
            yield Line(note.until, "agreed", "waits no more for what was halted", "", note.path)

    def _observation(self, step: str, observation: Observation) -> Iterator[Line]:
        # A live observation and its durable copy are one, though only the copy knows the step's path.
        if self._first("observation", observation.number, observation.at, observation.text):
            yield noticed(step, observation)

    def _end(self, record: Record, at: datetime) -> Iterator[Line]:
        if record.failure and record.kind == PLANNING:
            if record.answer is not None:
                return  # people rejected it, which is told already
            yield from _unplanned(record, record.failure, at)
        elif record.failure:
            failure = record.failure
            who = failure.actor or record.actor or record.kind
            on = "; the mission goes on" if record.status == "recovered" else ""
            yield Line(at, "failed", f"{who} failed: {failure.cause}{on}", _rest(failure), record.path)
        elif record.kind in TELLING and record.status == "succeeded":
            sign, text, note = TELLING[record.kind](record)
            cost = "" if record.kind == "interjection" else _cost(record, at)
            yield Line(at, sign, text, note or cost, record.path)
        elif record.kind not in CONTAINERS and (record.kind not in ASKING or record.status != "succeeded"):
            sign = "done" if record.status == "succeeded" else record.status
            yield Line(at, sign, f"{_doer(record)} {sign}".strip(), _cost(record, at), record.path)

    def _undoing(self, record: Record, effect: Effect, view: MissionView) -> Iterator[Line]:
        if not self._first("undo", record.path, record.attempt, effect.undo_status):
            return
        ends = [one.ended_at for one in view.records if one.ended_at]
        at = effect.undone_at or max(ends, default=record.started_at)
        tool = f"by {effect.undo.tool}" if effect.undo else f"by {record.child.id} itself" if record.child else ""
        bad = effect.undo_status in {"failed", "given_up"}
        text = f"{effect.tool} {UNDOING[effect.undo_status]}"
        yield Line(at, "failed" if bad else "undo", text, effect.undo_error if bad else tool, record.path)

    def _waiting(self, waiting: Waiting, view: MissionView) -> Iterator[Line]:
        if self._first("waiting", waiting.step, waiting.digest, waiting.approvers, waiting.deadline):
            who = " or ".join(waiting.approvers)
            words = {"review": f"goes on unless {who} objects", "task": f"waits for {who} to answer"}
            words["facilitation"] = f"talks; {who} may speak"
            text = words.get(waiting.kind, f"waits for {who}")
            record = next((record for record in view.records if record.path == waiting.step), None)
            at = waiting.opened_at or (record.started_at if record else view.started_at)
            if at is not None:
                tools = ", ".join(waiting.tools) or waiting.tool
                yield Line(at, "waiting", text, f"to allow {tools}" if tools else "", waiting.step)

    def _refusal(self, ruling: Ruling) -> Iterator[Line]:
        if ruling.received_at and self._first("refusal", ruling.jti, ruling.received_at, ruling.reason):
            who = ruling.person or "somebody"
            yield Line(ruling.received_at, "refused", f"decision of {who} refused", ruling.reason, ruling.step)


def noticed(step: str, observation: Observation, most: int | None = NOTED) -> Line:
    """Tell what an agent noticed, which tool it asked, and what that answered, in so many characters."""
    sign, text, note = observation.kind, observation.text, observation.source
    match observation.kind:
        case "call":
            text, note = f"asks {observation.source}", observation.text
        case "answer":
            text, note = f"{observation.source} answers", observation.text
        case "finding" | "thought" if observation.confidence is not None:
            note = f"{note} ({observation.confidence:.0%} sure)".strip()
    return Line(observation.at, sign, text, note[:most], step, inner=True)


def _noticed(record: Record, note: Note) -> Line:
    who = " or ".join(note.to)
    if note.about == "budget":
        return Line(note.at, "waiting", "much of what may be spent is spent", note.failed or note.text, record.path)
    if note.failed:
        return Line(note.at, "failed", f"{who} could not be told", note.failed, record.path)
    if note.text:
        return Line(note.at, "waiting", f"{who} not told by itself", note.text, record.path)
    return Line(note.at, "waiting", f"{who} reminded", "", record.path)


def _given(record: Record) -> str:
    """Say which attempt begins, and on whose word where that was given for several actions at once."""
    again = [f"attempt {record.attempt}"] if record.attempt > 1 else []
    word = [f"approved by {', '.join(record.approved.by)} at {record.approved.at}"] if record.approved else []
    return "; ".join((*again, *word))


def _doer(record: Record) -> str:
    return record.effect.tool if record.effect else record.actor or record.kind


def _unplanned(record: Record, failure: Failure, at: datetime) -> Iterator[Line]:
    """Tell why a plan was not taken: each thing that was wrong with it on a line of its own."""
    plan = record.output.get("plan") if isinstance(record.output, dict) else None
    findings = plan.get("findings") if isinstance(plan, dict) else None
    said = findings or [failure.cause]
    yield Line(at, "failed", f"the plan of {record.actor} was refused", failure.code, record.path)
    for finding in said:
        yield Line(at, "finding", str(finding), "", record.path, inner=True)


def _rest(failure: Failure) -> str:
    return "; ".join(part for part in (failure.code, failure.tried, failure.remains) if part)


def _cost(record: Record, at: datetime) -> str:
    parts = [brief((at - record.started_at).total_seconds())]
    used = record.cost()
    kinds = {"tool call": used.tool_calls, "model call": used.model_calls, "token": used.tokens}
    parts += [f"{many:,} {what}{'s' if many > 1 else ''}" for what, many in kinds.items() if many]
    if used.usd or used.unpriced:
        parts.append(price(used))
    return ", ".join(parts)


def _settled(record: Record, said: dict[str, Any]) -> Line:
    heard = [ruling.received_at for ruling in record.decisions if ruling.received_at]
    at = max(heard, default=record.answered_at or record.ended_at or record.started_at)
    decision = str(said.get("decision", "settled")).replace("_", " ")
    people = ", ".join(str(name) for name in said.get("by", ()))
    if record.kind == "review":
        decision = {"timed out": "unopposed", "rejected": "objected to"}.get(decision, decision)
    text = f"{decision} by {people}" if people else decision
    agreed = said.get("approved") or decision == "unopposed"
    return Line(at, "agreed" if agreed else "refused", text, str(said.get("comment", "")), record.path)


def brief(seconds: float) -> str:
    """Return a span of time as people glance at it: `0.4s`, `12s`, `3m05s`, `2h10m`, `3d4h`."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f}s"
    minutes, rest = divmod(int(max(seconds, 10)), 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if not minutes:
        return f"{rest}s"
    if not hours:
        return f"{minutes}m{rest:02}s"
    return f"{days}d{hours_left}h" if days else f"{hours}h{minutes_left:02}m"


def _time(record: Record) -> tuple[object, ...]:
    """Return which time a step runs: operators may have begun it anew, and it may have been tried again."""
    return (record.path, record.generation, record.attempt)


def _commanded(note: CommandNote) -> Line:
    what = f"{note.by}: {note.verb}{f' {note.step}' if note.step else ''}"
    said = f"{note.reason} ({note.after})" if note.after else note.reason
    return Line(note.at or datetime.now(UTC), "command", what, said, note.step)


def _stuck(letter: DeadLetter) -> Line:
    until = f" until {letter.deadline:%Y-%m-%d %H:%M UTC}" if letter.deadline else ""
    why = "; ".join((str(letter.failure), *letter.tried))
    return Line(letter.at, "waiting", f"waits for an operator{until}", why, letter.failure.step)
