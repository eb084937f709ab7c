"""`gonogo deadletter`: what failed and waits for somebody to say how it goes on, with the commands to type.

Visibility says which missions wait so, each mission what for: a failure that its operators have to answer
(`DeadLetter`), or something that could not be undone and asks at a gate of its own.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.browse import iso
from starter.connect import operate
from starter.options import Json, Reveal
from starter.output import console, document
from starter.problem import DONE, Problem, Refused

if TYPE_CHECKING:
    from rich.text import Text
    from temporalio.client import Client

    from contracts.letter import Way
    from contracts.view import MissionView
    from starter.discretion import Discretion

Id = Annotated[str, typer.Argument(metavar="[ID]", help="Only this mission, with its whole report.")]
QUICK = timedelta(seconds=5)
AT_ONCE = 20
LETTERS = "MissionState = 'dead_letter' AND ExecutionStatus = 'Running'"
NEWEST = 2**40
"""A revision that no journal reaches: the answer has no records."""


def deadletter(mission: Id = "", *, reveal: Reveal = False, as_json: Json = False) -> int:
    """Show what failed and waits for somebody to say how it goes on, and how to say it."""
    if mission:
        return operate(lambda client: _one(client, mission, reveal=reveal, as_json=as_json))
    return operate(lambda client: _all(client, reveal=reveal, as_json=as_json))


async def count(client: "Client", role: str = "") -> int:
    """Return how many missions wait in the dead letter queue: all, or for a role or a person."""
    return (await client.count_workflows(_listed(role))).count


def _listed(role: str) -> str:
    return LETTERS + (f" AND AwaitingRole = '{role}'" if role else "")


async def waiting_letters(client: "Client", role: str = "", *, reveal: bool = False) -> list[dict[str, Any]]:
    """Return what waits in the dead letter queue, the longest first: all, or what waits for a role or a person."""
    from starter.reading import Reading

    few = asyncio.Semaphore(AT_ONCE)
    reading = Reading()
    missions = [one.id async for one in client.list_workflows(_listed(role)) if reading.reads(one)]
    reading.tell()
    groups = await asyncio.gather(*(_read(client, mission, few, reveal=reveal) for mission in missions))
    found = (one for group in groups for one in group if not role or role in one.get("operators", (role,)))
    return sorted(found, key=lambda one: str(one["since"]))


def waiting_line(number: int) -> str:
    """Say how many dead letters wait."""
    missions = "1 mission waits" if number == 1 else f"{number} missions wait"
    return f"{missions} in the dead letter queue: `gonogo deadletter` shows what failed and the ways on"


async def _all(client: "Client", *, reveal: bool, as_json: bool) -> int:
    letters = await waiting_letters(client, reveal=reveal)
    if as_json:
        document(letters)
    elif not letters:
        console().print("nothing waits in the dead letter queue", style="dim", markup=False)
    else:
        for letter in letters:
            console().print(_told(letter), soft_wrap=True)
    return DONE


async def _read(client: "Client", mission: str, few: asyncio.Semaphore, *, reveal: bool) -> list[dict[str, Any]]:
    """Return what waits in one mission; one entry that says why, when it cannot answer."""
    from starter.state import read_state
    from starter.unsaid import learned

    try:
        async with few:
            known = await learned(client, mission, reveal=reveal)
            return await letters_of(client, await read_state(client, mission, NEWEST, QUICK), known)
    except Problem as error:
        return [{"id": mission, "since": None, "problem": str(error), "ways": []}]


async def letters_of(client: "Client", view: "MissionView", known: "Discretion") -> list[dict[str, Any]]:
    """Return what waits in a mission, with everything sensitive hidden: its failure, and each undoing that failed."""
    from contracts.letter import helping, ways
    from starter.state import read_gates

    found, view = [], known.view(view)
    if view.letter is not None:
        failure = view.letter.failure.model_dump(mode="json")
        tried = list(view.letter.tried)
        asked = {"all_tried": tried, "operators": list(view.operators), "ways": _ways(ways(view.id, view.letter))}
        times = {"since": iso(view.letter.at), "deadline": iso(view.letter.deadline)}
        found.append({"id": view.id, "mission": view.name, "kind": "failure", **failure, **times, **asked})
    if any(gate.kind == "compensation" for gate in view.waiting):
        gates = [known.opening(gate).subject for gate in await read_gates(client, view.id, QUICK, whole=False)]
        opened = {gate.step: gate.opened_at for gate in view.waiting}
        for gate in gates:
            if gate.kind == "compensation":
                asked = {"operators": list(gate.approvers), "ways": _ways(helping(view.id, gate.step))}
                times = {"since": iso(opened.get(gate.step)), "deadline": None}
                told = {"kind": "compensation", "step": gate.step, "cause": gate.message}
                found.append({"id": view.id, "mission": view.name, **told, **times, **asked})
    return found


def _ways(found: "Iterable[Way]") -> list[dict[str, str]]:
    return [{"what": way.what, "command": way.command()} for way in found]


async def _one(client: "Client", mission: str, *, reveal: bool, as_json: bool) -> int:
    """Show one mission's report whole."""
    from starter.discretion import discretion
    from starter.reading import demand_reading
    from starter.state import read_state
    from workflows.governance.saga import to_undo

    await demand_reading(client, mission, "read_outputs")
    known = await discretion(client, mission, reveal=reveal)
    view = await read_state(client, mission)
    letters = await letters_of(client, view, known)
    if not letters:
        state = view.state.replace("_", " ")
        raise Refused(f"mission {mission} does not wait in the dead letter queue: it is {state}")
    view = known.view(view)
    standing = [record.path for record in to_undo(view.records)]
    if as_json:
        document({"letters": letters, "standing": standing, "refusals": [one.reason for one in view.refusals]})
        return DONE
    for letter in letters:
        console().print(_told(letter, whole=True), soft_wrap=True)
    console().print(_standing(standing), style="dim", markup=False, soft_wrap=True)
    return DONE


