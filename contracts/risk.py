"""How risky an action is: the factors that a workspace weighs, the levels that they lead to, and what came of it.

The law: a level asks for people on top of what contracts and missions ask for, and never for fewer. What cannot be
weighed is of the highest risk. `language/weigh.py` weighs, in the mission and again at the executor, who goes by its
own workspace and by the facts that people signed.
"""

from datetime import datetime, timedelta

from pydantic import Field

from contracts.base import Document, Message
from contracts.duration import Duration

MOST_SCORE = 100
ERROR = "error"
"""The level of what cannot be weighed where a workspace has no levels to go by."""


class Factor(Document):
    """One thing that makes an action risky. `value` is CEL and answers from 0.0, none, to 1.0, all of it."""

    weight: float = Field(gt=0, le=1000)
    value: str


class Level(Document):
    """From which score on how many people must approve.

    `approvers` and `timeout` are for an action that nobody would be asked about otherwise: by default it is the
    workspace's escalation role that is asked, and for as long as that has.
    """

    at: int = Field(ge=0, le=MOST_SCORE)
    people: int = Field(default=0, ge=0, le=100)
    approvers: tuple[str, ...] = ()
    timeout: Duration | None = Field(default=None, gt=timedelta(0))


class RiskFile(Document):
    """`risk.yaml`."""

    factors: dict[str, Factor] = Field(default_factory=dict)
    levels: dict[str, Level] = Field(default_factory=dict)

    def level(self, score: int) -> tuple[str, Level]:
        """Return the level of a score. Where none is written, nothing that acts passes unasked."""
        reached = [(name, level) for name, level in self.levels.items() if level.at <= score]
        return max(reached, key=lambda one: one[1].at, default=(ERROR, Level(at=0, people=1)))

    def most(self) -> int:
        """Return how many people may be asked for at most."""
        return max((level.people for level in self.levels.values()), default=0)


class Facts(Message):
    """What only the mission knows of an action. People sign it; the executor weighs with it again."""

    mission: str = ""
    team: str = ""
    requested_by: str = ""
    before: dict[str, int] = Field(default_factory=dict)
    """How often each of the tools has acted for this mission already."""
    confidence: float | None = None
    """The lowest that an agent of this mission has said of an answer; none where none has said any."""
    at: datetime | None = None
    """The hour in which people are asked."""


class Reading(Message):
    """What came of weighing. `points` says what each factor gave to the score; `errors`, what could not be weighed."""

    score: int
    level: str
    people: int
    points: dict[str, int] = Field(default_factory=dict)
    errors: tuple[str, ...] = ()
    facts: Facts = Facts()
