"""A map over more items than a server keeps pending: each is done once, in order of the list, and it replays."""

import asyncio

import pytest

from starter.state import read_state
from tests.workflows.house import Activities, house
from tests.workflows.record_histories import act
from tests.workflows.test_continue import chain
from tests.workflows.test_mission import replays

ITEMS = 2_500


@pytest.mark.slow
async def test_2500_effects_are_each_done_once(client, home):
    do = [act("file", **{"with": {"n": "${{ item }}"}})]
    steps = [{"kind": "map", "step": "each", "map": {"over": "numbers", "do": do, "max_concurrency": 50}}]
    inputs = {"type": "object", "properties": {"numbers": {"type": "array"}}}
    activities = Activities(tools={"file": lambda call: {"n": call.arguments["n"]}})
    async with house(client, home, activities, max_concurrent_activities=100) as h:
        started = await h.start(steps, given={"numbers": list(range(ITEMS))}, inputs=inputs)
        result = await asyncio.wait_for(started.handle.result(), 240)
        runs = await chain(client, started.handle)
        [record] = [record for record in (await read_state(client, started.handle.id)).records if record.path == "each"]

        assert "completed" == result.state
        assert list(range(ITEMS)) == sorted(arguments["n"] for _, _, arguments in h.activities.world)
        assert [{"file": {"n": n}} for n in range(ITEMS)] == record.output["results"]
        assert len(runs) > 1
        for run in runs:
            await replays(run)
