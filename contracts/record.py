"""The journal's records: one for each step path. Timeline, progress, audit and resume are views of them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from contracts.artifact import Artifact, Source
from contracts.base import Message
from contracts.call import Grant, Observation, ToolCall, Usage
from contracts.child import Child
from contracts.decision import Ruling
from contracts.halt import HaltNote
from contracts.lock import LockNote
from contracts.notice import Note
from contracts.policy import Answer
from contracts.risk import Reading
from contracts.rung import Taken
from contracts.step import Retry
from contracts.talk import Talk

Status = Literal["running", "waiting", "succeeded", "failed", "recovered", "skipped", "cancelled"]


STANDING = frozenset({"armed", "running", "failed"})
"""How an effect stands (`Effect.undo_status`) that is still to be undone, should the mission come to nothing."""

UNDOING = "undo what was done"
"""The operation of a failure of the saga itself."""


def inside(path: str) -> tuple[str, str, str]:
    """Return how the paths of steps inside a step begin: its parts, its items and rounds, its attempts."""
    return f"{path}/", f"{path}[", f"{path}#"


class Failure(Message):
    """Why a step failed: which step, who, doing what, the cause, what was tried, what remains to be done."""

    code: str
    step: str
    actor: str = ""
    operation: str = ""
    cause: str = ""
    tried: str = ""
    remains: str = ""
    attempts: int = 1
    """How often the agent or the tool was asked."""
    loop: str = ""
    """The loop that only goes round, of agents that are stuck."""
    over: str = ""
    """Who has nothing left to spend, of a budget or a quota."""

    def __str__(self) -> str:
        who = f" ({self.actor})" if self.actor else ""
        tail = "".join(f"; {part}" for part in (self.tried, self.remains) if part)
        return f"{self.code}: step {self.step}{who}, {self.operation}: {self.cause}{tail}"


class Effect(Message):
    """What an action did, or may have done, and how it is undone.

    `applied`: `no` (surely not), `yes` (reported), `unknown` (asked for, no report). The last two are undone.
    `undo` is the compensation ready to run; `undo_status` tells how that went.
    """

    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    arguments_digest: str = ""
    key: str = ""
    applied: Literal["no", "yes", "unknown"] = "no"
    undo: ToolCall | None = None
    undo_status: Literal["none", "armed", "running", "done", "failed", "given_up"] = "none"
    undo_error: str = ""
    undone_at: datetime | None = None
    undo_retry: Retry | None = None
    """How often the compensation is tried, where the definition says so."""
    locks: tuple[str, ...] = ()
    """Under which it was done, and is undone."""


class Approved(Message):
    """Whose approval an action runs on, where it was not asked for at the action itself."""

    at: str
    by: tuple[str, ...] = ()


class Record(Message):
    """What is known of one step at one path (`refine[3]/draft`).

    `order` counts completions over the whole mission, from 1; the saga runs it backwards.
    `revision` counts changes of the journal, so that a reader can ask for what is new.
    """

    path: str
    kind: str
    status: Status
    actor: str = ""
    attempt: int = 1
    output: Any = None
    started_at: datetime
    ended_at: datetime | None = None
    order: int = 0
    revision: int = 0
    decisions: tuple[Ruling, ...] = ()
    """The rulings that settled a gate, their tokens left out."""
    answer: dict[str, Any] | None = None
    """What people said here: `{approved, decision, by, comment, arguments}`."""
    answered_at: datetime | None = None
    grant: Grant | None = None
    """What an approved gate hands to the executor, tokens included: the executor checks them again."""
    approved: Approved | None = None
    """Set where people approved the action together with others: the gate's own record has what they said."""
    observations: tuple[Observation, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    """The files that it has left."""
    sources: tuple[Source, ...] = ()
    """The passages of documents that its agent was shown."""
    usage: Usage = Usage()
    lost: Usage | None = None
    """What it had cost when it failed before, and was walked again."""
    effect: Effect | None = None
    child: Child | None = None
    """The mission that the step started; its `effect` stands for all that this did."""
    failure: Failure | None = None
    talk: Talk | None = None
    """What a remote agent last asked people while it did the step, and what they answered."""
    asked: str = ""
    """The digest of what an agent was asked: its name, its task, its context."""
    rungs: tuple[Taken, ...] = ()
    """What was tried after it failed, the first first, and why."""
    locks: LockNote | None = None
    generation: int = 0
    """How often operators had begun something anew when this step began."""
    by: str = ""
    """Who wrote this record by hand: it ran no step, or its output was amended."""
    notices: tuple[Note, ...] = ()
    halted: HaltNote | None = None
    voided: int = 0
    """How often what people had approved here became void before it was used: the rules had changed."""
    least: int = 0
    """How many people the executor asked for, where that was more than the mission had."""
    risk: Reading | None = None
    """How risky its action was found, when it began or when people were last asked."""
    policy: tuple[Answer, ...] = ()
    """What the policies said of it."""

    def cost(self) -> Usage:
        """Return what the step has cost, however often it was walked."""
        return self.usage if self.lost is None else self.usage.plus(self.lost)
