"""The demo company for its own tests: in this process without a network, or as the program that it is."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.client.client import Client
from mcp_types import CallToolResult

from demo.seed import fill
from demo.server import CompanyServer
from demo.store import Store

KEY = "gonogo/idempotency-key"


async def use(client: Client, tool: str, key: str = "", **arguments: Any) -> CallToolResult:
    """Call a tool, with an idempotency key where one is given."""
    return await client.call_tool(tool, arguments, meta={KEY: key} if key else None)


async def ask(client: Client, tool: str, key: str = "", **arguments: Any) -> Any:
    """Call a tool that must answer well, and return its structured answer."""
    result = await use(client, tool, key, **arguments)
    assert not result.is_error, result.structured_content
    return result.structured_content


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


class Program:
    """The company as a process of its own, on a free port."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.start(port=0)

    def start(self, port: int) -> None:
        command = [sys.executable, "-m", "demo.company", "--port", str(port), "--database", str(self.database)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line.startswith("company listens at http://127.0.0.1:"), line
        self.url = line.split()[-1]
        self.root = self.url.removesuffix("/mcp")

    @property
    def port(self) -> int:
        return httpx.URL(self.url).port or 0

    def get(self, path: str) -> Any:
        return httpx.get(self.root + path).raise_for_status().json()

    def order(self, **fault: Any) -> None:
        httpx.post(f"{self.root}/faults", json=fault).raise_for_status()

    def stop(self, how: signal.Signals = signal.SIGKILL) -> int:
        """End the process, wait for it, and return its exit code."""
        if self.process.poll() is None:
            os.kill(self.process.pid, how)
        code = self.process.wait(timeout=10)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        return code


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
