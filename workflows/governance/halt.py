"""What is halted: signed statements counted one after the other. Pure; the durable half is `workflows/halts.py`.

The law: one halt a target; a statement counts for the target as it stood when it was signed, and so once. What is
halted already, or not at all, is told as a refusal and changes nothing.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from contracts.decision import Opening, Receipt, Ruling
from contracts.halt import MOST_TARGETS, SHOWN_REASON, Halt, HaltTable, is_target

KEPT = 100


class Haltbook:
    """The table, which statements counted, which were refused: what an inbox (`workflows/inbox.py`) rules for."""

    def __init__(
        self,
        table: HaltTable,
        place: tuple[str, str],
        changed: Callable[[HaltTable], None],
        now: Callable[[], datetime],
    ) -> None:
        """Keep a table. `place` is the id of its workflow and the first run of that."""
        self.table = table
        self._place = place
        self._changed = changed
        self._now = now
        self.used: list[str] = []
        self.refusals: list[Ruling] = []

    def recall(self, used: Iterable[str], refusals: Iterable[Ruling]) -> None:
        """Take over what the run before this one kept."""
        self.used, self.refusals = list(used), list(refusals)

    def get(self, path: str) -> Opening | None:
        """Return what can be signed at a target."""
        return self.table.opening(path, self._now(), *self._place) if is_target(path) else None

    def count(self, ruling: Ruling) -> Receipt:
        """Count an accepted ruling, or keep a refused one; return what its sender is told."""
        reason = self._idle(ruling) if ruling.accepted else ruling.reason
        if reason or not ruling.accepted:
            refused = ruling.model_copy(update={"accepted": False, "reason": reason, "token": ""})
            self.refusals = [*self.refusals, refused][-KEPT:]
            return Receipt(accepted=False, reason=reason, step=ruling.step)
        self.used = [*self.used, ruling.jti][-KEPT:]
        self.table = self._counted(ruling)
        self._changed(self.table)
        return Receipt(accepted=True, step=ruling.step, state="halted" if ruling.verb == "halt" else "lifted")

    def _idle(self, ruling: Ruling) -> str:
        """Return why a ruling would change nothing, or not as its signer meant."""
        what, halt = ruling.step.replace(":", " ", 1), self.table.standing(ruling.step)
        if ruling.nonce != str(self.table.turns.get(ruling.step, 0)):
            return f"{what} has been halted or lifted meanwhile; look again"
        if ruling.verb == "halt" and halt is not None:
            return f"{what} is halted already, by {halt.by}"
        if ruling.verb == "lift" and halt is None:
            return f"{what} is not halted"
        if ruling.step not in self.table.turns and len(self.table.turns) >= MOST_TARGETS:
            return f"the table knows {MOST_TARGETS} targets already"
        return ""

    def _counted(self, ruling: Ruling) -> HaltTable:
        others = tuple(halt for halt in self.table.halts if halt.target != ruling.step)
        turns = {**self.table.turns, ruling.step: self.table.turns.get(ruling.step, 0) + 1}
        if ruling.verb == "lift":
            return HaltTable(halts=others, turns=turns)
        reason = ruling.comment[:SHOWN_REASON]
        halt = Halt(target=ruling.step, by=ruling.person, reason=reason, since=ruling.received_at)
        return HaltTable(halts=(*others, halt), turns=turns)
