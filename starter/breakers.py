"""`gonogo breakers`: which endpoints are not asked, since when and why, and what changed last. No server is asked."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starter.connect import settings
from starter.options import Json
from starter.output import console, document, print_rows
from starter.problem import DONE, Refused

if TYPE_CHECKING:
    from activities.books.breaker import Breaker, Turn


def breakers(*, as_json: Json = False) -> int:
    """Show which endpoints are asked and which are not, and what changed last."""
    import asyncio

    found, changes = asyncio.run(_read())
    if as_json:
        document({"breakers": [_told(one) for one in found], "changes": [_changed(one) for one in changes]})
    elif not found:
        console().print("no endpoint was asked yet", style="dim", markup=False)
    else:
        _print(found, changes)
    return DONE


async def _read() -> "tuple[list[Breaker], list[Turn]]":
    from activities.books.breaker import Breakers
    from activities.books.database import Database, Unreadable
    from runtime.payloads import sealing

    database = Database(settings().books())
    try:
        known = Breakers(database, seal=sealing(settings().payload_keys))
        return await known.all(), await known.turns()
    except Unreadable as error:
        raise Refused(str(error)) from None
    finally:
        await database.close()


def _told(one: "Breaker") -> dict[str, Any]:
    asked = None if one.state == "closed" else _at(one.until)
    known = {"endpoint": one.endpoint, "state": one.state, "since": _at(one.since), "asked_again": asked}
    return {**known, "calls": one.calls, "failures": one.failures, "why": one.why}


def _changed(one: "Turn") -> dict[str, Any]:
    return {"endpoint": one.endpoint, "at": _at(one.at), "was": one.was, "became": one.became, "why": one.why}


def _at(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def _print(found: "list[Breaker]", changes: "list[Turn]") -> None:
    from starter.table import table

    told = [_told(one) for one in found]
    rows = [
        (one["endpoint"], one["state"], one["since"], one["asked_again"] or "", f"{one['failures']} of {one['calls']}")
        for one in told
    ]
    whys = ["" if one["state"] == "closed" else one["why"] for one in told]
    heads = ("endpoint", "breaker", "since", "asked again at", "failed", "why")
    print_rows(table(heads, [(*row, why) for row, why in zip(rows, whys, strict=True)]))
    if changes:
        console().print()
        print_rows(
            table(
                ("changed", "endpoint", "from", "to", "why"),
                [(_at(one.at), one.endpoint, one.was, one.became, one.why) for one in changes],
            )
        )
