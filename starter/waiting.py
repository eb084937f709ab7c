"""`gonogo queue`: the decision queue. Visibility says which missions wait, their gates say for what.

What comes first, and how much of it stands on a line of its own, is `activities/fatigue.py`.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.browse import iso
from starter.connect import operate
from starter.options import Json, Reveal
from starter.output import console, document, print_rows
from starter.problem import DONE, Problem, Usage

if TYPE_CHECKING:
    from temporalio.client import Client

    from activities.fatigue import Summary
    from contracts.decision import Opening
    from starter.reading import Reading

Role = Annotated[str, typer.Option("--role", metavar="ROLE", help="Only what waits for this role or person.")]
All = Annotated[bool, typer.Option("--all", help="Each on a line of its own, however many there are.")]
QUICK = timedelta(seconds=5)
WIDEST = 200
AT_ONCE = 20
"""How many missions are asked at the same time."""


def queue(*, role: Role = "", every: All = False, reveal: Reveal = False, as_json: Json = False) -> int:
    """Show what waits for people: what is due soonest first, and the gravest of what is due alike soon."""
    if role and not is_name(role):
        raise Usage(f"{role!r} is no name of a role or person")
    return operate(lambda client: _queue(client, role, every=every, reveal=reveal, as_json=as_json))


def is_name(text: str) -> bool:
    """Whether a text can stand in a query as a role or a person."""
    return bool(text) and all(letter.isalnum() or letter in "._@:-" for letter in text)


async def _queue(client: "Client", role: str, *, every: bool, reveal: bool, as_json: bool) -> int:
    from activities.fatigue import USUAL, Request, eased
    from starter.people import directory
    from starter.reading import Reading

    reading = Reading()
    gates, problems = await gather(client, (role,) if role else (), reading)
    reading.tell()
    gates = gates if reveal else await _discreet(client, gates)
    found = [
        Request(gate, (role,) if role else gate.subject.approvers, gate.opened_at, gate.deadline, gate.risk)
        for gate in gates
        if not role or role in gate.subject.approvers
    ]
    single, rest = eased(found, directory().at_most or USUAL, datetime.now(UTC))
    if as_json:
        summed = [one for summary in rest for one in summary.requests]
        told = [{**entry(one.what), "summed": False} for one in single]
        told += [{**entry(one.what), "summed": True} for one in summed]
        document([*told, *await _letters(client, role, problems, reveal=reveal), *map(_unanswered, problems)])
        return DONE
    if every:
        single, rest = [*single, *(one for summary in rest for one in summary.requests)], []
    print_queue([one.what for one in single], rest, problems)
    await _print_dead_letters(client, role)
    return DONE


async def _discreet(client: "Client", gates: "list[Opening]") -> "list[Opening]":
    """Return gates with everything sensitive hidden."""
    from starter.unsaid import learned

    few = asyncio.Semaphore(AT_ONCE)

    async def known(mission: str) -> Any:
        async with few:
            return mission, await learned(client, mission)

    hidden = dict(await asyncio.gather(*(known(mission) for mission in {gate.subject.mission for gate in gates})))
    return [hidden[gate.subject.mission].opening(gate) for gate in gates]


async def _letters(
    client: "Client", role: str, problems: Sequence[tuple[str, str]], *, reveal: bool
) -> list[dict[str, Any]]:
    """Return the failures that wait for operators as `--json` says them; what could not be undone is a gate."""
    from starter.deadletter import waiting_letters

    known = {mission for mission, _ in problems}
    found = [one for one in await waiting_letters(client, role, reveal=reveal) if one.get("kind") != "compensation"]
    return [
        _unanswered((one["id"], one["problem"])) if "problem" in one else _letter(one)
        for one in found
        if one["id"] not in known
    ]


def _letter(letter: dict[str, Any]) -> dict[str, Any]:
    told = {name: letter[name] for name in ("id", "mission", "step", "kind", "deadline", "ways")}
    asked = {"message": letter["cause"], "approvers": letter["operators"], "opened_at": letter["since"]}
    return {**dict.fromkeys(COLUMNS), **told, **asked, "code": letter["code"], "summed": False}


async def _print_dead_letters(client: "Client", role: str) -> None:
    from starter.deadletter import count, waiting_line

    if number := await count(client, role):
        console().print(f"\n{waiting_line(number)}", markup=False, soft_wrap=True)


async def gather(
    client: "Client", names: Sequence[str], reading: "Reading"
) -> "tuple[list[Opening], list[tuple[str, str]]]":
    """Return the open gates that wait for some roles and people, or for any, and the missions that do not answer.

    What somebody may not see is left out.
    """
    from runtime.reading import kind_of

    wanted = " OR ".join(f"AwaitingRole = '{name}'" for name in names) if names else "AwaitingRole IS NOT NULL"
    asked = f"({wanted}) AND ExecutionStatus = 'Running'"
    missions = {one.id: kind_of(one) async for one in client.list_workflows(asked)}
    few = asyncio.Semaphore(AT_ONCE)
    answers = await asyncio.gather(*(_gates(client, mission, few) for mission in missions))
    problems = [answer for answer in answers if isinstance(answer, tuple)]
    gates = (gate for answer in answers if isinstance(answer, list) for gate in answer)
    return [
        gate for gate in gates if reading.sees(gate.subject, missions.get(gate.subject.mission, ("", "")))
    ], problems


async def _gates(client: "Client", mission: str, few: asyncio.Semaphore) -> "list[Opening] | tuple[str, str]":
    """Return the open gates of one mission; its id and why, when it cannot answer."""
    from starter.state import read_gates

    try:
        async with few:
            return await read_gates(client, mission, QUICK, whole=False)
    except Problem as error:
        return mission, str(error)


COLUMNS = (
    "id",
    "mission",
    "step",
    "kind",
    "approvers",
    "required",
    "from",
    "approved_by",
    "deadline",
    "risk",
    "tool",
    "arguments",
    "actions",
    "digest",
)


def entry(gate: "Opening") -> dict[str, Any]:
    """Return an open gate as `--json` says it."""
    subject = gate.subject
    return {
        "id": subject.mission,
        "mission": subject.name,
        "step": subject.step,
        "kind": subject.kind,
        "message": subject.message,
        "approvers": list(subject.approvers),
        "required": subject.required,
        "from": subject.seats,
        "approved_by": [vote.person for vote in gate.approvals()],
        "opened_at": iso(gate.opened_at),
        "deadline": iso(gate.deadline),
        "risk": gate.risk,
        "tool": subject.tool,
        "arguments": subject.arguments,
        "actions": [one.model_dump(mode="json") for one in subject.actions],
        "digest": gate.digest,
    }


def _unanswered(problem: tuple[str, str]) -> dict[str, Any]:
    mission, why = problem
    return {**dict.fromkeys(COLUMNS), "id": mission, "problem": why}


def print_queue(
    gates: "Sequence[Opening]", rest: "Sequence[Summary[Opening]]", problems: Sequence[tuple[str, str]]
) -> None:
    """Print gates as a table, then a line for each summary."""
    from starter.table import table

    out = console()
    if not gates and not rest and not problems:
        out.print("nothing waits for a decision", style="dim")
        return
    rows = [*map(_row, gates), *((mission, "?", "?", "?", why, "?") for mission, why in problems)]
    print_rows(table(("id", "step", "waits for", "risk", "what", "left"), rows))
    for summary in rest:
        out.print(_summed(summary), markup=False, soft_wrap=True)


def _summed(summary: "Summary[Opening]") -> str:
    from starter.escape import visible

    count = len(summary.requests)
    risks = ", ".join(f"{number} {risk or 'of unknown risk'}" for risk, number in summary.risks().items())
    first = _left(summary.deadline())
    due = "none of them with a deadline" if summary.deadline() is None else f"the first with {first} left"
    told = f"and {count} more for {' or '.join(summary.to)}: {risks}; {due}; `gonogo queue --all` lists each"
    return visible(told)


def _row(gate: "Opening") -> tuple[str, str, str, str, str, str]:
    subject = gate.subject
    return subject.mission, subject.step, _asked(gate), gate.risk or "?", _what(gate), _left(gate.deadline)


def _asked(gate: "Opening") -> str:
    subject, who = gate.subject, " or ".join(gate.subject.approvers)
    seats = "".join(f", {count} {role}" for role, count in subject.seats.items())
    return f"{who} ({len(gate.approvals())} of {subject.required}{seats})" if subject.required > 1 else who


def _what(gate: "Opening") -> str:
    subject = gate.subject
    if subject.kind == "task":
        return f"to answer: {subject.message}"[:WIDEST]
    if subject.kind == "facilitation":
        return f"may speak: {subject.message}"
    if subject.tool and subject.arguments is None:
        return f"{subject.tool}, with arguments too large for a list: `gonogo show {subject.mission}` has all"
    what = "; ".join(_call(act.tool, act.arguments) for act in subject.acts()) or subject.message or subject.kind
    cut = len(what) - WIDEST
    return what if cut <= 0 else f"{what[:WIDEST]} … ({cut:,} more characters: `gonogo show {subject.mission}` has all)"


def _call(tool: str, arguments: dict[str, Any]) -> str:
    return f"{tool}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"


def _left(deadline: datetime | None) -> str:
    from starter.timeline import brief

    if deadline is None:
        return "no deadline"
    left = (deadline - datetime.now(UTC)).total_seconds()
    return brief(left) if left > 0 else "passed"
