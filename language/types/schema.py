"""JSON Schemas as types.

Pure. A schema that lists `properties` and does not say `additionalProperties: true` is taken at its word: a field
that it does not list is a mistake. JSON Schema itself would let such a field pass, but nobody could know what is in
it, and what authors mean by such a schema is the list. Where a schema says `anyOf`, `oneOf`, `allOf`, `not` or `if`,
its own `type` and `properties` hold and everything else is possible.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from language.types.kind import ANY, EVERY_KIND, OPEN, Type, type_of

KINDS = {
    "null": {"null"},
    "boolean": {"bool"},
    "integer": {"int"},
    "number": {"int", "double"},
    "string": {"text"},
    "array": {"list"},
    "object": {"map"},
}
VAGUE = frozenset(
    [
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "if",
        "dependentSchemas",
        "unevaluatedProperties",
        "$dynamicRef",
        "$recursiveRef",
    ]
)
ANNOTATIONS = frozenset(
    ["title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "$ref"]
)
MOST_HOPS = 20


def schema_type(schema: Any, root: Any = None) -> Type:
    """Return the type of the values that fit a schema; `root` is the document that its references look into."""
    root = schema if root is None else root
    schema = resolved(schema, root)
    if not isinstance(schema, dict) or not schema:
        return ANY
    values = listed_values(schema)
    kinds = named_kinds(schema.get("type"))
    if values is None:
        return Type(kinds, shapes=shapes(schema, root, kinds))
    fitting = [value for value in values if type_of(value).kinds <= kinds | {"int"}]
    words = frozenset(value for value in fitting if isinstance(value, str))
    known = frozenset(kind for value in fitting for kind in type_of(value).kinds)
    return Type(known, words if "text" in known else None, (OPEN,) if known & {"map", "list"} else ()) if known else ANY


def shapes(schema: dict[str, Any], root: Any, kinds: frozenset[str]) -> tuple["Described", ...]:
    return (Described(schema, root),) if kinds & {"list", "map"} else ()


def resolved(schema: Any, root: Any) -> Any:
    """Return what a schema's `$ref` leads to; an empty schema where that cannot be told."""
    for _ in range(MOST_HOPS):
        if not isinstance(schema, dict) or "$ref" not in schema:
            return schema
        target = schema["$ref"]
        if not ANNOTATIONS.issuperset(schema) or not isinstance(target, str) or "$id" in schema:
            return {}
        schema = pointed(target, root)
    return {}


def pointed(target: str, root: Any) -> Any:
    """Return what stands at a reference into the same document, such as `#/$defs/host`."""
    if target == "#":
        return root
    if not target.startswith("#/"):
        return {}
    at = root
    for part in target[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        at = at.get(name, {}) if isinstance(at, dict) else {}
    return at


def named_kinds(named: Any) -> frozenset[str]:
    """Return the kinds that `type` names, as one word or as a list of them."""
    words = [named] if isinstance(named, str) else named
    if not isinstance(words, list) or not all(isinstance(word, str) and word in KINDS for word in words):
        return EVERY_KIND
    return frozenset(kind for word in words for kind in KINDS[word])


def listed_values(schema: dict[str, Any]) -> list[Any] | None:
    """Return the only values that a schema lets pass, where it lists them."""
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return values if isinstance(values, list) else None


class Described:
    """What a map or a list holds by its schema."""

    def __init__(self, schema: dict[str, Any], root: Any) -> None:
        self._schema = schema
        self._root = root
        properties = schema.get("properties")
        self._properties: Mapping[str, Any] = properties if isinstance(properties, dict) else {}

    def field(self, name: str) -> Type | None:
        """Return the type of a field; None where the schema does not let it be, or lists others."""
        if name in self._properties:
            return schema_type(self._properties[name], self._root)
        if VAGUE & self._schema.keys() or "patternProperties" in self._schema:
            return ANY
        more = self._schema.get("additionalProperties", not self._properties)
        if isinstance(more, dict):
            return schema_type(more, self._root)
        return ANY if more is True or name in self._required() else None

    def names(self) -> Iterable[str]:
        return dict.fromkeys([*self._properties, *self._required()])

    def element(self) -> Type:
        items = self._schema.get("items")
        if VAGUE & self._schema.keys() or "prefixItems" in self._schema or items is None:
            return ANY
        return schema_type(items, self._root)

    def _required(self) -> list[str]:
        required = self._schema.get("required")
        return [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
