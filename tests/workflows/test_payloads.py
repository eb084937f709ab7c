"""What is large lies beside the history: how long a history gets, and that it replays and is carried over runs."""

import asyncio
import json
import os
import random
from contextlib import asynccontextmanager

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer

from activities.agents import AgentRunner
from activities.books.account import Accounts
from activities.books.cost import costs
from activities.books.database import Database
from activities.books.price import Prices
from activities.mcp_tools import ToolServers
from activities.purse import Purse
from activities.runtimes.cast import Cast
from activities.runtimes.model import Provider
from contracts.money import Price
from contracts.plan import Limits
from runtime.payloads import data_converter
from tests.activities.thinkers import thinker
from tests.model_server import Reply, model_serving
from tests.payloads import PLACE
from tests.policies import OPEN
from tests.workflows.house import Activities, house
from tests.workflows.test_continue import chain
from tests.workflows.test_faults_cancel import file
from tests.workflows.test_mission import agent, replays
from workflows.mission import Mission
from workflows.runner import runner

CALLS = 200
PATIENCE = 120
"""Seconds: on a machine that has nothing else to do it takes a third of them."""
LETTERS = 100_000
LETTER = random.Random(7)


def dense(_):
    """An answer of 100 kB that no compression makes small."""
    return {"text": LETTER.randbytes(LETTERS // 2).hex()}


async def history_size(handle):
    return (await handle.describe()).raw_description.workflow_execution_info.history_size_bytes


@asynccontextmanager
async def thinking(place):
    """Yield an agent that is a language model and paid for, the server that it asks, and the books."""
    database = Database(f"sqlite+aiosqlite:///{place / 'gonogo.db'}")
    prices = Prices({"small": Price(input=1.0, output=10.0)})
    agent, servers = thinker(output={"type": "object", "required": ["text"]}), ToolServers({})
    async with model_serving() as models:
        models.otherwise = lambda asked: Reply(answer=dense(asked))
        cast, purse = Cast(Provider(model="small", url=models.url)), Purse(Accounts(database), prices, {})
        runner = AgentRunner({"ben": agent}, {}, servers, cast=cast, purse=purse, policy=OPEN)
        yield lambda call: runner.run(call.model_copy(update={"agent": agent})), models, database
    await servers.close()
    await database.close()


async def test_200_model_calls_with_100_kb_of_context_each_stay_under_5_mb_of_history(client, home, tmp_path):
    """Each is told 100 kB and answers 100 kB: 40 MB in all. Each is counted, by its tokens and their price."""
    each = {
        "over": f"{list(range(CALLS))}",
        "max_concurrency": 20,
        "do": [agent("think", agent="ben", context=["text"])],
    }
    steps = [agent("first", output="text"), {"kind": "map", "step": "each", "map": each}]
    async with (
        thinking(tmp_path) as (work, models, database),
        house(client, home, Activities(agents={"ann": dense, "ben": work})) as h,
    ):
        started = await h.start(steps, Limits(by_reference=True))
        result = await asyncio.wait_for(started.handle.result(), PATIENCE)
        size = sum([await history_size(run) for run in await chain(client, started.handle)])

        told = [len(json.dumps(asked.body)) for asked in models.asked]
        assert ("completed", CALLS, True) == (result.state, len(told), min(told) > LETTERS)
        assert size < 5_000_000, f"{size} bytes"

        [cost] = await costs(database, "mission", 0.0)
        assert (CALLS, result.spent.tokens, 0.0) == (cost.model_calls, cost.tokens, cost.at_most)
        assert result.spent.tokens > CALLS * LETTERS * 2 // 5
        assert pytest.approx(cost.usd) == result.spent.usd > 0
        await replays(started.handle)


async def test_what_a_run_hands_over_lies_apart_and_a_plan_at_its_start_does_not(client, home):
    steps = [agent(f"a{number}", output=f"v{number}") for number in range(9)]
    async with house(client, home, Activities(agents={"ann": dense})) as h:
        started = await h.start(steps, Limits(by_reference=True, events_per_run=16))
        result = await started.result()
        runs = await chain(client, started.handle)
        first = (await runs[-1].fetch_history()).events[0].workflow_execution_started_event_attributes.input
        last = await runs[0].fetch_history()
        carried = last.events[0].workflow_execution_started_event_attributes.input

        assert ("completed", True) == (result.state, len(runs) > 2)
        assert b'"plan"' in first.payloads[0].data
        assert 1_000 > len(carried.payloads[0].data)
        for run in runs:
            await replays(run)


async def test_a_context_of_megabytes_is_sent(client, home):
    large = {"text": "x" * 280_000}
    several = [file(), *(agent(f"a{number}", output=f"v{number}") for number in range(9))]
    together = agent("all", agent="ben", context=[f"v{n}" for n in range(9)])
    async with house(client, home, Activities(agents={"ann": large})) as h:
        started = await h.start([*several, together], Limits(by_reference=True))

        assert ("completed", "all") == ((await started.result()).state, h.activities.asked[-1])


async def test_a_journal_beyond_its_bound_fails_the_mission_and_undoes_it(client, home):
    steps = [file(), *(agent(f"a{number}", output=f"v{number}") for number in range(9))]
    async with house(client, home, Activities(agents={"ann": dense})) as h:
        started = await h.start(steps, Limits(by_reference=True, events_per_run=16, bytes_carried=500_000))
        with pytest.raises(WorkflowFailureError) as failed:
            await started.result()

        assert isinstance(failed.value.cause, ApplicationError)
        assert "over_budget" == failed.value.cause.type
        assert ["file", "unfile"] == [tool for tool, _, _ in h.activities.world]
        for run in await chain(client, started.handle):
            await replays(run)


async def test_a_task_fails_while_what_lies_beside_it_is_not_found_and_goes_on_afterwards(client, home):
    async with house(client, home, Activities(agents={"ann": dense})) as h:
        started = await h.start([agent("one", output="a")], Limits(by_reference=True))
        await started.result()
        history = await started.handle.fetch_history()

    async def replayed(place):
        replayer = Replayer(workflows=[Mission], workflow_runner=runner(), data_converter=data_converter(place))
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        return str(result.replay_failure or "")

    assert "nothing here has no sha256:" in await replayed(str(home / "nothing here"))
    assert "" == await replayed(os.environ[PLACE])
