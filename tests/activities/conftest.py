import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from activities.actions import ActionExecutor
from activities.authority import Authority
from activities.mcp_tools import ToolServers
from activities.people import Directory
from activities.runtimes.cast import Cast
from activities.runtimes.model import Provider
from tests.activities import office
from tests.activities.service import Service, serving, tools
from tests.activities.service import servers as at
from tests.model_server import ModelServer, model_serving

NOBODY = 65534


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the office's people; tests only read it."""
    folder = tmp_path_factory.mktemp("office")
    office.populate(folder)
    return folder


@pytest.fixture(scope="session")
async def running_service() -> AsyncIterator[Service]:
    async with serving() as service:
        yield service


@pytest.fixture
def service(running_service: Service) -> Service:
    """A server that remembers only this test's calls."""
    running_service.calls.clear()
    running_service.arrived.clear()
    running_service.release.clear()
    return running_service


@pytest.fixture
async def servers(service: Service) -> AsyncIterator[ToolServers]:
    connections = ToolServers(at(service.url))
    yield connections
    await connections.close()


@pytest.fixture
def executor(home: Path, servers: ToolServers) -> ActionExecutor:
    return ActionExecutor(tools(), servers, Authority(tools(), Directory(home / "people.yaml"), office.lineage))


@pytest.fixture(scope="session")
async def running_models() -> AsyncIterator[ModelServer]:
    async with model_serving() as server:
        yield server


@pytest.fixture
def models(running_models: ModelServer) -> ModelServer:
    """A server of language models without a script."""
    return running_models.begin()


@pytest.fixture
def cast(models: ModelServer) -> Cast:
    return Cast(Provider(model="small", url=models.url))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of our own, where there is one."""
    program, user = shutil.which("pg_ctl"), NOBODY if os.geteuid() == 0 else None
    if program is None:
        pytest.skip("no PostgreSQL here")
    home = Path(tempfile.mkdtemp(prefix="pg"))
    if user is not None:
        os.chown(home, user, user)

    def control(*words: str) -> None:
        subprocess.run([program, "-D", home / "data", *words], check=True, stdout=subprocess.DEVNULL, user=user)

    control("initdb", "-o", "-A trust -U gonogo --no-sync")
    control(
        "-o", f"-k {home} -c listen_addresses= -c max_connections=300 -c fsync=off", "-w", "-l", f"{home}/log", "start"
    )
    yield f"postgresql+asyncpg://gonogo@/postgres?host={home}"
    control("-m", "immediate", "stop")
    shutil.rmtree(home)
