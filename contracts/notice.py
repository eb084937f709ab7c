"""What people are told while a mission goes on: that it waits for them, and what came of that.

The law: a notice says where to decide and carries nothing that is decided on. No arguments, no context, no message:
it leaves for places where others read too. The mission says what and to whom; by which channels, its worker's own
workspace (`contracts/channel.py`). `activities/notify.py` sends it, `workflows/interpreter/tell.py` writes it.
"""

from datetime import datetime
from typing import Literal

from contracts.base import Message

SEND_NOTICE = "notify.send"
FAILURE, STOPPED = "failure", "stopped"
WITHDRAWN = "withdrawn"
"""What a gate came to that nobody asks at any more: the mission ended, or went another way."""
REQUESTS = frozenset(("opened", "reminded", "escalated"))
"""What asks people to decide. Of too many of these one is told of all."""
LINE = "notice: "
"""How the line begins that a worker writes in its terminal."""

About = Literal["opened", "reminded", "escalated", "settled", "dead_letter", "budget"]


class Notice(Message):
    """One thing to tell. `id` is the same whenever it is sent again. `to` are roles and people."""

    id: str
    about: About
    mission: str
    name: str
    """The mission's name, from its definition."""
    step: str
    kind: str
    """What is asked, as `contracts.decision.Subject` has it; for operators a `failure`, or that it was `stopped`."""
    to: tuple[str, ...]
    at: datetime
    deadline: datetime | None = None
    tool: str | None = None
    requested_by: str = ""
    decision: str = ""
    by: tuple[str, ...] = ()


class Delivery(Message):
    """By which channels a notice went out, and by which it did not, with the reason.

    `instead`: why it was not told by itself, where its approvers were told of too many already.
    """

    sent: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    instead: str = ""


class Note(Message):
    """What the journal keeps of telling people: each reminder, and whatever could not be told."""

    about: About
    at: datetime
    to: tuple[str, ...] = ()
    failed: str = ""
    text: str = ""
