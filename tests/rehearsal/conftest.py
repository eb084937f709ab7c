"""A small workspace in a folder of its own."""

import pytest
from theatre_folder import AGENTS, PEOPLE, TOOLS, Theatre

from tests.policies import permit_all


@pytest.fixture
def theatre(tmp_path):
    for name, text in (("agents", AGENTS), ("tools", TOOLS), ("people", PEOPLE)):
        (tmp_path / f"{name}.yaml").write_text(text)
    made = Theatre(permit_all(tmp_path))
    made.mission("  - {step: work, agent: ann, task: work}\n")
    return made
