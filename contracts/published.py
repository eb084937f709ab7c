"""What others are told of missions: CloudEvents 1.0, one for an entry of the record, and a JSON Schema for each type.

The law: what is not named here is not told. Arguments, answers, comments, reasons and signed statements stay in the
record; an event has their digests. `activities/outbox.py` makes events, `docs/events.md` is made of this file.
"""

from dataclasses import dataclass, field
from typing import Any

from contracts.audit import Topic
from contracts.base import Message
from contracts.usage import Usage

SPECVERSION = "1.0"
MEDIA_TYPE = "application/cloudevents+json"
PREFIX = "gonogo."
VERSION = 1

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
TRUE: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": TEXT}
OR_NONE: Schema = {"type": ["string", "null"]}
COST: Schema = {
    "type": "object",
    "properties": {name: {"type": "number"} for name in sorted(Usage.model_fields)},
    "additionalProperties": False,
}
COMMON: dict[str, tuple[Schema, str]] = {
    "mission": (TEXT, "the mission's id"),
    "name": (TEXT, "the mission's name"),
    "version": (TEXT, "the version of its definition"),
    "what": (TEXT, "what happened, in the past tense"),
    "who": (TEXT, "the person, agent, tool or child mission"),
    "step": (TEXT, "the path of the step; empty where it is of the whole mission"),
    "digest": (TEXT, "the digest of what it speaks of"),
    "run_id": (TEXT, "the run whose history has it"),
    "event_id": (NUMBER, "its number in that history"),
}
"""In the data of every event."""
ACTED: dict[str, tuple[Schema, str]] = {
    "key": (TEXT, "the idempotency key that reached the tool"),
    "undoes": (OR_NONE, "the tool whose effect it undoes"),
    "approved": (TEXT, "the digest of what people approved; empty where nobody had to"),
    "decisions": (TEXTS, "the digests of the decisions that it ran on"),
    "arguments_digest": (TEXT, "the digest of its arguments"),
    "attempt": (NUMBER, "for the how manieth time"),
}
SAID: dict[str, tuple[Schema, str]] = {
    "verb": (OR_NONE, "what was said"),
    "jti": (TEXT, "the id of the signed statement"),
    "token_digest": (TEXT, "the digest of the signed statement"),
    "roles": (TEXTS, "the roles of who said it, then"),
}


@dataclass(frozen=True)
class Kind:
    """One type of event: what it tells, and what of an entry's detail its data has."""

    words: str
    fields: dict[str, tuple[Schema, str]] = field(default_factory=dict)


KINDS: dict[Topic, Kind] = {
    "start": Kind(
        "a mission began",
        {
            "team": (TEXT, "the team whose mission it is"),
            "inputs_digest": (TEXT, "the digest of its inputs"),
            "parent": (TEXT, "the mission whose child it is"),
            "rerun_of": (TEXT, "the mission that it repeats"),
        },
    ),
    "run": Kind("a mission went on in another run, or was reset", {"from_run": (TEXT, "the run that was reset")}),
    "admission": Kind("a plan was admitted before its first step, or not"),
    "plan": Kind("a plan that the mission made or loaded was taken or refused", {"plan": (TEXT, "its id")}),
    "state": Kind(
        "the mission stands otherwise than before: which stage it is at, and for whom its gates wait",
        {
            "MissionState": (TEXT, "how it stands"),
            "MissionVerdict": (TEXT, "its verdict"),
            "AwaitingRole": (TEXTS, "the roles that its open gates ask"),
            "GateDeadline": (TEXT, "when the first of these gates closes"),
            "HaltedBy": (TEXTS, "the halts that hold it up"),
            "AskedUnder": (TEXT, "the version of the rules that its open gates are asked under"),
        },
    ),
    "step": Kind(
        "an agent was asked, answered, failed, or was asked again",
        {
            "context_digest": (TEXT, "the digest of what it was shown"),
            "attempt": (NUMBER, "for the how manieth time"),
        },
    ),
    "observation": Kind(
        "an agent noticed something on its way; the digest is of all that", {"observations": (NUMBER, "how many")}
    ),
    "policy": Kind(
        "policy was asked; the digest is that of the policies",
        {
            "verb": (TEXT, "what was asked for, as `act` or `think`"),
            "about": (TEXT, "the mission, agent, tool or model that it was asked about"),
            "decision": (TEXT, "allow, deny, or by whose approval"),
            "policies": (TEXTS, "the policies that decided"),
        },
    ),
    "decision": Kind("a decision of a person arrived, counted, or was refused", SAID),
    "command": Kind("a command of an operator counted or was refused", SAID),
    "event": Kind("something from outside reached the mission", {"event": (TEXT, "its name"), "id": (TEXT, "its id")}),
    "action": Kind("an effect was ordered, executed, tried again, or failed", ACTED),
    "compensation": Kind("an effect was undone, or that failed", ACTED),
    "receipt": Kind(
        "an executor signed for an action: that it was executed, or that it failed; the digest is the receipt's",
        {"tool": (TEXT, "the tool that acted"), "key": ACTED["key"], "undoes": ACTED["undoes"]},
    ),
    "cost": Kind("an agent or a tool took time, tokens or money", {"cost": (COST, "how much of what")}),
    "notice": Kind("people were told of something"),
    "lock": Kind("a lock was waited for, held or let go"),
    "halt": Kind("work was held up by a halt, or went on"),
    "child": Kind(
        "a child mission began or reported",
        {"child": (TEXT, "its id"), "state": (TEXT, "how it stands"), "verdict": (OR_NONE, "its verdict")},
    ),
    "end": Kind("the mission ended", {"verdict": (OR_NONE, "its verdict"), "cost": (COST, "all that it cost")}),
}
"""By the topic of an entry. Timers and Temporal's own bookkeeping are told to nobody."""


class CloudEvent(Message):
    """One event. `sequence` grows within a mission, which `partitionkey` names; it has holes where nothing is told."""

    specversion: str = SPECVERSION
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str = "application/json"
    dataschema: str
    sequence: str
    partitionkey: str
    data: dict[str, Any]


def type_of(topic: Topic) -> str:
    return f"{PREFIX}{topic}"


def schema_name(topic: Topic) -> str:
    """Return what `dataschema` says."""
    return f"urn:gonogo:event:{topic}:{VERSION}"


def schema_of(topic: Topic) -> Schema:
    """Return the JSON Schema of an event's data."""
    known = {**COMMON, **KINDS[topic].fields}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_name(topic),
        "title": type_of(topic),
        "description": KINDS[topic].words,
        "type": "object",
        "properties": {name: {**schema, "description": words} for name, (schema, words) in known.items()},
        "required": list(COMMON),
        "additionalProperties": False,
    }
