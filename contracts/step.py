"""What every step of a mission has, and the words that all kinds of step share.

The other half: `contracts/definition.py` has the kinds.
"""

from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field, JsonValue

from contracts.base import Document
from contracts.duration import Duration

if TYPE_CHECKING:
    from contracts.definition import Target

ESCALATE = "escalate"
ABORT = "abort"
CONTINUE = "continue"
REFUSE = "refuse"
DEAD_LETTER = "dead_letter"
UNANSWERED = "unanswered"
BUILT_IN = (ESCALATE, ABORT, CONTINUE)
LAST_RESORTS = (REFUSE, DEAD_LETTER)
"""What silence may come to in the end, beside the built-in words. Stands under `on_timeout` alone."""

ALIASED = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)
"""For models with keys that are Python keywords: `if`, `else`, `with`."""


class Place(Document):
    """Where in a file something was written. Lines and columns count from 1."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Retry(Document):
    """How often a failed effect is tried again: waits grow by `factor` from `first` to at most `most`, with jitter."""

    attempts: int = Field(default=3, ge=1, le=100)
    first: Duration = Field(default="1s", validate_default=True)
    factor: float = Field(default=2.0, ge=1.0, le=10.0)
    most: Duration = Field(default="1m", validate_default=True)


class Fallback(Document):
    """Another agent that does the task where the first one failed. `else` says where it goes when that one fails."""

    agent: str
    else_: "Target | Fallback | None" = Field(default=None, alias="else")

    model_config = ALIASED


class Default(Document):
    """The value that a step's variable has until the step sets it. Null is a value, unlike no default at all."""

    value: JsonValue


class BaseStep(Document):
    """What every step has. `step` is unique in the mission; unnamed branches are named after their agent or tool.

    `when` is CEL: where it is false the step is skipped. `timeout` bounds one attempt; `retry` says how many there are:
    without it three for an agent or an action, and one for any other step, which is undone and tried again as a whole.
    `on_failure` maps a code of failure, a class of them, or `any`, to where control goes instead; the most specific
    counts. `locks` are templates of names that no two steps hold at once, whatever mission they are of.
    """

    step: str
    needs: tuple[str, ...] | None = None
    output: str | None = None
    when: str | None = None
    retry: Retry | None = None
    timeout: Duration | None = None
    on_failure: dict[str, "Target | Fallback"] = Field(default_factory=dict)
    default: Default | None = None
    locks: tuple[str, ...] = ()
    place: Place = Place()
