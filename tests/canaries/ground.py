"""Where canaries live: a workspace that says secrets everywhere, a collector of all that is sent, a real worker."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import yaml
from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError, WorkflowUpdateFailedError

from activities import keys
from activities.mission_payloads import converter, spelt
from contracts.decision import DECIDE
from contracts.event import EVENT
from contracts.halt import HALTS, TABLE, Halt, HaltsInput, HaltTable
from contracts.view import MissionState
from contracts.workspace import MISSION_QUEUE
from language.workspace import load_workspace
from runtime.settings import Settings
from starter.launch import launch, prepare
from starter.ports import free_port
from starter.process import Process
from starter.sign import Wish
from starter.sign import prepare as claims_for
from starter.state import read_gates, read_state
from tests.activities.service import serving as vendor_serving
from tests.model_server import Asked, Reply, model_serving

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
WORKSPACE = HERE / "missions"
WORD = "canary7f3a9d"
MISSION, STOPPED = "canary-1", "stopped-1"
PATIENCE = 90
UNWELL = "/unwell"
"""Where the collector does not answer, with a secret."""
MEASURED = "sdk-metrics"
"""Where the collector keeps what the worker's SDK measured."""


def canary(*said: str) -> str:
    """Return a secret: letters and hyphens after the word that is looked for."""
    return "-".join((WORD, *said)).replace("_", "-")


class Collector(ThreadingHTTPServer):
    """Takes whatever is sent, traces, metrics and events, and keeps it as it came, by its address."""

    daemon_threads = True

    def __init__(self) -> None:
        self.received: dict[str, bytes] = {}
        super().__init__(("127.0.0.1", 0), _Taker)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Taker(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        unwell = self.path == UNWELL
        if not unwell:  # What is sent to an agent is meant to be read there.
            self.server.received[self.path] = self.server.received.get(self.path, b"") + body + b"\n"
        said = canary("breaker").encode() if unwell else b""
        self.send_response(503 if unwell else 200)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@contextmanager
def collecting() -> Iterator[Collector]:
    with Collector() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def beside(shipped: Path, folder: Path) -> Path:
    """Copy a workspace into a folder, with the mission that says secrets beside its own."""
    root = folder / "missions"
    shutil.copytree(shipped, root, ignore=shutil.ignore_patterns("__pycache__"))
    merged = ("agents.yaml", "tools.yaml", "people.yaml")
    own = shutil.ignore_patterns(*merged, "security.yaml")
    shutil.copytree(WORKSPACE, root, dirs_exist_ok=True, ignore=own)
    for name in merged:
        added(root / name, yaml.safe_load((WORKSPACE / name).read_text()))
    return root


def added(file: Path, more: dict[str, Any]) -> None:
    """Write into a file of a workspace what another has beside it."""
    known = yaml.safe_load(file.read_text())
    for part in more.keys() & {"agents", "tools", "servers", "people"}:
        known[part] = {**known.get(part, {}), **more[part]}
    file.write_text(yaml.safe_dump(known, sort_keys=False))


@asynccontextmanager
async def called() -> AsyncIterator[dict[str, str]]:
    """Serve whom agents call, a vendor of tools and a language model that both say secrets; yield where they are."""
    async with vendor_serving() as vendor, model_serving() as model:
        vendor.seen = lambda _: {"ok": canary("tool-answer")}
        model.otherwise = _thought
        told = {"GONOGO_MODEL": "any", "GONOGO_MODEL_URL": model.url, "GONOGO_MODEL_FOR": "minded"}
        yield {**told, "CANARY_VENDOR": vendor.url}
        assert any(canary("prompt") in asked.said() for asked in model.asked)


def _thought(asked: Asked) -> Reply:
    """Look something up, and then answer."""
    if canary("tool-answer") in asked.said():
        return Reply(answer={"said": canary("model-answer")})
    looking = ("vendor_look", {"host": canary("model-argument")})
    return Reply(thought=canary("model-thought"), calls=(looking,))


@asynccontextmanager
async def serving(place: Path, workspace: Path, collector: Collector, **environ: str) -> AsyncIterator[None]:
    """Run the real worker, its log in the place, and collect what it measures."""
    metrics = f"127.0.0.1:{free_port()}"
    own = ("OTEL_", "TEMPORAL_", "GONOGO_")
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(own)},
        "TEMPORAL_CONFIG_FILE": os.devnull, "GONOGO_HOME": str(place / "home"), "GONOGO_WORKSPACE": str(workspace),
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(HERE))), "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "CANARY_DISTANT": collector.url + UNWELL, "CANARY_TOKEN": canary("credential"),
        "CANARY_METRICS": metrics, **environ,
    }  # fmt: skip
    line = [
        "env",
        "-i",
        *(f"{name}={value}" for name, value in variables.items()),
        sys.executable,
        str(HERE / "measured.py"),
    ]
    worker = Process("the worker", line, place / "worker.log", cwd=ROOT)
    worker.start()
    try:
        async with asyncio.timeout(PATIENCE):
            while not worker.said("serving"):
                assert worker.alive(), worker.tail(20)
                await asyncio.sleep(0.1)
        yield
        async with httpx.AsyncClient() as http:
            collector.received[MEASURED] = (await http.get(f"http://{metrics}/metrics")).content
    finally:
        await worker.stop()


async def say_ways(handle: WorkflowHandle[Any, Any]) -> None:
    """Tell a mission secrets by every way that leads in."""
    for way, channel in ((handle.query, "query"), (handle.execute_update, "update")):
        with suppress(WorkflowQueryFailedError, WorkflowUpdateFailedError):
            await way("nothing", canary(channel))
    await handle.signal("unheard", canary("signal"))
    await handle.signal(EVENT, {"event": "go", "key": "k", "payload": {"said": canary("event")}})


async def begin_all(client: Client, settings: Settings) -> None:
    """Start the mission that says all it knows, until it asks people, and one that is stopped, with a reason."""
    table = HaltTable(halts=(Halt(target="agent:nobody", by="lea", since=datetime.now(UTC), reason=canary("halt")),))
    memo = {TABLE: table}
    await client.start_workflow(HALTS, HaltsInput(table=table), id=HALTS, task_queue=MISSION_QUEUE, memo=memo)
    people = load_workspace(settings.workspace).people
    await launch(client, prepare(settings, people, "stopped", {}, "noor"), STOPPED)
    inputs = {"word": WORD, "more": canary("input"), "code": canary("code")}
    await launch(client, prepare(settings, people, "canary", inputs, "noor"), MISSION)
    await client.get_workflow_handle(STOPPED).cancel(
        reason=await spelt(converter(client, STOPPED), canary("cancel-reason"))
    )
    async with asyncio.timeout(PATIENCE):
        while not await read_gates(client, MISSION):
            await asyncio.sleep(0.2)


async def end_all(client: Client, settings: Settings) -> None:
    """Have people answer, and the mission end."""
    handle = client.get_workflow_handle(MISSION)
    await say_ways(handle)
    [gate] = await read_gates(client, MISSION)
    await handle.signal(
        DECIDE, keys.sign(settings.home, "lea", claims_for(gate, Wish("approve", canary("comment")), "lea"))
    )
    async with asyncio.timeout(PATIENCE):
        while (await read_state(client, MISSION)).state != MissionState.COMPLETED:
            await asyncio.sleep(0.2)
