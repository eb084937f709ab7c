"""The bench's worker, a process of its own so that its CPU can be told apart: both workflows, one set of activities."""

import asyncio
import sys
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker

from activities.identity import Judge
from activities.people import Directory
from bench.by_hand import ByHand
from bench.five_steps import WORKER_QUEUE, execute_action, run_agent
from runtime.connection import DATA_CONVERTER
from workflows.mission import Mission
from workflows.sandbox import sandbox


async def serve(address: str, home: Path) -> None:
    """Serve until the process is ended."""
    client = await Client.connect(address, data_converter=DATA_CONVERTER)
    worker = Worker(
        client,
        task_queue=WORKER_QUEUE,
        workflows=[Mission, ByHand],
        activities=[run_agent, execute_action, Judge(Directory(home / "people.yaml")).judge],
        workflow_runner=sandbox(),
    )
    print("ready", flush=True)
    await worker.run()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2])))
