"""Which classes of data a JSON Schema declares: `data: confidential` beside `type`, anywhere in it. Pure."""

from collections.abc import Iterator
from typing import Any

KEY = "data"
ONE = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")


def classes(schema: Any) -> frozenset[str]:
    """Return the classes of data that a schema declares."""
    return frozenset(_found(schema))


def _found(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    if isinstance(declared := schema.get(KEY), str):
        yield declared
    for key in ONE:
        yield from _found(schema.get(key))
    for key in LISTS:
        for part in schema.get(key) or () if isinstance(schema.get(key), list) else ():
            yield from _found(part)
    for key in MAPS:
        for part in schema[key].values() if isinstance(schema.get(key), dict) else ():
            yield from _found(part)
