"""What may be large, and then lies beside the history: there stands a reference in its place.

The law: what goes between people and missions (a plan at its start, decisions, events, what a query answers) never lies
apart, so that a command line needs nothing but the server for it. The other half is `runtime/payloads.py`.
"""

from contracts.base import Message

INLINE = 20_000
"""Bytes up to which everything stands in the history itself: 200 calls of this size are 4 MB."""
REFERENCE = 400
"""Bytes that a reference takes."""
LARGEST = 32_000_000
"""Bytes of one message, apart: what a worker's memory and the time of a workflow task bear."""


class Bulky(Message):
    """What goes between a mission and those who work for it, and from one run to the next."""

    def may_lie_apart(self) -> bool:
        """Whether it may be left beside the history, where it is large."""
        return True
