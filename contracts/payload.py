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
APART = "gonogo-apart"
"""The mark of a payload that may lie apart."""
REFUSED = "gonogo/refused"
"""The encoding of what stands in the place of a payload that was not encrypted for the mission that it came to."""
NO_KEY = "gonogo-no-key"
"""The mark of one that may be good: whoever refuses it lacks its key."""


class Bulky(Message):
    """What goes between a mission and those who work for it, and from one run to the next."""

    def may_lie_apart(self) -> bool:
        """Whether it may be left beside the history, where it is large."""
        return True


class PayloadRefused(Exception):
    """What came was not encrypted for whoever it came to."""


class KeyLacking(PayloadRefused):
    """The same, of a payload that may be good: only its key is not here."""
