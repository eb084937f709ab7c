"""Values that a JSON Schema calls `sensitive: true`: found where they stand, and hidden there.

The law: what is under such a property is hidden whole, and a schema that does not fit hides nothing less. The approved
arguments themselves are never changed: only what is shown and noticed of them.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from language import schema as schemas

HIDDEN = "<hidden>"
DEPTH = 60
TOGETHER = ("allOf", "anyOf", "oneOf")
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
NAMES = ("$anchor", "$dynamicAnchor", "$id")


def hidden(schema: Any, value: Any) -> Any:
    """Return a value with what is sensitive in it hidden."""
    return _walk(schema, value, schema, [], DEPTH)


def found(schema: Any, value: Any) -> list[Any]:
    """Return what is sensitive in a value: texts and numbers, one by one."""
    taken: list[Any] = []
    _walk(schema, value, schema, taken, DEPTH)
    return taken


def _walk(schema: Any, value: Any, root: Any, taken: list[Any], depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth == 0:
        return value
    if schema.get("sensitive") is True:
        taken.extend(_scalars(value))
        return HIDDEN
    for other in _others(schema, root):
        value = _walk(other, value, root, taken, depth - 1)
    if isinstance(value, Mapping):
        return {name: _each(_of(schema, name), one, root, taken, depth) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_each(_at_number(schema, number), one, root, taken, depth) for number, one in enumerate(value)]
    return value


def _each(parts: Iterator[Any], value: Any, root: Any, taken: list[Any], depth: int) -> Any:
    """Return a value as all schemas leave it that hold for it."""
    for part in parts:
        value = _walk(part, value, root, taken, depth - 1)
    return value


def _others(schema: Mapping[str, Any], root: Any) -> Iterator[Any]:
    """Yield the schemas that hold, or may hold, for the same value."""
    for name in REFERENCES:
        reference = schema.get(name)
        if isinstance(reference, str):
            yield _at(root, unquote(reference))
    for name in TOGETHER:
        yield from schema.get(name, ())
    yield from (schema[name] for name in ("if", "then", "else") if name in schema)
    for name in ("dependentSchemas", "dependencies"):
        yield from schema.get(name, {}).values()


def _at(root: Any, reference: str) -> Any:
    """Return the schema that a reference leads to: by its path, or by the name that it has somewhere."""
    if not reference.startswith("#") or (reference[1:] and not reference.startswith("#/")):
        return _called(root, reference.removeprefix("#"))
    for part in reference.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(root, list | tuple):
            root = root[int(name)] if name.isdecimal() and int(name) < len(root) else None
        else:
            root = root.get(name) if isinstance(root, Mapping) else None
    return root


def _called(root: Any, name: str) -> Any:
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            if any(one.get(key) == name for key in NAMES):
                return one
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
    return None


def _of(schema: Mapping[str, Any], name: str) -> Iterator[Any]:
    """Yield what holds for a property."""
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    fitting = [one for pattern, one in patterns.items() if not schemas.errors({"pattern": pattern}, name)]
    yield from ([known[name]] if name in known else [])
    yield from fitting
    if name not in known and not fitting:
        yield schema.get("additionalProperties")
        yield schema.get("unevaluatedProperties")


def _at_number(schema: Mapping[str, Any], number: int) -> Iterator[Any]:
    """Yield what holds for an item of a list, in this draft and in those of before."""
    items = schema.get("items")
    first, rest = (
        (items, "additionalItems") if isinstance(items, list | tuple) else (schema.get("prefixItems", ()), "items")
    )
    if number < len(first):
        yield first[number]
    else:
        yield schema.get(rest)
        yield schema.get("unevaluatedItems")
    yield schema.get("contains")


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _scalars(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _scalars(one)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
        yield value
