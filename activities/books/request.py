"""Keep count of what approvers were told of one by one, so that nobody is told too much.

The law: at most so many of what comes within one span, then one line that says that there are more, then nothing until
the span has passed. Asked again about a notice that was told, the answer is the same. `activities/notify.py` asks.
"""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

from sqlalchemy import update

from activities.books.database import Database
from activities.books.tables import requests
from contracts.workspace import AtMost

Telling = Literal["one", "summary", "nothing"]
Told = dict[str, list[Any]]
"""What one approver was told: of each notice when, in Unix seconds, and how."""


class Requests:
    """What approvers have been told of, by all workers."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    async def take(self, notice: str, to: Sequence[str], at_most: AtMost) -> Telling:
        """Say how to tell of a notice: by itself as long as there is room with one of those whom it is for."""
        since = self._now() - at_most.per.total_seconds()
        async with self._database.writing() as connection:
            known = {}
            # In one order, so that no two workers wait for each other.
            for who in sorted(set(to)):
                known[who] = _since(await self._of(connection, who), since)
            telling = _telling(notice, list(known.values()), at_most.requests)
            # What is not told of is not kept: a row stays as short as what people read.
            for who, told in known.items() if telling != "nothing" else ():
                told.setdefault(notice, [self._now(), telling])
                change = update(requests).where(requests.c.who == who).values(told=json.dumps(told))
                await connection.execute(change)
        return telling

    async def _of(self, connection: Any, who: str) -> Told:
        """Return what an approver was told, and keep other writers from that row until this one is done."""
        row = self._database.insert(requests).values(who=who, told="{}")
        kept = row.on_conflict_do_update(index_elements=[requests.c.who], set_={"who": who}).returning(requests.c.told)
        told: Told = json.loads(await connection.scalar(kept))
        return told


def _since(told: Told, moment: float) -> Told:
    return {notice: entry for notice, entry in told.items() if entry[0] > moment}


def _telling(notice: str, known: list[Told], most: int) -> Telling:
    for told in known:
        if notice in told:
            before: Telling = told[notice][1]
            return before
    if any(_count(told, "one") < most for told in known):
        return "one"
    return "summary" if any(not _count(told, "summary") for told in known) else "nothing"


def _count(told: Told, how: Telling) -> int:
    return sum(entry[1] == how for entry in told.values())
