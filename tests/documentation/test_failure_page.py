"""The page of failures: each row names a test that there is, and what is made of the classes names each code."""

import ast
import re

import manual

from contracts.failure_class import CODES

PAGE = "docs/failures.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows():
    """Return the rows of the table of failures, without its head."""
    table = [line for line in manual.section(manual.text(PAGE), "One by one").splitlines() if line.startswith("|")]
    return table[2:]


def missing(row):
    """Return the tests that a row names and that there are not; a row that names none is missing its proof."""
    named = TEST.findall(row.split("|")[-2])
    return [f"{file}::{name}" for file, name in named if name not in functions_of(file)] if named else [row]


def functions_of(file):
    path = manual.ROOT / file
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_row_says_what_the_engine_does_what_people_do_and_which_test_proves_it():
    assert [] == [row for row in rows() if len([cell for cell in row.split("|") if cell.strip()]) != 4]
    assert [] == [one for row in rows() for one in missing(row)]
    assert len(rows()) >= 20


def test_a_row_without_its_test_is_found():
    assert ["tests/documentation/test_failure_page.py::test_nothing"] == missing(
        "| a | b | c | `tests/documentation/test_failure_page.py::test_nothing` |"
    )
    assert ["| a | b | c | d |"] == missing("| a | b | c | d |")


def test_no_failure_stands_twice():
    names = [row.split("|")[1] for row in rows()]

    assert sorted(set(names)) == sorted(names)


def test_the_classes_name_every_code():
    listed = manual.section(manual.text(PAGE), "The classes")

    assert [] == [code for code in CODES if f"`{code}`" not in listed]
