"""The kill switch on a real server: what is halted does not begin, anywhere, and goes on when it is lifted."""

import asyncio
import time
import uuid
from datetime import UTC, datetime

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy

from activities import keys
from activities.halts import read_table
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

    def __init__(self, h, **given):
        self.h = h
        self.id = f"halts-{h.queue}"
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
    async with house(client, home, Activities(agents={"ann": {"n": 1}})) as h:
        switch = Switch(h)
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
