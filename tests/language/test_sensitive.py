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
    ],
)  # fmt: skip
def test_what_is_sensitive_is_hidden_and_found(schema, value, shown, values):
    assert shown == hidden(schema, value)
    assert values == found(schema, value)
