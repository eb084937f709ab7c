"""The database beside Temporal: who may spend, however many ask at once, and what is counted when somebody dies."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from activities.books.account import Account, Accounts, Held, Refused, Run
from activities.books.database import Database, Unreadable
from activities.books.request import Requests
from activities.books.tables import accounts, payers, requests, runs
from contracts.money import Bounds
from contracts.usage import Usage
from contracts.workspace import AtMost
from tests.postgres import Cluster

WORKERS, CALL = 50, 1_000
LIMIT = 20_500
"""Tokens for 20 calls, and a part of one more."""
RACER = """
import asyncio, sys
from tests.activities.test_books import race
asyncio.run(race(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'home' / 'gonogo.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres")
    database = Database(url)
    async with database.writing() as connection:
        for table in (accounts, payers, requests, runs):
            await connection.execute(table.delete())
    yield database
    await database.close()


def run(work: str = "triage/draft", attempt: int = 1, **fields: object) -> Run:
    known = {"mission": "m-1", "name": "triage", "team": "ops", "step": "draft", "agent": "writer", "model": "x"}
    return Run(**{"work": work, "attempt": attempt, "seconds": 60.0, **known, **fields})  # type: ignore[arg-type]


def tokens(count: int, usd: float = 0.0) -> Usage:
    return Usage(tokens=count, usd=usd)


MISSION, TEAM = Account("mission m-1", Bounds(tokens=LIMIT)), Account("team ops")


async def spent(database: Database, key: str = "mission m-1") -> int:
    async with database.reading() as connection:
        found = await connection.scalar(accounts.select().with_only_columns(accounts.c.tokens).filter_by(key=key))
    return int(found or 0)


async def race(url: str, name: str, workers: int) -> None:
    """Ask for calls as many workers do, each with an engine of its own; say how many were granted."""
    engines = [Database(url) for _ in range(workers)]
    asked = [
        Accounts(engine).reserve(run(f"{name}-{n}"), tokens(CALL), MISSION, TEAM) for n, engine in enumerate(engines)
    ]
    print(sum(isinstance(one, Held) for one in await asyncio.gather(*asked)))
    for engine in engines:
        await engine.close()


async def test_fifty_workers_who_race_for_the_last_tokens_overshoot_by_at_most_one_call(database: Database) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", RACER, database.url, name, str(WORKERS // 2)), stdout=asyncio.subprocess.PIPE
        )
        for name in ("one", "other")
    ]
    told = [(await process.communicate())[0] for process in processes]

    assert 21 == sum(int(one) for one in told)
    assert 21 * CALL == await spent(database) == await spent(database, "team ops")


async def test_a_run_that_is_held_twice_is_held_once_and_settled_once(database: Database) -> None:
    books = Accounts(database)
    for _ in range(2):
        await books.reserve(run(), tokens(CALL), MISSION, TEAM)
    assert CALL == await spent(database)

    for _ in range(2):
        await books.settle(run().key, tokens(300))

    assert 300 == await spent(database) == await spent(database, "team ops")


async def test_what_an_attempt_that_died_may_have_spent_stays_counted_and_keeps_nobody_waiting(
    database: Database,
) -> None:
    clock = [1_000.0]
    books = Accounts(database, now=lambda: clock[0])
    await books.reserve(run(), tokens(LIMIT), MISSION, TEAM)

    first = await books.reserve(run("triage/other"), tokens(CALL), MISSION, TEAM)
    clock[0] += 61
    later = await books.reserve(run("triage/other"), tokens(CALL), MISSION, TEAM)

    assert isinstance(first, Refused)
    assert first.waits
    assert isinstance(later, Refused)
    assert not later.waits
    assert await books.over("mission m-1") is None
    assert LIMIT == await spent(database)


async def test_the_next_attempt_says_that_the_one_before_is_lost(database: Database) -> None:
    books = Accounts(database)
    await books.reserve(run(attempt=1), tokens(CALL), MISSION, TEAM)
    await books.reserve(run(attempt=2), tokens(CALL), MISSION, TEAM)
    await books.settle(run(attempt=2).key, tokens(300))
    await books.settle(run(attempt=1).key, tokens(1))

    async with database.reading() as connection:
        rows = (await connection.execute(runs.select().order_by(runs.c.attempt))).mappings().all()
    assert [(1, "lost", CALL), (2, "spent", 300)] == [(one["attempt"], one["state"], one["tokens"]) for one in rows]
    assert CALL + 300 == await spent(database)


async def test_what_is_given_back_lets_the_next_begin(database: Database) -> None:
    books = Accounts(database)
    await books.reserve(run(), tokens(LIMIT), MISSION, TEAM)
    refused = await books.reserve(run("triage/other"), tokens(CALL), MISSION, TEAM)
    assert "mission m-1 has spent 20,500 tokens of 20,500 tokens" == str(refused.over)  # type: ignore[union-attr]
    assert await books.over("mission m-1") is not None

    await books.settle(run().key, tokens(300))

    assert await books.over("mission m-1") is None
    assert isinstance(await books.reserve(run("triage/other"), tokens(CALL), MISSION, TEAM), Held)


