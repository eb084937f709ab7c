"""Answers that may be used again, as long as their step says, by a key that names everything they hang on.

The law: an entry is data that fitted its agent's schema when it was made. Where there is no room the least valuable
leave first: those that are out of date, then those whose use again saves least.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Float, cast, delete, func, select, update

from activities.books.database import Database
from activities.books.tables import answers
from activities.seal import Clear, Seal, Unsealed, close_text, open_text

ANSWER = "answer"
"""What an answer is sealed as."""
MOST_ENTRIES = 10_000
SWEPT = 0.05
"""The share of all entries that leaves at once, so that not each new one costs a look at all of them."""


@dataclass(frozen=True)
class Entry:
    """One answer: when it was made, until when it is good, and what it had cost."""

    key: str
    agent: str
    output: Any
    made_at: float
    until: float
    usd: float = 0.0
    tokens: int = 0
    seconds: float = 0.0


class Answers:
    """The entries."""

    def __init__(self, database: Database, most: int = MOST_ENTRIES, seal: Seal | None = None) -> None:
        self._database = database
        self._most = most
        self._seal = seal or Clear()

    async def find(self, key: str, now: float, *, stale: bool = False) -> Entry | None:
        """Return an answer that is good now, or one of any age; it counts as used."""
        async with self._database.reading() as connection:
            there = await connection.scalar(select(answers.c.key).where(answers.c.key.in_(self._seal.names(key))))
        if there is None:
            return None
        found = update(answers).where(answers.c.key == there).values(hits=answers.c.hits + 1).returning(*answers.c)
        if not stale:
            found = found.where(answers.c.until > now)
        async with self._database.writing() as connection:
            row = (await connection.execute(found)).mappings().first()
        if row is None:
            return None
        known = {name: row[name] for name in ("agent", "made_at", "until", "usd", "tokens", "seconds")}
        try:
            output = open_text(self._seal, row["output"], ANSWER, key)
        except Unsealed:
            return None  # kept before contents were encrypted, or with a key that is no longer here
        return Entry(key=key, output=json.loads(output), **known)

    async def keep(self, entry: Entry) -> None:
        """Keep an answer in the place of the one before it."""
        output = close_text(self._seal, json.dumps(entry.output), ANSWER, entry.key)
        fresh = {**vars(entry), "key": self._seal.names(entry.key)[0], "output": output, "hits": 0}
        kept = self._database.insert(answers).values(**fresh)
        changed = {name: value for name, value in fresh.items() if name != "key"}
        async with self._database.writing() as connection:
            await connection.execute(kept.on_conflict_do_update(index_elements=[answers.c.key], set_=changed))
            count = await connection.scalar(select(func.count()).select_from(answers))
            if count is not None and count > self._most:
                leaving = _leaving(fresh["key"], entry.made_at, count - self._most + int(SWEPT * self._most))
                await connection.execute(leaving)


def _leaving(key: str, now: float, count: int) -> Any:
    """Return what deletes so many of the least valuable. The one that has just come stays."""
    good = answers.c.until > now
    uses = cast(answers.c.hits + 1, Float)
    least = (
        select(answers.c.key)
        .where(answers.c.key != key)
        .order_by(good, uses * answers.c.usd, uses * answers.c.seconds, answers.c.made_at)
        .limit(count)
    )
    return delete(answers).where(answers.c.key.in_(least))
