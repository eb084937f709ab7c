"""Map, race, wait and review on a real server: what comes of them, over hand-overs, and that they replay."""

import asyncio

import pytest

from contracts.event import EVENT
from contracts.plan import Limits
from starter.chronicle import chronicle
from tests.workflows.house import Activities, broken, house
from tests.workflows.record_histories import APPROVED, CANARY, PLAN, PLANS, RACE, REVIEW, act, agent
from tests.workflows.test_continue import chain
from tests.workflows.test_mission import replays

pytestmark = pytest.mark.usefixtures("cached")


def mapped(*steps, over, **more):
    return {"kind": "map", "step": "each", "output": "all", "map": {"over": over, "do": list(steps), **more}}


def filed(**more):
    return act("file", **{"with": {"n": "${{ item }}"}}, **more)


@pytest.mark.parametrize("events", [60, 4000])
async def test_a_map_does_each_item_once_over_however_many_runs(client, home, events):
    steps = [mapped(filed(), over=str(list(range(40))), max_concurrency=8)]
    async with house(client, home) as h:
        started = await h.start(steps, Limits(events_per_run=events))
        result = await started.result()
        runs = await chain(client, started.handle)

        assert "completed" == result.state
        assert (events < 1000) == (len(runs) > 1)
        assert list(range(40)) == sorted(arguments["n"] for _, _, arguments in h.activities.world)
        for run in runs:
            await replays(run)


async def test_a_map_that_fails_in_the_end_is_undone_whole(client, home):
    steps = [mapped(filed(), over="[1, 2, 3, 4]", max_concurrency=1), agent("last", "dot")]
    async with house(client, home, Activities(agents={"dot": broken()})) as h:
        started = await h.start(steps)
        with pytest.raises(Exception, match="failed"):
            await started.result()
        done = [(tool, arguments["n"]) for tool, _, arguments in h.activities.world]

        assert [n for tool, n in done if tool == "file"] == [n for tool, n in reversed(done) if tool == "unfile"]
        await replays(started.handle)


async def test_the_losers_of_a_race_are_cancelled(client, home):
    begun, let_go = asyncio.Event(), asyncio.Event()

    async def slow(_):
        begun.set()
        await let_go.wait()

    def quick(_):
        return {"n": 2}

    activities = Activities(agents={"dot": slow, "ann": quick})
    async with house(client, home, activities) as h:
        started = await h.start([RACE])
        await started.result()
        view = await started.state()
        let_go.set()

        assert begun.is_set()
        statuses = {record.path: record.status for record in view.records}
        assert ("succeeded", "cancelled") == (statuses["race"], statuses["race/slow"])
        await replays(started.handle)


async def test_an_event_reaches_the_step_that_waits_for_it_and_no_other(client, home):
    wait = {"kind": "wait", "step": "restored", "wait": {"event": "restored", "key": "db-1"}, "timeout": "1d"}
    follow = agent("follow", context=["backup"])
    contexts = []
    activities = Activities(agents={"ann": lambda call: contexts.append(call.context) or {}})
    async with house(client, home, activities) as h:
        started = await h.start([{**wait, "output": "backup"}, follow])
        for event in (
            {"event": "restored", "key": "db-2", "payload": {"n": 2}},
            {"event": "restored", "key": "db-1", "payload": {"n": 1}, "id": "e1"},
            {"event": "restored", "key": "db-1", "payload": {"n": 3}, "id": "e1"},
        ):
            await started.handle.signal(EVENT, event)
        await started.handle.signal(EVENT, "nonsense")
        await started.result()
        view = await started.state()

        assert [{"backup": {"n": 1}}] == contexts
        assert {"the event 'e1' has come already"} < {refusal.reason for refusal in view.refusals}
        await replays(started.handle)


async def test_a_wait_outlasts_a_hand_over_and_ends_when_it_should(skipping, home):
    wait = {"kind": "wait", "step": "pause", "wait": {"for": "2d"}}
    async with house(skipping, home) as h:
        started = await h.start([agent("first"), wait, agent("last")], Limits(events_per_run=16))
        await started.result()
        [record] = [record for record in (await started.state()).records if record.path == "pause"]

        assert 2 * 86_400 <= (record.ended_at - record.started_at).total_seconds() < 2 * 86_400 + 3600


@pytest.mark.parametrize(("verb", "state"), [("approve", "completed"), ("reject", "refused")])
async def test_people_speak_at_a_review_as_at_a_gate(client, home, verb, state):
    async with house(client, home) as h:
        started = await h.start([REVIEW, agent("after")])
        refused = await started.decide(await started.until(), "eve", verb)
        taken = await started.decide(await started.until(), "lea", verb)

        assert (False, True) == (refused.accepted, taken.accepted)
        assert state == (await started.result()).state
        await replays(started.handle)


async def test_silence_at_a_review_lets_the_mission_go_on(skipping, home):
    async with house(skipping, home) as h:
        started = await h.start([REVIEW, agent("after")])

        assert "completed" == (await started.result()).state
        assert ["after"] == h.activities.asked


async def test_a_group_that_takes_too_long_fails_and_what_it_did_is_undone(skipping, home):
    group = {
        "kind": "group",
        "step": "g",
        "steps": [act("file"), {"kind": "wait", "step": "long", "wait": {"for": "9d"}}],
        "timeout": "1h",
    }
    async with house(skipping, home) as h:
        started = await h.start([group])
        with pytest.raises(Exception, match="failed"):
            await started.result()

        assert ["file", "unfile"] == [tool for tool, _, _ in h.activities.world]
        await replays(started.handle)


