"""What an attempt leaves to the one after it, through heartbeats: what models have cost, and how far the work came.

Law: nothing that was paid for is forgotten, and nothing here decides anything: an attempt that finds nothing, or
something that it cannot read, begins anew.
"""

from typing import Any

from temporalio import activity

from activities.tally import Tally
from contracts.usage import KEY

TALLY, KEPT = "tally", "kept"


class Memory:
    """The count of what models were used, and what a runtime keeps to go on with."""

    def __init__(self) -> None:
        first = next(iter(activity.info().heartbeat_details), None)
        before = first if isinstance(first, dict) else {}
        self.tally = Tally.after(before.get(TALLY))
        self.kept: Any = before.get(KEPT)

    def carried(self) -> dict[str, Any]:
        """Return what a heartbeat carries."""
        spent = self.tally.total().model_dump(mode="json")
        return {TALLY: self.tally.kept(), KEPT: self.kept, KEY: spent}
