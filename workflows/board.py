"""Keep visible from outside how a mission stands: search attributes, and the page in the Web UI.

Search attributes cost an event each time, so they are written only when one changes.
"""

from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from contracts.attributes import (
    ASKED_UNDER,
    AWAITING_ROLE,
    GATE_DEADLINE,
    HALTED_BY,
    MISSION_NAME,
    MISSION_STATE,
    MISSION_TEAM,
    MISSION_VERDICT,
)
from contracts.command import DeadLetter
from contracts.decision import BOUND, Opening
from contracts.plan import Plan
from contracts.view import MissionState
from workflows.interpreter.journal import Journal
from workflows.view import details, page_of_letter

STATE = SearchAttributeKey.for_keyword(MISSION_STATE)
VERDICT = SearchAttributeKey.for_keyword(MISSION_VERDICT)
ROLES = SearchAttributeKey.for_keyword_list(AWAITING_ROLE)
DEADLINE = SearchAttributeKey.for_datetime(GATE_DEADLINE)
HALTED = SearchAttributeKey.for_keyword_list(HALTED_BY)
RULES = SearchAttributeKey.for_keyword(ASKED_UNDER)

MOST_TOLD = 20
SEVERAL = "several"
Shown = tuple[MissionState, tuple[Opening, ...], Journal, DeadLetter | None]
Facts = tuple[MissionState, tuple[str, ...], datetime | None, tuple[str, ...], str]


def at_start(name: str, team: str) -> TypedSearchAttributes:
    """Return what a mission carries from its first moment."""
    values = {MISSION_NAME: name, MISSION_STATE: str(MissionState.RUNNING), MISSION_TEAM: team}
    pairs = [SearchAttributePair(SearchAttributeKey.for_keyword(key), value) for key, value in values.items()]
    return TypedSearchAttributes(pairs)


class Board:
    """What was last shown, so that only changes are written."""

    def __init__(self, plan: Plan, shown: Shown, *, heeds: bool) -> None:
        self._plan = plan
        self._heeds = heeds
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
        (_, old_roles, old_deadline, old_halts, old_rules), (_, roles, deadline, halts, rules) = self._shown, facts
        if roles != old_roles:
            updates.append(ROLES.value_set(list(roles)) if roles else ROLES.value_unset())
        if deadline != old_deadline:
            updates.append(DEADLINE.value_set(deadline) if deadline else DEADLINE.value_unset())
        if halts != old_halts:
            updates.append(HALTED.value_set(list(halts)) if halts else HALTED.value_unset())
        if rules != old_rules:
            updates.append(RULES.value_set(rules) if rules else RULES.value_unset())
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
        return state, tuple(roles), deadline, tuple(halts[:MOST_TOLD]), self._rules(openings)

    def _rules(self, openings: tuple[Opening, ...]) -> str:
        """Return the version of the rules that people are asked under, if the mission takes in that they change."""
        asked = (opening.subject for opening in openings if self._heeds)
        versions = {subject.governance for subject in asked if subject.kind in BOUND} - {""}
        return SEVERAL if len(versions) > 1 else next(iter(versions), "")
