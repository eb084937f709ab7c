"""The reference names every code that the language has, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"\b[A-Z]+(?:_[A-Z0-9]+)+\b|\bCYCLE\b|\bUNREACHABLE\b|\bEXPRESSION\b|\bFILE\b")
USED = re.compile(r'"((?:[A-Z]+_)+[A-Z]+|CYCLE|UNREACHABLE|EXPRESSION|FILE)"')


def test_the_reference_lists_every_code():
    sources = "".join(path.read_text() for path in (ROOT / "language").rglob("*.py"))
    made = {f"UNKNOWN_{what}" for what in ("AGENT", "TOOL", "PERSON", "STEP", "SERVER")}
    used = set(USED.findall(sources)) | made
    table = (ROOT / "docs" / "language.md").read_text().partition("## What is refused")[2]

    assert set(CODE.findall(table)) == used
