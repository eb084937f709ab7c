"""What is sensitive in a mission, hidden before it is shown: in its inputs, in answers, in what is asked for.

The law: data is hidden before anything is drawn of it, so no width, cut or spelling shows a part. It is hidden where a
schema says that it stands, and its texts and numbers wherever else they do; what our own models call a number or
a time stays one. A decision is signed on everything: `approve` shows it whole. What is sensitive is said by
schemas (`language/sensitive.py`), frozen with the mission; where they cannot be read, nobody is told the mission.
"""

import json
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, JsonValue
from temporalio.client import Client

from activities.mission_payloads import converter
from contracts.audit import AuditEntry
from contracts.call import AgentResult, ToolResult
from contracts.decision import Action, Opening, Ruling, Subject
from contracts.definition import AgentStep
from contracts.observation import Observation
from contracts.plan import MissionInput, Plan
from contracts.policy import POLICY
from contracts.record import Effect, Record
from contracts.view import MissionView
from language.sensitive import HIDDEN, found, hidden
from language.steps import every_step
from starter.connect import PATIENCE, understood
from starter.history import Gone
from starter.problem import Refused

Model = TypeVar("Model", bound=BaseModel)
Arguments = TypeVar("Arguments", Action, Subject)
TOLD = ("who", "step", "why", "token")
"""What of an entry may say anything, beside its detail."""
COUNTS = frozenset({"attempt", "asked", "cost", "observations", "runs", "seconds", POLICY})
"""What of an entry's detail has numbers of our own."""
FREE = frozenset({Any, JsonValue, object})
"""What may be anything: numbers there are data too."""
SHORT = 4
"""Letters below which a text is hidden only where it stands as a word of its own."""


