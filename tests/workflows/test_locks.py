"""Locks on a real server: two missions, one resource, and never both at once."""

import asyncio
import uuid

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.testing import ActivityEnvironment

from activities.locks import Locksmith
from contracts.lock import ASK, LOCKS, RELEASE, Claim, Holder, LocksInput
from contracts.plan import Limits
from tests.workflows.house import Activities, house
from tests.workflows.record_histories import act, agent
from tests.workflows.test_continue import chain
from tests.workflows.test_mission import replays


class Room:
    """A tool's world: who came in, and how many there ever were at once. Whoever is to stay does until let go."""

    def __init__(self, *stay):
        self.inside = 0
        self.most = 0
        self.order = []
        self.stay = set(stay)
        self.let_go = asyncio.Event()

    async def enter(self, call):
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.order.append(call.arguments["n"])
        if call.arguments["n"] in self.stay:
            await self.let_go.wait()
        await asyncio.sleep(0.02)
        self.inside -= 1
        return {}


def locked(n, *locks, **more):
    return act("file", n, locks=list(locks), **more)


async def until(true):
    """Wait until an asynchronous question is answered with something."""
    async with asyncio.timeout(20):
        while not (answer := await true()):
            await asyncio.sleep(0.02)
    return answer


async def queued(h, number):
    """Wait until so many wait for the first lock, and return it."""

    async def long_enough():
        locks = await h.locks()
        return locks[0] if locks and len(locks[0].waiting) >= number else None

    return await until(long_enough)


async def test_two_missions_never_act_on_one_resource_at_once(client, home):
    room = Room()
    async with house(client, home, Activities(tools={"file": room.enter})) as h:
        missions = [await h.start([locked(n, "host:web-01")]) for n in range(6)]
        results = await asyncio.gather(*(mission.result() for mission in missions))

        assert {"completed"} == {result.state for result in results}
        assert (1, 6) == (room.most, len(room.order))
        assert () == await h.locks()
        for mission in missions:
            await replays(mission.handle)
        await replays(client.get_workflow_handle(f"locks-{h.queue}"))


async def test_who_asked_first_is_served_first_and_everybody_sees_who_holds_it(client, home):
    room = Room(0)
    async with house(client, home, Activities(tools={"file": room.enter})) as h:
        missions = []
        for n in range(4):
            missions.append(await h.start([locked(n, "host:web-01")]))
            lock = await queued(h, n)
        record = await until(lambda: _told(missions[1]))
        room.let_go.set()
        await asyncio.gather(*(mission.result() for mission in missions))

        ids = [mission.handle.id for mission in missions]
        assert (ids[0], "file", ids[1:]) == (lock.mission, lock.path, [waiter.mission for waiter in lock.waiting])
        assert [f"host:web-01 is held by {ids[0]} (file)"] == [str(blocker) for blocker in record.locks.behind]
        assert [0, 1, 2, 3] == room.order


async def test_a_deadlock_is_found_and_one_yields_is_undone_and_tries_again(client, home):
    entered = asyncio.Barrier(2)
    first_time = set()

    async def meet(call):
        if call.mission not in first_time:
            first_time.add(call.mission)
            await entered.wait()
        return {}

    def crossing(outer, inner):
        return {
            "kind": "group",
            "step": "g",
            "steps": [act("file"), agent("meet"), agent("cross", "ben", locks=[inner])],
            "locks": [outer],
            "retry": {"attempts": 5, "first": "100ms"},
        }

    async with house(client, home, Activities(agents={"ann": meet})) as h:
        one, other = await h.start([crossing("k", "l")]), await h.start([crossing("l", "k")])
        results = await asyncio.gather(one.result(), other.result())
        records = [*(await one.state()).records, *(await other.state()).records]

        assert ["completed", "completed"] == [result.state for result in results]
        assert ["deadlock"] == [record.failure.code for record in records if record.kind == "agent" and record.failure]
        assert ["file", "file", "unfile", "file"] == [tool for tool, _, _ in h.activities.world]
        assert () == await h.locks()
        await replays(one.handle)
        await replays(other.handle)


async def test_a_mission_that_was_terminated_holds_nothing_for_long(client, home):
    room = Room(0)
    async with house(client, home, Activities(tools={"file": room.enter})) as h:
        lost = await h.start([locked(0, "k")])
        await until(lambda: _entered(room, 1))
        await lost.handle.terminate()
        after = await h.start([locked(1, "k")])

        assert "completed" == (await after.result()).state
        room.let_go.set()


