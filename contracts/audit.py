"""The record: what happened in a mission, each entry chained to the one before, and the head that is signed.

An entry is made from the history alone, by `starter/chronicle.py`: the same history, the same entries. How they are
spelt and chained is `activities/chain.py`; `docs/audit.md` is the format for those who check it with tools of theirs.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, computed_field

from contracts.base import Message

FORMAT = "gonogo-audit/1"
HEAD_TYPE = "application/vnd.gonogo.audit-head+json"
"""What a signed head is, as its envelope (DSSE) says."""

Topic = Literal[
    "start",
    "run",
    "admission",
    "plan",
    "step",
    "observation",
    "policy",
    "decision",
    "command",
    "signal",
    "event",
    "action",
    "receipt",
    "compensation",
    "cost",
    "notice",
    "lock",
    "halt",
    "child",
    "timer",
    "state",
    "end",
    "other",
]
TOPICS: dict[str, Topic] = {
    "mission started": "start",
    "mission admitted": "admission",
    "mission not admitted": "admission",
    "mission reset": "run",
    "mission": "end",
    "run": "run",
    "started": "start",
    "gonogo-halts": "start",
    "gonogo-locks": "start",
    "plan": "plan",
    "agent": "step",
    "observations": "observation",
    "policy": "policy",
    "decision": "decision",
    "command": "command",
    "cancellation": "command",
    "signal": "signal",
    "event": "event",
    "unreadable": "event",
    "action": "action",
    "receipt": "receipt",
    "compensation": "compensation",
    "cost": "cost",
    "notice": "notice",
    "locks": "lock",
    "halt": "halt",
    "child": "child",
    "parent": "child",
    "past": "run",
    "timer": "timer",
    "state": "state",
}
"""What an entry is about, by its words or by the first of them."""


class AuditEntry(Message):
    """One entry of the record, from the history: who, what, when, why, and the digest that proves it."""

    at: datetime
    """By the server's clock."""
    run_id: str
    event_id: int
    what: str
    """Past tense: `mission started`, `agent answered`, `decision refused`, `action executed`, …"""
    who: str = ""
    step: str = ""
    digest: str = ""
    why: str = ""
    """The reason that was given, what was approved by whom, or the cause."""
    token: str = ""
    """The signed statement that was ruled on, where its signature was good."""
    detail: dict[str, Any] = Field(default_factory=dict)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def topic(self) -> Topic:
        """What it is about."""
        return TOPICS.get(self.what) or TOPICS.get(self.what.partition(" ")[0], "other")


class Chain(Message):
    """What a record is of. Its digest is what the first entry is chained to."""

    format: str = FORMAT
    namespace: str
    mission: str
    """The mission's id."""
    first_run_id: str
    name: str = ""
    version: str = ""
    team: str = ""
    plan_digest: str = ""


class Head(Message):
    """The end of a record as it stands: how many entries, and the hash of the last one."""

    chain: str
    """The digest of the `Chain`."""
    mission: str
    count: int
    hash: str
    runs: tuple[str, ...] = ()
    at: datetime | None = None
    """When the last entry happened."""
    ended: bool = False
    """Whether that entry is the end of the mission."""