class Discretion:
    """What is hidden of one mission. It learns from whatever the mission says next."""

    def __init__(self, given: MissionInput | None) -> None:
        self.plan = given.plan if given is not None else None
        self._known: set[str | int | float] = set()
        self._pattern: re.Pattern[str] | None = None
        self._variables = _variables(given.plan) if given is not None else {}
        self._inputs = given.plan.definition.inputs if given is not None else None
        if given is not None:
            self._learn(given.plan.definition.inputs, given.inputs)

    def records(self, records: Iterable[Record]) -> None:
        """Learn what is sensitive in what steps came to."""
        for record in records:
            self._learn(self._output(record.actor), record.output)
            for tool, arguments in _asked(record):
                self.action(tool, arguments)

    def view(self, view: MissionView) -> MissionView:
        """Return how a mission stands, with everything sensitive hidden."""
        self.records(view.records)
        return self.hide(view.model_copy(update={"records": tuple(map(self._record, view.records))}))

    def live(self, live: Iterable[tuple[str, Observation]]) -> list[tuple[str, Observation]]:
        """Return what is noticed now, with everything sensitive hidden."""
        return [(self.value(name), self.hide(noticed)) for name, noticed in live]

    def opening(self, gate: Opening) -> Opening:
        """Return what is asked, with everything sensitive hidden: to be looked at, not to be signed."""
        for tool, arguments in _acts(gate.subject, gate.votes):
            self.action(tool, arguments)
        for name, value in gate.context.items():
            self._learn(self._variables.get(name), value)
        context = {name: hidden(self._variables.get(name), value) for name, value in gate.context.items()}
        told = {
            "subject": self._subject(gate.subject),
            "context": _inside(self._inputs, context),
            "votes": self._rulings(gate.subject.tool, gate.votes),
        }
        return self.hide(gate.model_copy(update=told))

    def entries(self, entries: Iterable[AuditEntry]) -> list[AuditEntry]:
        """Return a record with everything sensitive hidden."""
        told = list(entries)
        for entry in told:
            self.action(entry.who, entry.detail.get("arguments"))
        return [self._entry(entry) for entry in told]

    def result(self, name: str, result: AgentResult | ToolResult | None) -> None:
        """Learn what is sensitive in what an agent or a tool answered."""
        if result is not None:
            self._learn(self._output(name), result.output)

    def action(self, tool: str | None, arguments: Any) -> None:
        """Learn what is sensitive in the arguments that people are asked about."""
        self._learn(self._input(tool), arguments)

    def hide(self, model: Model) -> Model:
        """Return a model with everything sensitive hidden: each of its fields stays of its type."""
        if self._pattern is None:
            return model
        kinds: dict[str, Any] = {name: field.annotation for name, field in type(model).model_fields.items()}
        told = {name: self._within(getattr(model, name), _kinds(kind)) for name, kind in kinds.items()}
        return model.model_copy(update={name: one for name, one in told.items() if one is not getattr(model, name)})

    def value(self, value: Any, *, numbers: bool = True) -> Any:
        """Return a value with everything sensitive hidden, wherever it stands."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub(HIDDEN, value)
        if isinstance(value, Mapping):
            return {self.value(name): self.value(one, numbers=numbers) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(one, numbers=numbers) for one in value]
        return HIDDEN if numbers and _number(value) and value in self._known else value

    def _within(self, value: Any, kinds: frozenset[Any]) -> Any:
        """Return the value of a field of a model that may be of these kinds."""
        if isinstance(value, BaseModel):
            return self.hide(value)
        if kinds & FREE:
            return self.value(value)
        if isinstance(value, str):
            return self.value(value) if str in kinds and not isinstance(value, Enum) else value
        if isinstance(value, Mapping):
            return {self._within(name, kinds): self._within(one, kinds) for name, one in value.items()}
        if isinstance(value, tuple):
            return tuple(self._within(one, kinds) for one in value)
        return value

    def _record(self, record: Record) -> Record:
        """Return a record with all hidden that schemas say is sensitive."""
        told: dict[str, Any] = {"output": hidden(self._output(record.actor), record.output)}
        if record.effect is not None:
            told["effect"] = self._effect(record.effect)
        if record.grant is not None:
            subject = record.grant.subject
            told["grant"] = record.grant.model_copy(update={"subject": self._subject(subject)})
            told["decisions"] = self._rulings(subject.tool, record.decisions)
            given = (record.answer or {}).get("arguments")
            told["answer"] = record.answer and {**record.answer, "arguments": self._named(subject.tool, given)}
        return record.model_copy(update=told)

    def _effect(self, effect: Effect) -> Effect:
        undo = effect.undo
        if undo is not None:
            undo = undo.model_copy(update={"arguments": self._named(undo.tool, undo.arguments)})
        return effect.model_copy(update={"arguments": self._named(effect.tool, effect.arguments), "undo": undo})

    def _subject(self, subject: Subject) -> Subject:
        actions = tuple(map(self._arguments, subject.actions))
        return self._arguments(subject).model_copy(update={"actions": actions})

    def _arguments(self, asked: Arguments) -> Arguments:
        told = {"arguments": self._named(asked.tool, asked.arguments)}
        return asked.model_copy(update={**told, "undo": self._named(asked.compensation, asked.undo)})

    def _rulings(self, tool: str | None, rulings: Iterable[Ruling]) -> tuple[Ruling, ...]:
        return tuple(one.model_copy(update={"changes": self._named(tool, one.changes)}) for one in rulings)

    def _entry(self, entry: AuditEntry) -> AuditEntry:
        detail = {name: self.value(one, numbers=name not in COUNTS) for name, one in entry.detail.items()}
        if "arguments" in detail:
            detail["arguments"] = self.value(self._named(entry.who, entry.detail["arguments"]))
        return entry.model_copy(update={**{name: self.value(getattr(entry, name)) for name in TOLD}, "detail": detail})

    def _named(self, tool: str | None, arguments: Any) -> Any:
        """Return a tool's arguments, hidden where its schema says so."""
        return _inside(self._input(tool), arguments)

    def _input(self, tool: str | None) -> Any:
        contract = self.plan.tools.get(tool or "") if self.plan is not None else None
        return contract.input if contract is not None else None

    def _output(self, name: str) -> Any:
        known = (self.plan.agents.get(name) or self.plan.tools.get(name)) if self.plan is not None else None
        return getattr(known, "output", None)

    def _learn(self, schema: Any, value: Any) -> None:
        new = set(found(schema, value)) - self._known if schema else set()
        if new:
            self._known |= new
            spelt = {form for one in self._known for form in _forms(one)}
            self._pattern = re.compile("|".join(map(_alone, sorted(spelt, key=len, reverse=True))))


