"""CEL expressions, and `${{ expr }}` in strings: behind one small door.

The laws: an expression answers alike on every machine and every replay; an error or a missing field is never true;
nothing an author or an agent writes makes it run long. It is used inside workflow code.
The other halves: `cel_compile.py` compiles and says what is wrong, `cel_tree.py` reads the parse tree,
`cel_order.py` makes it deterministic, `cost.py` bounds it. Only these know which CEL runs.
"""

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from cel_expr_python import cel

from contracts.base import canonical
from language.cel_compile import STATUS, ExpressionError, Problem, compile_expression, diagnosed, mistyped
from language.cost import Refused, check_cost, project
from language.name import suggestion

__all__ = (
    "ExpressionError",
    "Problem",
    "evaluate",
    "evaluate_bool",
    "names",
    "problems",
    "render",
    "split_template",
    "template_expressions",
)


def evaluate(source: str, variables: Mapping[str, Any]) -> Any:
    """Return an expression's value as JSON data. Raises `ExpressionError`.

    Variables are JSON data too; only what the expression reads of them is touched.
    """
    compiled = compile_expression(source)
    reads = compiled.tree.reads
    data = {name: project(variables[name], paths) for name, paths in reads.items() if name in variables}
    try:
        check_cost(compiled.tree, data)
        value = compiled.runnable.eval(data=data)
    except Refused as error:
        raise ExpressionError(str(error)) from error
    except Exception as error:
        raise ExpressionError(explained(str(error))) from error
    if value.type() == cel.Type.ERROR:
        raise ExpressionError(explained(str(value.plain_value())))
    return json_value(value.plain_value())


def evaluate_bool(source: str, variables: Mapping[str, Any]) -> bool:
    """Return whether an expression is true. Anything but true and false raises `ExpressionError`."""
    value = evaluate(source, variables)
    if not isinstance(value, bool):
        raise ExpressionError(f"answers {kind_of(value)}, where only true or false will do")
    return value


def names(source: str) -> frozenset[str]:
    """Return the variables that an expression reads. Raises `ExpressionError` when it cannot be compiled."""
    return frozenset(compile_expression(source).tree.reads)


def problems(source: str, known_names: Iterable[str]) -> list[Problem]:
    """Return what is wrong with an expression that may read the known variables; an empty list when nothing is."""
    known = frozenset(known_names)
    try:
        tree = compile_expression(source).tree
    except ExpressionError:
        return diagnosed(source)
    unknown = [
        Problem(f"unknown variable '{name}'{suggestion(name, known)}", *position(source, tree.first_seen[name]))
        for name in tree.reads
        if name not in known
    ]
    return [*unknown, *mistyped(source)]


def position(source: str, offset: int) -> tuple[int, int]:
    """Return line and column, from 1, of a character."""
    before = source[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


EXPLANATIONS = (
    (re.compile(r"construction from null"), "reads text that is not valid Unicode"),
    (re.compile(r'Key not found in map : "(.*)"'), r"there is no field '\1'"),
    (re.compile(r'No value with name "(.*?)" found in Activation'), r"variable '\1' has no value"),
    (re.compile(r"overloads found : _\+_\(map, list\)"), "map() and filter() need a list; a map has no order"),
    (re.compile(r"No matching overloads found : (.*)"), r"these do not go together: \1"),
    (re.compile(r"Iteration budget exceeded"), "goes through too many elements"),
)


def explained(message: str) -> str:
    """Return the runtime's error in words of ours where we have them."""
    for pattern, words in EXPLANATIONS:
        match = pattern.search(message)
        if match:
            return match.expand(words)
    return STATUS.sub("", message.partition("\n")[0]) or "no answer"


def json_value(value: Any) -> Any:
    """Return a value as JSON data with maps in the order of their keys. Raises `ExpressionError` for what is none."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case list():
            return [json_value(item) for item in value]
        case dict():
            if not all(isinstance(key, str) for key in value):
                raise ExpressionError("answers a map whose keys are not all text, which JSON cannot hold")
            return {key: json_value(value[key]) for key in sorted(value)}
        case _:
            raise ExpressionError(f"answers {kind_of(value)}, which JSON cannot hold")


def kind_of(value: Any) -> str:
    """Return what a person calls a value of this type."""
    if isinstance(value, float) and not math.isfinite(value):
        return "no finite number"
    words = {str: "text", int: "a number", float: "a number", list: "a list", dict: "a map", type(None): "null"}
    return words.get(type(value), f"a {type(value).__name__}")


TEMPLATE = "${{"


class Part(NamedTuple):
    """A piece of a string with expressions in it: plain text, or an expression and where it starts."""

    text: str
    offset: int = 0
    expression: bool = False


def render(value: Any, variables: Mapping[str, Any]) -> Any:
    """Return a value with each `${{ expr }}` in its strings resolved. Raises `ExpressionError`.

    A string that is one expression and nothing else becomes that expression's value; elsewhere text is put in as it
    is and other values as JSON.
    """
    match value:
        case str():
            return render_text(value, variables)
        case Mapping():
            return {key: render(item, variables) for key, item in value.items()}
        case list() | tuple():
            return [render(item, variables) for item in value]
        case _:
            return value


def render_text(text: str, variables: Mapping[str, Any]) -> Any:
    """Return a string with its expressions resolved."""
    if TEMPLATE not in text:
        return text
    parts = split_template(text)
    values = [evaluate(part.text, variables) if part.expression else part.text for part in parts]
    if len(parts) == 1:
        return values[0]
    return "".join(value if isinstance(value, str) else canonical(value).decode() for value in values)


def template_expressions(value: Any) -> list[str]:
    """Return the expressions in a value's strings, in order. Raises `ExpressionError` for one that is left open."""
    match value:
        case str():
            return [part.text for part in split_template(value) if part.expression]
        case Mapping():
            return [found for item in value.values() for found in template_expressions(item)]
        case list() | tuple():
            return [found for item in value for found in template_expressions(item)]
        case _:
            return []


@lru_cache(maxsize=2048)
def split_template(text: str) -> tuple[Part, ...]:
    """Return a string's plain pieces and expressions in order."""
    parts: list[Part] = []
    at = 0
    while (start := text.find(TEMPLATE, at)) >= 0:
        if start > at:
            parts.append(Part(text[at:start]))
        begin = start + len(TEMPLATE)
        end = closing(text, begin)
        parts.append(Part(text[begin:end], begin, expression=True))
        at = end + 2
    return (*parts, Part(text[at:])) if at < len(text) else tuple(parts)


def closing(text: str, begin: int) -> int:
    """Return where the `}}` of an expression is: outside its quotes and its own braces."""
    depth, quote, at = 0, "", begin
    while at < len(text):
        char = text[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif depth == 0 and text.startswith("}}", at):
            return at
        else:
            depth += (char == "{") - (char == "}")
        at += 1
    raise ExpressionError("'${{' without its '}}'")
