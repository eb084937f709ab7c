"""What may stand under a key: in the words of the reference, and as JSON Schema.

Pure data beside `shape.py`. The law: what the loader accepts, these schemas accept; what a schema cannot say, such as
whether an agent exists, is left to the checks.
"""

from typing import Any, get_args

from contracts.child import OnParentClose
from contracts.failure_class import WAYS as NAMES_OF_WAYS
from contracts.party import CONSENSUS, TURNS
from contracts.step import LAST_RESORTS
from language.name import MISSION, STEP, VARIABLE

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "pattern": r"\S"}
NAMES: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "uniqueItems": True}]}
TARGET: Schema = {"anyOf": [TEXT, {"$ref": "#/$defs/branches"}]}


def ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def pattern(name: str) -> Schema:
    return {"type": "string", "pattern": f"^{name}$"}


SPAN: Schema = pattern(r"(\d+(\.\d+)?(ms|[dhms]))+")
WAY: Schema = {"anyOf": [TEXT, ref("branches"), ref("fallback")]}
STEPLESS: Schema = {"anyOf": [TEXT, ref("fallback")]}
WAYS: Schema = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": dict.fromkeys(NAMES_OF_WAYS, WAY),
}

TYPES: dict[str, tuple[str, Schema]] = {
    "text": ("text", TEXT),
    "template": ("text with `${{ }}`", TEXT),
    "expression": ("CEL", TEXT),
    "agent": ("name of an agent", TEXT),
    "tool": ("name of a tool", TEXT),
    "name": ("name", pattern(STEP.pattern)),
    "mission name": ("name in small letters", pattern(MISSION.pattern)),
    "variable": ("variable", pattern(VARIABLE.pattern)),
    "templates": ("one text with `${{ }}` or a list", NAMES),
    "names": ("one name or a list", NAMES),
    "duration": ("span of time", SPAN),
    "durations": ("one span of time or a list", {"anyOf": [SPAN, {"type": "array", "minItems": 1, "items": SPAN}]}),
    "target": (
        "target",
        {**TARGET, "description": "A step's name, a list of steps, or escalate, abort or continue."},
    ),
    "silence": (
        "target, `refuse` or `dead_letter`",
        {
            **TARGET,
            "description": "escalate, refuse, dead_letter, abort, a step's name or a list of steps; never continue.",
        },
    ),
    "last resort": ("`refuse` or `dead_letter`", {"enum": list(LAST_RESORTS)}),
    "approval": ("`approval`", {"const": "approval"}),
    "arguments": ("map", {"type": "object"}),
    "inputs": ("JSON Schema", {"type": "object", "required": ["type"], "properties": {"type": {"const": "object"}}}),
    "steps": ("list of named steps", {"type": "array", "minItems": 1, "items": ref("named-step")}),
    "branches": ("list of steps", {"type": "array", "minItems": 1, "items": ref("step")}),
    "seats": (
        "map of roles to 1 to 100",
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 100},
        },
    ),
    "excluded": ("`requester`, `author` or `nobody`, or a list", NAMES),
    "rungs": ("list of [rungs](gate.md#a-rung)", {"type": "array", "items": ref("rung")}),
    "retry": ("[retry](README.md#retry)", ref("retry")),
    "gate": ("[gate](gate.md)", ref("gate")),
    "condition": ("map, below", ref("condition")),
    "loop": ("map, below", ref("loop")),
    "verdict": ("map, below", ref("verdict")),
    "dead-letter": ("map, below", ref("dead-letter")),
    "budget": ("map, below", ref("budget")),
    "clock": ("`freeze` or `run`", {"enum": ["freeze", "run"]}),
    "map": ("map, below", ref("map")),
    "wait": ("map, below", ref("wait")),
    "review": ("map, below", ref("review")),
    "canary": ("map, below", ref("canary")),
    "stages": (
        "list of whole numbers",
        {"type": "array", "minItems": 1, "maxItems": 100, "items": {"type": "integer", "minimum": 1}},
    ),
    "part": ("[action](action.md) or [agent](agent.md)", ref("step")),
    "plan": ("map, below", ref("plan")),
    "allow": ("map, below", ref("allow")),
    "flag": ("`true` or `false`", {"type": "boolean"}),
    "party": ("map, below", ref("party")),
    "turns": ("`round_robin`, `all` or `moderator`", {"enum": list(TURNS)}),
    "consensus": ("`unanimous`, `majority`, `threshold` or `judge`", {"enum": list(CONSENSUS)}),
    "mission": ("name of a mission", TEXT),
    "closing": ("`undo`, `cancel` or `abandon`", {"enum": list(get_args(OnParentClose))}),
    "allowance": ("map, below", ref("allowance")),
    "schema": ("JSON Schema", {"type": "object"}),
    "value": ("any value", {}),
    "tolerance": (
        "number, or a share such as `20%`",
        {"anyOf": [{"type": "integer", "minimum": 0}, pattern(r"(\d{1,2}(\.\d+)?|100)%")]},
    ),
    "ways": (
        "target, or [by class](README.md#failures)",
        {"anyOf": [TEXT, ref("branches"), WAYS]},
    ),
    "way": ("target, or another fallback", WAY),
    "mission ways": (
        "built-in word, name of a step, or [by class](README.md#failures)",
        {"anyOf": [TEXT, {**WAYS, "properties": dict.fromkeys(NAMES_OF_WAYS, STEPLESS)}]},
    ),
    "compensation or tool": ("name of a tool, or a map, below", {"anyOf": [TEXT, ref("compensation")]}),
}


def words_of(type_: str) -> str:
    """Return what the reference calls a type."""
    return TYPES[type_][0] if type_ in TYPES else type_


def schema_of(type_: str) -> Schema:
    """Return the JSON Schema of a type. A number's bounds, such as `1 to 100`, are a type of their own."""
    if type_ in TYPES:
        return dict(TYPES[type_][1])
    least, _, most = type_.partition(" to ")
    if "." in type_:
        return {"type": "number", "minimum": float(least), "maximum": float(most)}
    return {"type": "integer", "minimum": int(least), "maximum": int(most)}
