"""Hold what an agent run may cost before it begins, and settle it when it is over.

The law: right however many workers ask at once. One statement for each account adds what a run may cost where there is
something left, and answers with nothing where there is not; it goes on the row as the run before has left it. So of
many who race for the last of a budget at most one goes over it. What was held by an attempt that died stays counted.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.books.database import Database, Unreadable
from activities.books.tables import accounts, runs
from activities.books.tables import payers as shares
from contracts.money import Bounds, Measure, Spending
from contracts.usage import Usage

HELD, SPENT, LOST, CACHED = "held", "spent", "lost", "cached"
KINDS = (
    *("usd", "seconds", "tokens", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens"),
    *("model_calls", "tool_calls", "unpriced"),
)
"""What is kept of a usage, column by column."""
TURNS = 10


@dataclass(frozen=True)
class Account:
    """Who pays: a mission or a team in a month. Without bounds it is only kept count of."""

    key: str
    bounds: Bounds = field(default_factory=Bounds)


@dataclass(frozen=True)
class Run:
    """One attempt of an agent to do its work. `work` is the same for all; `seconds` is how long one may take."""

    work: str
    attempt: int
    mission: str
    name: str
    team: str
    step: str
    agent: str
    model: str
    seconds: float

    @property
    def key(self) -> str:
        return f"{self.work}#{self.attempt}"


@dataclass(frozen=True)
class Held:
    """What a run may cost is held. `soft` are all soft bounds that are reached, `news` those nobody was told of yet."""

    soft: tuple[Spending, ...] = ()
    news: tuple[Spending, ...] = ()


@dataclass(frozen=True)
class Refused:
    """There is nothing left. `waits`: others hold some of it, who may give it back."""

    over: Spending
    waits: bool


class _Over(Exception):
    """An account has nothing left: what this transaction has done is to be undone."""


class Accounts:
    """What missions and teams have spent."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    async def reserve(
        self, run: Run, most: Usage, mission: Account, team: Account, above: tuple[Account, ...] = ()
    ) -> Held | Refused:
        """Hold the most that a run may cost. Asked again with the same run it holds nothing more.

        `above` are the missions whose child this is, the nearest first: they pay as well.
        """
        # From the child up, whoever asks: so no two wait for each other.
        payers = (mission, *above, team)
        for _ in range(TURNS):
            try:
                return await self._hold(run, most, payers)
            except _Over:
                refused = await self._refused(payers)
            if refused is not None:
                return refused
        raise Unreadable(f"what is left for {run.mission} changes faster than it can be read")

    async def settle(self, key: str, usage: Usage | None) -> None:
        """Put what a run cost, where that is known, in the place of what was held. Asked again it changes nothing."""
        async with self._database.writing() as connection:
            known = select(runs).where(runs.c.key == key, runs.c.state == HELD).with_for_update()
            row = (await connection.execute(known)).mappings().first()
            if row is None:
                return
            if usage is None:
                over = update(runs).where(runs.c.key == key).values(state=LOST, ended_at=self._now())
                await connection.execute(over)
                return
            more = {"usd": usage.usd - row["usd"], "tokens": usage.tokens - row["tokens"]}
            for payer in await _payers(connection, row):
                change = {name: accounts.c[name] + much for name, much in more.items()}
                await connection.execute(update(accounts).where(accounts.c.key == payer).values(**change))
            done = {**columns(usage), "state": SPENT, "ended_at": self._now()}
            await connection.execute(update(runs).where(runs.c.key == key).values(**done))

    async def saved(self, run: Run, usd: float, mission: Account, team: Account) -> None:
        """Write down a run that was not made: an answer was used again, which had cost so much."""
        row = {**_line(run, (mission, team), self._now()), **columns(Usage())}
        row |= {"state": CACHED, "ended_at": self._now(), "saved_usd": usd}
        async with self._database.writing() as connection:
            await connection.execute(self._database.insert(runs).values(**row).on_conflict_do_nothing())

    async def over(self, key: str) -> Spending | None:
        """Return what keeps somebody waiting who found an account empty; nothing where it is worth asking again."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(accounts).where(accounts.c.key == key))).mappings().first()
            if row is None:
                return None
            empty = first_over(Account(key, Bounds.model_validate_json(row["bounds"])), row)
            return empty if empty is not None and await self._live(connection, [key]) else None

    async def _hold(self, run: Run, most: Usage, payers: tuple[Account, ...]) -> Held:
        async with self._database.writing() as connection:
            if not await self._begin(connection, run, most, payers):
                return Held()
            # What this run may cost is not spent yet.
            found = [(payer, before(await self._take(connection, payer, most), most)) for payer in payers]
            news = [one for payer, row in found for one in await self._tell(connection, payer, row)]
        return Held(soft=tuple(one for payer, row in found for one in reached(payer, row)), news=tuple(news))

    async def _begin(self, connection: AsyncConnection, run: Run, most: Usage, payers: tuple[Account, ...]) -> bool:
        """Write a run down; say whether it was not there. Attempts before it are over, whatever they came to."""
        now = self._now()
        await connection.execute(
            update(runs)
            .where(runs.c.work == run.work, runs.c.attempt < run.attempt, runs.c.state == HELD)
            .values(state=LOST, ended_at=now)
        )
        row = {**_line(run, payers, now), **columns(most), "state": HELD, "saved_usd": 0.0}
        added = self._database.insert(runs).values(**row).on_conflict_do_nothing().returning(runs.c.key)
        if (await connection.execute(added)).first() is None:
            return False
        for rank, payer in enumerate(payers[1:-1]):
            await connection.execute(insert(shares).values(run=run.key, account=payer.key, rank=rank))
        return True

    async def _take(self, connection: AsyncConnection, payer: Account, most: Usage) -> Mapping[Any, Any]:
        """Add what a run may cost to an account that has something left. The one statement of the law above."""
        more = held(most)
        left = [accounts.c[name] < limit for name, limit in payer.bounds.limits().items()]
        taken = (
            self._database.insert(accounts)
            .values(key=payer.key, **more)
            .on_conflict_do_update(
                index_elements=[accounts.c.key],
                set_={name: accounts.c[name] + much for name, much in more.items()},
                where=_all(left),
            )
            .returning(*accounts.c)
        )
        row = (await connection.execute(taken)).mappings().first()
        if row is None:
            raise _Over
        return row

    async def _tell(self, connection: AsyncConnection, payer: Account, row: Mapping[Any, Any]) -> list[Spending]:
        """Return the soft bounds that an account has reached and nobody was told of, and note that they were told."""
        told = json.loads(row["told"])
        news = [one for one in reached(payer, row) if [one.measure, one.limit] not in told]
        if news:
            told += [[one.measure, one.limit] for one in news]
            noted = update(accounts).where(accounts.c.key == payer.key).values(told=json.dumps(told))
            await connection.execute(noted)
        return news

    async def _refused(self, payers: tuple[Account, ...]) -> Refused | None:
        """Return who has nothing left, unless somebody gave something back meanwhile.

        The bounds are noted for whoever looks whether that has changed.
        """
        async with self._database.writing() as connection:
            for payer in payers:
                mine = accounts.c.key == payer.key
                row = (await connection.execute(select(accounts).where(mine))).mappings().first()
                # Whose first run this would have been has no row: what was begun for it is undone.
                empty = first_over(payer, row) if row is not None else None
                if empty is not None:
                    bounds = payer.bounds.model_dump_json(include=set(Bounds.model_fields))
                    await connection.execute(update(accounts).where(mine).values(bounds=bounds))
                    # A run that was begun is never given back, what it may cost is.
                    waits = empty.measure != "agent_runs" and await self._live(connection, [payer.key])
                    return Refused(empty, waits=waits)
        return None

    async def _live(self, connection: AsyncConnection, keys: Iterable[str]) -> bool:
        """Whether something is held on accounts for a run that may still be under way."""
        asked = list(keys)
        mine = runs.c.mission_account.in_(asked) | runs.c.team_account.in_(asked)
        mine |= runs.c.key.in_(select(shares.c.run).where(shares.c.account.in_(asked)))
        live = (runs.c.state == HELD) & (runs.c.until > self._now()) & ((runs.c.tokens > 0) | (runs.c.usd > 0))
        return bool(await connection.scalar(select(func.count()).select_from(runs).where(mine & live)))


async def _payers(connection: AsyncConnection, row: Mapping[Any, Any]) -> list[str]:
    """Return who pays for a run, in the order in which they were asked."""
    more = select(shares.c.account).where(shares.c.run == row["key"]).order_by(shares.c.rank)
    return [row["mission_account"], *await connection.scalars(more), row["team_account"]]


def _line(run: Run, payers: tuple[Account, ...], now: float) -> dict[str, Any]:
    """Return what a run's line says of who runs, and who pays."""
    names = ("key", "work", "attempt", "mission", "name", "team", "step", "agent", "model")
    return {
        **{name: getattr(run, name) for name in names},
        "began_at": now,
        "until": now + run.seconds,
        "mission_account": payers[0].key,
        "team_account": payers[-1].key,
    }


