"""Every mistake is found, at its place, with what to write instead, and nothing else is.

Each file in `bad/` is a mission with a mistake; its lines that start with `#: ` are exactly what must be found.
"""

from pathlib import Path

import pytest
from desk import findings

FOLDER = Path(__file__).parent / "bad"
FILES = sorted(FOLDER.glob("*.yaml"))
TOLD = "#: "


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_mistake_is_found_at_its_place_and_nothing_else_is(file: Path):
    text = file.read_text(encoding="utf-8")
    expected = [line.removeprefix(TOLD) for line in text.splitlines() if line.startswith(TOLD)]

    assert [f"m.yaml:{finding}" for finding in expected] == findings(text)
    assert expected


def test_there_are_enough_of_them():
    assert len(FILES) >= 60
