"""`gonogo approve` without a step: what waits for one person, each in turn with its own question.

The law: one key approves only what is routine: the contract in this workspace says so, the mission undoes it, one
person decides, and all of it is on the screen. Everything else is shown in full, and its answer is a word.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.text import Text

from activities.entitled import why_not_again, why_not_person
from activities.fatigue import USUAL, Request, eased
from contracts.decision import Opening
from contracts.workspace import PeopleFile, Tool
from language.finding import Rejected
from language.workspace import load_workspace
from starter import shown
from starter.beside import Told, tell
from starter.connect import settings
from starter.escape import command, visible
from starter.output import console, document
from starter.people import directory
from starter.problem import DONE, REFUSED, Problem, Refused, Usage
from starter.prompt import ask, key, someone_is_there
from starter.reading import Reading
from starter.seen import demand_seen
from starter.sign import AFTER, Wish, demand_honest, find_opening, prepare, send, signed
from starter.waiting import entry, gather, is_name, print_queue

if TYPE_CHECKING:
    from temporalio.client import Client

SHORT = 2_000
"""Characters within which something routine is read at a glance; what is longer is not routine."""
LEAVE, QUIT = "l", "q"


class Left(Exception):
    """The person has had enough."""


async def inbox(client: "Client", person: str, mission: str, *, as_json: bool) -> int:
    """List what waits for a person, and ask about each."""
    people = directory()
    if person not in people.people:
        raise Usage(f"nobody here is called {visible(person)!r}: see `gonogo people list`")
    names = [name for name in (person, *people.people[person].roles) if is_name(name)]
    gates, problems = await gather(client, names, Reading(person))
    mine = [gate for gate in gates if _mine(gate, person, people) and mission in {"", gate.subject.mission}]
    requests = [Request(gate, (person,), gate.opened_at, gate.deadline, gate.risk) for gate in mine]
    single, rest = eased(requests, people.at_most or USUAL, datetime.now(UTC))
    if as_json:
        document([entry(one.what) for one in (*single, *(one for some in rest for one in some.requests))])
        return DONE
    print_queue([one.what for one in single], rest, problems)
    if single and not someone_is_there():
        first = single[0].what.subject
        verb, more = ("answer", " --file FILE") if first.kind == "task" else ("approve", "")
        how = command(verb, first.mission, first.step, "--as", person)
        raise Usage(f"nobody is at a terminal to be asked about each: name one, as in `{how}{more}`")
    return await _each(client, [one.what for one in single], person)


def _mine(gate: Opening, person: str, people: PeopleFile) -> bool:
    """Whether a person may decide on this, and has not yet."""
    asks = gate.subject.kind != "facilitation"
    return asks and not why_not_person(person, gate.subject, people) and not why_not_again(person, gate)


async def _each(client: "Client", gates: Sequence[Opening], person: str) -> int:
    tools, code = _tools(), DONE
    try:
        for number, gate in enumerate(gates, 1):
            console().rule(f"{number} of {len(gates)}", style="dim")
            try:
                await _one(client, gate, person, tools)
            except Problem as error:
                console().print(Text(visible(str(error)), "red"))
                code = REFUSED
    except Left:
        pass
    return code


def _tools() -> dict[str, Tool]:
    """Return the contracts of this workspace; where it cannot be read, nothing is routine."""
    try:
        return load_workspace(settings().workspace, directory()).tools
    except Rejected:
        return {}


async def _one(client: "Client", known: Opening, person: str, tools: dict[str, Tool]) -> None:
    """Ask about one gate, as it stands now."""
    gate = await find_opening(client, known.subject.mission, known.subject.step, person)
    demand_honest(gate)
    told = await tell(client, gate, person)
    wish = await _at_a_key(gate, told) if routine(gate, told, tools) else await _in_full(gate, told)
    if wish is None:
        return
    claims = prepare(gate, wish, person)
    receipt = await send(client, claims, signed(person, claims))
    if not receipt.accepted:
        raise Refused(f"refused: {receipt.reason}")
    console().print(f"[green]●[/green] {AFTER.get(receipt.state, visible(receipt.state))}")


def routine(gate: Opening, told: Told, tools: dict[str, Tool]) -> bool:
    """Whether one key is enough to approve this."""
    subject, briefing = gate.subject, told.briefing
    tool = tools.get(subject.tool or "")
    alone = subject.kind == "approval" and subject.required == 1 and not subject.seats and not subject.actions
    undone = (
        tool is not None
        and tool.effect == "write"
        and subject.compensation in tool.compensated_by
        and subject.undo is not None
    )
    undone = undone and subject.undo is not None
    safe = briefing is not None and briefing.risk == "reversible" and not shown.cut(gate, SHORT)
    return alone and undone and safe and tool is not None and tool.routine and tool.quorum() == 1


async def _at_a_key(gate: Opening, told: Told) -> Wish | None:
    out, subject = console(), gate.subject
    out.print(shown.short(gate, told))
    words = f"  routine: [a]pprove {visible(subject.tool or '')}, [s]how it in full, [{LEAVE}]eave it, [{QUIT}]uit "
    while (pressed := (await key(words)).lower()[:1]) not in {LEAVE, "\n", "\r", " "}:
        if pressed == "a":
            return Wish("approve")
        if pressed == "s":
            return await _in_full(gate, told)
        if pressed in {QUIT, "\x1b", "\x03", "\x04", ""}:
            raise Left
    return None


async def _in_full(gate: Opening, told: Told) -> Wish | None:
    """Show all that is signed, and take a word for an answer."""
    out = console()
    out.print(shown.context(gate, told=told))
    out.print(shown.opening(gate, told=told))
    if gate.subject.kind == "task":
        how = command("answer", gate.subject.mission, gate.subject.step)
        out.print(f"  it asks for an answer: {how} --file FILE", markup=False)
        return None
    words = "  write approve or reject; Enter leaves it waiting, quit ends: "
    while word := (await ask(words)).lower():
        if word == "approve":
            await demand_seen(gate, told, "", out)
            return Wish("approve", await ask("  why? "))
        if word == "reject":
            reason = await ask("  a rejection needs its reason: ")
            return Wish("reject", reason) if reason else None
        if word in {"quit", QUIT}:
            raise Left
    return None
