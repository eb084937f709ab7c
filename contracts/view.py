"""What readers are shown of a mission: the answers of the workflow's queries. Never more than 256 kB each."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from contracts.base import Message
from contracts.call import Usage
from contracts.command import CommandNote, DeadLetter, Pause
from contracts.decision import Opening, Receipt, Ruling
from contracts.policy import Admission
from contracts.record import Record

STATE = "state"
GATES = "gates"
RECEIPT = "receipt"
OPENING = "opening"
MOST_BYTES = 256_000


class MissionState(StrEnum):
    """How a mission stands. The search attribute `MissionState` has the same words."""

    RUNNING = "running"
    WAITING = "waiting"
    COMPENSATING = "compensating"
    DEAD_LETTER = "dead_letter"
    PAUSED = "paused"
    """An operator stopped it: nothing new starts until it is resumed."""
    HELD = "held"
    """Completed, and a child of a mission that is not: what it did is undone should that come to nothing."""
    COMPLETED = "completed"
    REFUSED = "refused"
    ABORTED = "aborted"
    FAILED = "failed"
    CANCELLED = "cancelled"


OVER = frozenset(
    (MissionState.COMPLETED, MissionState.REFUSED, MissionState.ABORTED, MissionState.FAILED, MissionState.CANCELLED)
)
"""The states of a mission that has ended."""


class StateQuery(Message):
    """Ask for the records changed after revision `since`."""

    since: int = 0


class Waiting(Message):
    """A gate that waits, in short."""

    step: str
    kind: str
    approvers: tuple[str, ...]
    required: int
    seats: dict[str, int] = Field(default_factory=dict)
    approved_by: tuple[str, ...] = ()
    opened_at: datetime | None = None
    deadline: datetime | None = None
    tool: str | None = None
    tools: tuple[str, ...] = ()
    """Where several actions are approved together: the tool of each, in their order."""
    digest: str = ""


class MissionView(Message):
    """The mission, in pages: `records` are those changed after the revision asked for, oldest change first.

    `revision` is the last one in this page; `more` says whether to ask again from there.
    """

    id: str
    name: str
    version: str
    state: MissionState
    verdict: str | None = None
    reason: str = ""
    requested_by: str = ""
    plan_digest: str = ""
    started_at: datetime | None = None
    waiting: tuple[Waiting, ...] = ()
    records: tuple[Record, ...] = ()
    revision: int = 0
    more: bool = False
    spent: Usage = Usage()
    refusals: tuple[Ruling, ...] = ()
    admission: Admission | None = None
    """What policy said before the first step; of its answers those that do not allow."""
    not_undone: tuple[str, ...] = ()
    """Steps whose effects could not be undone, at most fifty."""
    runs: int = 1
    paused: Pause | None = None
    letter: DeadLetter | None = None
    commands: tuple[CommandNote, ...] = ()
    """The latest commands of operators."""
    operators: tuple[str, ...] = ()


class GatesQuery(Message):
    """Ask for open gates: all, or the one at a step's path. `after` pages through them by step."""

    step: str | None = None
    after: str = ""


class GatesView(Message):
    """Open gates with everything that is signed, in pages by step."""

    gates: tuple[Opening, ...] = ()
    more: bool = False
    cut: tuple[str, ...] = ()
    """The steps whose gates are too large for a page: `OpeningQuery` brings them whole."""


class OpeningQuery(Message):
    """Ask for one opening of a gate whole, but for its votes, as text from an offset on."""

    step: str
    nonce: str
    offset: int = 0


class OpeningView(Message):
    """A piece of an opening's JSON; `total` counts the characters of all of it, and is 0 where it is open no more."""

    text: str = ""
    total: int = 0


class ReceiptQuery(Message):
    """Ask for the receipt of a decision, by the digest of its token."""

    token_digest: str


class ReceiptView(Message):
    """The receipt of a decision; none while it waits for its ruling, or when a hundred later ones have theirs."""

    receipt: Receipt | None = None
