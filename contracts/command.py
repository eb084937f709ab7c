"""Operator commands: what steers a mission that runs.

A command is a signed statement like a decision (`contracts/decision.py`): `step` says where, `comment` why, `changes`
what comes with it. `activities/identity.py` judges who sent it, `workflows/interpreter/sense.py` whether it makes sense
now, and `command.py` beside that carries it out.
"""

from datetime import datetime
from typing import Any

from pydantic import Field

from contracts.base import Message
from contracts.call import Usage
from contracts.decision import Ruling
from contracts.money import Budget
from contracts.record import Failure

ELSEWHERE: frozenset[str] = frozenset(("pause", "resume", "amend", "abort"))
"""Commands that are about the whole mission, so that they name no step."""
CARRIES: dict[str, frozenset[str]] = {
    "pause": frozenset(("interrupt",)),
    "skip": frozenset(("output",)),
    "retry": frozenset(("input",)),
    "amend": frozenset(("name", "value")),
}
"""What `changes` may hold, by verb; `amend` needs both of its."""
MISSION_BUDGET = "mission.budget"
"""What is amended to raise what a mission may spend: no variable has a name like that."""
VERDICT = "verdict"
"""What stands for the step where the verdict itself could not be reached."""
KEPT_COMMANDS = 200
MOST_GUIDANCE = 20
"""Notes that an agent is given at one step: the latest."""


class Pause(Message):
    """Who paused a mission, when, and why."""

    by: str
    at: datetime
    reason: str = ""


class DeadLetter(Message):
    """A mission that waits with a failure for somebody to say how it goes on."""

    failure: Failure
    at: datetime
    deadline: datetime | None = None
    tried: tuple[str, ...] = ()
    """Each rung that was taken before, in words, the first first."""
    outside: bool = False
    """The mission was stopped from outside in the middle of its work; it goes on where it was."""


class CommandNote(Message):
    """One command, for the record: who, why, what was before and what came after; or why it came to nothing."""

    number: int
    verb: str
    step: str = ""
    by: str = ""
    reason: str = ""
    changes: dict[str, Any] | None = None
    at: datetime | None = None
    before: str = ""
    after: str = ""
    refused: str = ""
    jti: str = ""


class Controls(Message):
    """What operators have said of a mission so far, carried from one run to the next."""

    paused: Pause | None = None
    letter: DeadLetter | None = None
    due: tuple[Ruling, ...] = ()
    """Accepted, and still to be carried out; `step` is the whole path."""
    asking: tuple[Ruling, ...] = ()
    """Accepted, and waiting for the quorum of the gates that it passes."""
    notes: tuple[CommandNote, ...] = ()
    number: int = 0
    """Commands so far."""
    guidance: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Notes for the agent at a step, by its path."""
    inputs: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """What is laid over the input of a step that is tried again, by its path."""
    values: dict[str, Any] = Field(default_factory=dict)
    """Inputs of the mission that were amended."""
    budget: Budget | None = None
    """What the mission may spend, where that was amended."""
    escalated: tuple[str, ...] = ()
    """Steps whose failure goes to people, whatever the definition says."""
    begun: tuple[str, ...] = ()
    """Paths of actions that a run before had asked for when it was stopped from outside, unknown to its journal."""
    aborted: str = ""
    """Who aborted the mission, and why."""
    governance: str = ""
    """The version of the rules in force, as far as the mission knows."""
    governed_at: datetime | None = None
    """When it was told so."""
    spent: Usage = Usage()
    """The cost of what was dropped from the journal."""