def _standing(paths: Sequence[str]) -> str:
    from starter.escape import visible

    if not paths:
        return "  nothing it did is left to be undone"
    return f"  an abort undoes, in this order: {', '.join(visible(path) for path in paths)}"


def _told(letter: dict[str, Any], *, whole: bool = False) -> "Text":
    """Return a letter as people read it: what failed and why, what was tried, and each way on."""
    from rich.text import Text

    from starter.escape import visible

    told = Text(visible(letter["id"]), "bold")
    if "problem" in letter:
        return told.append(f"  {visible(letter['problem'])}", "red")
    told.append(f"  {visible(letter['mission'])}  {visible(letter['step'])}", "").append(f"  {_times(letter)}", "dim")
    code = f"{letter['code']}: " if letter.get("code") else ""
    told.append(f"\n  {visible(code + letter['cause'])}", "red")
    for one in letter.get("all_tried", ()):
        told.append(f"\n  before: {visible(one)}", "dim")
    for name in ("tried", "remains", *(("actor", "operation") if whole else ())):
        if letter.get(name):
            told.append(f"\n  {name}: {visible(letter[name])}", "dim")
    width = max(len(way["what"]) for way in letter["ways"])
    for way in letter["ways"]:
        told.append(f"\n    {way['what']:<{width}}  ", "").append(visible(way["command"]), "cyan")
    return told.append("\n") if not whole else told


def _times(letter: dict[str, Any]) -> str:
    from datetime import UTC, datetime

    from starter.render import deadline
    from starter.timeline import brief

    since = datetime.fromisoformat(letter["since"]) if letter["since"] else None
    waits = f"waits {brief((datetime.now(UTC) - since).total_seconds())} for" if since else "waits for"
    until = letter["deadline"]
    left = f", {deadline(datetime.fromisoformat(until))}, then it is undone" if until else ", without a deadline"
    return f"{waits} {' or '.join(letter['operators'])}{left}"
