"""The locks of a namespace: one workflow, whose id and type is `gonogo-locks`. A thin shell around its table.

The law: signals come in, queries go out, and no command is given but to go on in a new run; what becomes of the table
hangs on the order of signals alone. Nobody is told anything: those who wait ask again, and asking finds those who hold
a lock and run no more (`activities/locks.py`).
"""

from temporalio import workflow

from contracts.base import canonical
from contracts.lock import (
    ASK,
    GONE,
    LOCKS,
    RELEASE,
    STANDING,
    TABLE,
    Claim,
    Holder,
    LocksInput,
    LockView,
    Standing,
    TableQuery,
    TableView,
)
from contracts.view import MOST_BYTES
from workflows.governance.lock import Locktable


@workflow.defn(name=LOCKS)
class Locks:
    """Who holds which lock, and who waits for it."""

    @workflow.init
    def __init__(self, given: LocksInput) -> None:
        self._given = given
        self._table = Locktable(given)
        self._signals = 0

    @workflow.run
    async def run(self, given: LocksInput) -> None:
        """Serve for as long as the namespace lives, one run after the other."""
        del given
        # Counted here: what the server says of a history's length may differ in a replay.
        await workflow.wait_condition(lambda: self._signals >= self._given.signals_per_run)
        carried = self._table.carried()
        workflow.continue_as_new(carried.model_copy(update={"signals_per_run": self._given.signals_per_run}))

    @workflow.signal(name=ASK)
    def ask(self, claim: Claim) -> None:
        """Take a claim in."""
        self._signals += 1
        self._table.ask(claim, workflow.now())
        self._table.moves.clear()

    @workflow.signal(name=RELEASE)
    def release(self, holder: Holder) -> None:
        """Free what a claim holds, or withdraw it."""
        self._signals += 1
        self._table.release(holder, workflow.now())
        self._table.moves.clear()

    @workflow.signal(name=GONE)
    def gone(self, holder: Holder) -> None:
        """Free all that a mission holds which runs no more."""
        self._signals += 1
        self._table.gone(holder.mission, holder.first_run_id, workflow.now())
        self._table.moves.clear()

    @workflow.query(name=STANDING)
    def standing(self, holder: Holder) -> Standing:
        """Say how a claim stands."""
        return self._table.standing(holder)

    @workflow.query(name=TABLE)
    def table(self, query: TableQuery) -> TableView:
        """Show the locks, in pages by name."""
        room = MOST_BYTES - 8_000
        page: list[LockView] = []
        for lock in self._table.locks():
            if lock.lock <= query.after:
                continue
            shown = lock.model_copy(update={"waiting": lock.waiting[:100]})
            room -= len(canonical(shown))
            if page and room < 0:
                return TableView(locks=tuple(page), more=True)
            page.append(shown)
        return TableView(locks=tuple(page))
