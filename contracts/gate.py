"""What people are asked: to decide at a gate, or to object at a review.

Where an answer leads is a `Target` of `contracts/definition.py`.
"""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from contracts.base import Document
from contracts.duration import Duration
from contracts.step import ABORT

if TYPE_CHECKING:
    from contracts.definition import Target


class Rung(Document):
    """One rung of an escalation ladder: who is asked next, and for how long."""

    approvers: tuple[str, ...]
    timeout: Duration


class Gate(Document):
    """What is asked, of whom, and for how long. Silence never approves.

    `approvers` are roles or people; any of them may decide, `required` of them must approve.
    While a mission is paused the clock stands still, unless `when_paused` is `run`.
    At the deadline `on_timeout` says: `escalate` climbs `escalation` (or asks the workspace's escalation role),
    `refuse` counts as a rejection, `abort` ends the mission undone; a step's name or a list of steps runs that.
    """

    type: Literal["approval"] = "approval"
    approvers: tuple[str, ...]
    required: int = Field(default=1, ge=1)
    message: str = ""
    context: tuple[str, ...] = ()
    timeout: Duration | None = None
    on_timeout: "Target" = "refuse"
    escalation: tuple[Rung, ...] = ()
    on_reject: "Target" = ABORT
    when_paused: Literal["freeze", "run"] = "freeze"


class Review(Document):
    """Who is told, and for how long they may object. Silence lets the mission go on, so nothing here may act."""

    reviewers: tuple[str, ...]
    timeout: Duration
    message: str = ""
    context: tuple[str, ...] = ()
    on_object: "Target" = ABORT
