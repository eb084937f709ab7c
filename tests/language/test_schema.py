"""Schemas are checked before they are used, reach nowhere, and say where a value fails them."""

import time
from typing import Any

import pytest

from language.schema import check_schema, errors

ORDER = {
    "type": "object",
    "required": ["host"],
    "additionalProperties": False,
    "properties": {
        "host": {"type": "string"},
        "ports": {"type": "array", "items": {"type": "integer"}},
        "inner": {"$ref": "#/$defs/inner"},
    },
    "$defs": {"inner": {"type": "object", "properties": {"when": {"type": "string", "format": "date-time"}}}},
}


def test_a_value_that_fits_has_no_errors():
    assert errors(ORDER, {"host": "h", "ports": [1, 2], "inner": {"when": "2026-01-01T00:00:00Z"}}) == []


def test_each_error_says_where_in_the_value():
    value = {"ports": [1, "x"], "inner": {"when": "today"}, "user": 1}

    assert errors(ORDER, value) == [
        '"host" is a required property',
        "Additional properties are not allowed ('user' was unexpected)",
        'inner.when: "today" is not a "date-time"',
        'ports[1]: "x" is not of type "integer"',
    ]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "objekt"},
        {"$ref": "http://127.0.0.1:1/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "other.json"},
        {"$ref": "#/$defs/none"},
        {"$schema": "http://127.0.0.1:1/meta"},
        {"properties": []},
        {"pattern": "("},
        {"pattern": "((a{0,100}){0,100}){0,100}"},
        [],
        "object",
        None,
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema: Any):
    assert len(check_schema(schema)) == 1


@pytest.mark.parametrize("schema", [{}, True, ORDER, {"$ref": "#"}, {"$defs": {"a": {"$ref": "#/$defs/a"}}}])
def test_a_schema_that_can_be_used_is_not(schema: Any):
    assert check_schema(schema) == []


def test_using_a_bad_schema_is_a_clear_error():
    with pytest.raises(ValueError, match="outside this schema"):
        errors({"$ref": "http://127.0.0.1:1/schema.json"}, 1)


def test_a_pattern_that_would_explode_elsewhere_ends_soon():
    began = time.thread_time()

    assert len(errors({"pattern": "^(a+)+$"}, "a" * 100_000 + "b")) == 1
    assert time.thread_time() - began < 1


def test_a_value_with_a_thousand_errors_is_told_some_of_them():
    assert len(errors({"items": {"type": "string"}}, [1] * 1_000)) == 20


def test_a_long_message_is_cut():
    (error,) = errors({"type": "integer"}, "x" * 10_000)

    assert len(error) < 400
