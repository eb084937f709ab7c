from pathlib import Path
from typing import Any

import pytest

from tests.cache import CACHE
from tests.workflows.house import populate
from worker import cache


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the house's people; tests only read it."""
    return populate(tmp_path_factory.mktemp("house"))


@pytest.fixture(params=[{}, cache(0)], ids=["cached", "replayed"])
def cached(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Play a test as usual, and once more with no mission kept in memory: then every workflow task is a replay."""
    for name, value in request.param.items():
        monkeypatch.setitem(CACHE, name, value)
    return request.param
