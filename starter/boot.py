"""How a stack starts its worker: load what is slow while the server boots, then run `worker.py` as it is.

`python -m starter.boot`. On a cluster the server is there before its workers, and `worker.py` is run directly.
"""

import asyncio
import gc
import os
import runpy
import time

# A good part of loading is looking through what was loaded for what is used no more.
gc.disable()

import mcp  # noqa: E402, F401 (slow)
import temporalio.worker  # noqa: E402, F401 (slow)

import runtime.duties  # noqa: E402, F401 (slow)
import workflows.mission  # noqa: E402, F401 (slow)
from contracts.attributes import ATTRIBUTES  # noqa: E402
from starter.server import READY_WITHIN, answers  # noqa: E402

gc.freeze()
gc.enable()


async def wait_for_server(address: str) -> None:
    """Return when the server answers, or when there is no point in waiting longer: the worker will say why."""
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end and not await answers(address, ATTRIBUTES):  # noqa: ASYNC110 (nobody tells us)
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(wait_for_server(os.environ["TEMPORAL_ADDRESS"]))
    runpy.run_path("worker.py", run_name="__main__")