async def discretion(client: Client, mission: str, *, reveal: bool = False, first_run: str = "") -> Discretion:
    """Return what is hidden of a mission: nothing where it is to be revealed.

    `Gone` where the server has another mission under this id than the one of this first run, `Refused` where its
    schemas cannot be read.
    """
    if reveal:
        return Discretion(None)
    with understood(mission):
        events = client.get_workflow_handle(mission).fetch_history_events(page_size=1, rpc_timeout=PATIENCE)
        first = await anext(events)
    began = first.workflow_execution_started_event_attributes
    if first_run and began.first_execution_run_id != first_run:
        raise Gone(f"mission {mission!r} is another one now: the server keeps that of then no longer")
    if len(began.input.payloads) != 1:
        return Discretion(None)  # Not one of our missions: nobody has said what is sensitive in it.
    try:
        [raw] = await converter(client, mission).decode(began.input.payloads)
        return Discretion(MissionInput.model_validate(raw) if isinstance(raw, dict) and "plan" in raw else None)
    except Exception as why:  # Whatever it is: what may be sensitive is told to nobody.
        said, _, _ = str(why).partition("\n")
        raise Refused(
            f"what is sensitive in {mission} cannot be read: {said}; --reveal shows all that can be"
        ) from None


def _variables(plan: Plan) -> dict[str, Any]:
    """Return what fits each variable that an agent's answer is."""
    steps = (step for step in every_step(plan.definition) if isinstance(step, AgentStep) and step.agent in plan.agents)
    return {step.output: plan.agents[step.agent].output for step in steps if step.output}


def _inside(schema: Any, value: Any) -> Any:
    """Return an object with what is sensitive in it hidden; it keeps its names."""
    shown = hidden(schema, value)
    return dict.fromkeys(value, HIDDEN) if isinstance(value, Mapping) and shown == HIDDEN else shown


def _asked(record: Record) -> Iterator[tuple[str | None, Any]]:
    """Yield what a record says of tools: which, and with what arguments."""
    if record.effect is not None:
        yield record.effect.tool, record.effect.arguments
        if record.effect.undo is not None:
            yield record.effect.undo.tool, record.effect.undo.arguments
    if record.grant is not None:
        yield from _acts(record.grant.subject, record.decisions)


def _acts(subject: Subject, rulings: Iterable[Ruling]) -> Iterator[tuple[str | None, Any]]:
    """Yield what people are asked to let tools do, undo, and do in its place."""
    for one in subject.acts():
        yield one.tool, one.arguments
        yield one.compensation, one.undo
    yield from ((subject.tool, ruling.changes) for ruling in rulings)


@cache
def _kinds(annotation: Hashable) -> frozenset[Any]:
    """Return of what a field may be made: what stands in an annotation, whatever is around it."""
    inner = get_args(annotation)
    if not inner or get_origin(annotation) is Literal or annotation in FREE:
        return frozenset((annotation,))
    parts = inner[:1] if get_origin(annotation) is Annotated else inner
    return frozenset[Any]().union(*map(_kinds, parts))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _forms(known: str | float) -> set[str]:
    """Return how something may be spelt: as it is, and inside JSON; a whole number also without its point."""
    text = str(known)
    whole = {str(int(known))} if isinstance(known, float) and known.is_integer() else set()
    return {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], *whole}


def _alone(text: str) -> str:
    return re.escape(text) if len(text) >= SHORT else rf"(?<!\w){re.escape(text)}(?!\w)"
