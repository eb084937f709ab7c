"""The locks of a namespace: one workflow, whose id and type is `gonogo-locks`. A thin shell around its table.

The law: signals come in, queries go out, and a handler of a signal gives no command; what it does to the table hangs on
the order of signals alone. Missions that wait are told to ask again, one after the other, and whoever is not there to
be told is told nothing: asking finds those who hold a lock and run no more (`activities/locks.py`).
"""

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from contracts.base import canonical
from contracts.lock import (
    ASK,
    GONE,
    LOCKS,
    LOCKS_MOVED,
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
        """Tell those whose claims moved, for as long as the namespace lives."""
        del given
        while True:
            await workflow.wait_condition(lambda: bool(self._table.moves) or self._full())
            while self._table.moves:
                await _tell(self._table.moves[0])
                self._table.moves.pop(0)
            if self._full():
                carried = self._table.carried()
                workflow.continue_as_new(carried.model_copy(update={"signals_per_run": self._given.signals_per_run}))

    @workflow.signal(name=ASK)
    def ask(self, claim: Claim) -> None:
        """Take a claim in."""
        self._signals += 1
        self._table.ask(claim, workflow.now())

    @workflow.signal(name=RELEASE)
    def release(self, holder: Holder) -> None:
        """Free what a claim holds, or withdraw it."""
        self._signals += 1
        self._table.release(holder, workflow.now())

    @workflow.signal(name=GONE)
    def gone(self, holder: Holder) -> None:
        """Free all that a mission holds which runs no more."""
        self._signals += 1
        self._table.gone(holder.mission, holder.first_run_id, workflow.now())

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

    def _full(self) -> bool:
        # Counted here: what the server says of a history's length may differ in a replay.
        return self._signals >= self._given.signals_per_run


async def _tell(holder: Holder) -> None:
    mission = workflow.get_external_workflow_handle(holder.mission)
    try:
        await mission.signal(LOCKS_MOVED, holder.path)
    except (ApplicationError, FailureError):
        workflow.logger.info("%s is not there to be told of its locks", holder.mission)
