from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from activities.actions import ActionExecutor
from activities.authority import Authority
from activities.mcp_tools import ToolServers
from activities.people import Directory
from tests.activities import office
from tests.activities.service import Service, serving, tools
from tests.activities.service import servers as at


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
