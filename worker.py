"""The composition root: settings, client, activity objects, workers.

`python worker.py [--queues a,b]` serves these task queues, without it all that the workspace names. What a mission may
use is decided here, by this worker's own workspace; what a worker of a queue holds, in `runtime/duties.py`. Exit
codes: 0 stopped, 1 the workspace is wrong, 2 wrong arguments, 3 the server cannot be reached.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities import people
from activities.public_key import KeyRefused
from contracts.workspace import MISSION_QUEUE, Workspace
from language.finding import Rejected
from language.workspace import load_workspace
from runtime import telemetry
from runtime.connection import Unreachable, connect
from runtime.discreet import FORMAT, quiet_logs
from runtime.duties import Activities, Duties
from runtime.in_the_clear import standing_still
from runtime.settings import SettingRefused, Settings
from workflows.halts import Halts
from workflows.locks import Locks
from workflows.mission import Mission
from workflows.runner import WholeTasks

DONE, WRONG, USAGE, UNREACHABLE = 0, 1, 2, 3
PULSE: dict[str, Any] = {
    "max_heartbeat_throttle_interval": timedelta(seconds=0.25),
    "default_heartbeat_throttle_interval": timedelta(seconds=0.25),
}
"""How often a heartbeat is sent. Left to itself the SDK sends one in 0.8 of its timeout, and a busy worker loses it."""
STICKY_TIMEOUT = timedelta(seconds=2)
"""How long a mission waits for the worker that last had it, when that one is gone."""
GRACE = timedelta(seconds=3)
REACHED_WITHIN = 30.0
"""Seconds for a server that is busy to answer; one that is not there says so at once."""
STOPPED_WITHIN = 20
"""Seconds after which a worker that was told to stop is left to itself."""


class Stop(Exception):
    """The worker cannot serve: an exit code and the line that says why."""

    def __init__(self, code: int, line: str) -> None:
        super().__init__(line)
        self.code = code


def read_workspace(settings: Settings) -> Workspace:
    """Load the workspace, or `Stop` with everything that is wrong with it."""
    try:
        people.Directory(*settings.people_files()).people()
        registered = people.read(settings.home / "people.yaml")
        workspace = load_workspace(settings.workspace, registered, settings.model).allowing(settings.allow_hosts)
    except Rejected as rejected:
        raise Stop(WRONG, f"the workspace {settings.workspace} cannot be used:\n{rejected}") from None
    except people.Unreadable as error:
        raise Stop(WRONG, str(error)) from None
    for name in sorted(settings.model_for - workspace.agents.keys()):
        raise Stop(USAGE, f"GONOGO_MODEL_FOR names {name!r}, and there is no such agent")
    return workspace


def all_queues(workspace: Workspace) -> tuple[str, ...]:
    """Return the missions' queue and those that agents and tools name."""
    played = (agent for agent in workspace.agents.values() if agent.runtime != "people")
    return (MISSION_QUEUE, *sorted({one.served_on() for one in (*played, *workspace.tools.values())}))


def chosen_queues(workspace: Workspace, text: str | None) -> tuple[str, ...]:
    """Return the queues that were asked for. One that nothing in the workspace uses is a misspelling."""
    known = all_queues(workspace)
    if text is None:
        return known
    asked = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not asked:
        raise Stop(USAGE, f"--queues names no queue; there are {', '.join(known)}")
    for queue in asked:
        if queue not in known:
            near = get_close_matches(queue, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise Stop(USAGE, f"no agent, tool or mission uses the queue {queue!r}; {hint}")
    return asked


@asynccontextmanager
async def working(
    client: Client, settings: Settings, workspace: Workspace, queues: Sequence[str] | None = None
) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Serve the queues inside the context. Yields a task for each worker: one that ends did so by an error."""
    chosen = queues or all_queues(workspace)
    duties = Duties(client, settings, workspace, chosen)
    workers = [_worker(client, settings, queue, duties.on(queue)) for queue in chosen]
    running = [asyncio.create_task(worker.run()) for worker in workers]
    watching = asyncio.create_task(duties.vigil().keep()) if MISSION_QUEUE in chosen else None
    try:
        yield running
    finally:
        if watching is not None:
            watching.cancel()
        await _stopped([asyncio.create_task(worker.shutdown()) for worker in workers], running)
        await duties.close()


async def _stopped(shutdowns: Sequence[asyncio.Task[None]], running: Sequence[asyncio.Task[None]]) -> None:
    """Wait until all have stopped, but not for ever: what one still had in hand, the server gives to another."""
    done, late = await asyncio.wait([*shutdowns, *running], timeout=STOPPED_WITHIN)
    await asyncio.gather(*done, return_exceptions=True)  # Why a worker ended was told by whoever watched it.
    if late:
        logging.getLogger(__name__).warning("the worker did not stop within %d s and is left as it is", STOPPED_WITHIN)


def _worker(client: Client, settings: Settings, queue: str, activities: Activities) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        workflows=[Mission, Locks, Halts] if queue == MISSION_QUEUE else [],
        activities=activities,
        plugins=[WholeTasks()],
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        graceful_shutdown_timeout=GRACE,
        **PULSE,
        **cache(settings.max_cached_workflows),
    )


def cache(missions: int | None) -> dict[str, Any]:
    """Return a worker's options for keeping so many missions in memory; None leaves it to the SDK.

    With none, the SDK drops a mission whose decision is being ruled on as soon as it is given a task of another, and
    the server waits out the task's ten seconds: so there is one at a time.
    """
    if missions is None:
        return {}
    return {"max_cached_workflows": missions} | ({"max_concurrent_workflow_tasks": 1} if missions == 0 else {})


async def serve(settings: Settings, queues: str | None, environ: Mapping[str, str]) -> None:
    """Serve until a signal says stop, or `Stop` when that is not possible."""
    workspace = read_workspace(settings)
    chosen = chosen_queues(workspace, queues)
    client = await connect(settings, REACHED_WITHIN, environ)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with working(client, settings, workspace, chosen) as running:
        print(f"worker: serving {', '.join(chosen)} at {client.service_client.config.target_host}", flush=True)
        if settings.payload_keys is not None and MISSION_QUEUE in chosen:
            told = await standing_still(client, settings.payload_keys)
            if told:
                _say(DONE, told)
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({stopping, *running}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            raise Stop(UNREACHABLE, f"a worker ended by itself: {task.exception()}")


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(prog="worker.py", description="Serve missions, agents and tools.")
    parser.add_argument("--queues", metavar="A,B", help="task queues to serve; by default all of the workspace")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format=FORMAT)
    try:
        settings = Settings.read(environ)
        if settings.payload_keys is not None:
            quiet_logs()
        # Agents of a workspace elsewhere are found beside it: appended, so that nothing installed is replaced.
        sys.path.append(str(settings.workspace.parent))
        asyncio.run(serve(settings, options.queues, environ))
    except SettingRefused as error:
        return _say(USAGE, str(error))
    except Unreachable as error:
        return _say(UNREACHABLE, str(error))
    except Stop as stop:
        return _say(stop.code, str(stop))
    except KeyRefused as error:
        return _say(WRONG, f"it may not act without signing receipts: {error}")
    return DONE


def _say(code: int, line: str) -> int:
    print(f"worker: {line}", file=sys.stderr)
    return code


def leave(code: int) -> None:
    """End the process at once: after its work is done, the interpreter's own way out can abort."""
    telemetry.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:], os.environ)
    except SystemExit as usage:
        code = usage.code if isinstance(usage.code, int) else USAGE
    leave(code)
