"""An endpoint that does not answer is left alone by all workers, and one call at a time finds out how it stands."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from activities.agents import AgentRunner
from activities.books.breaker import FIRST, UNREADABLE, Admitted, Breaker, Breakers
from activities.books.database import Database
from activities.books.tables import breakers as breakers_table
from activities.books.tables import turns
from activities.failure import failure
from activities.fuse import Fuse
from activities.mcp_tools import ToolServers
from activities.purse import Thinker
from activities.runtimes.cast import Cast
from contracts.mind import A2AAgent, Agent, HttpAgent, McpAgent
from tests.activities.activity_stage import failing, stage
from tests.activities.service import HERE, tools
from tests.activities.service import servers as at
from tests.activities.test_agent import call
from tests.policies import OPEN
from tests.sealed import sealed

WORKERS = 4
MODEL = Thinker(("openai:gpt",), endpoint="openai")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["sqlite", "postgres"])
async def workers(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[list[Fuse], list[Breakers], Clock]]:
    """Four workers, each with an engine of its own."""
    clock, url = Clock(), f"sqlite+aiosqlite:///{tmp_path / 'gonogo.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres")
    databases = [Database(url) for _ in range(WORKERS)]
    async with databases[0].writing() as connection:
        for table in (breakers_table, turns):
            await connection.execute(table.delete())
    breakers = [Breakers(one, now=clock) for one in databases]
    yield [Fuse(one) for one in breakers], breakers, clock
    for one in databases:
        await one.close()


async def ask(fuse: Fuse, outcome: str = "", **fields: object) -> str:
    """Ask once, and return the code of what comes of it."""

    async def work() -> None:
        async with fuse.asking(call(**fields), MODEL.endpoint):
            if outcome == "cancelled":
                raise asyncio.CancelledError
            if outcome:
                raise failure(outcome, "503: no", tool=fields.get("task") == "by a tool")  # type: ignore[arg-type]

    try:
        await stage(start_to_close_timeout=timedelta(seconds=60)).run(work)
    except asyncio.CancelledError:
        return "cancelled"
    except Exception as error:
        return str(getattr(error, "type", error))
    return "answered"


async def stand(breakers: Breakers) -> str:
    known = await breakers.read("openai")
    return known.state if known is not None else "unknown"


async def open_it(fuses: list[Fuse]) -> None:
    for n in range(5):
        await ask(fuses[n % WORKERS], "unavailable")


async def test_it_opens_after_a_share_of_failures_whichever_worker_saw_them(workers) -> None:
    fuses, breakers, _ = workers
    for n in range(4):
        await ask(fuses[n], "unavailable" if n % 2 else "timed_out")
    assert "closed" == await stand(breakers[0])
    assert "answered" == await ask(fuses[0])
    assert "closed" == await stand(breakers[0])
    await ask(fuses[1], "unavailable")

    assert ["halted"] * WORKERS == [await ask(fuse) for fuse in fuses]
    assert "unavailable" == await ask(fuses[0], elsewhere=True)
    [turn] = await breakers[3].turns()
    assert ("openai", "closed", "open", "503: no") == (turn.endpoint, turn.was, turn.became, turn.why)


@pytest.mark.parametrize("outcome", ["rate_limited", "tool_failed", "refused", "bad_input", "over_budget", "cancelled"])
async def test_what_is_not_the_endpoints_fault_opens_nothing(workers, outcome: str) -> None:
    fuses, breakers, _ = workers
    for _ in range(6):
        assert outcome == await ask(fuses[0], outcome)
        assert "unavailable" == await ask(fuses[0], "unavailable", task="by a tool")

    assert await stand(breakers[0]) in {"closed", "unknown"}


async def test_agents_elsewhere_and_tools_that_are_agents_stand_behind_breakers_too(workers) -> None:
    """Nobody is at these addresses: each is asked until its breaker opens, and no more."""
    fuses, breakers, _ = workers
    agents: dict[str, Agent] = {
        "remote": HttpAgent(url="http://127.0.0.1:9/agent"),
        "far": A2AAgent(url="http://127.0.0.1:19"),
        "tool": McpAgent(tool="look"),
    }
    servers = ToolServers(at("http://127.0.0.1:9/mcp"), outward=HERE)
    runner = AgentRunner(agents, tools(), servers, cast=Cast(tools=tools(), outward=HERE), fuse=fuses[0], policy=OPEN)
    found = {name: [await ask_agent(runner, name, agents[name]) for _ in range(6)] for name in agents}
    await servers.close()

    assert {name: [*["unavailable"] * 5, "halted"] for name in agents} == found
    open_ones = [name for name in ("127.0.0.1:9", "127.0.0.1:19", "mcp:company") if await breakers[1].read(name)]
    assert ["127.0.0.1:9", "127.0.0.1:19", "mcp:company"] == open_ones


async def ask_agent(runner: AgentRunner, name: str, agent: Agent) -> str:
    asked = call(name=name, agent=agent, context={"host": "web-01"})
    error = await failing(stage(start_to_close_timeout=timedelta(seconds=60)).run(runner.run, asked))
    return str(error.type)


async def test_old_failures_are_forgotten(workers) -> None:
    fuses, breakers, clock = workers
    for _ in range(8):
        await ask(fuses[0], "unavailable")
        clock.now += 20

    assert "closed" == await stand(breakers[0])


async def test_one_call_alone_finds_out_and_closes_it(workers) -> None:
    fuses, breakers, clock = workers
    await open_it(fuses)
    clock.now += FIRST - 1
    assert "halted" == await ask(fuses[0])
    clock.now += 2

    found = await asyncio.gather(*(one.admit("openai", 60) for one in breakers for _ in range(5)))
    assert [True] == [one.probe for one in found if isinstance(one, Admitted)]
    assert {"probing"} == {one.state for one in found if isinstance(one, Breaker)}
    assert "one call finds out" in str(await fuses[0].stands("endpoint:openai"))

    await breakers[2].answered("openai", probe=True)
    assert await fuses[0].stands("endpoint:openai") is None
    assert ["answered"] * WORKERS == [await ask(fuse) for fuse in fuses]
    assert ["closed", "probing", "open"] == [turn.became for turn in await breakers[0].turns()]


async def test_each_probe_that_fails_waits_twice_as_long(workers) -> None:
    fuses, breakers, clock = workers
    await open_it(fuses)
    waits = []
    for _ in range(6):
        known = await breakers[0].read("openai")
        assert known is not None
        waits.append(known.until - clock.now)
        clock.now = known.until
        assert "timed_out" == await ask(fuses[0], "timed_out")

    assert [30.0, 60.0, 120.0, 240.0, 480.0, 600.0] == waits


async def test_a_probe_that_says_nothing_or_dies_leaves_it_to_the_next(workers) -> None:
    fuses, breakers, clock = workers
    await open_it(fuses)
    clock.now += FIRST
    assert "cancelled" == await ask(fuses[0], "cancelled")
    assert Admitted(probe=True) == await breakers[1].admit("openai", 60)
    assert isinstance(await breakers[2].admit("openai", 60), Breaker)
    clock.now += 60

    assert Admitted(probe=True) == await breakers[2].admit("openai", 60)


async def test_a_breaker_that_cannot_be_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "gonogo.db").write_text("no database at all, however long one looks at it " * 30)
    fuse = Fuse(Breakers(Database(f"sqlite+aiosqlite:///{tmp_path / 'gonogo.db'}")))

    assert "answered" == await ask(fuse)


async def test_what_a_waiting_step_is_told(workers) -> None:
    fuses, _, _ = workers
    await open_it(fuses)

    async def work() -> None:
        async with fuses[0].asking(call(), "openai"):
            pass

    error = await failing(stage().run(work))

    [halt] = error.details[0]["halts"]
    assert ("halted", "endpoint:openai") == (error.type, halt["target"])
    assert "it did not answer (503: no), and is not asked before 13:47:10 UTC" == halt["reason"]


async def test_with_keys_why_an_endpoint_did_not_answer_is_read_by_who_has_them(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'books.db'}")
    (tmp_path / "other").mkdir()
    own, other = sealed(tmp_path), sealed(tmp_path / "other")
    known = Breakers(database, seal=own)
    for _ in range(6):
        await known.failed("openai", "it said canary-41", probe=False)
    [breaker], turned = await known.all(), await known.turns()
    elsewhere, clear = [await Breakers(database, seal=one).all() for one in (other, None)]
    await database.close()

    assert ["it said canary-41"] * 2 == [breaker.why, turned[0].why]
    assert [UNREADABLE] * 2 == [one.why for one in (*elsewhere, *clear)]
    assert not any(b"canary-41" in file.read_bytes() for file in tmp_path.glob("books.db*"))
