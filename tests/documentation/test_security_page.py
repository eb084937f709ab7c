"""docs/security-tests.md against the tests: each that it names is there, and every row names one."""

import ast
import re
from functools import cache
from pathlib import Path

import manual

PAGE = manual.text("docs/security-tests.md")
NAMED = re.compile(r"`(?:(tests/[\w/]+\.py)(?:::)?)?(test_\w+)?`")


@cache
def names_in(file: str) -> frozenset[str]:
    path: Path = manual.ROOT / file
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return frozenset(one.name for one in tree.body if isinstance(one, kinds))


def missing(row: str) -> list[str]:
    """Return what a row names that there is not. A test without a file is of the file before it."""
    file, found = "", []
    for path, name in NAMED.findall(row.split("|")[-2]):
        file = path or file
        if name not in names_in(file):
            found.append(f"{file}::{name}")
    return found


def rows() -> list[str]:
    return [line for line in PAGE.splitlines() if line.startswith("| ") and "`tests/" in line]


def test_every_test_that_the_page_names_is_there():
    assert [] == [name for row in rows() for name in missing(row)]


def test_every_law_attack_and_mistake_has_its_test():
    told = [
        line
        for line in PAGE.splitlines()
        if line.startswith("| ") and not re.match(r"\| (law|attack|mistake in)", line)
    ]

    assert told == rows()
    assert len(told) > 50


def test_a_test_that_is_gone_is_noticed():
    assert ["tests/documentation/test_security_page.py::test_gone"] == missing(
        "| x | `tests/documentation/test_security_page.py::test_every_test_that_the_page_names_is_there`, `test_gone` |"
    )
