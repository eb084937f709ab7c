"""The kill switch: what is halted, who halted it and why, who waits for that.

The law: a halt is a signed statement, judged like a decision; to whoever signs it is the opening of a gate at the
target, with a nonce that counts how often the target was halted or lifted. The table of a namespace is the workflow
`workflows/halts.py`; it keeps what stands in its memo, which `activities/halts.py` reads without asking any worker.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from contracts.base import Message, digest
from contracts.decision import Envelope, Opening, Receipt, Ruling, Subject

HALTS = "gonogo-halts"
"""The workflow id, and the type, of the table of a namespace."""
TABLE = "halts"
"""Where the table lies in the memo."""
WATCH_HALT = "halt.watch"
HALTED = "halted"
RESUME = "resume"
"""Where the failure of an agent that was put off tells what it had begun."""
KINDS = ("agent", "tool", "team")
MOST_TARGETS = 1_000
LONGEST_TARGET = 200
SHOWN_REASON = 300


class Halt(Message):
    """One halt. `target` is a kind and a name, as in `tool:isolate_host`."""

    target: str
    by: str = ""
    reason: str = ""
    since: datetime | None = None

    def __str__(self) -> str:
        what = self.target.replace(":", " ", 1)
        return f"{what} is halted by {self.by}: {self.reason}" if self.by else f"{what}: {self.reason}"


class HaltTable(Message):
    """What is halted, and how often each target was halted or lifted."""

    halts: tuple[Halt, ...] = ()
    turns: dict[str, int] = Field(default_factory=dict)

    def standing(self, target: str) -> Halt | None:
        """Return the halt of a target."""
        return next((halt for halt in self.halts if halt.target == target), None)

    def opening(self, target: str, now: datetime, table: str, first_run_id: str) -> Opening:
        """Return what a halt of a target, or its lifting, is signed for."""
        subject = Subject(
            mission=table,
            first_run_id=first_run_id,
            name=HALTS,
            step=target,
            kind="halt",
            approvers=(),
            context_digest=digest({}),
        )
        nonce = str(self.turns.get(target, 0))
        return Opening(subject=subject, digest=subject.digest(), nonce=nonce, opened_at=now)


def is_target(text: str) -> bool:
    """Whether a text names something that can be halted."""
    kind, _, name = text.partition(":")
    return kind in KINDS and bool(name.strip()) and len(text) <= LONGEST_TARGET


class HaltsInput(Message):
    """The table's argument: what it knew when it continued as a new run."""

    table: HaltTable = HaltTable()
    inbox: tuple[Envelope, ...] = ()
    receipts: dict[str, Receipt] = Field(default_factory=dict)
    used: tuple[str, ...] = ()
    refusals: tuple[Ruling, ...] = ()
    decisions_per_run: int = 300
    """Each costs about ten events of history."""


class HaltWatch(Message):
    """Wait until none of these targets is halted any more."""

    path: str
    targets: tuple[str, ...]


class HaltNote(Message):
    """What the journal knows of a halt that a step met.

    `path` is the call's, where it is an undoing another than the record's. `applied` and `spent` are of the attempts
    before: whether one may have acted, and how many there were.
    """

    path: str
    halts: tuple[Halt, ...] = ()
    state: Literal["waiting", "over"] = "waiting"
    since: datetime
    until: datetime | None = None
    applied: Literal["no", "yes", "unknown"] = "no"
    spent: int = 0
    resume: str = ""
    """The digest of what an agent had begun when it was put off."""
