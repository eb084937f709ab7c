"""`gonogo audit search`: who did what to which resource, in all missions that are archived.

A server is asked only what is sensitive in them; without one nothing is told that may come from contents.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import settings
from starter.costs import moment
from starter.options import Json, Reveal
from starter.output import console, document, note, print_rows
from starter.problem import DONE, Problem, Refused

if TYPE_CHECKING:
    from contracts.audit import AuditEntry, Chain

    Found = list[tuple[Chain, AuditEntry]]
    Hide = Callable[[Chain, Iterable[AuditEntry]], Awaitable[list[AuditEntry]]]

AT_ONCE = 10
"""How many missions' histories are read at the same time."""

Actor = Annotated[str, typer.Option("--actor", metavar="NAME", help="A person, agent or tool.")]
Resource = Annotated[str, typer.Option("--resource", metavar="NAME", help="What was acted on: web-01.")]
Action = Annotated[
    str, typer.Option("--action", metavar="WHAT", help="A tool that acted, or 'decision refused', or a topic.")
]
Since = Annotated[
    str, typer.Option("--since", metavar="D", help="From when on: '7d', '12h', or a day such as 2026-11-01.")
]


def search(
    *,
    actor: Actor = "",
    resource: Resource = "",
    action: Action = "",
    since: Since = "",
    reveal: Reveal = False,
    as_json: Json = False,
) -> int:
    """Search the archived records of all missions: the newest thousand entries that fit."""
    found = _readable(asyncio.run(_found(actor, resource, action, moment(since))))
    if found and not reveal:
        found = asyncio.run(_discreet(found))
    if as_json:
        document([{"mission": chain.mission, **_shown(entry)} for chain, entry in found])
    elif found:
        _print(found)
    else:
        console().print("nothing fits; `gonogo record` archives what has happened", style="dim", markup=False)
    return DONE


async def _found(actor: str, resource: str, action: str, since: float) -> "Found":
    from activities.books.archive import Archive
    from activities.books.database import Database, Unreadable
    from runtime.payloads import sealing

    database, seal = Database(settings().books()), sealing(settings().payload_keys)
    try:
        return await Archive(database, seal).search(actor=actor, resource=resource, action=action, since=since)
    except Unreadable as error:
        raise Refused(str(error)) from None
    finally:
        await database.close()


def _readable(found: "Found") -> "Found":
    """Leave out what policy does not let `GONOGO_PERSON` read, and say so."""
    from starter.reading import Reading

    reading = Reading()
    seen = [(chain, entry) for chain, entry in found if reading.reads_of(chain.name, chain.team, "read_audit")]
    reading.tell()
    return seen


async def _discreet(found: "Found") -> "Found":
    """Hide what is sensitive, mission by mission; the order stays."""
    groups: dict[str, list[int]] = {}
    for number, (chain, _) in enumerate(found):
        groups.setdefault(chain.first_run_id, []).append(number)
    hide, few, told = await _hiding(), asyncio.Semaphore(AT_ONCE), list(found)

    async def group(numbers: list[int]) -> None:
        chain = found[numbers[0]][0]
        async with few:
            hidden = await hide(chain, [found[number][1] for number in numbers])
        for number, entry in zip(numbers, hidden, strict=True):
            told[number] = (chain, entry)

    await asyncio.gather(*map(group, groups.values()))
    return told


async def _hiding() -> "Hide":
    """Return what hides: with the server, by the schemas of each mission that it keeps."""
    from starter.connect import reach, understood
    from starter.unsaid import Unsaid, bare

    async def without(_: "Chain", entries: "Iterable[AuditEntry]") -> "list[AuditEntry]":
        return [bare(entry) for entry in entries]

    try:
        client = await reach(settings())
    except Problem as error:
        note(f"what may be sensitive is hidden, for nobody says what is: {error}")
        return without
    unsaid = Unsaid(client)

    async def by_schema(chain: "Chain", entries: "Iterable[AuditEntry]") -> "list[AuditEntry]":
        if chain.namespace != client.namespace:
            return await without(chain, entries)
        with understood(chain.mission):
            return await unsaid(chain, entries)

    return by_schema


def _shown(entry: "AuditEntry") -> dict[str, object]:
    return entry.model_copy(update={"token": ""}).model_dump(mode="json")


def _print(found: "Found") -> None:
    from starter.table import table

    rows = [
        (one.at.strftime("%Y-%m-%d %H:%M:%S"), chain.mission, one.what, one.who, one.step, one.why)
        for chain, one in found
    ]
    print_rows(table(("when (UTC)", "mission", "what", "who", "step", "why"), rows))
