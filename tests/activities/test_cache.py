"""An agent's answer is used again where its step allows that, where it is asked the same, and no longer."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from activities.agents import AgentRunner
from activities.books.account import Accounts
from activities.books.answer import Answers, Entry
from activities.books.cost import costs
from activities.books.database import Database
from activities.books.price import Prices
from activities.mcp_tools import ToolServers
from activities.purse import Purse
from activities.shelf import Shelf
from contracts.call import AgentCall, AgentResult
from tests.activities.activity_stage import stage
from tests.activities.service import Service, tools
from tests.activities.test_agent import MINDS, call
from tests.policies import OPEN

HOUR = timedelta(hours=1)


class Desk:
    """A worker with books, and a clock that can be moved."""

    def __init__(self, database: Database, servers: ToolServers, known: dict[str, object] | None = None) -> None:
        self.now = 1_000_000.0
        self.database = database
        accounts = Accounts(database)
        purse = Purse(accounts, Prices({}), {})
        contracts = {**tools(), **(known or {})}
        shelf = Shelf(Answers(database), accounts, purse, contracts, now=lambda: self.now)  # type: ignore[arg-type]
        self.runner = AgentRunner(MINDS, tools(), servers, purse=purse, shelf=shelf, policy=OPEN)

    async def ask(self, **fields: object) -> AgentResult:
        known: dict[str, object] = {"cache": HOUR, "team": "ops", **fields}
        self.asked = getattr(self, "asked", 0) + 1
        environment = stage(activity_id=f"enrich-{self.asked}")
        result: AgentResult = await environment.run(self.runner.run, call(**known))
        return result

    async def reused(self, **fields: object) -> bool:
        return "cache" in [one.source for one in (await self.ask(**fields)).observations]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'gonogo.db'}")
    yield database
    await database.close()


async def test_an_answer_is_used_again_where_the_same_is_asked(
    database: Database, servers: ToolServers, service: Service
) -> None:
    desk = Desk(database, servers)
    first, again = await desk.ask(), await desk.ask()

    assert ["look"] == service.tools_called()
    assert first.output == again.output
    assert (1, 0) == (first.usage.agent_runs, again.usage.agent_runs)
    assert [("ops", 1, 1)] == [(one.name, one.runs, one.reused) for one in await costs(database, "team", 0.0)]


async def test_whatever_an_answer_hangs_on_asks_anew(database: Database, servers: ToolServers) -> None:
    desk = Desk(database, servers)
    await desk.ask()
    other = MINDS["answer"].model_copy(update={"description": "another contract"})

    assert not await desk.reused(cache=None)
    assert not await desk.reused(fresh=True)
    assert not await desk.reused(task="look twice")
    assert not await desk.reused(context={"host": "web-02"})
    assert not await desk.reused(team="others")
    assert not await desk.reused(agent=other)
    assert not await desk.reused(guidance=("look closer",))
    assert not await desk.reused(errors=("verdict: missing",))
    look = tools()["look"].model_copy(update={"description": "another tool of that name"})
    assert not await Desk(database, servers, {"look": look}).reused()
    assert await desk.reused()


async def test_an_answer_that_is_too_old_is_used_no_more_and_the_next_takes_its_place(
    database: Database, servers: ToolServers
) -> None:
    desk = Desk(database, servers)
    await desk.ask()
    desk.now += 3_599
    assert await desk.reused()
    desk.now += 2
    assert not await desk.reused()
    assert await desk.reused()


async def test_the_least_valuable_leave_first(database: Database) -> None:
    answers = Answers(database, most=3)
    for name, usd, until in (("stale", 9.0, 5.0), ("dear", 2.0, 100.0), ("cheap", 1.0, 100.0)):
        await answers.keep(Entry(name, "writer", {}, 0.0, until, usd=usd))
    for _ in range(2):
        assert await answers.find("cheap", 1.0) is not None

    left = []
    for moment, name in ((10.0, "new"), (20.0, "newer")):
        await answers.keep(Entry(name, "writer", {}, moment, 100.0, usd=0.5))
        everyone = ("stale", "dear", "cheap", "new", "newer")
        left.append([one for one in everyone if await answers.find(one, moment, stale=True) is not None])

    assert [["dear", "cheap", "new"], ["dear", "cheap", "newer"]] == left


async def test_a_shelf_that_cannot_be_read_is_an_empty_one(tmp_path: Path, servers: ToolServers) -> None:
    (tmp_path / "gonogo.db").write_text("no database at all, however long one looks at it " * 30)
    broken = Database(f"sqlite+aiosqlite:///{tmp_path / 'gonogo.db'}")
    accounts = Accounts(broken)
    shelf = Shelf(Answers(broken), accounts, Purse(accounts, Prices({}), {}), tools())
    runner = AgentRunner(MINDS, tools(), servers, shelf=shelf, policy=OPEN)

    result = await stage().run(runner.run, call(cache=HOUR))

    assert 1 == result.usage.agent_runs


def test_what_a_call_says_of_its_cache_travels() -> None:
    given = call(cache=HOUR)

    assert given == AgentCall.model_validate_json(given.model_dump_json())
