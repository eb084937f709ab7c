"""What agents notice, on a real server: seen within a second, kept from attempts that failed, and free of events."""

import asyncio
from datetime import UTC, datetime

import pytest
from temporalio.client import WorkflowFailureError

from activities.watcher import Watcher
from starter.watch import watch
from tests.workflows.house import house
from tests.workflows.observant import AGENTS, ASKED, WORK, runner_of, working
from tests.workflows.test_mission import agent, replays


async def failed_with(started, path):
    with pytest.raises(WorkflowFailureError):
        await started.result()
    record = next(record for record in (await started.state()).records if record.path == path)
    await replays(started.handle)
    return [(one.number, one.attempt, one.text) for one in record.observations]


async def test_what_attempts_noticed_that_failed_stands_in_the_record(client, home):
    async def work(call, observe):
        observe(f"seen {ASKED[call.mission]} times")
        raise KeyError("host")

    async with house(client, home, working(work, "fails")) as h:
        step = agent("fails", retry={"attempts": 3, "first": "0.1s"})
        started = await h.start([step], agents=AGENTS)

        noticed = [(number, number, f"seen {number} times") for number in (1, 2, 3)]
        assert noticed == await failed_with(started, "fails")


async def test_what_was_noticed_before_nobody_answered_in_time_stands_in_the_record(client, home):
    async def work(call, observe):
        observe("on it")
        await asyncio.Event().wait()

    async with house(client, home, working(work, "hangs")) as h:
        started = await h.start([agent("hangs", retry={"attempts": 1}, timeout="2s")], agents=AGENTS)

        assert [(1, 1, "on it")] == await failed_with(started, "hangs")


async def test_what_an_answer_did_not_fit_for_was_noticed_all_the_same(client, home):
    async def work(call, observe):
        observe(f"told of {len(call.errors)} errors")
        return {}

    async with house(client, home, working(work, "misfit")) as h:
        started = await h.start([agent("misfit")], agents=AGENTS)

        told = ["told of 0 errors", "told of 1 errors"]
        assert told == [text for _, _, text in await failed_with(started, "misfit")]


async def test_forty_observations_reach_a_follower_within_a_second_and_cost_no_event(client, home):
    async def work(call, observe):
        for number in range(40 if call.path == "much" else 1):
            observe(str(number))
            await asyncio.sleep(0.05)
        return {"n": 1}

    lags: list[float] = []
    async with house(client, home, working(work, "little", "much")) as h:
        lengths = []
        for name in ("little", "much"):
            started = await h.start([agent(name)], agents=AGENTS)
            async for news in watch(client, started.handle.id):
                at = datetime.now(UTC)
                lags += [(at - line.at).total_seconds() for line in news.lines if line.sign == "finding"]
            lengths.append(len((await started.handle.fetch_history()).events))

        assert 41 == len(lags)
        assert max(lags) < 1.0, max(lags)
        assert lengths[0] == lengths[1]


async def test_a_watcher_reads_along_and_its_objection_ends_the_agent_before_it_answers(client, home):
    async def work(call, observe):
        observe("looking")
        observe("I will delete the evidence", kind="thought")
        await asyncio.Event().wait()

    async def watching(call, observe):
        said = [one["text"] for one in call.context["observations"]]
        return {"n": 1, "objection": f"after {len(said)}: {said[-1]}" if "delete" in said[-1] else ""}

    fakes = working(work, "think")
    WORK[""] = watching
    both = {**AGENTS, "ben": {**AGENTS["ann"], "callable": "tests.workflows.observant:watcher"}}
    fakes.watch = Watcher(client, runner_of(both)).watch
    async with house(client, home, fakes) as h:
        started = await h.start([agent("think", watch="ben"), agent("next", agent="cid")], agents=both)
        opening = await started.until()
        record = next(one for one in (await started.state()).records if one.path == "think")

        assert "after 2: I will delete the evidence" in opening.subject.message
        assert ["looking", "I will delete the evidence"] == [one.text for one in record.observations]
        await started.decide(opening, "cleo", "reject")
        assert "refused" == (await started.result()).state
        await replays(started.handle)
