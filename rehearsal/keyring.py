"""The locks of a rehearsal: the real table, in memory. Other missions hold what the script says, as long as it says."""

from collections.abc import Iterable

from contracts.lock import Claim, Holder, Standing
from rehearsal.clock import Clock
from rehearsal.script import Held
from workflows.governance.lock import Locktable


class Keyring:
    """Who holds which lock. Word that a lock moved is never lost here."""

    def __init__(self, others: Iterable[Held], clock: Clock) -> None:
        self._table = Locktable()
        self._clock = clock
        self._others = tuple(others)
        self._moves: dict[str, int] = {}

    def begin(self) -> None:
        """Let the others take what they hold."""
        for number, held in enumerate(self._others, start=1):
            holder = Holder(mission=held.by, first_run_id=held.by, path="elsewhere", turn=number)
            self._table.ask(Claim(holder=holder, names=(held.lock,)), self._clock.now)
            if held.for_ is not None:
                self._clock.beside(self._give_back(holder, held))

    def ask(self, claim: Claim) -> Standing:
        self._table.ask(claim, self._clock.now)
        self._count()
        return self._table.standing(claim.holder)

    def release(self, holder: Holder) -> None:
        self._table.release(holder, self._clock.now)
        self._count()

    def moves(self, path: str) -> int:
        """Return how often the claim of a step has moved."""
        return self._moves.get(path, 0)

    async def _give_back(self, holder: Holder, held: Held) -> None:
        if held.for_ is not None:
            await self._clock.pause(held.for_)
        self.release(holder)

    def _count(self) -> None:
        for holder in self._table.moves:
            self._moves[holder.path] = self._moves.get(holder.path, 0) + 1
        self._table.moves.clear()
