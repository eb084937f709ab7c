"""A mission with a budget on a real server: it waits where others hold the last of it, and asks where it is spent."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import WorkflowFailureError

from activities.books.account import Accounts
from activities.books.breaker import Breakers
from activities.books.database import Database
from activities.books.price import Prices
from activities.books.tables import breakers as table
from activities.fuse import ENDPOINT, Fuse
from activities.halts import Lookout
from activities.purse import DATABASE, Purse, Thinker
from contracts.call import AgentCall, AgentResult
from contracts.money import BUDGET, Bounds
from contracts.plan import MissionResult
from contracts.usage import Usage
from tests.interpreter.fakes import plan_of
from tests.workflows.house import Activities, Started, house, moved
from tests.workflows.observant import AGENTS, working
from tests.workflows.test_mission import agent, replays

COST = 100


class Paid:
    """An agent that is paid for: it takes what it was told to, and waits where it is to be met at work."""

    def __init__(self, purse: Purse, costs: dict[str, int] | None = None) -> None:
        self.purse = purse
        self.costs = costs or {}
        self.begun: list[str] = []
        self.free = asyncio.Event()
        self.free.set()

    async def __call__(self, call: AgentCall) -> AgentResult:
        async with self.purse.paying(call, Thinker(("a-model",), 2 * COST)) as payment:
            self.begun.append(call.path)
            await self.free.wait()
            payment.known = Usage(tokens=self.costs.get(call.path, COST))
            usage = payment.known.model_copy(update={"agent_runs": 1})
            return AgentResult(output={}, usage=usage, news=payment.held.news)


@pytest.fixture
async def purse(tmp_path: Path) -> AsyncIterator[Purse]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'gonogo.db'}")
    yield Purse(Accounts(database), Prices({}), {"poor": Bounds(agent_runs=1)})
    await database.close()


def paying(client, purse: Purse, paid: Paid) -> Activities:
    lookout = Lookout(client, id="no-halts", beside={BUDGET: purse.stands, DATABASE: purse.readable})
    return Activities(agents={"ann": paid}, lookout=lookout)


async def test_a_spent_budget_asks_operators_who_raise_it_and_try_again(client, home, purse):
    paid = Paid(purse)
    steps = [agent("one"), agent("two"), agent("three")]
    async with house(client, home, paying(client, purse, paid)) as h:
        started = await h.start(steps, notify=True, budget={"tokens": 2 * COST, "soft": 0.5})
        view = await started.until_state("dead_letter")

        failure = view.letter.failure
        assert ("over_budget", "three", 1) == (failure.code, failure.step, failure.attempts)
        assert failure.over.endswith(started.handle.id)
        assert "has spent 200 tokens of 200 tokens" in failure.cause
        assert ["one", "two"] == paid.begun
        async with asyncio.timeout(10):
            while len(h.activities.notices) < 2:
                await asyncio.sleep(0.01)
        assert ["budget", "dead_letter"] == [notice.about for notice in h.activities.notices]
        [note] = next(one for one in view.records if one.path == "two").notices
        assert ("budget", True) == (note.about, note.text.endswith("has spent 100 tokens of 200 tokens"))

        wrong = await started.command("amend", name="mission.budget", value={"euro": 5})
        raised = await started.command("amend", name="mission.budget", value={"tokens": 3 * COST})
        await started.command("retry", "three")
        result = await started.result()

        assert (False, "euro of mission.budget: extra inputs are not permitted") == (wrong.accepted, wrong.reason)
        assert (True, "completed", 300) == (raised.accepted, result.state, result.spent.tokens)
        assert ["one", "two", "three"] == paid.begun
        await replays(started.handle)


async def test_branches_wait_for_the_last_of_a_budget_without_taking_attempts(client, home, purse):
    paid = Paid(purse, {"all/a": 10, "all/b": 10})
    paid.free.clear()
    branches = [agent("a", retry={"attempts": 1}), agent("b", retry={"attempts": 1})]
    async with house(client, home, paying(client, purse, paid)) as h:
        started = await h.start([{"kind": "parallel", "step": "all", "parallel": branches}], budget={"tokens": COST})
        view = await started.seen(lambda view: any(one.halted for one in view.records))

        [noted] = [one.halted for one in view.records if one.halted]
        assert "200 tokens of 100 tokens are spent or held for what runs now" in noted.halts[0].reason
        assert 1 == len(paid.begun)

        paid.free.set()
        assert "completed" == (await started.result()).state
        assert ["all/a", "all/b"] == sorted(paid.begun)
        await replays(started.handle)


@pytest.mark.parametrize("more", [{"budget": {"time": "1ms"}}, {"team": "poor"}, {"budget": {"usd": 1.0}}])
async def test_time_a_teams_quota_and_an_unknown_price_end_in_the_same_letter(client, home, purse, more):
    paid = Paid(purse)
    async with house(client, home, paying(client, purse, paid)) as h:
        started = await h.start([agent("one"), agent("two")], **more)
        view = await started.until_state("dead_letter")

        said = {"time": "the mission has taken ", "quota": "has spent 1 agent runs of 1 agent runs"}
        said["usd"] = "nobody knows what a-model costs; write its price under 'prices' in money.yaml"
        assert said[next(iter(more.get("budget", {"quota": 1})))] in view.letter.failure.cause

        await started.command("abort")
        assert "aborted" == (await started.result()).state


async def test_an_agent_that_runs_when_the_time_is_over_is_stopped_and_keeps_what_it_noticed(client, home):
    async def work(call, observe):
        observe("on it")
        await asyncio.Event().wait()

    async with house(client, home, working(work, "one")) as h:
        started = await h.start([agent("one")], agents=AGENTS, budget={"time": "1500ms"})
        view = await started.until_state("dead_letter")

        failed = view.letter.failure
        assert ("over_budget", "ann was stopped: the mission has taken ") == (failed.code, failed.cause[:39])
        assert ["on it"] == [one.text for one in view.records[0].observations]
        await started.command("abort")


async def test_a_budget_that_is_provided_for_asks_nobody(client, home, purse):
    paid = Paid(purse)
    thrifty = agent("two", on_failure={"over_budget": "continue"})
    async with house(client, home, paying(client, purse, paid)) as h:
        started = await h.start([agent("one"), thrifty], budget={"tokens": COST})

        assert "completed" == (await started.result()).state
        assert ["one"] == paid.begun


async def test_a_step_waits_while_its_endpoint_does_not_answer_or_goes_where_it_can(client, home, tmp_path):
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'gonogo.db'}")
    breakers, fuse = Breakers(database), Fuse(Breakers(database))
    for _ in range(5):
        await breakers.failed("openai", "503", probe=False)
    begun = []

    async def thinking(call):
        async with fuse.asking(call, "openai"):
            begun.append(call.path)
            return {}

    activities = Activities(
        agents={"ann": thinking}, lookout=Lookout(client, id="no-halts", beside={ENDPOINT: fuse.stands})
    )
    other = agent("other", retry={"attempts": 1}, on_failure={"external": {"agent": "ben"}})
    async with house(client, home, activities) as h:
        started = await h.start([other, agent("one", retry={"attempts": 1})])
        view = await started.seen(lambda view: any(one.halted for one in view.records))

        [noted] = [one.halted for one in view.records if one.halted]
        assert ("one", "endpoint:openai") == (noted.path, noted.halts[0].target)
        assert [] == begun

        async with database.writing() as connection:
            await connection.execute(table.update().values(until=0.0))
        assert "completed" == (await started.result()).state
        view = await started.state()
        assert ["one"] == begun
        assert "recovered" == next(one.status for one in view.records if one.path == "other")
        assert "closed" == (await breakers.read("openai")).state
        await replays(started.handle)
    await database.close()


async def test_agents_wait_for_a_database_that_cannot_be_used(client, home, tmp_path):
    file = tmp_path / "gonogo.db"
    file.write_text("no database at all, however long one looks at it " * 30)
    database = Database(f"sqlite+aiosqlite:///{file}")
    purse = Purse(Accounts(database), Prices({}), {})
    paid = Paid(purse)
    async with house(client, home, paying(client, purse, paid)) as h:
        started = await h.start([agent("one", retry={"attempts": 1})])
        view = await started.seen(lambda view: any(one.halted for one in view.records))
        [noted] = [one.halted for one in view.records if one.halted]
        assert "database:gonogo" == noted.halts[0].target

        file.unlink()
        assert "completed" == (await started.result()).state
        assert ["one"] == paid.begun
    await database.close()


async def test_fifty_branches_spend_no_more_than_a_budget_and_one_call(client, home, purse):
    paid = Paid(purse)
    branches = [agent(f"b{n}", retry={"attempts": 1}, on_failure={"over_budget": "continue"}) for n in range(50)]
    async with house(client, home, paying(client, purse, paid)) as h:
        budget = {"tokens": 10 * COST}
        started = await h.start([{"kind": "parallel", "step": "all", "parallel": branches}], budget=budget)
        result = await started.result()

    assert ("completed", 10) == (result.state, len(paid.begun))
    assert 10 * COST == result.spent.tokens


async def test_what_a_child_spends_its_parents_budget_has_spent(client, home, purse):
    paid = Paid(purse)
    async with house(client, home, paying(client, purse, paid)) as h:
        inner = moved(plan_of([agent("two"), agent("three")], mission="inner"), h.queue)
        child = {"kind": "mission", "step": "inner", "mission": "inner", "accept": ["done"], "on_parent_close": "undo"}
        started = await h.start([agent("one"), child], missions={"inner": inner}, budget={"tokens": 2 * COST})
        inside = Started(h, client.get_workflow_handle(f"{started.handle.id}/inner", result_type=MissionResult))
        async with asyncio.timeout(20):
            while len(paid.begun) < 2:
                await asyncio.sleep(0.02)
        view = await inside.until_state("dead_letter")

        failure = view.letter.failure
        assert ("over_budget", "three") == (failure.code, failure.step)
        assert failure.over.endswith(f"/{started.handle.id}"), "it is the parent that cannot pay"

        await inside.handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await started.result()
        assert 2 * COST == (await started.state()).spent.tokens
        await replays(inside.handle)
