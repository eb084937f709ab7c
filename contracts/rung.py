"""The ladder that a failure climbs: what was tried, why, and what came of it.

The other halves: `workflows/interpreter/ladder.py` writes it into the journal; `gonogo show` and whoever is asked how
to go on read it.
"""

from datetime import datetime
from typing import Literal

from contracts.base import Message

Rung = Literal["retry", "fallback", "steps", "people", "continue", "abort", "dead_letter"]
Outcome = Literal["", "succeeded", "failed"]

RUNGS: dict[Rung, str] = {
    "retry": "tried again",
    "fallback": "let {who} do it",
    "steps": "went to {who}",
    "people": "asked {who}",
    "continue": "went on without it",
    "abort": "ended the mission",
    "dead_letter": "left it to the operators",
}


class Taken(Message):
    """One rung that was taken after a failure of a step, and that failure. `number` counts tries, from 1."""

    rung: Rung
    who: str = ""
    code: str
    cause: str
    number: int = 0
    at: datetime
    outcome: Outcome = ""
    """Empty while it is under way."""

    def __str__(self) -> str:
        did = RUNGS[self.rung].format(who=self.who)
        times = f", {self.number} tries in all" if self.number else ""
        came = f": {self.outcome}" if self.outcome else ""
        return f"{did}{times}{came}, since {self.code}: {self.cause}"
