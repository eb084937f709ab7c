from pathlib import Path

import pytest

from tests.activities import office


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the office's people; tests only read it."""
    folder = tmp_path_factory.mktemp("office")
    office.populate(folder)
    return folder
