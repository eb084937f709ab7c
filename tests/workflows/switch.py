"""Who throws the kill switch in tests: signed statements for the table of a house, and houses that know it at once."""

import asyncio
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from temporalio.common import WorkflowIDConflictPolicy

from activities import keys
from activities.halts import Lookout, read_table
from contracts.decision import DECIDE
from contracts.halt import HALTS, TABLE, HaltsInput
from starter.sign import Wish, prepare
from starter.state import read_receipt
from tests.workflows.house import Activities, house


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


async def waiting(mission, target=""):
    """Wait until a mission waits for a halt to be lifted, of this target or of any, and return the note of it."""
    async with asyncio.timeout(20):
        while True:
            notes = [record.halted for record in (await mission.state()).records if record.halted]
            for note in notes:
                if note.state == "waiting" and (not target or target in [halt.target for halt in note.halts]):
                    return note
            await asyncio.sleep(0.05)
