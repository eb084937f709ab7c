"""Compile CEL, within bounds, and say what is wrong with what cannot be compiled.

The other half is `language/expression.py`, which evaluates.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from cel_expr_python import cel

from language.cel_order import ordered
from language.cel_tree import Tree, read_tree
from language.name import suggestion
from language.types.function import FUNCTIONS

MOST_CHARACTERS = 2_000
MOST_NODES = 300
MOST_MACROS = 6

UNCHECKED = cel.NewEnv()
COMPILE_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")


UNDECLARED = re.compile(r"undeclared reference to '(\w+)'")
MACROS = ("all", "exists", "exists_one", "filter", "map")
STATUS = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")


class ExpressionError(Exception):
    """An expression that cannot be compiled, or has no answer. Its text says why, without the expression's source."""


class Problem(NamedTuple):
    """What is wrong with an expression, and where in it: line and column from 1."""

    message: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.message} (line {self.line}, column {self.column} of the expression)"


@dataclass(frozen=True)
class Compiled:
    """An expression ready to run, and its tree."""

    runnable: Any
    tree: Tree


@lru_cache(maxsize=2048)
def compile_expression(source: str) -> Compiled:
    """Return an expression that is within the bounds. Raises `ExpressionError`."""
    found = diagnosed(source)
    if found:
        raise ExpressionError("; ".join(str(problem) for problem in found))
    serialized = UNCHECKED.compile(source, disable_check=True).serialize()
    return Compiled(UNCHECKED.deserialize(ordered(serialized)), read_tree(serialized))


def diagnosed(source: str) -> list[Problem]:
    """Return why an expression cannot be compiled or is out of bounds."""
    if not source.strip():
        return [Problem("the expression is empty")]
    if len(source) > MOST_CHARACTERS:
        return [Problem(f"the expression has {len(source)} characters; at most {MOST_CHARACTERS} are allowed")]
    try:
        serialized = UNCHECKED.compile(source, disable_check=True).serialize()
    except Exception as error:
        return compile_errors(str(error))
    return oversized(read_tree(serialized))


def oversized(tree: Tree) -> list[Problem]:
    """Return which bounds of size a tree is over."""
    macros = sum(node.kind == "comprehension" for node in tree.nodes)
    found = []
    if len(tree.nodes) > MOST_NODES:
        found.append(Problem(f"the expression has {len(tree.nodes)} parts; at most {MOST_NODES} are allowed"))
    if macros > MOST_MACROS:
        found.append(Problem(f"the expression goes through lists {macros} times; at most {MOST_MACROS} are allowed"))
    if any("\0" in (node.text or "") for node in tree.nodes):
        found.append(Problem("the expression has a text with a NUL in it"))
    found += [
        Problem(f"'{node.name}' makes a protobuf message; write a map")
        for node in tree.nodes
        if node.kind == "struct" and node.name
    ]
    return found


@lru_cache(maxsize=2048)
def mistyped(source: str) -> tuple[Problem, ...]:
    """Return what CEL's type checker finds: unknown functions, and functions with too few or too many arguments.

    What goes together is the business of `language/types`, which knows what is in a map; to this checker a whole number
    does not even compare with a decimal one.
    """
    try:
        environment(frozenset(compile_expression(source).tree.reads)).compile(source)
    except Exception as error:
        return tuple(problem for problem in map(reworded, compile_errors(str(error))) if problem)
    return ()


def reworded(problem: Problem) -> Problem | None:
    """Return one of the checker's findings in words of ours; none where types are its reason."""
    unknown = UNDECLARED.fullmatch(problem.message)
    if unknown is None:
        return None if problem.message.startswith("found no matching overload") else problem
    name = unknown[1]
    if name in MACROS:
        return problem._replace(message=f"{name}() takes a name and a question; write {name}(x, x > 1)")
    if name in FUNCTIONS:
        return problem._replace(message=f"{name}() has too few or too many operands; it takes {FUNCTIONS[name].words}")
    meant = suggestion(name, [*FUNCTIONS, *MACROS]) or f"; there are {', '.join(sorted([*FUNCTIONS, *MACROS]))}"
    return problem._replace(message=f"there is no function '{name}'{meant}")


@lru_cache(maxsize=256)
def environment(variables: frozenset[str]) -> Any:
    """Return CEL's type checker for some variables, each of any type."""
    return cel.NewEnv(variables=dict.fromkeys(variables, cel.Type.DYN))


def compile_errors(message: str) -> list[Problem]:
    """Return the problems in the compiler's message."""
    found = [compile_error(text, int(line), int(column)) for line, column, text in COMPILE_ERROR.findall(message)]
    if not found:
        return [Problem(message.partition("[")[0].partition("\n")[0].strip() or "cannot be compiled")]
    syntax = [problem for problem in found if problem.message.startswith("syntax error")]
    # What follows a syntax error is about text that the parser skipped.
    return syntax[:1] or list(dict.fromkeys(found))


def compile_error(text: str, line: int, column: int) -> Problem:
    """Return one of the compiler's errors in fewer words. A line beyond the text is the parser's word for `nowhere`."""
    text = STATUS.sub("", text.partition(" expecting ")[0].partition(" (in container")[0].strip())
    text = text.replace("Syntax error", "syntax error").replace(
        "mismatched input '<EOF>'", "the expression ends too soon"
    )
    return Problem(text, line, column) if line <= MOST_CHARACTERS else Problem(text)
