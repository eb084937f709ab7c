"""Locks: what a step asks for, who holds what, and who waits.

The law: a lock keeps missions out of each other's way; it gives no right to act. The table of a namespace is the
workflow `workflows/locks.py`; a mission reaches it through `activities/locks.py`, and is told nothing by signals:
whoever reaches the server can send one.
"""

from datetime import datetime
from typing import Literal

from contracts.base import Message

LOCKS = "gonogo-locks"
"""The workflow id, and the type, of the table of a namespace."""
ASK_LOCKS = "lock.ask"
RELEASE_LOCKS = "lock.release"
ASK = "ask"
RELEASE = "release"
GONE = "gone"
STANDING = "standing"
TABLE = "table"
MOST_LOCKS = 50
TURNS = 100_000
"""Turns of a path before those of its next generation begin: a claim that was released never comes back."""
LONGEST_NAME = 200

Stands = Literal["held", "waiting", "yielded", "unknown"]


class Holder(Message):
    """Whose a claim is: a mission, known by its first run, and the path of one of its steps.

    `turn` counts the times that this path has asked anew, from a number of its own after operators began it anew.
    """

    mission: str
    first_run_id: str
    path: str
    turn: int = 1


class Claim(Message):
    """All the locks that a step asks for at once. `undoing`: it is asked for a compensation, which never yields."""

    holder: Holder
    names: tuple[str, ...]
    undoing: bool = False
    patience: float = 0.0
    """For how many seconds whoever is asked may keep the answer back, should it change."""


class Blocker(Message):
    """Whom a claim waits for, and for which lock."""

    lock: str
    mission: str
    first_run_id: str
    path: str
    holds: bool = True
    """Whether it holds the lock; else it has waited for longer."""

    def __str__(self) -> str:
        if self.holds:
            return f"{self.lock} is held by {self.mission} ({self.path})"
        return f"{self.mission} ({self.path}) asked for {self.lock} before"


class Standing(Message):
    """How a claim stands. One that `yielded` would have waited for ever: `cause` says with whom.

    One that is `unknown` was never heard, was released, or came when the table was full.
    """

    state: Stands = "unknown"
    behind: tuple[Blocker, ...] = ()
    cause: str = ""


class LockNote(Message):
    """What the journal knows of a step's locks: their names are made once."""

    names: tuple[str, ...] = ()
    turn: int = 0
    state: Literal["none", "waiting", "held", "released"] = "none"
    since: datetime | None = None
    behind: tuple[Blocker, ...] = ()


class Entry(Message):
    """A claim in the table. `number` is its place in the order of asking."""

    claim: Claim
    number: int
    state: Stands = "waiting"
    asked_at: datetime
    granted_at: datetime | None = None
    cause: str = ""


class Waiter(Message):
    """Who waits for a lock, and since when."""

    mission: str
    path: str
    since: datetime


class LockView(Message):
    """One lock: who holds it since when, and who waits for it in turn."""

    lock: str
    mission: str = ""
    first_run_id: str = ""
    path: str = ""
    since: datetime | None = None
    waiting: tuple[Waiter, ...] = ()


class TableQuery(Message):
    """Ask for the locks after a name."""

    after: str = ""


class TableView(Message):
    """Locks by name, in pages."""

    locks: tuple[LockView, ...] = ()
    more: bool = False


class LocksInput(Message):
    """The table's argument: what it knew when it continued as a new run."""

    entries: tuple[Entry, ...] = ()
    number: int = 0
    released: tuple[str, ...] = ()
    signals_per_run: int = 1_000
    """Each costs at most four events of history."""
