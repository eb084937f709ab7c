"""What a model takes is paid for: held before, billed after, counted where it broke off; and what is cheaper."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.agents import AgentRunner
from activities.books.account import Accounts
from activities.books.answer import Answers
from activities.books.breaker import Breakers
from activities.books.database import Database
from activities.books.price import Prices
from activities.books.tables import runs
from activities.fuse import Fuse
from activities.mcp_tools import ToolServers
from activities.purse import Purse, Thinker
from activities.runtimes.cast import Cast
from activities.shelf import Shelf
from contracts.call import AgentResult
from contracts.money import Bounds, Budget, Price, price
from contracts.usage import billed
from tests.activities.activity_stage import failing, stage
from tests.activities.service import tools
from tests.activities.thinkers import GOOD, asking, thinker
from tests.model_server import ModelServer, Reply
from tests.policies import OPEN

PRICES = {
    "small": Price(input=1.0, output=10.0),
    "dear": Price(input=1.0, output=10.0),
    "cheap": Price(input=0, output=0),
}


class Till:
    """A worker with books whose agents think with the models at an address."""

    def __init__(self, database: Database, servers: ToolServers, cast: Cast, prices: dict[str, Price]) -> None:
        self.database = database
        self.accounts = Accounts(database)
        self.breakers = Breakers(database)
        purse = Purse(self.accounts, Prices(prices), {"poor": Bounds(tokens=10)})
        shelf = Shelf(Answers(database), self.accounts, purse, tools())
        self.around = {"purse": purse, "shelf": shelf, "fuse": Fuse(self.breakers)}
        self.servers = servers
        self.cast = cast
        self.asked = 0

    def runner(self, agent) -> AgentRunner:
        return AgentRunner({"judge": agent}, tools(), self.servers, cast=self.cast, **self.around, policy=OPEN)  # type: ignore[arg-type]

    async def ask(self, agent, attempt: int = 1, **fields) -> AgentResult:
        self.asked += attempt == 1
        environment = stage(activity_id=f"judge-{self.asked}", attempt=attempt)
        return await environment.run(self.runner(agent).run, asking(agent, **fields))

    async def lines(self) -> list[tuple[str, str, int, float, int]]:
        async with self.database.reading() as connection:
            rows = (await connection.execute(runs.select().order_by(runs.c.began_at))).mappings().all()
        return [(one["model"], one["state"], one["tokens"], one["usd"], one["unpriced"]) for one in rows]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'gonogo.db'}")
    yield database
    await database.close()


@pytest.fixture
def till(database: Database, servers: ToolServers, cast: Cast) -> Till:
    return Till(database, servers, cast, PRICES)


@pytest.fixture
def several(database: Database, servers: ToolServers, models: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Till:
    """Where agents name their own models, at an address that the environment names."""
    monkeypatch.setenv("OPENAI_BASE_URL", models.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    return Till(database, servers, Cast(), PRICES)


async def test_a_run_is_billed_by_its_tokens_and_their_price(till: Till, models: ModelServer) -> None:
    models.begin(Reply(answer=GOOD))
    result = await till.ask(thinker(), budget=Budget(usd=1.0))

    used = result.usage
    usd = (used.input_tokens * 1.0 + used.output_tokens * 10.0) / 1_000_000
    assert usd == pytest.approx(used.usd)
    assert used.usd > 0
    assert [("small", "spent", used.tokens, used.usd, 0)] == await till.lines()


async def test_what_has_no_price_is_said_and_counted(database: Database, servers, cast: Cast, models) -> None:
    models.begin(Reply(answer=GOOD))
    till = Till(database, servers, cast, {})
    result = await till.ask(thinker())

    tokens = result.usage.tokens
    assert [("small", "spent", tokens, 0.0, tokens)] == await till.lines()
    assert (tokens, "price unknown") == (result.usage.unpriced, price(result.usage))
    some = result.usage.model_copy(update={"usd": 0.5, "tokens": tokens + 1})
    assert f"$0.50 and the unknown price of {tokens:,} tokens" == price(some)


async def test_a_call_that_broke_off_is_paid_for_and_the_next_attempt_pays_its_own(
    till: Till, models: ModelServer
) -> None:
    models.begin(Reply(answer=GOOD, breaks=True), Reply(answer=GOOD))
    error = await failing(till.ask(thinker()))
    [(_, state, broken, usd, _)] = await till.lines()
    assert (broken, usd) == (billed(error.details).tokens, billed(error.details).usd)

    assert "spent" == state
    assert broken > 0
    assert usd > 0

    result = await till.ask(thinker(), attempt=2)
    [_, (_, again, tokens, _, _)] = await till.lines()
    assert ("spent", result.usage.tokens) == (again, tokens)


class CutOff(Accounts):
    """Books whose answer comes too late: the step was cancelled meanwhile."""

    async def reserve(self, *asked: Any, **more: Any) -> Any:
        await super().reserve(*asked, **more)
        raise asyncio.CancelledError


async def test_who_is_cancelled_while_its_cost_is_held_gives_it_back(database: Database) -> None:
    books = CutOff(database)
    purse = Purse(books, Prices(PRICES), {})

    async def work() -> None:
        async with purse.paying(asking(thinker()), Thinker(("small",), 5_000)):
            raise AssertionError("it was begun")

    with pytest.raises(asyncio.CancelledError):
        await stage().run(work)
    async with database.reading() as connection:
        [line] = (await connection.execute(runs.select())).mappings().all()
    assert ("spent", 0, 0.0) == (line["state"], line["tokens"], line["usd"])


async def test_a_model_that_is_not_begun_is_not_asked(till: Till, models: ModelServer) -> None:
    models.begin(Reply(answer=GOOD), Reply(answer=GOOD))
    await till.ask(thinker(), team="poor")

    error = await failing(till.ask(thinker(), team="poor"))

    assert ("over_budget", 1) == (error.type, len(models.asked))
    assert error.details[0]["over"].startswith("team poor in ")


async def test_from_the_soft_bound_on_the_cheaper_model_thinks(several: Till, models: ModelServer) -> None:
    models.otherwise = lambda _: Reply(answer=GOOD)
    agent = thinker(model="openai-chat:dear", cheaper="openai-chat:cheap")
    for _ in range(2):
        result = await several.ask(agent, budget=Budget(tokens=10_000_000, soft=0.000001))

    assert ["dear", "cheap"] == [one.body["model"] for one in models.asked]
    assert ["budget"] == [one.source for one in result.observations if one.source == "budget"]
    assert 0.0 == result.usage.usd


async def test_what_does_not_answer_is_degraded_in_the_order_written(several: Till, models: ModelServer) -> None:
    agent = thinker(model="openai-chat:dear", cheaper="openai-chat:cheap", degrade=("cached", "cheaper", "people"))
    models.otherwise = lambda asked: Reply(answer=GOOD) if asked.body["model"] == "cheap" else Reply(status=503)

    first = await failing(several.ask(agent))
    assert ("unavailable", ["dear"]) == (first.type, [one.body["model"] for one in models.asked])
    assert GOOD == (await several.ask(agent, attempt=3)).output
    assert ["dear", "dear", "cheap"] == [one.body["model"] for one in models.asked]

    models.otherwise = lambda asked: Reply(answer=GOOD, breaks=asked.body["model"] == "dear")
    both = (await several.ask(agent, attempt=3)).usage
    assert (2, True) == (both.model_calls, both.usd > 0), "what the first of both took is told as well"

    models.otherwise = lambda _: Reply(answer=GOOD, breaks=True)
    people = await failing(several.ask(agent, attempt=3))
    assert ("unavailable", True, 1) == (people.type, people.non_retryable, billed(people.details).model_calls)


async def test_an_old_answer_stands_in_while_nobody_answers(several: Till, models: ModelServer) -> None:
    agent = thinker(model="openai-chat:dear", degrade=("cached",))
    models.begin(Reply(answer=GOOD))
    kept = timedelta(milliseconds=1)
    await several.ask(agent, cache=kept)
    for _ in range(5):
        await several.breakers.failed("openai-chat", "503", probe=False)

    again = await several.ask(agent, cache=kept)
    assert ("cache", 1) == (again.observations[0].source, len(models.asked))
    assert "nobody could be asked" in again.observations[0].text

    other = await failing(several.ask(agent, cache=kept, task="something else"))
    assert ("halted", 1) == (other.type, len(models.asked))