def staged(**more):
    return {**CANARY, "canary": {**CANARY["canary"], **more}}


def numbers(world, tool):
    return [arguments["n"] for name, _, arguments in world if name == tool]


async def test_the_last_stage_of_a_canary_waits_for_two_people(client, home):
    last = act("file", **{"with": {"n": "${{ stage }}"}}, approval={**APPROVED, "required": 2})
    activities = Activities(tools={"look": {"errors": 0}})
    async with house(client, home, activities) as h:
        started = await h.start([staged(last=last)])
        opening = await started.until()
        first = await started.decide(opening, "lea")
        again = await started.decide(opening, "lea")
        asked_for_it = await started.decide(opening, "rita")
        done = numbers(activities.world, "file")
        second = await started.decide(opening, "lou")

        assert (True, False, False, True) == tuple(one.accepted for one in (first, again, asked_for_it, second))
        assert ([1, 10], "roll[50]/file") == (done, opening.subject.step)
        assert "completed" == (await started.result()).state
        assert [1, 10, 50] == numbers(activities.world, "file")
        await replays(started.handle)


@pytest.mark.parametrize("events", [16, 40, 4000])
async def test_a_breach_is_undone_once_over_however_many_runs(skipping, home, events):
    def look(call):
        return {"errors": 9 if call.arguments["n"] == 10 else 0}

    activities = Activities(tools={"look": look, "once": {"id": "INC-1"}})
    async with house(skipping, home, activities) as h:
        started = await h.start([staged(bake="2d"), agent("never")], Limits(events_per_run=events))
        with pytest.raises(Exception, match="failed"):
            await started.result()
        runs = await chain(skipping, started.handle)
        view = await started.state()

        assert (events < 1000) == (len(runs) > 1)
        tools = [tool for tool, _, _ in activities.world if tool != "look"]
        assert ["file", "file", "unfile", "unfile", "once"] == tools
        assert [10, 1] == numbers(activities.world, "unfile")
        assert "stage 10 was undone, stage 1 was undone" in view.reason
        assert 'once answered {"id":"INC-1"}' in view.reason
        for run in runs:
            await replays(run)


async def test_a_canary_whose_worker_goes_away_goes_on_with_the_next_worker(client, home):
    """The first worker is gone while the last stage waits for people; another one takes over from the history."""
    activities = Activities(tools={"look": {"errors": 0}})
    async with house(client, home, activities) as h:
        started = await h.start([CANARY])
        opening = await started.until()
    async with house(client, home, activities, queue=h.queue) as second:
        started.house = second
        await started.decide(opening, "lea")

        assert "completed" == (await started.result()).state
        assert [1, 10, 50] == numbers(activities.world, "file") == numbers(activities.world, "look")
        await replays(started.handle)


def planners(*plans):
    """A planner that answers by the number of the plan that it is asked for, wherever the run stands."""
    return {"eva": lambda call: {"steps": plans[int(call.path[-2]) - 1]}}


@pytest.mark.parametrize("events", [37, 40, 4000])
async def test_a_plan_is_refused_revised_approved_and_carried_out_over_however_many_runs(client, home, events):
    async with house(client, home, Activities(agents=planners(*PLANS))) as h:
        started = await h.start([agent("before"), PLAN, agent("after")], Limits(events_per_run=events))
        first = await started.until()
        await started.decide(first, "lea", "reject")
        second = await started.until(lambda openings: bool(openings) and openings[0].nonce != first.nonce)
        await started.decide(second, "lea", "approve")
        third = await started.until(lambda openings: bool(openings) and openings[0].subject.tool == "file")
        await started.decide(third, "lou", "approve")
        result = await started.result()
        view = await started.state()
        runs = await chain(client, started.handle)

        assert ("completed", events < 1000) == (result.state, len(runs) > 1)
        assert ["rollout/plan[2]", "rollout/plan[3]", "rollout/store"] == [
            opening.subject.step for opening in (first, second, third)
        ]
        assert [("file", {"n": 1})] == [(tool, arguments) for tool, _, arguments in h.activities.world]
        statuses = {record.path: record.status for record in view.records}
        plans = [statuses[f"rollout/plan[{number}]"] for number in (1, 2, 3)]
        assert ["failed", "failed", "succeeded"] == plans
        asked = ["before", *(f"rollout/plan[{number}]" for number in (1, 2, 3)), "rollout/look", "after"]
        assert asked == h.activities.asked
        for run in runs:
            await replays(run)
        told = [entry.what for entry in await chronicle(client, started.handle.id) if entry.what.startswith("plan ")]
        assert ["plan refused", "plan loaded", "plan loaded"] == told


async def test_nobody_but_the_approvers_lets_a_plan_run(client, home):
    async with house(client, home, Activities(agents=planners(PLANS[1]))) as h:
        started = await h.start([{**PLAN, "on_failure": {}}])
        opening = await started.until()
        refused = await started.decide(opening, "eve", "approve")
        other = await started.decide(opening.model_copy(update={"digest": "sha256:" + "0" * 64}), "lea", "approve")
        await started.handle.cancel()

        assert (False, False) == (refused.accepted, other.accepted)
        assert [] == h.activities.world
