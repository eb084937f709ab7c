"""Ask nobody who does not answer: one breaker for each endpoint, shared by all workers.

The law: each change is one statement that finds the breaker as it was, so one worker makes it, and one alone asks where
the others wait. A breaker opens after a share of failures; when its time is over, one call finds out how things stand.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import case, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.books.database import Database
from activities.books.tables import breakers, turns
from activities.seal import Clear, Seal, Unsealed, close_text, open_text
from contracts.base import Message

CLOSED, OPEN, PROBING = "closed", "open", "probing"
WINDOW = 60.0
"""Seconds over which failures are counted."""
LEAST = 5
"""Calls below which no share says anything."""
SHARE = 0.5
FIRST, LONGEST = 30.0, 600.0
"""Seconds that a breaker stays open: twice as long each time that a probe fails."""
WHY = "breaker"
"""What a reason is sealed as."""
ANSWERS = "it answers again"
UNREADABLE = "why cannot be read"


@dataclass(frozen=True)
class Admitted:
    """A call may be made. `probe`: it is the one that finds out how things stand."""

    probe: bool = False


class Breaker(Message):
    """How a breaker stands. `until` is when somebody may ask again; Unix seconds."""

    endpoint: str
    state: str
    since: float
    until: float = 0.0
    calls: int = 0
    failures: int = 0
    streak: int = 0
    why: str = ""


class Turn(Message):
    """A change of a breaker."""

    endpoint: str
    at: float
    was: str
    became: str
    why: str = ""


Line = TypeVar("Line", Breaker, Turn)


class Breakers:
    """The breakers of all endpoints."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time, seal: Seal | None = None) -> None:
        self._database = database
        self._now = now
        self._seal = seal or Clear()

    async def admit(self, endpoint: str, seconds: float) -> Admitted | Breaker:
        """Say whether a call may be made that takes at most so many seconds, or what stands in its way."""
        known = await self.read(endpoint)
        if known is None or known.state == CLOSED:
            return Admitted()
        now = self._now()
        probing = _mine(endpoint).where(breakers.c.state != CLOSED, breakers.c.until <= now)
        async with self._database.writing() as connection:
            if await _turned(connection, probing.values(state=PROBING, since=now, until=now + seconds)):
                await _tell(connection, Turn(endpoint=endpoint, at=now, was=known.state, became=PROBING))
                return Admitted(probe=True)
        return await self.read(endpoint) or known

    async def answered(self, endpoint: str, *, probe: bool) -> None:
        """Note that a call was answered, however badly."""
        if not probe:
            await self._count(endpoint, failed=False, why="")
            return
        now = self._now()
        closed = {"state": CLOSED, "since": now, "window": now, "calls": 0, "failures": 0, "streak": 0}
        async with self._database.writing() as connection:
            if await _turned(connection, _mine(endpoint).where(breakers.c.state == PROBING).values(**closed)):
                await _tell(connection, Turn(endpoint=endpoint, at=now, was=PROBING, became=CLOSED, why=ANSWERS))

    async def failed(self, endpoint: str, why: str, *, probe: bool) -> None:
        """Note that a call was not answered; what it said may hold anything."""
        why = close_text(self._seal, why, WHY, endpoint)
        if not probe:
            await self._count(endpoint, failed=True, why=why)
            return
        now = self._now()
        known = await self.read(endpoint)
        span = min(LONGEST, FIRST * 2 ** (known.streak if known is not None else 1))
        opened = {"state": OPEN, "since": now, "until": now + span, "streak": breakers.c.streak + 1, "why": why}
        async with self._database.writing() as connection:
            if await _turned(connection, _mine(endpoint).where(breakers.c.state == PROBING).values(**opened)):
                await _tell(connection, Turn(endpoint=endpoint, at=now, was=PROBING, became=OPEN, why=why))

    async def unsaid(self, endpoint: str, *, probe: bool) -> None:
        """Let the next call find out what this one did not."""
        if probe:
            now = self._now()
            async with self._database.writing() as connection:
                freed = _mine(endpoint).where(breakers.c.state == PROBING).values(state=OPEN, until=now)
                await connection.execute(freed)

    async def read(self, endpoint: str) -> Breaker | None:
        """Return how a breaker stands."""
        async with self._database.reading() as connection:
            found = await connection.execute(select(breakers).where(breakers.c.endpoint == endpoint))
            row = found.mappings().first()
        return self._said(Breaker.model_validate(dict(row))) if row is not None else None

    async def all(self) -> list[Breaker]:
        """Return every breaker, those that are not closed first."""
        order = (breakers.c.state == CLOSED, breakers.c.endpoint)
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(breakers).order_by(*order))).mappings().all()
        return [self._said(Breaker.model_validate(dict(row))) for row in rows]

    async def turns(self, most: int = 20) -> list[Turn]:
        """Return the latest changes, the newest first."""
        async with self._database.reading() as connection:
            found = await connection.execute(select(turns).order_by(turns.c.id.desc()).limit(most))
        return [self._said(Turn.model_validate(dict(row))) for row in found.mappings().all()]

    def asks_at(self, breaker: Breaker) -> bool:
        """Whether somebody may ask again."""
        return breaker.state == CLOSED or breaker.until <= self._now()

    def _said(self, row: Line) -> Line:
        """Return a row with its reason as it was given, where it can be read."""
        if not row.why or row.why == ANSWERS:
            return row
        try:
            return row.model_copy(update={"why": open_text(self._seal, row.why, WHY, row.endpoint)})
        except Unsealed:
            return row.model_copy(update={"why": UNREADABLE})

    async def _count(self, endpoint: str, *, failed: bool, why: str) -> None:
        now, one = self._now(), int(failed)
        over = breakers.c.window <= now - WINDOW
        row = {"endpoint": endpoint, "state": CLOSED, "since": now, "until": 0.0, "streak": 0, "why": why}
        counted = (
            self._database.insert(breakers)
            .values(**row, window=now, calls=1, failures=one)
            .on_conflict_do_update(
                index_elements=[breakers.c.endpoint],
                set_={
                    "window": case((over, now), else_=breakers.c.window),
                    "calls": case((over, 1), else_=breakers.c.calls + 1),
                    "failures": case((over, one), else_=breakers.c.failures + one),
                },
                where=breakers.c.state == CLOSED,
            )
        )
        enough = (breakers.c.calls >= LEAST) & (breakers.c.failures >= SHARE * breakers.c.calls)
        opening = _mine(endpoint).where(breakers.c.state == CLOSED, enough)
        async with self._database.writing() as connection:
            await connection.execute(counted)
            opened = {"state": OPEN, "since": now, "until": now + FIRST, "streak": 1, "why": why}
            if failed and await _turned(connection, opening.values(**opened)):
                await _tell(connection, Turn(endpoint=endpoint, at=now, was=CLOSED, became=OPEN, why=why))


def _mine(endpoint: str) -> Any:
    return update(breakers).where(breakers.c.endpoint == endpoint)


async def _turned(connection: AsyncConnection, change: Any) -> bool:
    return (await connection.execute(change.returning(breakers.c.endpoint))).first() is not None


async def _tell(connection: AsyncConnection, turn: Turn) -> None:
    await connection.execute(insert(turns).values(**turn.model_dump()))