async def test_who_waits_finds_by_itself_that_the_holder_was_terminated(skipping, home):
    room = Room(0)
    async with house(skipping, home, Activities(tools={"file": room.enter})) as h:
        lost = await h.start([locked(0, "k")])
        await until(lambda: _entered(room, 1))
        after = await h.start([locked(1, "k")])
        await queued(h, 1)
        await lost.handle.terminate()

        assert "completed" == (await after.result()).state
        room.let_go.set()


async def test_a_mission_that_is_cancelled_while_it_waits_leaves_the_queue(client, home):
    room = Room(0)
    async with house(client, home, Activities(tools={"file": room.enter})) as h:
        first = await h.start([locked(0, "k")])
        await until(lambda: _entered(room, 1))
        second = await h.start([locked(1, "k")])
        await queued(h, 1)
        await second.handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await second.result()
        [lock] = await h.locks()
        room.let_go.set()
        await first.result()

        assert ((), [0]) == (lock.waiting, room.order)
        await replays(second.handle)


async def test_locks_outlast_hand_overs_of_the_missions_and_of_their_table(client, home):
    room = Room()
    async with house(client, home, Activities(tools={"file": room.enter})) as h:
        table = f"locks-{h.queue}"
        await client.start_workflow(LOCKS, LocksInput(signals_per_run=8), id=table, task_queue=h.queue)
        each = {
            "kind": "group",
            "step": "g",
            "steps": [{**agent(f"a{n}"), "locks": [f"n:{n}"]} for n in range(4)] + [act("file")],
            "locks": ["k"],
        }
        missions = [await h.start([each], Limits(events_per_run=50)) for _ in range(2)]
        results = await asyncio.gather(*(mission.result() for mission in missions))
        runs = await chain(client, missions[0].handle)

        assert {"completed"} == {result.state for result in results}
        assert (1, 2) == (room.most, len(room.order))
        assert len(runs) > 1
        assert () == await h.locks()
        for run in runs:
            await replays(run)
        first = await client.get_workflow_handle(table).describe()
        assert first.raw_description.workflow_execution_info.first_run_id != first.run_id


async def test_a_worker_that_dies_loses_no_lock_and_no_place(client, home):
    room = Room(0)
    async with house(client, home, Activities(tools={"file": room.enter}), leaves=True) as h:
        first = await h.start([locked(0, "k")])
        await until(lambda: _entered(room, 1))
        second = await h.start([locked(1, "k")])
        await queued(h, 1)
        room.let_go.set()
    async with house(client, home, Activities(tools={"file": room.enter}), queue=h.queue) as h:
        results = await asyncio.gather(first.result(), second.result())

        assert ["completed", "completed"] == [result.state for result in results]
        assert 1 == [arguments["n"] for _, _, arguments in h.activities.world][-1]


async def test_nobody_asks_or_gives_back_in_the_name_of_another(client):
    smith, others = Locksmith(client), Holder(mission="m-9", first_run_id="r", path="a")
    environment = ActivityEnvironment()
    for work in (smith.ask, smith.release):
        argument = Claim(holder=others, names=("k",)) if work == smith.ask else others
        with pytest.raises(Exception, match="in the name of 'm-9', but another mission asks"):
            await environment.run(work, argument)


async def test_what_waits_for_undoing_is_given_the_lock_before_the_mission_ends(client, home):
    """What was done under a lock is undone under it, after whoever has it now."""
    room = Room()
    taken = Holder(mission=f"m-{uuid.uuid4().hex}", first_run_id="r", path="a")
    async with house(client, home, Activities(tools={"file": {}, "unfile": room.enter})) as h:
        table = client.get_workflow_handle(f"locks-{h.queue}")

        async def take(_):
            await table.signal(ASK, Claim(holder=taken, names=("k",)))
            raise RuntimeError("it would not")

        h.activities.agents["dot"] = take
        mission = await h.start([locked(7, "k"), agent("breaks", "dot", retry={"attempts": 1})])
        with pytest.raises(WorkflowFailureError):
            await mission.result()
        await table.signal(RELEASE, taken)

        assert [7] == room.order
        assert () == await h.locks()
        await replays(mission.handle)


async def _entered(room, number):
    return len(room.order) >= number


async def _told(mission):
    """Return the record of a mission's one step, once the mission has heard who is in its way."""
    [record] = (await mission.state()).records
    return record if record.locks.behind else None
