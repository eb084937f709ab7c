"""The kill switch on a real server: what is halted does not begin, anywhere, and goes on when it is lifted."""

import asyncio
import time
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError

from activities.failure import adding, failure
from activities.halts import Lookout
from activities.later import RATE_LIMIT, stands, waiting
from contracts.decision import DECIDE
from contracts.halt import RESUME
from contracts.plan import Limits
from starter.chronicle import chronicle
from tests.workflows.house import Activities, house, populate
from tests.workflows.record_histories import act, agent
from tests.workflows.switch import Switch, switched
from tests.workflows.switch import waiting as waits_for
from tests.workflows.test_continue import chain
from tests.workflows.test_mission import replays


@pytest.mark.parametrize("target", ["agent:ann", "team:blue"])
async def test_an_agent_that_is_halted_begins_when_that_is_lifted(client, home, target):
    async with switched(client, home, {"ann": {"n": 1}}) as (h, switch):
        halted = await switch.throw("halt", target)
        mission = await h.start([agent("one")], team="blue")
        note = await waits_for(mission)
        before, state = list(h.activities.asked), await mission.state()
        lifted = await switch.throw("lift", target)
        result = await mission.result()
        [record] = (await mission.state()).records

        assert ("halted", "lifted") == (halted.state, lifted.state)
        assert ([], "running") == (before, state.state)
        assert [(target, "cleo", "cleo says halt")] == [(one.target, one.by, one.reason) for one in note.halts]
        assert ("completed", ["one"]) == (result.state, h.activities.asked)
        assert ("over", 1) == (record.halted.state, record.attempt)
        await replays(mission.handle)
        await replays(client.get_workflow_handle(switch.id))


async def test_a_tool_that_is_halted_acts_once_when_that_is_lifted(client, home):
    async with switched(client, home) as (h, switch):
        await switch.throw("halt", "tool:file")
        mission = await h.start([agent("first"), act("file")])
        note = await waits_for(mission)
        before = list(h.activities.world)
        await switch.throw("lift", "tool:file")
        await mission.result()

        assert ([], "file") == (before, note.path)
        assert ["file"] == [tool for tool, _, _ in h.activities.world]
        await replays(mission.handle)


async def test_who_is_to_ask_later_waits_until_then_and_takes_no_attempt(client, home):
    resumed = []

    def later(call):
        resumed.append(call.resume)
        waits = waiting(failure("rate_limited", "it is busy", after=timedelta(seconds=1)))
        return adding(waits, {RESUME: "sha256:begun"} if len(resumed) == 1 else {})

    agents = Activities(agents={"ann": [later, later, {"n": 1}]})
    agents.lookout = Lookout(client, beside={RATE_LIMIT: stands})
    async with house(client, home, agents) as h:
        mission = await h.start([agent("one", retry={"attempts": 1})])
        note = await waits_for(mission)
        result = await mission.result()
        [record] = (await mission.state()).records

        assert [("rate_limit", "it is busy")] == [(one.target.partition(":")[0], one.reason) for one in note.halts]
        assert ("completed", ["one"] * 3) == (result.state, h.activities.asked)
        assert ("over", 0, "") == (record.halted.state, record.halted.spent, record.halted.resume)
        assert ["", "sha256:begun"] == resumed, "what was begun before is gone on with"
        await replays(mission.handle)


async def test_who_waits_stands_in_the_search_attributes_until_it_goes_on(client, home):
    async with switched(client, home) as (h, switch):
        await switch.throw("halt", "tool:file")
        mission = await h.start([act("file")])
        await waits_for(mission)
        during = (await mission.handle.describe()).search_attributes.get("HaltedBy")
        await switch.throw("lift", "tool:file")
        await mission.result()
        after = (await mission.handle.describe()).search_attributes.get("HaltedBy")

        assert (["tool:file"], None) == (during, after)


async def test_a_mission_that_is_cancelled_while_it_is_halted_has_done_nothing_and_undoes_nothing(client, home):
    async with switched(client, home) as (h, switch):
        await switch.throw("halt", "tool:file")
        mission = await h.start([act("file")])
        await waits_for(mission)
        await mission.handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await mission.result()
        [record] = (await mission.state()).records

        assert [] == h.activities.world
        assert ("cancelled", "no", "none") == (record.status, record.effect.applied, record.effect.undo_status)
        assert "over" == record.halted.state
        await replays(mission.handle)


