"""Where decisions arrive, by signal or by update, and are ruled on one after the other, in their order.

Handlers only take in; one task rules. So no two decisions are judged against the same state of a gate, and what has
not been ruled on when a run ends goes with the mission into the next.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from temporalio import workflow

from contracts.decision import LONGEST_TOKEN, Envelope, Hearing, Receipt, Ruling
from workflows.governance.tally import Gatebook

Judge = Callable[[Hearing], Awaitable[Ruling]]


class Inbox:
    """Decisions that wait for their ruling, and the receipts of those that have it."""

    def __init__(self, waiting: Iterable[Envelope] = ()) -> None:
        self._waiting = list(waiting)
        self._receipts: dict[int, Receipt] = {}
        self._asked: set[int] = set()
        self._taken = max((envelope.number for envelope in self._waiting), default=0)
        self.count = 0

    def waiting(self) -> tuple[Envelope, ...]:
        return tuple(self._waiting)

    def waiting_bytes(self) -> int:
        return sum(len(envelope.token.encode()) for envelope in self._waiting)

    def take(self, token: str, unreadable: str = "") -> int:
        """Take a decision in; return the number under which its receipt will lie."""
        if len(token) > LONGEST_TOKEN:
            token, unreadable = "", f"the decision is longer than {LONGEST_TOKEN // 1024} kB"
        self._taken += 1
        self.count += 1
        now = workflow.now()
        self._waiting.append(Envelope(token=token, received_at=now, number=self._taken, unreadable=unreadable))
        return self._taken

    async def receipt(self, number: int) -> Receipt:
        """Wait for the ruling on a decision."""
        self._asked.add(number)
        await workflow.wait_condition(lambda: number in self._receipts)
        self._asked.discard(number)
        return self._receipts.pop(number)

    def heard_until(self, moment: datetime) -> bool:
        """Say whether everything that came before a moment has been ruled on."""
        return not self._waiting or self._waiting[0].received_at >= moment

    async def attend(self, gates: Gatebook, mission: str, first_run_id: str, judge: Judge) -> None:
        """Rule on what comes, for as long as the run lasts."""
        while True:
            await workflow.wait_condition(lambda: bool(self._waiting))
            envelope = self._waiting[0]
            if envelope.unreadable:
                ruling = Ruling(accepted=False, reason=envelope.unreadable, received_at=envelope.received_at)
            else:
                ruling = await judge(_hearing(envelope, gates, mission, first_run_id))
            receipt = gates.count(ruling.model_copy(update={"token": envelope.token}))
            if envelope.number in self._asked:
                self._receipts[envelope.number] = receipt
            self._waiting.pop(0)


def _hearing(envelope: Envelope, gates: Gatebook, mission: str, first_run_id: str) -> Hearing:
    return Hearing(
        token=envelope.token,
        received_at=envelope.received_at,
        mission=mission,
        first_run_id=first_run_id,
        openings=tuple(opening.model_copy(update={"context": {}}) for opening in gates.openings()),
        used=tuple(gates.used),
    )
