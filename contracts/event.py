"""Events: what happens outside and a mission waits for.

The law: data, never a decision. Whoever reaches the server can send one.
"""

from datetime import datetime
from typing import Any

from contracts.base import Message

EVENT = "event"
MOST_KEPT = 1_000
"""Events that wait for a step to take them; a mission refuses more."""
LONGEST = 65_536
"""Bytes of one event."""
MOST_BYTES = 400_000
"""Bytes of all that wait: they travel from run to run with the mission."""


class Event(Message):
    """Something that happened. `key` says to which of its kind; the same `id` twice is one event."""

    event: str
    key: str = ""
    payload: Any = None
    id: str = ""
    received_at: datetime | None = None
