"""The same world told otherwise: other names, other order, another time. What is true of it stays true."""

import json
import random
import re
from datetime import datetime, timedelta
from typing import Any

from demo.seed import World

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
DATE = re.compile(r"\d{4}-\d\d-\d\d(?!T)")


def tell_otherwise(world: World, seed: int) -> World:
    """Rename everything that has a name, shuffle every table, move every time by the same days."""
    dice = random.Random(seed)
    told: World = json.loads(json.dumps(world))
    _retell_words(told)
    told = _move(_rename(told, dice), dice.randrange(1, 3000))
    for rows in told.values():
        dice.shuffle(rows)
    return told


def _retell_words(world: World) -> None:
    """Replace what people wrote for people: it must not decide."""
    for number, event in enumerate(world["events"]):
        event["message"] = f"message {number % 7}"
    for number, alert in enumerate(world["alerts"]):
        alert["finding_info"]["title"] = alert["message"] = f"rule {number} fired"
        alert["finding_info"]["desc"] = ""
        alert["actor"]["process"]["name"] = ""
    for rows, words in (("changes", "summary"), ("indicators", "description"), ("documents", "title")):
        for number, row in enumerate(world[rows]):
            row[words] = f"text {number}"


def _rename(world: World, dice: random.Random) -> World:
    names = {name: f"n{dice.getrandbits(48):012x}" for name in sorted(_names(world))}
    addresses = dice.sample(range(1, 250 * 250), len(_addresses(world)))
    names |= {old: f"10.99.{new // 250}.{new % 250}" for old, new in zip(_addresses(world), addresses, strict=True)}
    pattern = re.compile("|".join(re.escape(json.dumps(name)) for name in sorted(names, key=len, reverse=True)))
    renamed: World = json.loads(pattern.sub(lambda found: json.dumps(names[json.loads(found[0])]), json.dumps(world)))
    return renamed


def _names(world: World) -> set[str]:
    found = {row["user"] for row in world["users"]} | {row["host"] for row in world["assets"]}
    found |= {row["id"] for table in ("events", "changes", "documents") for row in world[table]}
    found |= {row["finding_info"]["uid"] for row in world["alerts"]}
    found |= {row["value"] for row in world["indicators"] if row["kind"] != "address"}
    return found


def _addresses(world: World) -> list[str]:
    known = {row["address"] for table in ("assets", "events") for row in world[table]}
    return sorted((known | {row["value"] for row in world["indicators"] if row["kind"] == "address"}) - {""})


def _move(world: World, days: int) -> World:
    span = timedelta(days=days)
    text = STAMP.sub(lambda found: _moved(found[0], span, "%Y-%m-%dT%H:%M:%SZ"), json.dumps(world))
    told: World = json.loads(DATE.sub(lambda found: _moved(found[0], span, "%Y-%m-%d"), text))
    for alert in told["alerts"]:
        alert["time"] += days * 86_400_000
    return told


def _moved(text: str, span: timedelta, form: str) -> str:
    return (datetime.strptime(text, form) + span).strftime(form)


def without(world: World, table: str, **fields: Any) -> World:
    """Return the world without the rows of a table that have these values."""
    kept = [row for row in world[table] if any(row[name] != value for name, value in fields.items())]
    assert len(kept) < len(world[table])
    return {**world, table: kept}


def changed(world: World, table: str, where: dict[str, Any], **fields: Any) -> World:
    """Return the world with other values in the rows of a table that have these."""
    rows = [row | fields if where.items() <= row.items() else row for row in world[table]]
    assert rows != world[table]
    return {**world, table: rows}
