"""Readers do no harm: queries that waited for a worker leave histories that replay."""

import asyncio
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.identity import Judge
from activities.people import Directory
from contracts.plan import MissionInput, MissionResult
from contracts.view import GATES, GatesQuery, GatesView
from tests.interpreter.fakes import plan_of
from tests.workflows.house import Activities, House, Started, exact, moved
from tests.workflows.test_faults_cancel import Slow, file, gate
from tests.workflows.test_mission import replays
from workflows.mission import Mission
from workflows.runner import WholeTasks

SCENES = 8


async def test_queries_that_waited_for_a_worker_leave_histories_that_replay(client, home):
    """Effects report and decisions are sent while no worker is there; readers have been waiting all along."""
    queue, effects = f"w-{uuid.uuid4().hex[:8]}", f"a-{uuid.uuid4().hex[:8]}"
    scenes = [Scene(Slow()) for _ in range(SCENES)]
    fakes = Activities(tools={"file": lambda call: scenes[int(call.arguments["n"])].slow()})
    judge = Judge(Directory(home / "people.yaml"))

    def worker():
        return Worker(client, task_queue=queue, workflows=[Mission], activities=[judge.judge], plugins=[WholeTasks()])

    async with Worker(client, task_queue=effects, activities=[fakes.run, fakes.execute]):
        async with worker():
            for number, scene in enumerate(scenes):
                plan = moved(plan_of([file(**{"with": {"n": str(number)}}), gate()]), effects)
                handle = await client.start_workflow(
                    "rehearsal",
                    MissionInput(plan=plan, requested_by="rita", limits=exact(None)),
                    id=f"m-{uuid.uuid4().hex[:12]}",
                    task_queue=queue,
                    task_timeout=timedelta(seconds=2),
                    result_type=MissionResult,
                )
                scene.started = Started(House(client, home, fakes, queue), handle)
            await asyncio.wait_for(asyncio.gather(*(scene.slow.begun.wait() for scene in scenes)), 20)
        for scene in scenes:
            await scene.wait()
        async with worker():
            await asyncio.gather(*(scene.decide() for scene in scenes))
        for scene in scenes:
            await replays(scene.started.handle)


@dataclass
class Scene:
    slow: Slow
    started: Started | None = None
    readers: tuple[asyncio.Task, ...] = ()

    async def wait(self):
        self.readers = tuple(asyncio.create_task(looks(self.started.handle)) for _ in range(4))
        await self.started.handle.describe()
        self.slow.report.set()
        await reported(self.started.handle)

    async def decide(self):
        for next_reader in asyncio.as_completed(self.readers):
            seen = await next_reader
            if seen and seen.gates:
                await self.started.decide(seen.gates[0], "eve")
        await self.started.decide(await self.started.until(), "lea")
        await self.started.result()


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
