"""`gonogo audit search`: who did what to which resource, in all missions that are archived. No server is asked."""

from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import settings
from starter.costs import moment
from starter.options import Json
from starter.output import console, document, print_rows
from starter.problem import DONE, Refused

if TYPE_CHECKING:
    from contracts.audit import AuditEntry, Chain

Actor = Annotated[str, typer.Option("--actor", metavar="NAME", help="A person, agent or tool.")]
Resource = Annotated[str, typer.Option("--resource", metavar="NAME", help="What was acted on: web-01.")]
Action = Annotated[
    str, typer.Option("--action", metavar="WHAT", help="A tool that acted, or 'decision refused', or a topic.")
]
Since = Annotated[
    str, typer.Option("--since", metavar="D", help="From when on: '7d', '12h', or a day such as 2026-11-01.")
]


def search(
    *, actor: Actor = "", resource: Resource = "", action: Action = "", since: Since = "", as_json: Json = False
) -> int:
    """Search the archived records of all missions: the newest thousand entries that fit."""
    import asyncio

    found = _readable(asyncio.run(_found(actor, resource, action, moment(since))))
    if as_json:
        document([{"mission": mission, **_shown(entry)} for mission, entry in found])
    elif found:
        _print(found)
    else:
        console().print("nothing fits; `gonogo record` archives what has happened", style="dim", markup=False)
    return DONE


async def _found(actor: str, resource: str, action: str, since: float) -> "list[tuple[Chain, AuditEntry]]":
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


def _readable(found: "list[tuple[Chain, AuditEntry]]") -> "list[tuple[str, AuditEntry]]":
    """Leave out what policy does not let `GONOGO_PERSON` read, and say so."""
    from starter.reading import Reading

    reading = Reading()
    seen = [(chain.mission, entry) for chain, entry in found if reading.reads_of(chain.name, chain.team, "read_audit")]
    reading.tell()
    return seen


def _shown(entry: "AuditEntry") -> dict[str, object]:
    return entry.model_copy(update={"token": ""}).model_dump(mode="json")


def _print(found: "list[tuple[str, AuditEntry]]") -> None:
    from starter.table import table

    rows = [
        (one.at.strftime("%Y-%m-%d %H:%M:%S"), mission, one.what, one.who, one.step, one.why) for mission, one in found
    ]
    print_rows(table(("when (UTC)", "mission", "what", "who", "step", "why"), rows))
