"""What readers may ask of a mission: its queries. `workflows/mission.py` holds what they tell of.

The law: a query changes nothing, and no answer is so large that it would end the workflow (`workflows/view.py`).
"""

from datetime import datetime

from temporalio import workflow

from contracts.plan import Ending, MissionInput
from contracts.view import (
    GATES,
    OPENING,
    RECEIPT,
    STATE,
    GatesQuery,
    GatesView,
    MissionState,
    MissionView,
    OpeningQuery,
    OpeningView,
    ReceiptQuery,
    ReceiptView,
    StateQuery,
)
from workflows.gatekeeper import Gatekeeper
from workflows.governance.control import Control
from workflows.governance.saga import not_undone
from workflows.governance.tally import Gatebook
from workflows.inbox import Inbox
from workflows.interpreter.course import state_of
from workflows.interpreter.journal import Journal
from workflows.view import admission_shown, page_of_gates, page_of_records, piece_of_opening, spent, waiting


class Answers:
    """What a mission is asked, from what it holds."""

    _input: MissionInput
    _journal: Journal
    _gates: Gatebook
    _inbox: Inbox
    _control: Control
    _ending: Ending | None
    _gatekeeper: Gatekeeper
    _over: bool
    _held: bool
    _runs: int
    _started_at: datetime

    @workflow.query(name=STATE)
    def state(self, query: StateQuery) -> MissionView:
        """Show the mission: how it stands, and the records changed since a revision."""
        definition = self._input.plan.definition
        records, more = page_of_records(self._journal.since(query.since))
        ending = self._ending
        return MissionView(
            id=workflow.info().workflow_id,
            name=definition.mission,
            version=definition.version,
            state=self._state(),
            verdict=ending.verdict if ending else None,
            reason=ending.reason if ending else "",
            requested_by=self._input.requested_by,
            plan_digest=self._input.plan.digest,
            started_at=self._started_at,
            waiting=tuple(waiting(self._gates.openings()))[:50],
            records=records,
            revision=records[-1].revision if records else query.since,
            more=more,
            spent=spent(self._journal.records()).plus(self._control.state.spent),
            refusals=tuple(self._gates.refusals[-20:]),
            not_undone=not_undone(self._journal.records())[:50],
            runs=self._runs,
            admission=admission_shown(self._gatekeeper.admission),
            paused=self._control.paused,
            letter=self._control.letter,
            commands=self._control.state.notes[-50:],
            operators=self._input.plan.commanders(),
        )

    @workflow.query(name=GATES)
    def gates(self, query: GatesQuery) -> GatesView:
        """Show open gates with everything that is signed."""
        return page_of_gates(self._gates.openings(), query, self._input.plan)

    @workflow.query(name=OPENING)
    def opening(self, query: OpeningQuery) -> OpeningView:
        """Show one open gate whole, in pieces."""
        return piece_of_opening(self._gates.get(query.step), query)

    @workflow.query(name=RECEIPT)
    def receipt(self, query: ReceiptQuery) -> ReceiptView:
        """Show the receipt of a decision."""
        return ReceiptView(receipt=self._inbox.receipts.get(query.token_digest))

    def _state(self) -> MissionState:
        if self._held:
            return MissionState.HELD
        return state_of(self._ending, over=self._over, asking=self._gates.asking(), control=self._control)