async def test_a_halt_outlasts_hand_overs_of_the_mission_and_of_the_table(client, home):
    async with switched(client, home, {"ann": {"n": 1}}, decisions_per_run=2) as (h, switch):
        for target in ("tool:file", "agent:ben", "agent:cid", "team:red"):
            await switch.throw("halt", target)
        first = await h.start([agent(f"a{n}") for n in range(3)] + [act("file")], Limits(events_per_run=16))
        await waits_for(first)
        branches = {"kind": "parallel", "step": "p", "parallel": [act("file"), *(agent(f"a{n}") for n in range(5))]}
        second = await h.start([branches, agent("last")], Limits(events_per_run=16))
        await waits_for(second)
        standing = {halt.target for halt in (await switch.table()).halts}
        await switch.throw("lift", "tool:file")
        results = [(await mission.result()).state for mission in (first, second)]
        runs = [*(await chain(client, first.handle)), *(await chain(client, second.handle))]

        assert {"tool:file", "agent:ben", "agent:cid", "team:red"} == standing
        assert (["completed", "completed"], ["file", "file"]) == (results, [tool for tool, _, _ in h.activities.world])
        assert len(runs) > 3
        for run in [*runs, *(await chain(client, client.get_workflow_handle(switch.id)))]:
            await replays(run)
        info = (await client.get_workflow_handle(switch.id).describe()).raw_description.workflow_execution_info
        assert info.first_run_id != info.execution.run_id


async def test_a_worker_that_dies_forgets_no_halt(client, home):
    async with switched(client, home) as (h, switch):
        await switch.throw("halt", "tool:file")
        mission = await h.start([act("file")])
        await waits_for(mission)
    async with switched(client, home, queue=h.queue) as (h, switch):
        other = await h.start([act("file")])
        await waits_for(other)
        before = list(h.activities.world)
        await switch.throw("lift", "tool:file")
        await asyncio.gather(mission.result(), other.result())

        assert ([], 2) == (before, len(h.activities.world))


async def test_an_undoing_is_stopped_by_a_halt_of_its_own_tool_only(client, home):
    async with switched(client, home) as (h, switch):

        async def fail(_):
            for target in ("tool:file", "team:blue", "agent:ann"):
                await switch.throw("halt", target)
            raise RuntimeError("it would not")

        h.activities.agents["dot"] = fail
        free = await h.start([act("file"), agent("breaks", "dot", retry={"attempts": 1})], team="blue")
        with pytest.raises(WorkflowFailureError):
            await free.result()
        undone = [tool for tool, _, _ in h.activities.world]
        for target in ("tool:file", "team:blue"):
            await switch.throw("lift", target)

        async def fail_again(_):
            await switch.throw("halt", "tool:unfile")
            raise RuntimeError("it would not")

        h.activities.agents["dot"] = fail_again
        held = await h.start([act("file", 2), agent("breaks", "dot", retry={"attempts": 1})])
        note = await waits_for(held)
        before, state = len(h.activities.world), (await held.state()).state
        await switch.throw("lift", "tool:unfile")
        with pytest.raises(WorkflowFailureError):
            await held.result()

        assert ["file", "unfile"] == undone
        assert ("file/undo", 3, "compensating") == (note.path, before, state)
        assert ["file", "unfile"] == [tool for tool, _, _ in h.activities.world][2:]
        await replays(free.handle)
        await replays(held.handle)


async def test_two_workers_stop_within_ten_seconds(client, home):
    """Each worker has its own look at the table; each is busy with missions that call the tool without end."""
    shared = f"halts-{uuid.uuid4().hex[:12]}"
    looks = [Activities(lookout=Lookout(client, id=shared)) for _ in range(2)]
    async with house(client, home, looks[0]) as one, house(client, home, looks[1]) as other:
        switch = Switch(one, table=shared)
        calls = {"kind": "loop", "step": "l", "loop": {"do": [act("file")], "until": "false", "max_iterations": 1_000}}
        missions = [await h.start([calls], limits=Limits(events_per_run=600)) for h in (one, other)]
        for h in (one, other):
            await _calls(h, 3)
        await switch.throw("halt", "tool:file")
        thrown = time.monotonic()
        await asyncio.gather(*(waits_for(mission) for mission in missions))
        stopped = time.monotonic() - thrown
        counts = [len(h.activities.world) for h in (one, other)]

        assert stopped < 10
        await switch.throw("lift", "tool:file")
        for h, count in zip((one, other), counts, strict=True):
            await _calls(h, count + 3)
        for mission in missions:
            await mission.handle.terminate()


async def _calls(h, number):
    async with asyncio.timeout(20):
        while len(h.activities.world) < number:
            await asyncio.sleep(0.02)


