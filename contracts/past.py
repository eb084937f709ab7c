"""What a mission is told of the run that it was reset from: why that ended, and what it had begun at the end.

A reset drops the last workflow task's own commands. `activities/past.py` reads them from the server, where nobody can
make them up; `workflows/reset.py` asks.
"""

from contracts.base import Message

READ_PAST = "past.read"
STOPPED = "stopped"
"""The code of the failure of a mission that was stopped from outside."""


class Past(Message):
    """Why a mission stopped, or nothing where it never did; the paths of actions that its journal may not know of."""

    cause: str
    begun: tuple[str, ...] = ()
