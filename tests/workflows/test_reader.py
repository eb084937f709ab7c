"""Readers do no harm: a query that waited for a worker leaves a history that replays."""

import asyncio
import uuid
from contextlib import suppress
from datetime import timedelta

from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.identity import Judge
from activities.people import Directory
from contracts.plan import MissionInput, MissionResult
from contracts.view import GATES, GatesQuery, GatesView
from tests.interpreter.fakes import plan_of
from tests.policies import OPEN
from tests.workflows.house import Activities, House, Started, moved
from tests.workflows.test_faults_cancel import Slow, file, gate
from tests.workflows.test_mission import replays
from workflows.mission import Mission
from workflows.runner import WholeTasks


async def test_a_query_that_waited_for_a_worker_leaves_a_history_that_replays(client, home):
    """An effect reports and a decision is sent while no worker is there; a reader has been waiting all along."""
    slow, queue, effects = Slow(), f"w-{uuid.uuid4().hex[:8]}", f"a-{uuid.uuid4().hex[:8]}"
    fakes, judge = Activities(tools={"file": lambda _: slow()}), Judge(Directory(home / "people.yaml"), policy=OPEN)
    plan = moved(plan_of([file(), gate()]), effects)

    def worker():
        return Worker(client, task_queue=queue, workflows=[Mission], activities=[judge.judge], plugins=[WholeTasks()])

    async with Worker(client, task_queue=effects, activities=[fakes.run, fakes.execute]):
        async with worker():
            handle = await client.start_workflow(
                "rehearsal",
                MissionInput(plan=plan, requested_by="rita"),
                id=f"m-{uuid.uuid4().hex[:12]}",
                task_queue=queue,
                result_type=MissionResult,
            )
            await asyncio.wait_for(slow.begun.wait(), 20)
        started = Started(House(client, home, fakes, queue), handle)
        readers = [asyncio.create_task(looks(handle)) for _ in range(4)]
        await handle.describe()
        slow.report.set()
        await reported(handle)
        async with worker():
            for next_reader in asyncio.as_completed(readers):
                seen = await next_reader
                if seen and seen.gates:
                    await started.decide(seen.gates[0], "eve")
            await started.decide(await started.until(), "lea")
            await started.result()
        await replays(handle)


async def looks(handle):
    with suppress(RPCError):
        # The worker may drop a question that comes at a bad moment.
        return await handle.query(GATES, GatesQuery(), result_type=GatesView, rpc_timeout=timedelta(seconds=3))
    return None


async def reported(handle):
    async with asyncio.timeout(20):
        while True:
            async for event in handle.fetch_history_events():
                if event.HasField("activity_task_completed_event_attributes"):
                    return
            await asyncio.sleep(0.01)
