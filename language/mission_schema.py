"""The JSON Schema of `mission.yaml`, for editors: completion, words for each key, and mistakes of form while one types.

The law: what the loader accepts, this accepts; it knows form alone, and `gonogo lint` stays the judge. It is made from
`shape.py`, shipped as `docs/language/mission.schema.json`, and checked for drift.
"""

import json
from typing import Any

from language.key_type import Schema, ref, schema_of
from language.shape import FORMS, MISSION, STEPS, Key, Keys, keys_of

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def mission_schema() -> Schema:
    """Return the schema of a whole mission."""
    return {
        "$schema": DRAFT,
        "title": "A mission of Gonogo",
        "description": "The form of mission.yaml. What names mean is checked by `gonogo lint`.",
        **of_map(MISSION),
        "$defs": definitions(),
    }


def definitions() -> dict[str, Schema]:
    kinds = {kind_name(kind): of_map(keys_of(kind)) for kind in STEPS}
    return {
        "step": {"oneOf": [ref(name) for name in kinds]},
        "named-step": {"allOf": [ref("step")], "required": ["step"]},
        "branches": schema_of("branches"),
        **kinds,
        **{name: of_map(keys) for name, keys in FORMS.items()},
        "gate": {**of_map(FORMS["gate"]), "anyOf": [{"required": ["approvers"]}, {"required": ["from"]}]},
    }


def kind_name(kind: str) -> str:
    return f"{kind}-step"


def of_map(keys: Keys) -> Schema:
    """Return the schema of a map with these keys and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, key in keys.items() if key.required],
        "properties": {name: of_key(key) for name, key in keys.items()},
    }


def of_key(key: Key) -> Schema:
    default = f" (default {key.default.replace('`', '')})" if key.default else ""
    words = key.words.replace("`", "")
    words = f"{words[:1].upper()}{words[1:]}{default}."
    schema: dict[str, Any] = schema_of(key.type)
    return {**schema, "description": " ".join(filter(None, (words, schema.get("description"))))}


def as_text() -> str:
    """Return the schema as it is shipped and printed."""
    return json.dumps(mission_schema(), indent=2, ensure_ascii=False) + "\n"
