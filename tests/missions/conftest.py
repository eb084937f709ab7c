"""A company for each test of the agents, with the world as it ships or one of the test's own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from mcp.client.client import Client
from triage_desk import Desk, OpenDesk

from demo.seed import World, build_world, fill
from demo.server import CompanyServer
from demo.store import Store


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
