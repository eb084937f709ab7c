"""What many tests share: one real dev server with time skipping, clients to it, and the order of running."""

import gc
import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, settings
from temporalio.client import Client
from temporalio.testing import TimeSkipper

from starter.server import DevServer
from tests.payloads import DATA_CONVERTER

settings.register_profile(
    "side by side",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=int(os.environ.get("EXAMPLES", "40")),
)
settings.load_profile("side by side")
"""How fast examples are made hangs on what else the machine does: tests run side by side with servers.

Each run draws others; `EXAMPLES=1000 make test` draws many at once.
"""


def pytest_xdist_auto_num_workers() -> int:
    """One process for each core, and one more: each waits for servers and programs for part of its time."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process is left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Keep what is loaded by now out of every collection: to look through it each time takes longer than many tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DevServer]:
    """The real dev server, in memory, shared by all tests; each uses workflow ids and queues of its own."""
    async with DevServer(tmp_path_factory.mktemp("server") / "server.log", skip_time=True) as running:
        yield running


@pytest.fixture(scope="session")
async def client(server: DevServer) -> Client:
    return await Client.connect(server.address, data_converter=DATA_CONVERTER)


@pytest.fixture(scope="session")
def skipper(client: Client) -> TimeSkipper:
    """Moves the clock of single workflows forward."""
    return TimeSkipper(client)


@pytest.fixture(scope="session")
def skipping(skipper: TimeSkipper) -> Client:
    """A client whose workflows skip time that nobody needs: timers fire at once when nothing else is under way."""
    return skipper.client
