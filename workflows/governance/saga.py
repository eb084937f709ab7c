"""The saga's order: what is undone, and when. Pure; `workflows/interpreter/undo.py` does it through the ports."""

from collections.abc import Iterable

from contracts.record import STANDING, Record


def to_undo(records: Iterable[Record]) -> list[Record]:
    """Return the records of effects that are still to be undone, the last completed first.

    An effect whose outcome nobody knows is undone too: compensations are safe where nothing happened. A command may
    stop a step before it has completed: what began last is undone first, before all that has.
    """
    standing = [record for record in records if record.effect is not None and record.effect.undo_status in STANDING]
    standing.reverse()
    return sorted(standing, key=lambda record: -record.order if record.order else -float("inf"))


def not_undone(records: Iterable[Record]) -> tuple[str, ...]:
    """Return the steps whose effects stand though they were to be undone: that failed, or people gave it up."""
    left = {"failed", "given_up"}
    return tuple(record.path for record in records if record.effect and record.effect.undo_status in left)
