"""What a schema calls sensitive is found where it stands, and hidden there; all else stays."""

import pytest

from language.sensitive import HIDDEN, found, hidden

SECRET = {"type": "string", "sensitive": True}
PERSON = {"type": "object", "properties": {"name": {"type": "string"}, "pin": SECRET}}
PAIR = {"prefixItems": [{}, SECRET], "items": PERSON}
MORE = {"additionalProperties": SECRET, "properties": {"a": {}}}
NAMED = {"$defs": {"p": PERSON}, "properties": {"who": {"$ref": "#/$defs/p"}}}


@pytest.mark.parametrize(
    ("schema", "value", "shown", "values"),
    [
        (PERSON, {"name": "Ada", "pin": "4711"}, {"name": "Ada", "pin": HIDDEN}, ["4711"]),
        ({"type": "array", "items": PERSON}, [{"pin": "1"}, {"name": "b"}], [{"pin": HIDDEN}, {"name": "b"}], ["1"]),
        (PAIR, ["a", "b", {"pin": "c"}], ["a", HIDDEN, {"pin": HIDDEN}], ["b", "c"]),
        (MORE, {"a": "x", "b": "y"}, {"a": "x", "b": HIDDEN}, ["y"]),
        (NAMED, {"who": {"pin": "7"}}, {"who": {"pin": HIDDEN}}, ["7"]),
        ({"anyOf": [{"type": "null"}, PERSON]}, {"pin": "9"}, {"pin": HIDDEN}, ["9"]),
        ({"sensitive": True, "type": "object"}, {"a": ["x", 5, True, None]}, HIDDEN, ["x", 5]),
        (PERSON, "no object", "no object", []),
        ({"$ref": "#"}, {"a": 1}, {"a": 1}, []),
        (True, {"a": 1}, {"a": 1}, []),
        ({"sensitive": False}, "x", "x", []),
        (
            {"patternProperties": {"^p": SECRET}, "properties": {"a": {}}},
            {"a": "x", "pin": "1"}, {"a": "x", "pin": HIDDEN}, ["1"],
        ),
        (
            {"patternProperties": {"^a": {}}, "additionalProperties": SECRET},
            {"a": "x", "b": "y"}, {"a": "x", "b": HIDDEN}, ["y"],
        ),
        (
            {"properties": {"a": {}}, "unevaluatedProperties": SECRET},
            {"a": "x", "b": "y"}, {"a": "x", "b": HIDDEN}, ["y"],
        ),
        ({"dependentSchemas": {"name": PERSON}}, {"name": "Ada", "pin": "1"}, {"name": "Ada", "pin": HIDDEN}, ["1"]),
        ({"contains": PERSON}, [{"pin": "1"}], [{"pin": HIDDEN}], ["1"]),
        ({"prefixItems": [{}], "unevaluatedItems": SECRET}, ["a", "b"], ["a", HIDDEN], ["b"]),
        (
            {"items": [{}, SECRET], "additionalItems": PERSON},
            ["a", "b", {"pin": "c"}], ["a", HIDDEN, {"pin": HIDDEN}], ["b", "c"],
        ),
        (
            {"anyOf": [PERSON], "properties": {"who": {"$ref": "#/anyOf/0"}}},
            {"who": {"pin": "7"}}, {"who": {"pin": HIDDEN}}, ["7"],
        ),
        ({"$defs": {"a b": PERSON}, "$ref": "#/$defs/a%20b"}, {"pin": "7"}, {"pin": HIDDEN}, ["7"]),
        ({"$defs": {"p": {"$anchor": "who", **PERSON}}, "$ref": "#who"}, {"pin": "7"}, {"pin": HIDDEN}, ["7"]),
        (
            {"$defs": {"p": {"$dynamicAnchor": "who", **PERSON}}, "$dynamicRef": "#who"},
            {"pin": "7"}, {"pin": HIDDEN}, ["7"],
        ),
        ({"$defs": {"p": {"$id": "who.json", **PERSON}}, "$ref": "who.json"}, {"pin": "7"}, {"pin": HIDDEN}, ["7"]),
        ({"$ref": "#/anyOf/9"}, {"a": 1}, {"a": 1}, []),
        ({"$ref": "#nobody"}, {"a": 1}, {"a": 1}, []),
    ],
)  # fmt: skip
def test_what_is_sensitive_is_hidden_and_found(schema, value, shown, values):
    assert shown == hidden(schema, value)
    assert values == found(schema, value)
