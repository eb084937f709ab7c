"""One server and one nursery for all scenes; each scene has a place of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.system.ground import NAMESPACES, Grounds, server_over
from tests.system.hands import Nursery
from tests.system.theatre import Theatre


@pytest.fixture(scope="session")
async def theatre(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> AsyncIterator[Theatre]:
    folder = tmp_path_factory.mktemp("system")
    async with Nursery() as nursery, server_over(folder, NAMESPACES) as server:
        theatre = Theatre(Grounds(nursery, server, folder), request.session.items)
        yield theatre
        await theatre.close()


@pytest.fixture
async def scene(theatre, request):
    """The scene that this test is about, as something to await."""
    return theatre.play(request.param)


@pytest.fixture
async def known(theatre, request):
    """What the scene before this one came to: the same mission, undisturbed."""
    [earlier] = request.node.callspec.params["scene"].after
    return await theatre.play(earlier)
