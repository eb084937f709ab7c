"""The halts of a namespace: one workflow, whose id and type is `gonogo-halts`. A thin shell around its table.

The law: nothing is halted or lifted but by a signed statement that came in as a decision comes to a mission, and was
judged by the same judge. What stands lies in the memo: whoever begins something reads it from the server, with no
worker between, and should somebody end this workflow, what stood then still stands.
"""

import asyncio
from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue

from contracts.halt import HALTS, TABLE, HaltsInput, HaltTable
from contracts.plan import Limits
from contracts.view import RECEIPT, ReceiptQuery, ReceiptView
from workflows.beside import judge
from workflows.governance.halt import Haltbook
from workflows.inbox import Inbox, hearing
from workflows.meter import Meter

QUEUED = 300_000
"""Bytes of statements that may go along unheard."""


@workflow.defn(name=HALTS)
class Halts:
    """What is halted, by whom, since when, and why."""

    @workflow.init
    def __init__(self, given: HaltsInput) -> None:
        info = workflow.info()
        place = (info.workflow_id, info.first_execution_run_id)
        self._given = given
        self._book = Haltbook(given.table, place, _publish, workflow.now)
        self._book.recall(given.used, given.refusals)
        self._meter = Meter(Limits(decisions_per_run=given.decisions_per_run, exact=True))
        self._inbox = Inbox(given.inbox, given.receipts, self._meter)

    @workflow.run
    async def run(self, given: HaltsInput) -> None:
        """Serve for as long as the namespace lives, one run after the other."""
        del given
        info = workflow.info()
        attending = asyncio.create_task(
            self._inbox.attend(
                self._book,
                lambda envelope: hearing(envelope, self._book, info.workflow_id, info.first_execution_run_id),
                lambda hearing: judge(hearing, self._meter.rulings + 1, exact=True),
                self._book.count,
            )
        )
        await workflow.wait_condition(
            lambda: self._meter.full(self._inbox.count) and self._inbox.waiting_bytes() <= QUEUED
        )
        del attending
        workflow.continue_as_new(self._carried(), memo={TABLE: self._book.table})

    @workflow.signal(dynamic=True)
    def on_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """Take in whatever is sent."""
        self._inbox.receive(name, args, "the table of halts")

    @workflow.query(name=RECEIPT)
    def receipt(self, query: ReceiptQuery) -> ReceiptView:
        """Show the receipt of a statement."""
        return ReceiptView(receipt=self._inbox.receipts.get(query.token_digest))

    def _carried(self) -> HaltsInput:
        return self._given.model_copy(
            update={
                "table": self._book.table,
                "inbox": self._inbox.waiting(),
                "receipts": self._inbox.receipts,
                "used": tuple(self._book.used),
                "refusals": tuple(self._book.refusals),
            }
        )


def _publish(table: HaltTable) -> None:
    workflow.upsert_memo({TABLE: table})
