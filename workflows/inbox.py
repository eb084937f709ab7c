"""Where decisions arrive, by signal, and are ruled on one after the other, in their order.

The handler only takes in; one task rules. So no two decisions are judged against the same state of a gate, and what has
not been ruled on when a run ends goes with the mission into the next.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from temporalio import workflow
from temporalio.common import RawValue

from contracts.decision import DECIDE, LONGEST_TOKEN, Envelope, Hearing, Opening, Receipt, Ruling, token_digest
from workflows.meter import Meter
from workflows.refused import why

Judge = Callable[[Hearing], Awaitable[Ruling]]
Show = Callable[[Envelope], Hearing]
Count = Callable[[Ruling], Receipt]


class Book(Protocol):
    """What is decided on: the gates of a mission, the table of halts."""

    @property
    def used(self) -> list[str]: ...

    def get(self, path: str) -> Opening | None: ...

    def count(self, ruling: Ruling) -> Receipt: ...


class Inbox:
    """Decisions that wait for their ruling, and the receipts of the last that have it, by the token's digest."""

    KEPT_RECEIPTS = 100

    def __init__(self, waiting: Iterable[Envelope], receipts: Mapping[str, Receipt], meter: Meter) -> None:
        self._waiting = list(waiting)
        self._meter = meter
        self.receipts = dict(receipts)
        self.count = 0

    def waiting(self) -> tuple[Envelope, ...]:
        return tuple(self._waiting)

    def waiting_bytes(self) -> int:
        return sum(len(envelope.token.encode()) for envelope in self._waiting)

    def take(self, token: str, unreadable: str = "") -> None:
        """Take a decision in."""
        if len(token) > LONGEST_TOKEN:
            token, unreadable = "", f"the decision is longer than {LONGEST_TOKEN // 1024} kB"
        self.count += 1
        now = workflow.now()
        self._waiting.append(Envelope(token=token, received_at=now, unreadable=unreadable))

    def look_up(self) -> None:
        """Have the judge say which rules are in force, in its turn; once, however often that is asked for."""
        if not any(envelope.rules for envelope in self._waiting):
            self.count += 1
            self._waiting.append(Envelope(received_at=workflow.now(), rules=True))

    def receive(self, name: str, args: Sequence[RawValue], who: str, others: str = "") -> None:
        """Take in what a signal brings; what is no decision is recorded as refused, never lost."""
        token, unreadable = "", ""
        if name != DECIDE:
            unreadable = f"{who} knows no {name[:100]!r}; decisions are sent as {DECIDE!r}{others}"
        elif len(args) != 1:
            unreadable = f"a decision is one JSON string, a compact JWS; {len(args)} arguments came"
        else:
            try:
                token = workflow.payload_converter().from_payload(args[0].payload, str)
            except Exception as error:
                unreadable = f"a decision is one JSON string, a compact JWS; {why(error)}"
        self.take(token, unreadable)

    def heard_until(self, moment: datetime, *, at_it: bool = False) -> bool:
        """Say whether all that was taken in before a moment has been ruled on; with `at_it`, by its own task too."""
        first = self._waiting[0].received_at if self._waiting else None
        return first is None or first > moment or (first == moment and not at_it)

    async def attend(self, gates: Book, show: Show, judge: Judge, count: Count) -> None:
        """Rule on what comes, for as long as the run lasts."""
        while True:
            await workflow.wait_condition(lambda: bool(self._waiting))
            envelope = self._waiting[0]
            if envelope.unreadable:
                ruling = Ruling(accepted=False, reason=envelope.unreadable, received_at=envelope.received_at)
            else:
                ruling = await _ruled(envelope, gates, lambda one: judge(show(one)))
            receipt = count(ruling.model_copy(update={"token": envelope.token}))
            if not envelope.rules:
                self._keep(envelope.token, receipt)
            self._meter.count_ruling(2 * len(envelope.token))
            self._waiting.pop(0)

    def _keep(self, token: str, receipt: Receipt) -> None:
        """Keep a receipt. Sent twice, a decision counts once: the second time changes nothing."""
        name = token_digest(token)
        known = self.receipts.pop(name, None)
        self.receipts[name] = known if known and known.accepted else receipt
        while len(self.receipts) > self.KEPT_RECEIPTS:
            del self.receipts[next(iter(self.receipts))]


async def _ruled(envelope: Envelope, gates: Book, hear: Callable[[Envelope], Awaitable[Ruling]]) -> Ruling:
    """Have a decision judged; again, when its gate opened only while it was.

    A decision may come beside the very report that opens its gate, and be handed over first. Whether it is judged again
    must hang on what was recorded alone: what a hearing finds open may differ from a replay's.
    """
    while True:
        ruling = await hear(envelope)
        opening = gates.get(ruling.step)
        if not ruling.unopened or opening is None or opening.nonce != ruling.nonce:
            return ruling


def hearing(envelope: Envelope, gates: Book, mission: str, first_run_id: str) -> Hearing:
    """Return what the judge is shown of the gates: the one that a decision names."""
    said = _claimed(envelope.token)
    opening = gates.get(str(said.get("step")))
    return Hearing(
        token=envelope.token,
        received_at=envelope.received_at,
        mission=mission,
        name=mission,
        first_run_id=first_run_id,
        openings=(_bare(opening),) if opening else (),
        used=tuple(jti for jti in gates.used if jti == said.get("jti")),
        asks=envelope.rules,
    )


def _bare(opening: Opening) -> Opening:
    """Return an opening as it is judged by: nobody judges by what else is shown there, or was said."""
    votes = tuple(vote.model_copy(update={"token": "", "comment": "", "changes": None}) for vote in opening.votes)
    return opening.model_copy(update={"context": {}, "votes": votes})


def _claimed(token: str) -> dict[str, Any]:
    """Return what a token says, believed by nobody: it chooses what the judge is shown of the mission."""
    try:
        body = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