async def test_a_soft_bound_is_told_once_and_again_where_the_bound_was_raised(database: Database) -> None:
    books = Accounts(database)
    told = []
    for n, limit in enumerate([10_000, 10_000, 10_000, 20_000, 20_000]):
        account = Account("mission m-1", Bounds(tokens=limit, soft=0.5))
        held = await books.reserve(run(f"step-{n}"), tokens(3_000), account, TEAM)
        assert isinstance(held, Held)
        told.append((bool(held.soft), len(held.news)))

    assert [(False, 0), (False, 0), (True, 1), (False, 0), (True, 1)] == told


async def test_what_the_team_cannot_pay_is_not_charged_to_the_mission(database: Database) -> None:
    books = Accounts(database)
    poor = Account("team ops", Bounds(agent_runs=1))
    await books.reserve(run("a"), tokens(CALL), MISSION, poor)

    for mission, other in (("mission m-1", "b"), ("mission m-2", "c")):
        refused = await books.reserve(run(other), tokens(CALL), Account(mission), poor)
        assert isinstance(refused, Refused)
        assert ("team ops", "agent_runs", False) == (refused.over.account, refused.over.measure, refused.waits)
    assert (CALL, 0) == (await spent(database), await spent(database, "mission m-2"))


async def test_a_postgresql_that_is_strict_about_isolation_or_restarts_serves_all_the_same(cluster: Cluster) -> None:
    strict = "ALTER DATABASE postgres {} default_transaction_isolation {}"
    database = Database(cluster.url)
    async with database.writing() as connection:
        await connection.execute(accounts.delete())
        await connection.exec_driver_sql(strict.format("SET", "= serializable"))
    await database.close()
    others = [Database(cluster.url) for _ in range(10)]
    asked = [Accounts(one).reserve(run(f"s-{n}"), tokens(CALL), MISSION, TEAM) for n, one in enumerate(others)]
    assert all(isinstance(one, Held) for one in await asyncio.gather(*asked))
    for one in others:
        await one.close()

    async with database.reading() as connection:
        cluster.stop()
        with pytest.raises(Unreadable):
            await Accounts(database).settle(run("s-0").key, tokens(1))
        cluster.start()
    await Accounts(database).settle(run("s-0").key, tokens(1))

    assert 9 * CALL + 1 == await spent(database)
    async with database.writing() as connection:
        await connection.exec_driver_sql(strict.format("RESET", ""))
    await database.close()


async def test_what_a_child_spends_its_parents_spend_and_nothing_begins_that_one_of_them_cannot_pay(
    database: Database,
) -> None:
    books, child = Accounts(database), Account("mission m-1/patch")
    above = (Account("mission m-1", Bounds(tokens=2 * CALL)), Account("mission m-0", Bounds(tokens=10 * CALL)))
    ours, everybody = run("inner/draft"), ["mission m-1/patch", "mission m-1", "mission m-0", "team ops"]
    for _ in range(2):
        await books.reserve(ours, tokens(CALL), child, TEAM, above)
    assert [CALL] * 4 == [await spent(database, one) for one in everybody]
    await books.reserve(run("outer"), tokens(CALL), above[0], TEAM, above[1:])

    refused = await books.reserve(run("inner/other"), tokens(1), child, TEAM, above)
    assert isinstance(refused, Refused)
    assert ("mission m-1", True) == (refused.over.account, refused.waits)

    for _ in range(2):
        await books.settle(ours.key, tokens(300))
    assert [300, CALL + 300, CALL + 300, CALL + 300] == [await spent(database, one) for one in everybody]
    assert isinstance(await books.reserve(run("inner/other"), tokens(1), child, TEAM, above), Held)


async def test_a_database_of_another_release_and_one_that_is_none_are_refused_with_a_sentence(tmp_path: Path) -> None:
    ours = Database(f"sqlite+aiosqlite:///{tmp_path / 'gonogo.db'}")
    async with ours.writing() as connection:
        await connection.exec_driver_sql("UPDATE books SET version = 99")
    await ours.close()
    (tmp_path / "text.db").write_text("this is no database, whatever its name says" * 30)

    for name, sentence in (("gonogo.db", "is of version 99, and this release knows 5"), ("text.db", "not a database")):
        other = Database(f"sqlite+aiosqlite:///{tmp_path / name}")
        with pytest.raises(Unreadable, match=sentence):
            await Accounts(other).over("mission m-1")
        await other.close()


AT_MOST = AtMost(requests=3, per=timedelta(hours=1))


async def test_of_many_requests_at_once_three_are_told_one_by_one_and_one_line_tells_of_the_others(database):
    told = await asyncio.gather(*(Requests(database).take(f"n{n}", ("lead",), AT_MOST) for n in range(20)))

    assert (3, 1, 16) == tuple(told.count(how) for how in ("one", "summary", "nothing"))


async def test_room_comes_back_with_time_and_what_was_told_is_told_again_alike(database):
    clock = [0.0]
    book = Requests(database, now=lambda: clock[0])

    async def takes(*names, to=("lead",)):
        return [await book.take(name, to, AT_MOST) for name in names]

    assert ["one", "one", "one", "summary", "nothing"] == await takes("a", "b", "c", "d", "e")
    assert ["one", "summary", "nothing"] == await takes("a", "d", "e")
    assert (["one"], ["nothing"]) == (await takes("f", to=("lead", "chief")), await takes("g"))
    clock[0] = 3601.0
    assert ["one", "one"] == await takes("h", "e")
