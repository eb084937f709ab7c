from pathlib import Path

import pytest

from tests.workflows.house import populate


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the house's people; tests only read it."""
    return populate(tmp_path_factory.mktemp("house"))
