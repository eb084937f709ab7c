"""Everything that a mission needs, on this machine: Temporal's dev server, the demo company, a worker, a recorder.

Where it is asked for, a small language model as well. Whoever holds a stack sees at once when one of them dies; nothing
is restarted silently. On a cluster these are services of `docker-compose.yml`.
"""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from activities import service_keys
from runtime.settings import Settings
from starter import footprint
from starter.codec_pages import DATABASE, Pages
from starter.footprint import Footprint, Trace
from starter.ports import HOST, demand_free
from starter.problem import Problem, Unreachable
from starter.process import Process
from starter.server import DevServer

ROOT = Path(__file__).resolve().parents[1]
READY_WITHIN = 30.0
PERIOD = 0.05
RECORDING = [sys.executable, "-m", "starter", "record", "--every", "2s"]
LEISURE = 4.0
"""Seconds that the worker and the first mission have the machine for themselves."""
NICE = 10
"""How nice the recorder is to the others, whom people wait for."""
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Ports:
    """Where the three listen."""

    server: int = 7233
    ui: int = 8233
    company: int = 8765

    @property
    def address(self) -> str:
        return f"{HOST}:{self.server}"

    @property
    def ui_address(self) -> str:
        return f"http://{HOST}:{self.ui}"

    @property
    def company_url(self) -> str:
        return f"http://{HOST}:{self.company}/mcp"

    def page(self, mission: str) -> str:
        """Return the address of a mission's page in the Web UI."""
        return f"{self.ui_address}/namespaces/default/workflows/{mission}"


def adopt(ports: Ports, settings: Settings) -> None:
    """Point this process and its children at the stack: profiles and clusters of the environment are not meant here."""
    for name in [name for name in os.environ if name.startswith("TEMPORAL_")]:
        del os.environ[name]
    os.environ["TEMPORAL_CONFIG_FILE"] = os.devnull
    os.environ["TEMPORAL_ADDRESS"] = ports.address
    os.environ["GONOGO_COMPANY_URL"] = ports.company_url
    os.environ["GONOGO_WEB"] = ports.ui_address
    os.environ["GONOGO_HOME"] = str(settings.home)
    os.environ["GONOGO_WORKSPACE"] = str(settings.workspace)
    if settings.payload_keys is not None:
        os.environ["GONOGO_PAYLOAD_KEYS"] = str(settings.payload_keys)


class Stack:
    """Server, company and worker as one. Up inside the context, stopped in order afterwards."""

    def __init__(self, settings: Settings, ports: Ports, model: Process | None = None) -> None:
        home = settings.home
        self.model = model
        self.home, self.ports = home, ports
        self.pages = Pages(settings, ports.ui)
        self.server = DevServer(
            home / "logs" / "server.log",
            port=ports.server,
            ui_port=ports.ui,
            database=home / DATABASE,
            codec=self.pages.address,
        )
        self.company = Process("the demo company", _company(ports, home), home / "logs" / "company.log", cwd=ROOT)
        self.worker = Process(
            "the worker", [sys.executable, "-m", "starter.boot"], home / "logs" / "worker.log", cwd=ROOT
        )
        self._attending: asyncio.Task[None] | None = None
        self.recorder = Process("the recorder", RECORDING, home / "logs" / "recorder.log", cwd=ROOT)

    async def start(self) -> None:
        """Start them all. Raises `Unreachable` with the one line that says what is missing."""
        demand_free(
            self.ports.company, "demo company", "stop what listens there, or choose another with --company-port"
        )
        self.server.demand_ports()
        for service in service_keys.SERVICES:
            service_keys.make(self.home, service)
        self.company.start()
        if self.model is not None:
            self.model.start()
        self.worker.start()  # Both boot while the server does; the worker waits for it.
        await self.server.start()
        self._write()
        await self._until(self.company, lambda: _connects(self.ports.company))

    async def serving(self) -> None:
        """Wait until the worker serves. A mission may be started before: it waits for its worker."""
        await self._until(self.worker, lambda: self.worker.said("serving"))
        if self._attending is None:
            self._attending = asyncio.create_task(self._attend())

    async def _attend(self) -> None:
        """Start what nobody waits for, later than all else and with what that leaves of the machine."""
        await asyncio.sleep(LEISURE)
        self.pages.start()
        self.recorder.start()
        os.setpriority(os.PRIO_PROCESS, self.recorder.pid, NICE)
        self._write()

    async def stop(self) -> None:
        """Stop them, the worker first: it may still want to tell the server how its work went."""
        if self._attending is not None:
            self._attending.cancel()
        await self.worker.stop()
        await self.pages.stop()
        others = (self.company, self.recorder, *([self.model] if self.model else []))
        await asyncio.gather(self.server.stop(), *(one.stop() for one in others))
        (self.home / "dev.json").unlink(missing_ok=True)

    def dead(self) -> Problem | None:
        """Return what happened to the first one that has ended by itself."""
        if self._attending is not None and self._attending.done():
            self._attending.result()
        fallen = [process for process in self._processes() if not process.alive()]
        return fallen[0].death() if fallen else None

    async def until_one_dies(self, meanwhile: Callable[[], None] = lambda: None) -> Problem:
        """Wait for as long as all is well."""
        while (death := self.dead()) is None:
            meanwhile()
            await asyncio.sleep(PERIOD * 4)
        return death

    async def unless_one_dies(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Do the work; when one of them dies meanwhile, stop it and raise what happened."""
        doing = asyncio.create_task(work)
        watching = asyncio.create_task(self.until_one_dies())
        try:
            await asyncio.wait({doing, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise watching.result()
            return doing.result()
        finally:
            for task in (doing, watching):
                task.cancel()
            await asyncio.gather(doing, watching, return_exceptions=True)

    def _processes(self) -> tuple[Process, ...]:
        beside = [one for one in (self.recorder,) if one.pid]
        return self.server.process, self.company, self.worker, *beside, *([self.model] if self.model else [])

    def _write(self) -> None:
        traces = {one.name: Trace(pid=one.pid, command=tuple(one.command)) for one in self._processes()}
        ports = self.ports
        footprint.write(
            self.home,
            Footprint(
                pid=os.getpid(),
                port=ports.server,
                ui_port=ports.ui,
                company_port=ports.company,
                codec=self.pages.address,
                processes=traces,
            ),
        )

    async def _until(self, process: Process, ready: Callable[[], bool]) -> None:
        end = time.monotonic() + READY_WITHIN
        while not ready():
            if not process.alive():
                raise process.death()
            if time.monotonic() > end:
                raise Unreachable(f"{process.name} was not ready in {READY_WITHIN:.0f} s; see {process.log}")
            await asyncio.sleep(PERIOD)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _company(ports: Ports, home: Path) -> list[str]:
    line = [sys.executable, "-m", "demo.company", "--port", str(ports.company)]
    return [*line, "--database", str(home / "company.db"), "--credentials", str(home / service_keys.FILE)]


def _connects(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False
