"""The bench's worker, a process of its own so that its CPU can be told apart: both workflows, one set of activities.

Each workflow has its own queue and is run as its users would run it: missions by our runner, the one written by hand
by the SDK's own default, or by our runner too where that is asked for.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from activities.admission import Admissions
from activities.identity import Judge
from activities.people import Directory
from bench.by_hand import ByHand
from bench.five_steps import BY_HAND_QUEUE, WORKER_QUEUE, execute_action, run_agent
from runtime.payloads import data_converter
from tests.policies import OPEN
from workflows.mission import Mission
from workflows.runner import WholeTasks, runner


async def serve(address: str, home: Path, by_hand: WorkflowRunner) -> None:
    """Serve until the process is ended."""
    client = await Client.connect(address, data_converter=data_converter(str(home / "payloads")))
    people = Directory(home / "people.yaml")
    admit = Admissions(client, people, OPEN, lambda *_: ()).admit
    activities = [run_agent, execute_action, Judge(people, policy=OPEN).judge, admit]

    def worker(queue: str, workflow: type, **how: Any) -> Worker:
        return Worker(client, task_queue=queue, workflows=[workflow], activities=activities, **how)

    missions = worker(WORKER_QUEUE, Mission, plugins=[WholeTasks()])
    written = worker(BY_HAND_QUEUE, ByHand, workflow_runner=by_hand)
    print("ready", flush=True)
    await asyncio.gather(missions.run(), written.run())


if __name__ == "__main__":
    same = sys.argv[3:] == ["same-runner"]
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), runner() if same else SandboxedWorkflowRunner()))
