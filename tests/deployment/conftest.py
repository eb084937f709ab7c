"""The files as they are, read once."""

from typing import Any

import pytest
from deployment_file import FILE, ROOT, render

from contracts.workspace import Workspace
from language.workspace import load_workspace


@pytest.fixture(scope="session")
def text() -> str:
    return FILE.read_text()


@pytest.fixture(scope="session")
def model(text: str) -> dict[str, Any]:
    return render(text)


@pytest.fixture(scope="session")
def services(model: dict[str, Any]) -> dict[str, Any]:
    return model["services"]


@pytest.fixture(scope="session")
def workspace() -> Workspace:
    return load_workspace(ROOT / "missions")
