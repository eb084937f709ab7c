"""What an attempt of an action leaves to the next one, with its last heartbeat: that it did nothing, what it signed.

The law: it is the server that hands it on, so nothing of it is believed but what makes less sure, or what is signed; a
lost heartbeat says nothing. `activities/receipt.py` reads what was signed.
"""

from typing import Any

from temporalio import activity

from contracts.receipt import RECEIPT, Envelope

NOTHING_DONE = "nothing_done"


def leave(receipt: Envelope | None, *, nothing: bool) -> None:
    """Leave a receipt of what was tried up to now, and whether no attempt up to this one did anything."""
    done = {NOTHING_DONE: activity.info().attempt} if nothing else {}
    activity.heartbeat({**done, **({RECEIPT: receipt} if receipt else {})})


def nothing_done() -> bool:
    """Whether the attempt before this one said that none up to it did anything."""
    return bool(_left().get(NOTHING_DONE) == activity.info().attempt - 1)


def receipt_left() -> Envelope | None:
    """Return the receipt that was left, if it is one or not."""
    found = _left().get(RECEIPT)
    return found if isinstance(found, dict) else None


def _left() -> dict[str, Any]:
    first = next(iter(activity.info().heartbeat_details), None)
    return first if isinstance(first, dict) else {}
