"""The demo company for its own tests: in this process without a network, or as the program that it is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from company_program import Program

from demo.seed import fill
from demo.server import CompanyServer
from demo.store import Store


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CompanyServer]:
    """One server for all tests: making its tools' models is slow."""
    store = Store(tmp_path_factory.mktemp("company") / "company.db")
    yield CompanyServer(store)
    store.close()


@pytest.fixture
def store(opened: CompanyServer) -> Store:
    """The company's memory as on its first day."""
    with opened.store.write() as db:
        tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'documents_%'")
        for table in tables.fetchall():
            db.execute(f'DELETE FROM "{table["name"]}"')
    fill(opened.store)
    return opened.store


@pytest.fixture
def company(opened: CompanyServer, store: Store) -> CompanyServer:
    """The company in this process; tests connect with `Client(company)`."""
    return opened


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[[], Program]]:
    """Start the program; it is ended after the test, however the test ends."""
    started = []

    def start() -> Program:
        started.append(Program(tmp_path / "company.db"))
        return started[-1]

    yield start
    for program in started:
        program.stop()
