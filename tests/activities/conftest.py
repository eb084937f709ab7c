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
from tests.activities.service import HERE, Service, serving, tools
from tests.activities.service import servers as at
from tests.model_server import ModelServer, model_serving
from tests.policies import OPEN
from tests.postgres import Cluster, postgres_serving


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
    connections = ToolServers(at(service.url), outward=HERE)
    yield connections
    await connections.close()


@pytest.fixture
def executor(home: Path, servers: ToolServers) -> ActionExecutor:
    return ActionExecutor(
        tools(), servers, Authority(tools(), Directory(home / "people.yaml"), office.lineage, policy=OPEN)
    )


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
def cluster() -> Iterator[Cluster]:
    with postgres_serving() as running:
        yield running


@pytest.fixture(scope="session")
def postgres(cluster: Cluster) -> str:
    return cluster.url
