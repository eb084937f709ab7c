"""Decisions that come while others work are ruled on under numbers of their own: such a history replays."""

import asyncio
import random

import pytest

from contracts.decision import DECIDE
from contracts.plan import Limits
from tests.workflows.house import Activities, house
from tests.workflows.record_histories import stance, talking
from tests.workflows.test_continue import chain
from tests.workflows.test_mission import replays

WORDS = 30


@pytest.mark.parametrize("seed", [1, 2])
async def test_words_that_come_between_reports_and_queries_leave_a_history_that_replays(client, home, seed):
    """Readers ask all the time, since a query may carry the workflow ahead of the decision that comes beside it."""
    dice = random.Random(seed)

    async def think(call):
        await asyncio.sleep(dice.random() * 0.03)
        return stance(call.name)

    async def read(started):
        while True:
            await started.state()
            await asyncio.sleep(0.003)

    turns = "all" if seed % 2 else "round_robin"
    async with house(client, home, Activities(agents={"ann": think, "ben": think})) as h:
        steps = [talking(facilitator=["lou"], rounds=40, turns=turns)]
        started = await h.start(steps, Limits(events_per_run=60 if seed < 2 else 4000))
        opening = await started.until()
        readers = [asyncio.create_task(read(started)) for _ in range(3)]
        for number in range(WORDS):
            await started.handle.signal(DECIDE, started.token(opening, "lou", "interject", comment=str(number)))
            await asyncio.sleep(dice.random() * 0.03)
        await started.handle.signal(DECIDE, started.token(opening, "lou", "end"))
        await started.result()
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        view = await started.state()
        for run in await chain(client, started.handle):
            await replays(run)

    said = [record.output["text"] for record in view.records if record.kind == "interjection"]
    assert [str(number) for number in range(WORDS)] == said[:WORDS]
