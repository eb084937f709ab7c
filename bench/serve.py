"""The bench's worker, a process of its own so that its CPU can be told apart: both workflows, one set of activities.

Each workflow has its own queue and is run as its users would run it: missions by our runner, the one written by hand
by the SDK's own default, or by our runner too where that is asked for.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from activities.admission import Admissions
from activities.governance import Governance
from activities.identity import Judge
from activities.people import Directory
from activities.scales import Scales
from bench.by_hand import ByHand
from bench.five_steps import (
    ADMIT_BY_HAND,
    BY_HAND_QUEUE,
    TOOLS,
    WORKER_QUEUE,
    Admitted,
    execute_action,
    plan,
    run_agent,
)
from language.questions import questions, starting
from runtime.payloads import data_converter
from tests.policies import OPEN
from workflows.mission import Mission
from workflows.runner import WholeTasks, runner


def no_models(*_: Any) -> tuple[str, ...]:
    """Return the models of an agent here, which are none."""
    return ()


async def serve(address: str, home: Path, by_hand: WorkflowRunner) -> None:
    """Serve until the process is ended."""
    client = await Client.connect(address, data_converter=data_converter(str(home / "payloads")))
    people = Directory(home / "people.yaml")
    governance = Governance(people, OPEN, Scales(home / "risk.yaml"), TOOLS)
    admit = Admissions(client, people, OPEN, no_models, governance=governance).admit
    judge = Judge(people, policy=OPEN, governance=governance).judge

    @activity.defn(name=ADMIT_BY_HAND)
    async def admit_by_hand(requester: str) -> Admitted:
        asked = (starting(plan(), requester, signed=False), *questions(plan(), no_models))
        allowed = all(OPEN.ask(one).allowed() for one in asked)
        return Admitted(allowed=allowed, governance=governance.version())

    activities = [run_agent, execute_action, judge, admit, admit_by_hand]

    def worker(queue: str, workflow: type, **how: Any) -> Worker:
        return Worker(client, task_queue=queue, workflows=[workflow], activities=activities, **how)

    missions = worker(WORKER_QUEUE, Mission, plugins=[WholeTasks()])
    written = worker(BY_HAND_QUEUE, ByHand, workflow_runner=by_hand)
    print("ready", flush=True)
    await asyncio.gather(missions.run(), written.run())


if __name__ == "__main__":
    same = sys.argv[3:] == ["same-runner"]
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), runner() if same else SandboxedWorkflowRunner()))
