"""The kill switch on a real server: what is halted does not begin, anywhere, and goes on when it is lifted."""

import asyncio
import time
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy

from activities import keys
from activities.halts import Lookout, read_table
from contracts.decision import DECIDE
from contracts.halt import HALTS, TABLE, HaltsInput
from contracts.plan import Limits
from starter.sign import Wish, prepare
from starter.state import read_receipt
from tests.workflows.house import Activities, house
from tests.workflows.record_histories import act, agent
from tests.workflows.test_continue import chain
from tests.workflows.test_mission import replays


class Switch:
    """The table of halts of a house, and people who throw it."""

    def __init__(self, h, table="", **given):
        self.h = h
        self.id = table or f"halts-{h.queue}"
        self.given = given

    async def opening(self, target):
        client, table = self.h.client, await read_table(self.h.client, self.id)
        handle = await client.start_workflow(
            HALTS,
            HaltsInput(table=table, **self.given),
            id=self.id,
            task_queue=self.h.queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            memo={TABLE: table},
        )
        info = (await handle.describe()).raw_description.workflow_execution_info
        return table.opening(target, datetime.now(UTC), self.id, info.first_run_id)

    async def token(self, verb, target, person="cleo", **said):
        claims = prepare(await self.opening(target), Wish(verb, f"{person} says {verb}"), person)
        return keys.sign(self.h.home, person, claims.model_copy(update=said))

    async def send(self, token):
        await self.h.client.get_workflow_handle(self.id).signal(DECIDE, token)
        receipt = await read_receipt(self.h.client, self.id, token)
        assert receipt is not None
        return receipt

    async def throw(self, verb, target, person="cleo", **said):
        return await self.send(await self.token(verb, target, person, **said))

    async def table(self):
        return await read_table(self.h.client, self.id)


@asynccontextmanager
async def switched(client, home, agents=None, queue="", **given):
    """Open a house in which a halt is known at once."""
    queue = queue or f"q-{uuid.uuid4().hex[:12]}"
    fakes = Activities(agents=agents or {}, lookout=Lookout(client, id=f"halts-{queue}", fresh=0.0))
    async with house(client, home, fakes, queue) as h:
        yield h, Switch(h, **given)


async def waiting(mission):
    """Wait until a mission waits for a halt to be lifted, and return the note of it."""
    async with asyncio.timeout(20):
        while True:
            notes = [record.halted for record in (await mission.state()).records if record.halted]
            if notes and notes[-1].state == "waiting":
                return notes[-1]
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("target", ["agent:ann", "team:blue"])
async def test_an_agent_that_is_halted_begins_when_that_is_lifted(client, home, target):
    async with switched(client, home, {"ann": {"n": 1}}) as (h, switch):
        halted = await switch.throw("halt", target)
        mission = await h.start([agent("one")], team="blue")
        note = await waiting(mission)
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
        note = await waiting(mission)
        before = list(h.activities.world)
        await switch.throw("lift", "tool:file")
        await mission.result()

        assert ([], "file") == (before, note.path)
        assert ["file"] == [tool for tool, _, _ in h.activities.world]
        await replays(mission.handle)


async def test_who_waits_stands_in_the_search_attributes_until_it_goes_on(client, home):
    async with switched(client, home) as (h, switch):
        await switch.throw("halt", "tool:file")
        mission = await h.start([act("file")])
        await waiting(mission)
        during = (await mission.handle.describe()).search_attributes.get("HaltedBy")
        await switch.throw("lift", "tool:file")
        await mission.result()
        after = (await mission.handle.describe()).search_attributes.get("HaltedBy")

        assert (["tool:file"], None) == (during, after)


async def test_a_mission_that_is_cancelled_while_it_is_halted_has_done_nothing_and_undoes_nothing(client, home):
    async with switched(client, home) as (h, switch):
        await switch.throw("halt", "tool:file")
        mission = await h.start([act("file")])
        await waiting(mission)
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
        await waiting(first)
        branches = {"kind": "parallel", "step": "p", "parallel": [act("file"), *(agent(f"a{n}") for n in range(5))]}
        second = await h.start([branches, agent("last")], Limits(events_per_run=16))
        await waiting(second)
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
        await waiting(mission)
    async with switched(client, home, queue=h.queue) as (h, switch):
        other = await h.start([act("file")])
        await waiting(other)
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
        note = await waiting(held)
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
        await asyncio.gather(*(waiting(mission) for mission in missions))
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
