"""Locks on a real server: two missions, one resource, and never both at once."""

import asyncio

from tests.workflows.house import Activities, house
from tests.workflows.record_histories import act
from tests.workflows.test_mission import replays


class Room:
    """A tool's world: who is in it, and how many there ever were at once."""

    def __init__(self):
        self.inside = 0
        self.most = 0
        self.order = []

    async def enter(self, call):
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.order.append(call.arguments["n"])
        await asyncio.sleep(0.05)
        self.inside -= 1
        return {}


def locked(n, *locks, **more):
    return act("file", n, locks=list(locks), **more)


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
