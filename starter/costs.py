"""`gonogo costs`: what agents have spent, by whom. The books are `activities/books/`; no server is asked."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import settings
from starter.options import Json
from starter.output import console, document, print_rows
from starter.problem import DONE, Refused, Usage

if TYPE_CHECKING:
    from activities.books.cost import Cost
    from contracts.usage import Usage as Spent


class By(StrEnum):
    """What costs are added up by."""

    team = "team"
    mission = "mission"
    agent = "agent"
    model = "model"


ByOption = Annotated[By, typer.Option("--by", help="What they are added up by.")]
Since = Annotated[
    str, typer.Option("--since", metavar="D", help="From when on: '7d', '12h', or a day such as 2026-11-01.")
]


def costs(*, by: ByOption = By.team, since: Since = "", as_json: Json = False) -> int:
    """Show what agents have spent: runs, tokens, US dollars."""
    import asyncio

    found = asyncio.run(_read(by, moment(since)))
    if as_json:
        document(found)
    elif not found:
        console().print("nothing was spent", style="dim", markup=False)
    else:
        _print(by, found)
    return DONE


def moment(text: str) -> float:
    """Return the moment from which on costs are told, in Unix seconds."""
    from contracts.duration import parse_duration

    if not text:
        return 0.0
    try:
        day = datetime.fromisoformat(text)
        return (day if day.tzinfo else day.replace(tzinfo=UTC)).timestamp()
    except ValueError:
        pass
    try:
        return datetime.now(UTC).timestamp() - float(parse_duration(text).total_seconds())
    except (ValueError, AttributeError):
        raise Usage(f"--since is {text!r}; write '7d', '12h', or a day such as 2026-11-01") from None


async def booked(mission: str, known: "Spent") -> str:
    """Say what a mission has cost by the books, where that is more than the mission itself knows.

    That is what agents cost that were cancelled, what watchers cost, and attempts that died, at the most.
    """
    from activities.books.cost import costs as added_up
    from activities.books.database import Database, Unreadable
    from contracts.money import amount

    database = Database(settings().books())
    if not database.there():
        return ""
    try:
        found = await added_up(database, "mission", 0.0, mission)
    except Unreadable:
        return ""
    finally:
        await database.close()
    if not found or (found[0].tokens <= known.tokens and found[0].usd <= known.usd + 1e-9):
        return ""
    unsure = f" ({_unsure(found[0])})" if _unsure(found[0]) else ""
    told = f"{found[0].tokens:,} tokens, {amount('usd', found[0].usd)}{unsure}"
    return f"{told}, with what was cancelled, what watched, and what broke off"


async def _read(by: By, since: float) -> "list[Cost]":
    from activities.books.cost import costs as added_up
    from activities.books.database import Database, Unreadable

    database = Database(settings().books())
    try:
        return await added_up(database, by.value, since)
    except Unreadable as error:
        raise Refused(str(error)) from None
    finally:
        await database.close()


def _print(by: By, found: "list[Cost]") -> None:
    from contracts.money import amount
    from starter.table import table

    heads = (by.value, "runs", "tokens", "in", "out", "cached", "cost", "saved", "")
    print_rows(
        table(
            heads,
            [
                (
                    *(one.name or "code alone", f"{one.runs:,}", f"{one.tokens:,}"),
                    *(f"{one.input_tokens:,}", f"{one.output_tokens:,}", f"{one.cached_tokens:,}"),
                    *(amount("usd", one.usd), amount("usd", one.saved_usd) if one.saved_usd else "", _unsure(one)),
                )
                for one in found
            ],
        )
    )


def _unsure(one: "Cost") -> str:
    from contracts.money import amount

    at_most = f"{amount('usd', one.at_most)} of it at the most" if one.at_most else ""
    unpriced = f"nobody knows the price of {one.unpriced:,} tokens" if one.unpriced else ""
    return "; ".join(part for part in (at_most, unpriced) if part)
