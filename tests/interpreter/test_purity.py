"""No sandbox watches workflow code, so this does: no clock, no chance, no machine, no order that chance makes."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "workflows"
PURE = sorted(path for path in ROOT.rglob("*.py") if path.name != "runner.py")
"""All but what runs workflow code on a worker, and is none."""
MODULES = {"time", "random", "secrets", "uuid", "os", "socket", "threading", "subprocess", "pathlib", "sys", "platform"}
CALLS = {"now", "utcnow", "today", "open", "print", "input", "eval", "exec"}
UNORDERED = {"TaskGroup", "wait", "wait_for", "as_completed", "to_thread", "timeout"}
"""Parts of asyncio whose order of turns is not a workflow's, or another one in each Python."""


def sins(source: str) -> list[str]:
    """Return what a module does that the interpreter may not."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [name.name for name in names if name.name.split(".")[0] in MODULES]
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in MODULES:
                found.append(module)
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                found.append(name)
            case ast.Call(
                func=ast.Attribute(attr=name, value=ast.Name(id="datetime" | "date") | ast.Attribute(attr="datetime"))
            ) if name in CALLS:
                found.append(name)
            case ast.Attribute(attr=name, value=ast.Name(id="asyncio")) if name in UNORDERED:
                found.append(name)
            case ast.ImportFrom(module="asyncio", names=names):
                found += [name.name for name in names if name.name in UNORDERED]
    return found


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_interpreter_sees_nothing_but_its_ports(path):
    assert [] == sins(path.read_text())


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from os import environ",
        "datetime.now()",
        "datetime.datetime.now()",
        "open('x')",
        "import uuid as u",
        "asyncio.wait({task})",
        "from asyncio import TaskGroup",
    ],
)
def test_a_sin_is_found(source):
    assert sins(source)
