"""What an attempt leaves to the one after it, through heartbeats: what models have cost, and how far the work came.

Law: nothing that was paid for is forgotten, and nothing here decides anything: an attempt that finds nothing, or
something that it cannot read, begins anew.
"""

from collections.abc import Sequence
from typing import Any

from temporalio import activity

from activities.tally import Tally
from contracts.usage import KEY

TALLY, KEPT = "tally", "kept"


class Memory:
    """The count of what models were used, and what a runtime keeps to go on with."""

    def __init__(self, before: Sequence[Any] | None = None) -> None:
        self.before = activity.info().heartbeat_details if before is None else before
        first = next(iter(self.before), None)
        known = first if isinstance(first, dict) else {}
        self.tally = Tally.after(known.get(TALLY))
        self.kept: Any = known.get(KEPT)

    def begun(self, *, thinks: bool) -> bool:
        """Whether there is something to go on with: calls of a model, or work elsewhere."""
        return bool(self.tally.total().model_calls if thinks else self.kept)

    def carried(self) -> dict[str, Any]:
        """Return what a heartbeat carries."""
        spent = self.tally.unpriced().model_dump(mode="json")
        return {TALLY: self.tally.kept(), KEPT: self.kept, KEY: spent}
