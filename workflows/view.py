"""What readers are shown: views of the journal and the gates, never more than 256 kB each.

A query answer that is too large would end the workflow, so views come in pages.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pydantic import JsonValue

from contracts.base import canonical
from contracts.call import Usage
from contracts.command import DeadLetter
from contracts.decision import Opening, Subject
from contracts.definition import Definition
from contracts.letter import ways
from contracts.plan import Plan
from contracts.policy import Admission
from contracts.record import Record
from contracts.view import (
    MOST_BYTES,
    GatesQuery,
    GatesView,
    MissionState,
    OpeningQuery,
    OpeningView,
    Waiting,
)
from language.risk import risk
from language.visible import visible
from workflows.interpreter.journal import Journal

ROOM = MOST_BYTES - 56_000
"""Bytes of a page for records or gates; the rest is for what stands around them."""

PIECE = ROOM // 4
"""Characters of a piece of an opening: none takes more than four bytes."""
CUT = 160
MOST_DENIED = 20


def page_of_records(records: Iterable[Record]) -> tuple[tuple[Record, ...], bool]:
    """Return as many records as a page holds, and whether there are more. A huge output is left out, and says so."""
    page: list[Record] = []
    room = ROOM
    for record in records:
        shown = _shortened(record)
        room -= len(canonical(shown))
        if room < 0 and page:
            return tuple(page), True
        page.append(shown)
    return tuple(page), False


def page_of_gates(openings: tuple[Opening, ...], query: GatesQuery, plan: Plan) -> GatesView:
    """Return open gates by step, after the one named. One that is too large is shown without what makes it so."""
    wanted = sorted(
        (o for o in openings if query.step in {None, o.subject.step} and o.subject.step > query.after),
        key=lambda o: o.subject.step,
    )
    page: list[Opening] = []
    cut: list[str] = []
    room = ROOM
    for opening in wanted:
        shown, size = _sized(opening, plan)
        room -= size
        if room < 0 and page:
            return GatesView(gates=tuple(page), more=True, cut=tuple(cut))
        page.append(shown)
        if shown.context != opening.context:
            cut.append(opening.subject.step)
    return GatesView(gates=tuple(page), cut=tuple(cut))


def _sized(opening: Opening, plan: Plan) -> tuple[Opening, int]:
    """Return what a page shows of an opening, and how large that is."""
    votes = tuple(vote.model_copy(update={"token": ""}) for vote in opening.votes)
    shown = opening.model_copy(update={"votes": votes, "risk": risk(plan, opening.subject)})
    size = len(canonical(shown))
    if size <= ROOM:
        return shown, size
    without = {"context": {"cut": f"{size} bytes are too many to show here"}}
    shown = shown.model_copy(update=without)
    if len(canonical(shown)) > ROOM:
        shown = shown.model_copy(update={"input_schema": None, "subject": _shorn(opening.subject)})
    return shown, len(canonical(shown))


def _shorn(subject: Subject) -> Subject:
    """Return a subject without what may be large. Nobody can sign it: its digest is another."""
    return subject.model_copy(update={"arguments": None, "actions": (), "undo": None, "message": subject.message[:CUT]})


def piece_of_opening(opening: Opening | None, query: OpeningQuery) -> OpeningView:
    """Return a piece of an opening; none where that opening is no more."""
    if opening is None or opening.nonce != query.nonce or query.offset < 0:
        return OpeningView()
    text = canonical(opening.model_copy(update={"votes": ()})).decode()
    return OpeningView(text=text[query.offset : query.offset + PIECE], total=len(text))


def spent(records: Iterable[Record]) -> Usage:
    """Return what all steps have cost together."""
    total = Usage()
    for record in records:
        total = total.plus(record.cost())
    return total


def admission_shown(admission: Admission | None) -> Admission | None:
    """Return what policy said of the mission, in short."""
    if admission is None:
        return None
    denied = tuple(one for one in admission.answers[:MOST_DENIED] if not one.allowed())
    return admission.model_copy(update={"answers": denied, "findings": admission.findings[:MOST_DENIED]})


def waiting(openings: Iterable[Opening]) -> Iterator[Waiting]:
    """Yield the open gates in short."""
    for opening in openings:
        subject = opening.subject
        yield Waiting(
            step=subject.step,
            kind=subject.kind,
            approvers=subject.approvers,
            required=subject.required,
            seats=subject.seats,
            approved_by=tuple(vote.person for vote in opening.approvals()),
            opened_at=opening.opened_at,
            deadline=opening.deadline,
            tool=subject.tool,
            tools=tuple(action.tool for action in subject.actions),
            digest=opening.digest,
        )


def details(
    definition: Definition,
    state: MissionState,
    journal: Journal,
    openings: tuple[Opening, ...],
    failed: tuple[str, ...] = (),
) -> str:
    """Return the Markdown that the Web UI shows: how the mission stands, what it waits for, its last steps."""
    lines = [f"### {_plain(definition.mission)} {definition.version}: {state.replace('_', ' ')}"]
    lines += failed
    for opening in openings[:10]:
        lines += _asking(opening)
    lines += [f"\n**{path}** waits: {_plain(str(halt))}\n" for path, halt in journal.halts()[:10]]
    lines.append(f"\n**{journal.done} of {len(journal)} steps begun are done**\n")
    lines.extend(f"- `{record.path}` {record.status} {record.actor}".rstrip() for record in journal.last(12))
    return "\n".join(_honest(line) for line in lines)


def _honest(line: str) -> str:
    """Return a line with everything hidden in it spelt out, the breaks around it ours."""
    return "\n" * line.startswith("\n") + visible(line.strip("\n")) + "\n" * line.endswith("\n")


def page_of_letter(mission: str, letter: DeadLetter, operators: tuple[str, ...]) -> Iterator[str]:
    """Yield what a mission that waits with a failure shows of that."""
    until = f" until {_clock(letter.deadline)}" if letter.deadline else ""
    yield f"\n**{_plain(letter.failure.step)}** waits for **{' or '.join(operators)}**{until} to say how it goes on\n"
    yield f"\n{_plain(str(letter.failure))}\n"
    yield from (f"- {way.what}: `{way.command()}`" for way in ways(mission, letter))


def _asking(opening: Opening) -> Iterator[str]:
    subject = opening.subject
    if subject.kind == "review":
        when = _clock(opening.deadline) if opening.deadline else "its deadline"
        yield f"\n**{subject.step}** goes on at {when} unless **{' or '.join(subject.approvers)}** objects\n"
        yield f"\nObject with `gonogo reject {subject.mission} {subject.step}`"
        return
    if subject.kind == "facilitation":
        yield f"\n**{subject.step}** talks, and **{' or '.join(subject.approvers)}** may speak\n"
        yield f"\nSpeak with `gonogo facilitate {subject.mission} {subject.step} interject`"
        return
    until = f" until {_clock(opening.deadline)}" if opening.deadline else ""
    if subject.kind == "task":
        yield f"\n**{subject.step}** waits for **{' or '.join(subject.approvers)}**{until}: {_plain(subject.message)}\n"
        yield f"\nAnswer with `gonogo answer {subject.mission} {subject.step}`"
        return
    what = f" to allow `{subject.tool}`" if subject.tool else f" to decide: {_plain(subject.message)}"
    yield f"\n**{subject.step}** waits for **{' or '.join(subject.approvers)}**{until}{what}\n"
    if subject.required > 1:
        seats = ", ".join(f"{count} {_plain(role)}" for role, count in subject.seats.items())
        given = ", ".join(_plain(vote.person) for vote in opening.approvals()) or "nobody"
        yield f"\n{subject.required} must approve{f', among them {seats}' if seats else ''}; so far {given} did\n"
    for number, action in enumerate(subject.actions, 1):
        yield f"{number}. `{action.tool}` {_arguments(action.arguments)}".rstrip()
    for name, value in (subject.arguments or {}).items():
        yield f"- {_plain(name)}: `{_plain(str(value))}`"
    yield f"\nDecide with `gonogo approve {subject.mission} {subject.step}`"


def _arguments(arguments: dict[str, JsonValue]) -> str:
    return ", ".join(f"{_plain(name)}: `{_plain(str(value))}`" for name, value in arguments.items())


def _shortened(record: Record) -> Record:
    if record.grant is not None:
        tokenless = record.grant.model_copy(update={"tokens": ()})
        record = record.model_copy(update={"grant": tokenless})
    size = len(canonical(record))
    if size <= ROOM:
        return record
    cut = {"output": {"cut": f"{size} bytes are too many to show here"}, "observations": (), "effect": None}
    return record.model_copy(update=cut)


def _plain(text: str) -> str:
    """Keep an author's or an agent's words from being read as Markdown."""
    shown = "".join(" " if char in "`\n\r<>[]" else char for char in text)
    return shown if len(shown) <= CUT else f"{shown[:CUT]} … ({len(shown)} characters)"


def _clock(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