def columns(usage: Usage) -> dict[str, Any]:
    """Return what a run cost as its columns."""
    return {name: getattr(usage, name) for name in KINDS}


def before(row: Mapping[Any, Any], most: Usage) -> dict[Any, Any]:
    """Return an account without what a run holds on it."""
    return {**row, **{name: row[name] - much for name, much in held(most).items()}}


def held(most: Usage) -> dict[str, float]:
    """Return what a run adds to an account."""
    return {"usd": most.usd, "tokens": most.tokens, "agent_runs": 1}


def reached(payer: Account, row: Mapping[Any, Any]) -> list[Spending]:
    """Return the soft bounds of an account that are reached."""
    limits = payer.bounds.limits().items()
    return [_spending(payer, name, row, most) for name, most in limits if row[name] >= payer.bounds.soft * most]


def first_over(payer: Account, row: Mapping[Any, Any]) -> Spending | None:
    """Return the first bound that an account has come to."""
    limits = payer.bounds.limits().items()
    return next((_spending(payer, name, row, most) for name, most in limits if row[name] >= most), None)


def _spending(payer: Account, measure: Measure, row: Mapping[Any, Any], limit: float) -> Spending:
    return Spending(account=payer.key, measure=measure, spent=row[measure], limit=limit)


def _all(conditions: list[Any]) -> Any:
    if not conditions:
        return None
    found = conditions[0]
    for condition in conditions[1:]:
        found &= condition
    return found
