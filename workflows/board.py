"""Keep visible from outside how a mission stands: search attributes, and the page in the Web UI.

Search attributes cost an event each time, so they are written only when one changes.
"""

from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from contracts.attributes import (
    AWAITING_ROLE,
    GATE_DEADLINE,
    HALTED_BY,
    MISSION_NAME,
    MISSION_STATE,
    MISSION_TEAM,
    MISSION_VERDICT,
)
from contracts.command import DeadLetter
from contracts.decision import Opening
from contracts.plan import Plan
from contracts.view import MissionState
from workflows.interpreter.journal import Journal
from workflows.view import details, page_of_letter

STATE = SearchAttributeKey.for_keyword(MISSION_STATE)
VERDICT = SearchAttributeKey.for_keyword(MISSION_VERDICT)
ROLES = SearchAttributeKey.for_keyword_list(AWAITING_ROLE)
DEADLINE = SearchAttributeKey.for_datetime(GATE_DEADLINE)
HALTED = SearchAttributeKey.for_keyword_list(HALTED_BY)

MOST_TOLD = 20
Shown = tuple[MissionState, tuple[Opening, ...], Journal, DeadLetter | None]
Facts = tuple[MissionState, tuple[str, ...], datetime | None, tuple[str, ...]]


def at_start(name: str, team: str) -> TypedSearchAttributes:
    """Return what a mission carries from its first moment."""
    values = {MISSION_NAME: name, MISSION_STATE: str(MissionState.RUNNING), MISSION_TEAM: team}
    pairs = [SearchAttributePair(SearchAttributeKey.for_keyword(key), value) for key, value in values.items()]
    return TypedSearchAttributes(pairs)


class Board:
    """What was last shown, so that only changes are written."""

    def __init__(self, plan: Plan, shown: Shown) -> None:
        self._plan = plan
        self._shown = self._facts(*shown)
        self.verdict: str | None = None

    def show(
        self, state: MissionState, openings: tuple[Opening, ...], journal: Journal, letter: DeadLetter | None
    ) -> None:
        """Write the search attributes if they changed, and the page."""
        workflow.set_current_details(details(self._plan.definition, state, journal, openings, self._failed(letter)))
        facts = self._facts(state, openings, journal, letter)
        if facts == self._shown and self.verdict is None:
            return
        updates: list[SearchAttributeUpdate[Any]] = [STATE.value_set(state)]
        (_, old_roles, old_deadline, old_halts), (_, roles, deadline, halts) = self._shown, facts
        if roles != old_roles:
            updates.append(ROLES.value_set(list(roles)) if roles else ROLES.value_unset())
        if deadline != old_deadline:
            updates.append(DEADLINE.value_set(deadline) if deadline else DEADLINE.value_unset())
        if halts != old_halts:
            updates.append(HALTED.value_set(list(halts)) if halts else HALTED.value_unset())
        self._shown = facts
        if self.verdict is not None:
            updates.append(VERDICT.value_set(self.verdict))
        workflow.upsert_search_attributes(updates)

    def _failed(self, letter: DeadLetter | None) -> tuple[str, ...]:
        return tuple(page_of_letter(workflow.info().workflow_id, letter, self._plan.commanders())) if letter else ()

    def _facts(
        self, state: MissionState, openings: tuple[Opening, ...], journal: Journal, letter: DeadLetter | None
    ) -> Facts:
        operators = self._plan.commanders() if letter is not None else ()
        roles = sorted({*operators, *(who for opening in openings for who in opening.subject.approvers)})
        times = (*(opening.deadline for opening in openings), letter.deadline if letter is not None else None)
        deadline = min((moment for moment in times if moment), default=None)
        halts = sorted({halt.target for _, halt in journal.halts()})
        return state, tuple(roles), deadline, tuple(halts[:MOST_TOLD])
