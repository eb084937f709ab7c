"""What people are asked: to decide at a gate, or to object at a review.

Where an answer leads is a `Target` of `contracts/definition.py`.
"""

from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from contracts.base import Document
from contracts.duration import Duration
from contracts.step import ABORT, ALIASED, ESCALATE, REFUSE

if TYPE_CHECKING:
    from contracts.definition import Target

Excluded = Literal["requester", "author"]
CHANGES = "changes"
"""What the records of changes are called that people asked for."""
MOST_CHANGES = 10
"""How often changes are made at one gate before asking for more is a rejection."""
LastResort = Literal["refuse", "dead_letter"]
MOST_TOGETHER = 20
"""Actions of a group that people approve at once: of more, nobody looks at each."""


Clock = Literal["freeze", "run"]
CLOCKS: tuple[Clock, ...] = ("freeze", "run")


class Quorum(NamedTuple):
    """How many people must approve, and the seats that some of them take."""

    required: int
    seats: dict[str, int]


class Rung(Document):
    """One rung of an escalation ladder: who is asked next, for how long, and when they are reminded.

    `required` and `from` say anew how many decide here; a rung that has neither asks for as many as the gate.
    `on_timeout` is the last resort, of the last rung: silence on the others climbs on.
    """

    approvers: tuple[str, ...]
    required: int | None = Field(default=None, ge=1)
    from_: dict[str, int] = Field(default_factory=dict, alias="from")
    timeout: Duration
    remind: tuple[Duration, ...] = ()
    on_timeout: LastResort = "refuse"

    model_config = ALIASED


class Gate(Document):
    """What is asked, of whom, and for how long. Silence never approves.

    `approvers` are roles or people; any of them may decide, `required` of them must approve, and among these so many of
    each role as `from` says, a person for one role only. Whom `exclude` names may not decide. `reject_quorum` of them
    reject it. Where people ask for changes, `on_changes` makes them and they are asked anew; else that is a rejection.
    While a mission is paused the clock stands still, unless `when_paused` is `run`.
    At the deadline `on_timeout` says: `escalate` climbs `escalation` (or asks the workspace's escalation role),
    `refuse` counts as a rejection, `dead_letter` fails the step as `unanswered`, `abort` ends the mission undone; a
    step's name or a list of steps runs that. `remind`: how long after they were asked people are asked again.
    """

    type: Literal["approval"] = "approval"
    approvers: tuple[str, ...]
    required: int = Field(default=1, ge=1)
    from_: dict[str, int] = Field(default_factory=dict, alias="from")
    exclude: tuple[Excluded, ...] = ("requester",)
    reject_quorum: int = Field(default=1, ge=1)
    message: str = ""
    context: tuple[str, ...] = ()
    timeout: Duration | None = None
    remind: tuple[Duration, ...] = ()
    on_timeout: "Target" = REFUSE
    escalation: tuple[Rung, ...] = ()
    on_reject: "Target" = ABORT
    when_paused: Clock = "freeze"
    on_changes: "Target | None" = None

    model_config = ALIASED

    def quorum(self) -> int:
        """Return how many people the gate itself asks for."""
        return max(self.required, sum(self.from_.values()))

    def quorums(self) -> tuple[Quorum, ...]:
        """Return what each rung asks for: the gate's own quorum first, then each of its ladder."""
        own = Quorum(self.quorum(), self.from_)
        return (own, *(_said(rung) or own for rung in self.escalation))

    def last_resort(self) -> "Target":
        """Return what silence comes to in the end."""
        climbed = self.on_timeout == ESCALATE and self.escalation
        return self.escalation[-1].on_timeout if climbed else self.on_timeout


def _said(rung: Rung) -> Quorum | None:
    if rung.required is None and not rung.from_:
        return None
    return Quorum(max(rung.required or 1, sum(rung.from_.values())), rung.from_)


class Review(Document):
    """Who is told, and for how long they may object. Silence lets the mission go on, so nothing here may act."""

    reviewers: tuple[str, ...]
    timeout: Duration
    message: str = ""
    context: tuple[str, ...] = ()
    on_object: "Target" = ABORT
