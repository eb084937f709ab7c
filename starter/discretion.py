"""What is sensitive in a mission, hidden before it is shown: in its inputs, in answers, in what is asked for.

The law: data is hidden before anything is drawn of it, so no width, cut or spelling shows a part. A decision is signed
on everything: `approve` shows it whole. What is sensitive is said by schemas (`language/sensitive.py`), frozen with the
mission; where they cannot be read, nobody is told the mission.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel
from temporalio.client import Client

from activities.mission_payloads import converter
from contracts.audit import AuditEntry
from contracts.call import AgentResult, ToolResult
from contracts.decision import Opening
from contracts.observation import Observation
from contracts.plan import MissionInput
from contracts.record import Record
from contracts.view import MissionView
from language.sensitive import HIDDEN, found
from starter.connect import PATIENCE, understood

Model = TypeVar("Model", bound=BaseModel)
TOLD = ("who", "step", "why", "token", "detail")
"""What of an entry may hold anything."""
SHORT = 4
"""Letters below which a text is hidden only where it stands as a word of its own."""


class Discretion:
    """What is hidden of one mission. It learns from whatever the mission says next."""

    def __init__(self, given: MissionInput | None) -> None:
        self.plan = given.plan if given is not None else None
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        if given is not None:
            self._learn(given.plan.definition.inputs, given.inputs)

    def records(self, records: Iterable[Record]) -> None:
        """Learn what is sensitive in what steps came to."""
        if self.plan is None:
            return
        for record in records:
            agent, tool = self.plan.agents.get(record.actor), self.plan.tools.get(record.actor)
            self._learn(getattr(agent or tool, "output", None), record.output)
            if tool is not None and record.effect is not None:
                self._learn(tool.input, record.effect.arguments)

    def view(self, view: MissionView) -> MissionView:
        """Return how a mission stands, with everything sensitive hidden."""
        self.records(view.records)
        return self.hide(view)

    def live(self, live: Iterable[tuple[str, Observation]]) -> list[tuple[str, Observation]]:
        """Return what is noticed now, with everything sensitive hidden."""
        return [(name, self.hide(noticed)) for name, noticed in live]

    def opening(self, gate: Opening) -> Opening:
        """Return what is asked, with everything sensitive hidden: to be looked at, not to be signed."""
        self.action(gate.subject.tool, gate.subject.arguments)
        for one in gate.subject.actions:
            self.action(one.tool, one.arguments)
        return self.hide(gate)

    def entries(self, entries: Iterable[AuditEntry]) -> list[AuditEntry]:
        """Return a record with everything sensitive hidden."""
        told = list(entries)
        for entry in told:
            self.action(entry.who, entry.detail.get("arguments"))
        return [entry.model_copy(update={name: self.value(getattr(entry, name)) for name in TOLD}) for entry in told]

    def result(self, name: str, result: AgentResult | ToolResult | None) -> None:
        """Learn what is sensitive in what an agent or a tool answered."""
        known = (self.plan.agents.get(name) or self.plan.tools.get(name)) if self.plan is not None else None
        if known is not None and result is not None:
            self._learn(known.output, result.output)

    def action(self, tool: str | None, arguments: Any) -> None:
        """Learn what is sensitive in the arguments that people are asked about."""
        contract = self.plan.tools.get(tool or "") if self.plan is not None else None
        if contract is not None:
            self._learn(contract.input, arguments)

    def hide(self, model: Model) -> Model:
        """Return a model with everything sensitive hidden."""
        if self._pattern is None:
            return model
        return type(model).model_validate(self.value(model.model_dump(mode="json")))

    def value(self, value: Any) -> Any:
        """Return a value with everything sensitive hidden, wherever it stands."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub(HIDDEN, value)
        if isinstance(value, dict):
            return {self.value(name): self.value(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(one) for one in value]
        number = isinstance(value, int | float) and not isinstance(value, bool) and str(value) in self._known
        return HIDDEN if number else value

    def _learn(self, schema: Any, value: Any) -> None:
        new = {str(one) for one in found(schema, value)} - self._known if schema else set()
        if new:
            self._known |= new
            spelt = {form for one in self._known for form in _forms(one)}
            self._pattern = re.compile("|".join(map(_alone, sorted(spelt, key=len, reverse=True))))


async def discretion(client: Client, mission: str, *, reveal: bool = False) -> Discretion:
    """Return what is hidden of a mission: nothing where it is to be revealed."""
    if reveal:
        return Discretion(None)
    with understood(mission):
        events = client.get_workflow_handle(mission).fetch_history_events(page_size=1, rpc_timeout=PATIENCE)
        first = await anext(events)
    payloads = first.workflow_execution_started_event_attributes.input.payloads
    try:
        [given] = await converter(client, mission).decode(payloads, [MissionInput])
    except Exception:
        return Discretion(None)  # Not one of our missions: nobody has said what is sensitive in it.
    return Discretion(given)


def _forms(text: str) -> set[str]:
    """Return how a text may be spelt: as it is, and inside JSON."""
    return {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}


def _alone(text: str) -> str:
    return re.escape(text) if len(text) >= SHORT else rf"(?<!\w){re.escape(text)}(?!\w)"
