"""A company for each test of the agents, with the world as it ships or one of the test's own; and live missions."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from live_mission import LiveMissions, live_missions, people_with_keys
from mcp.client.client import Client
from temporalio.client import Client as Temporal
from triage_desk import Desk, OpenDesk

from activities import service_keys
from demo.seed import World, build_world, fill
from demo.server import CompanyServer
from demo.store import Store
from tests.demo.company_program import Program


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CompanyServer]:
    """One server for all tests: making its tools' models is slow."""
    store = Store(tmp_path_factory.mktemp("company") / "company.db")
    yield CompanyServer(store)
    store.close()


@pytest.fixture
def open_desk(opened: CompanyServer) -> OpenDesk:
    """Open the company: `async with open_desk(world) as desk`.

    A fixture that yields the client would close it in another task, which anyio refuses.
    """

    @asynccontextmanager
    async def at_desk(world: World | None = None) -> AsyncIterator[Desk]:
        _empty(opened.store)
        fill(opened.store, world or build_world())
        async with Client(opened) as client:
            yield Desk(client, opened.store)

    return at_desk


def _empty(store: Store) -> None:
    with store.write() as db:
        tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'documents_%'")
        for table in tables.fetchall():
            db.execute(f'DELETE FROM "{table["name"]}"')


@pytest.fixture(scope="session")
def company_url(tmp_path_factory: pytest.TempPathFactory, keyed_home: Path) -> Iterator[str]:
    """The company as the program that it is; live missions share it and are told apart by their ids."""
    database = tmp_path_factory.mktemp("live") / "company.db"
    program = Program(database, "--credentials", str(keyed_home / service_keys.FILE))
    yield program.url
    program.stop()


@pytest.fixture(scope="session")
def keyed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home where everybody of the shipped workspace has a key."""
    return people_with_keys(tmp_path_factory.mktemp("people"))


@pytest.fixture
async def live(client: Temporal, keyed_home: Path, company_url: str) -> AsyncIterator[LiveMissions]:
    """Shipped missions on the real server: `await live.start("create_prd", inputs)`."""
    async with live_missions(client, keyed_home, company_url) as missions:
        yield missions


@pytest.fixture
async def hurried(skipping: Temporal, keyed_home: Path, company_url: str) -> AsyncIterator[LiveMissions]:
    """The same, where time that nobody needs is skipped: a gate that is open runs to its deadline at once."""
    async with live_missions(skipping, keyed_home, company_url) as missions:
        yield missions
