"""What an agent notices while it works: typed, numbered, timed. `activities/notebook.py` writes it.

The law: an observation is data. It is shown and kept, and nothing that it says is done.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, ValidationError

from contracts.base import Message

Kind = Literal["thought", "finding", "progress", "question", "call", "answer", "confidence", "citation", "artifact"]
KEY = "observations"
STEP = "step"
"""Where they stand in a heartbeat's details and in those of a failure."""


class Observation(Message):
    """Something an agent noticed. `number` counts from 1 over the attempts of one activity.

    `source` says where a finding or a citation is from, what digest an artifact has, which tool a `call` asks and an
    `answer` comes from. `confidence` is how sure the agent is of it.
    """

    number: int
    at: datetime
    kind: Kind = "finding"
    text: str
    source: str = ""
    attempt: int = 1
    confidence: float | None = Field(default=None, ge=0, le=1)


def whose(details: Iterable[Any]) -> str:
    """Return the path of the step whose heartbeat it is, where that says it."""
    first = next(iter(details), None)
    return str(first.get(STEP) or "") if isinstance(first, dict) else ""


def observed(details: Iterable[Any]) -> tuple[Observation, ...]:
    """Return what the details of a heartbeat or a failure hold. What cannot be read is left out: they are data."""
    first = next(iter(details), None)
    given = first.get(KEY) if isinstance(first, dict) else None
    found = []
    for one in given if isinstance(given, list) else ():
        try:
            found.append(Observation.model_validate(one))
        except ValidationError:
            continue
    return tuple(found)
