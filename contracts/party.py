"""A party: agents in one conversation, what each turn says, and what comes of it.

The law: a turn is typed. What an agent says in it is a stance, which the agent's activity holds against the schema
made here, whatever the agent answers elsewhere. `workflows/interpreter/steps/party.py` leads the conversation.
"""

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from contracts.base import Document, canonical
from contracts.step import CONTINUE

if TYPE_CHECKING:
    from contracts.definition import Target

Turns = Literal["round_robin", "moderator", "all"]
Consensus = Literal["unanimous", "majority", "threshold", "judge"]
TURNS: tuple[Turns, ...] = ("round_robin", "moderator", "all")
CONSENSUS: tuple[Consensus, ...] = ("unanimous", "majority", "threshold", "judge")
LEAST_MEMBERS = 2
MOST_MEMBERS = 20
MOST_ROUNDS = 100
CHARACTERS = 4
"""Characters of JSON that count as one token, until an agent reports what it really used."""
LONGEST_WORDS = 2_000
MOST_REASONS = 10

Schema = dict[str, Any]


class Party(Document):
    """Who talks about what, who speaks when, what counts as consensus, and what bounds it.

    `members` are agents. In `round_robin` each speaks once a round, having heard those before; in `all` they answer at
    once; in `moderator` an agent names who is next, and a round is one turn. With `options` a position is one of them.
    Each gets the newest turns that fit its `window`. `facilitator` are roles or people who may speak between turns.
    No stance moved in `stall` rounds: the party ends, and control goes to `on_stall`.
    """

    topic: str
    members: tuple[str, ...]
    context: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    turns: Turns = "round_robin"
    moderator: str | None = None
    consensus: Consensus = "unanimous"
    threshold: float | None = Field(default=None, gt=0.0, le=1.0)
    judge: str | None = None
    least_rounds: int = Field(default=1, ge=1, le=MOST_ROUNDS)
    rounds: int = Field(ge=1, le=MOST_ROUNDS)
    tokens: int = Field(ge=1)
    window: int = Field(default=4_000, ge=1)
    facilitator: tuple[str, ...] = ()
    stall: int | None = Field(default=None, ge=1, le=MOST_ROUNDS)
    on_stall: "Target" = CONTINUE

    def agents(self) -> tuple[str, ...]:
        """Return every agent that a party asks."""
        others = (name for name in (self.moderator, self.judge) if name)
        return tuple(dict.fromkeys((*self.members, *others)))

    def schema_for(self, agent: str) -> Schema:
        """Return what an agent of the party answers: a stance, or what a moderator or a judge says."""
        if agent in self.members:
            return stance_schema(self, agent)
        return moderator_schema(self) if agent == self.moderator else judge_schema(self)


def stance_schema(party: Party, member: str) -> Schema:
    """Return the schema of a turn. Whom it answers and whether it agrees with them stand together, or not at all."""
    others = [name for name in party.members if name != member]
    return _object(
        {
            "position": _position(party),
            "reasons": _reasons(),
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "answers": {"enum": others},
            "stand": {"enum": ["agree", "object"]},
        },
        ["position", "reasons", "confidence"],
        dependentRequired={"answers": ["stand"], "stand": ["answers"]},
    )


def moderator_schema(party: Party) -> Schema:
    """Return the schema of a moderator's answer: who is next, and what they are asked."""
    return _object({"next": {"enum": list(party.members)}, "question": _text()}, ["next"])


def judge_schema(party: Party) -> Schema:
    """Return the schema of a judge's answer. Without options only the judge can say who agrees with it."""
    known: Schema = {"recommendation": _position(party), "reasons": _reasons(), "settled": {"type": "boolean"}}
    if not party.options:
        known["agreed"] = {"type": "array", "items": {"enum": list(party.members)}, "uniqueItems": True}
    return _object(known, list(known))


def _object(properties: Schema, required: list[str], **more: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False, **more}


def _text() -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": LONGEST_WORDS}


def _position(party: Party) -> Schema:
    return {"enum": list(party.options)} if party.options else _text()


def _reasons() -> Schema:
    return {"type": "array", "items": _text(), "minItems": 1, "maxItems": MOST_REASONS}


def tokens(value: Any) -> int:
    """Estimate the tokens of a JSON value."""
    return math.ceil(len(canonical(value).decode()) / CHARACTERS)
