"""What missions of one name have cost before: in all, and each of their steps."""

import re
from statistics import median
from typing import Any

from sqlalchemy import func, select

from activities.books.account import CACHED, SPENT
from activities.books.database import Database
from activities.books.tables import runs
from contracts.money import Past, Range

MOST = 2_000
"""Runs that are looked at, the newest."""
RANK = re.compile(r"[\[#~].*$")


async def past(database: Database, name: str, asking: str = "") -> Past:
    """Return what missions of a name have cost, but for the one that asks. Those that still run are in every sum."""
    others = (runs.c.name == name) & (runs.c.mission != asking)
    whole = (
        select(func.sum(runs.c.usd).label("usd"), func.sum(runs.c.tokens).label("tokens"))
        .where(others)
        .group_by(runs.c.mission)
        .order_by(func.max(runs.c.began_at).desc())
        .limit(MOST)
    )
    single = (
        select(runs.c.step, runs.c.usd, runs.c.tokens)
        .where(others, runs.c.state.in_((SPENT, CACHED)))
        .order_by(runs.c.began_at.desc())
        .limit(MOST)
    )
    async with database.reading() as connection:
        missions = (await connection.execute(whole)).mappings().all()
        steps: dict[str, list[Any]] = {}
        for row in (await connection.execute(single)).mappings():
            steps.setdefault(step_name(row["step"]), []).append(row)
    if not missions:
        return Past()
    return Past(
        missions=len(missions),
        usd=_range([row["usd"] for row in missions]),
        tokens=_range([row["tokens"] for row in missions]),
        steps_usd={name: _range([row["usd"] for row in rows]) for name, rows in steps.items()},
        steps_tokens={name: _range([row["tokens"] for row in rows]) for name, rows in steps.items()},
    )


def step_name(path: str) -> str:
    """Return the name of the step at a path, whichever round, item or attempt it was."""
    return RANK.sub("", path.rpartition("/")[2])


def _range(values: list[float]) -> Range:
    return Range(least=min(values), usual=median(values), most=max(values))
