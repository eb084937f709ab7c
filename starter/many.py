"""One command for many missions: found by a visibility query, shown, agreed to, given to each, answered by each.

The law: nobody is commanded who was not shown, and none is answered for: each mission judges its own command, by how
it stands then. `starter/steer.py` signs and sends.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.browse import print_missions, summary
from starter.connect import PATIENCE
from starter.escape import visible
from starter.output import console, document, print_rows
from starter.problem import DONE, REFUSED, Problem, Refused, Usage

if TYPE_CHECKING:
    from temporalio.client import Client

Where = Annotated[
    str,
    typer.Option("--where", metavar="QUERY", help="All missions that a visibility query finds, in place of an ID."),
]
Yes = Annotated[bool, typer.Option("--yes", help="With --where: do not ask.")]
MOST = 1_000
AT_ONCE = 10
"""How many missions are commanded at the same time."""

Give = Callable[[str], Awaitable[str]]
"""Give the command to a mission and return what came of it; a `Problem` says why nothing did."""


async def to_each(client: "Client", where: str, verb: str, give: Give, *, yes: bool, as_json: bool) -> int:
    """Give a command to every mission that runs and that a query finds. Ends with 0 where all took it."""
    found = await _found(client, where)
    if not found:
        _none(as_json=as_json)
        return DONE
    if not yes:
        await _agreed(found, verb, as_json=as_json)
    places = asyncio.Semaphore(AT_ONCE)
    results = await asyncio.gather(*(_given(one["id"], give, places) for one in found))
    if as_json:
        document(results)
    else:
        _print(results)
    return DONE if all(one["accepted"] for one in results) else REFUSED


async def _found(client: "Client", where: str) -> list[dict[str, Any]]:
    from temporalio.service import RPCError, RPCStatusCode

    query = f"({where}) AND MissionName IS NOT NULL AND ExecutionStatus = 'Running'"
    try:
        listed = client.list_workflows(query, limit=MOST + 1, rpc_timeout=PATIENCE)
        found = [summary(one) async for one in listed]
    except RPCError as error:
        if error.status != RPCStatusCode.INVALID_ARGUMENT:
            raise
        hint = "write for example \"MissionState = 'dead_letter' AND MissionName = 'incident_triage'\""
        raise Usage(f"--where cannot be read: {visible(error.message)}; {hint}") from None
    if len(found) > MOST:
        raise Refused(f"more than {MOST} missions match; say more exactly which, and do the rest after these")
    return found


async def _agreed(found: list[dict[str, Any]], verb: str, *, as_json: bool) -> None:
    """Show which missions there are, and go on only when somebody says so."""
    from starter.prompt import ask, someone_is_there

    number = len(found)
    if as_json or not someone_is_there():
        raise Refused(f"{number} missions match and nobody is asked: add --yes to {verb} all of them")
    print_missions(found)
    typed = await ask(f"  {verb} {number} missions? Type {number} to go on: ")
    if typed != str(number):
        raise Refused("nothing was done")


async def _given(mission: str, give: Give, places: asyncio.Semaphore) -> dict[str, Any]:
    async with places:
        try:
            return {"id": mission, "accepted": True, "said": await give(mission)}
        except Problem as problem:
            return {"id": mission, "accepted": False, "said": str(problem)}


def _none(*, as_json: bool) -> None:
    if as_json:
        document([])
    else:
        console().print("no mission that runs matches", style="dim", markup=False)


def _print(results: list[dict[str, Any]]) -> None:
    from starter.table import table

    rows = [(one["id"], "done" if one["accepted"] else "refused", one["said"]) for one in results]
    print_rows(table(("id", "came to", "because"), rows))
    done = sum(one["accepted"] for one in results)
    console().print(f"{done} of {len(results)} took it", markup=False)
