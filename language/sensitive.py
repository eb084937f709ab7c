"""Values that a JSON Schema calls `sensitive: true`: found where they stand, and hidden there.

The law: what is under such a property is hidden whole, and a schema that does not fit hides nothing less. The approved
arguments themselves are never changed: only what is shown and noticed of them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

HIDDEN = "<hidden>"
DEPTH = 60
TOGETHER = ("allOf", "anyOf", "oneOf")


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
        return {name: _walk(_of(schema, name), one, root, taken, depth - 1) for name, one in value.items()}
    if isinstance(value, list | tuple):
        first = schema.get("prefixItems", [])
        rest = schema.get("items")
        parts = [first[number] if number < len(first) else rest for number in range(len(value))]
        return [_walk(part, one, root, taken, depth - 1) for part, one in zip(parts, value, strict=True)]
    return value


def _others(schema: Mapping[str, Any], root: Any) -> Iterator[Any]:
    """Yield the schemas that hold for the same value."""
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        yield _at(root, reference)
    for name in TOGETHER:
        yield from schema.get(name, ())
    yield from (schema[name] for name in ("if", "then", "else") if name in schema)


def _at(root: Any, reference: str) -> Any:
    for part in reference.removeprefix("#").split("/")[1:]:
        root = root.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(root, Mapping) else None
    return root


def _of(schema: Mapping[str, Any], name: str) -> Any:
    known = schema.get("properties", {})
    return known[name] if name in known else schema.get("additionalProperties")


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _scalars(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _scalars(one)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
        yield value
