"""A rehearsal as its author wrote it: what each agent and tool answers, what people decide, what must come of it.

`rehearsal/read.py` makes it from YAML, `check.py` holds it against the mission, `ports.py` plays it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from pydantic import Field, JsonValue

from contracts.base import Document
from contracts.decision import Answering, Asked, CommandVerb, Spoken, Verb
from contracts.step import Place

START = datetime(2026, 1, 1, tzinfo=UTC)
CODES = ("bad_input", "refused", "not_found", "over_budget", "unavailable", "rate_limited", "timed_out", "tool_failed")
VERBS: tuple[Verb, ...] = (*get_args(Asked), *get_args(Answering), *get_args(Spoken))
COMMANDS: tuple[CommandVerb, ...] = get_args(CommandVerb)
APPLIED = ("no", "yes", "unknown")


class Answer(Document):
    """What one attempt comes to: an answer, or a failure with its code, after some time and at some cost."""

    answer: Any = None
    fails: str = ""
    cause: str = ""
    applied: Literal["no", "yes", "unknown"] = "unknown"
    """Whether a tool that failed changed the world."""
    after: timedelta = timedelta()
    usd: float = 0.0
    tokens: int = 0
    tool_calls: int = 0
    place: Place = Place()


class Cue(Document):
    """What an agent or a tool answers: the same each time, or a list, one for each attempt."""

    answers: tuple[Answer, ...]
    each_time: bool
    place: Place = Place()


class Decision(Document):
    """What somebody decides at a gate, `after` it opened or after the decision before it there."""

    at: str
    by: str
    decide: Verb
    comment: str = ""
    changes: dict[str, Any] | None = None
    to: str = ""
    answer: JsonValue = None
    after: timedelta = timedelta()
    place: Place = Place()

    def __str__(self) -> str:
        return f"{self.by}'s {self.decide} at {self.at}"


class Command(Document):
    """What an operator says, `after` what `once` names: a step that has begun, or the mission in its dead letter.

    Without `once` it is the start of the mission, or the command before.
    """

    command: CommandVerb
    by: str
    at: str = ""
    comment: str = ""
    changes: dict[str, Any] | None = None
    once: str = ""
    after: timedelta = timedelta()
    place: Place = Place()

    def __str__(self) -> str:
        return f"{self.by}'s {self.command}" + (f" at {self.at}" if self.at else "")


class Happening(Document):
    """Something that happens outside, `after` the mission began."""

    event: str
    key: str = ""
    payload: Any = None
    id: str = ""
    after: timedelta = timedelta()
    place: Place = Place()

    def __str__(self) -> str:
        return f"the event {self.event}" + (f" ({self.key})" if self.key else "")


class Held(Document):
    """A lock that another mission holds when the rehearsal begins, for a span or to the end."""

    lock: str
    by: str
    for_: timedelta | None = None
    place: Place = Place()


class Wait(Document):
    """One opening of a gate: where, and who was asked; without `asked` whoever it was."""

    at: str
    asked: tuple[str, ...] = ()


class Weighed(Document):
    """What the risk of a step must come to. What is left out may be anything."""

    score: int | None = None
    level: str | None = None
    people: int | None = None


class Expected(Document):
    """What must come of it. What is left out may be anything, but for `refused`."""

    verdict: str | None = None
    state: str | None = None
    reason: str | None = None
    """A part of the reason."""
    steps: dict[str, str] | None = None
    ran: tuple[str, ...] | None = None
    """Tools that changed the world, or may have, in the order in which they came back; compensations left out."""
    compensations: tuple[str, ...] | None = None
    waits: tuple[Wait, ...] | None = None
    refused: tuple[str, ...] = ()
    """The people whose decisions were refused, in order; an event that was refused is `event`."""
    usage: dict[str, float] | None = None
    risk: dict[str, Weighed] | None = None
    places: dict[str, Place] = Field(default_factory=dict)
    """Where each key stands."""


class Rehearsal(Document):
    """One file."""

    description: str
    inputs: dict[str, Any]
    requested_by: str
    starts: datetime = START
    """What time it is there when the mission begins, and never what time it is."""
    agents: dict[str, Cue] = Field(default_factory=dict)
    tools: dict[str, Cue] = Field(default_factory=dict)
    people: tuple[Decision, ...] = ()
    operators: tuple[Command, ...] = ()
    events: tuple[Happening, ...] = ()
    locks: tuple[Held, ...] = ()
    expect: Expected
    source: str = ""
    places: dict[str, Place] = Field(default_factory=dict)
    """Where each key of the file stands, for what is found later."""

    def place(self, *keys: str) -> Place:
        """Return the place of the first of some keys that the file has, else the file's first line."""
        found = (self.places[key] for key in keys if key in self.places)
        return next(found, Place(file=self.source, line=1, column=1))
