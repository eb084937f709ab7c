"""The front page of the reference names every code that the language has, and no other."""

import re
from pathlib import Path

from language.codes import codes

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"`([A-Z][A-Z_]+)`")


def test_the_reference_lists_every_code():
    table = (ROOT / "docs" / "language" / "README.md").read_text().partition("## What is refused")[2]

    assert set(CODE.findall(table)) == set(codes())
