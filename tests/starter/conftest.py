"""One real server and one worker for these tests; each test has a home and missions of its own."""

import asyncio
import json
from dataclasses import dataclass

import pytest
from stage import NAMES, Cast, wait_at_gate
from temporalio.client import Client

from activities import keys
from starter.cli import run
from starter.server import DevServer


@pytest.fixture(scope="session")
async def server(tmp_path_factory):
    async with DevServer(tmp_path_factory.mktemp("server") / "server.log") as server:
        yield server


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory):
    """A home where the three people have their keys."""
    home = tmp_path_factory.mktemp("home")
    (home / "people.yaml").write_text('operators: ["lead"]\n')
    for name in NAMES:
        keys.create(home, name, ("asker",) if name == "otto" else ("lead",))
    return home


@pytest.fixture
def cast():
    return Cast()


@pytest.fixture
async def client(server, shared_home, cast):
    """A client, beside a worker that plays the fakes."""
    async with cast.working(server.address, shared_home / "people.yaml") as client:
        yield client


@dataclass
class Told:
    """What a command said, and with which exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def gonogo(server, shared_home, tmp_path, monkeypatch, capsys):
    """Run the command line in this process, as a person of this home."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    monkeypatch.setenv("GONOGO_HOME", str(shared_home))
    monkeypatch.delenv("GONOGO_PERSON", raising=False)

    async def call(*arguments: str) -> Told:
        capsys.readouterr()
        code = await asyncio.to_thread(run, arguments)
        return Told(code, *capsys.readouterr())

    return call


@pytest.fixture
async def waiting(client: Client):
    """The id of a mission that waits at its gate."""
    return await wait_at_gate(client)
