"""A mission as a step, on a real server: what comes of parent and child, whatever befalls either."""

import asyncio

from tests.interpreter.fakes import plan_of
from tests.workflows.house import Activities, house, moved
from tests.workflows.record_histories import act
from tests.workflows.test_mission import replays


def child(**more):
    step = {"kind": "mission", "step": "patch", "mission": "patching", "accept": ["done"], "on_parent_close": "undo"}
    return {**step, "output": "patched", **more}


async def start(h, steps, inner, limits=None):
    plan = moved(plan_of(inner, mission="patching"), h.queue)
    return await h.start(steps, limits, missions={"patching": plan})


async def test_first(client, home):
    async with house(client, home, Activities()) as h:
        started = await start(h, [child(), act("after", 2)], [act("a", 1)])
        result = await started.result()
        view = await started.state()
        print(result, [(r.path, r.status, r.output, r.child, r.effect) for r in view.records])
        c = client.get_workflow_handle(started.handle.id + "/patch")
        print(await asyncio.wait_for(c.result(), 60))
        await replays(started.handle)
        await replays(c)
