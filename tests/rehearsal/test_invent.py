"""The smallest value that fits, or none at all."""

import pytest

from language.schema import errors
from rehearsal.invent import CannotInvent, invent

CASES = [
    ({}, None),
    ({"type": "object"}, {}),
    ({"const": 7}, 7),
    ({"enum": ["low", "high"]}, "low"),
    ({"type": "boolean"}, False),
    ({"type": "integer"}, 0),
    ({"type": "integer", "minimum": 3}, 3),
    ({"type": "integer", "maximum": -2}, -2),
    ({"type": "integer", "exclusiveMinimum": 3, "multipleOf": 5}, 10),
    ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
    ({"type": "string"}, ""),
    ({"type": "string", "minLength": 3}, "xxx"),
    ({"type": "string", "format": "date-time"}, "2026-01-01T00:00:00Z"),
    ({"type": ["object", "null"]}, None),
    ({"type": ["string", "integer"]}, ""),
    ({"type": "array"}, []),
    ({"type": "array", "minItems": 2, "items": {"type": "integer"}}, [0, 0]),
    ({"type": "array", "minItems": 2, "uniqueItems": True, "items": {"type": "integer"}}, [0, 1]),
    ({"required": ["a"], "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}, {"a": ""}),
    ({"type": "object", "minProperties": 1, "properties": {"a": {"const": 1}}}, {"a": 1}),
    ({"anyOf": [{"const": "a"}, {"const": "b"}]}, "a"),
    ({"type": "object", "allOf": [{"required": ["a"]}, {"properties": {"a": {"const": 2}}}]}, {"a": 2}),
    ({"$ref": "#/$defs/t", "$defs": {"t": {"type": "string", "minLength": 1}}}, "x"),
    ({"type": "object", "required": ["k"], "properties": {"k": {"$ref": "#/$defs/t"}}, "$defs": {"t": {"const": 1}}},
     {"k": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "value"), CASES)
def test_a_value_is_made_that_fits(schema, value):
    made = invent(schema)

    assert value == made
    assert [] == errors(schema, made)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^[a-f]+$", "minLength": 2},
        {"not": {}},
        {"oneOf": [{"type": "integer"}, {"type": "integer"}]},
        {"$ref": "#", "type": "object"},
        {"$ref": "#/$defs/nowhere"},
    ],
)
def test_what_cannot_be_made_is_refused_and_never_made_wrong(schema):
    with pytest.raises(CannotInvent):
        invent(schema)