async def test_statements_that_do_not_count_halt_nothing_and_are_recorded(client, home, tmp_path):
    async with switched(client, home) as (h, switch):
        good = await switch.token("halt", "tool:file")
        stranger = Switch(replace(h, home=populate(tmp_path)), switch.id)
        wrong = {
            "by an unknown key": await stranger.token("halt", "tool:file"),
            "forged": f"{good[:-8]}AAAAAAAA",
            "by none of the operators": await switch.token("halt", "tool:file", "lea"),
            "expired": await switch.token("halt", "tool:file", exp=1),
            "for another table": await switch.token("halt", "tool:file", mission="gonogo-halts"),
            "no statement": "halt everything",
        }
        refused = {name: (await switch.send(token)).accepted for name, token in wrong.items()}
        await client.get_workflow_handle(switch.id).signal("lift", "tool:file")
        before = (await switch.table()).halts
        first, again = await switch.send(good), await switch.send(good)
        await switch.throw("lift", "tool:file")
        await client.get_workflow_handle(switch.id).signal(DECIDE, good)
        await switch.throw("halt", "tool:other")
        audit = [entry for entry in await chronicle(client, switch.id) if entry.what.startswith("decision")]
        refusals = [entry.detail["reason"] for entry in audit if entry.what == "decision refused"]

        assert (dict.fromkeys(wrong, False), ()) == (refused, before)
        assert (True, True) == (first.accepted, again.accepted)
        assert ["tool:other"] == [halt.target for halt in (await switch.table()).halts]
        assert [None, None, "lea", "cleo", "cleo", None] == [
            entry.who or None for entry in audit if entry.what == "decision refused"
        ][:6]
        assert len(wrong) + 2 == len(refusals)
        assert "another opening" in refusals[-1]
        await replays(client.get_workflow_handle(switch.id))


async def test_everything_of_a_halted_team_s_mission_waits_and_nothing_of_others(client, home):
    async with switched(client, home) as (h, switch):
        await switch.throw("halt", "team:blue")
        steps = [{"kind": "parallel", "step": "p", "parallel": [agent("x"), act("y")]}]
        held, free = await h.start(steps, team="blue"), await h.start(steps, team="red")
        await free.result()
        await waits_for(held)
        async with asyncio.timeout(20):
            while len(halted := [one for one in (await held.state()).records if one.halted]) < 2:
                await asyncio.sleep(0.05)
        world = len(h.activities.world)
        await switch.throw("lift", "team:blue")
        await held.result()

        assert ({"p/x", "p/y"}, 1, 2) == ({one.path for one in halted}, world, len(h.activities.world))
        await replays(held.handle)


async def test_a_branch_of_a_race_that_is_halted_loses_to_one_that_is_not(client, home):
    async with switched(client, home, {"ann": {"n": 9}, "ben": {"n": 9}}) as (h, switch):
        await switch.throw("halt", "agent:ben")
        race = {"kind": "race", "step": "r", "race": [agent("x", "ben"), agent("y", "ann")], "good": "result.n > 1"}
        mission = await h.start([race])
        result = await mission.result()

        assert ("completed", ["r/y"]) == (result.state, h.activities.asked)
        assert ["over"] == [one.halted.state for one in (await mission.state()).records if one.halted]
        assert None is (await mission.handle.describe()).search_attributes.get("HaltedBy")
        await replays(mission.handle)


@pytest.mark.parametrize("verb", ["pause", "skip", "retry", "redirect", "abort", "interrupt"])
async def test_operators_steer_a_mission_that_is_halted(client, home, verb):
    async with switched(client, home, {"ann": {"n": 1}}) as (h, switch):
        await switch.throw("halt", "tool:file")
        mission = await h.start([agent("one"), act("file"), agent("two")])
        await waits_for(mission)
        step = {"skip": "file", "retry": "file", "redirect": "two", "interrupt": "file"}.get(verb, "")
        receipt = await mission.command(verb, step)
        if verb == "pause":
            await mission.until_state("paused")
            await mission.command("resume")
        if verb in {"pause", "retry", "interrupt"}:
            await waits_for(mission, "tool:file")
            await switch.throw("lift", "tool:file")
        result = await mission.result()
        files = [tool for tool, _, _ in h.activities.world]
        notes = [one.halted.state for one in (await mission.state()).records if one.halted]

        assert ("aborted" if verb == "abort" else "completed") == result.state
        assert (["file"] if verb in {"pause", "retry", "interrupt"} else []) == files
        assert "waiting" not in notes
        assert receipt.accepted == (verb != "interrupt")
        await replays(mission.handle)
