"""A small workspace in a folder of its own."""

import pytest
from theatre_folder import AGENTS, PEOPLE, TOOLS, Theatre


@pytest.fixture
def theatre(tmp_path):
    for name, text in (("agents", AGENTS), ("tools", TOOLS), ("people", PEOPLE)):
        (tmp_path / f"{name}.yaml").write_text(text)
    made = Theatre(tmp_path)
    made.mission("  - {step: work, agent: ann, task: work}\n")
    return made
