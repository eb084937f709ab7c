"""What the person is told beside a gate's question, worked out here from the mission's own plan.

The law: the plan counts only with the digest that people sign. It is read from the server's history and not from the
mission that asks; what it says is `language/briefing.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text
from temporalio.client import Client

from activities.mission_payloads import converter
from contracts.base import digest
from contracts.decision import Opening, Subject
from contracts.halt import Halt, HaltTable
from contracts.plan import Plan
from contracts.planning import SHOWN, STEPS
from language.briefing import Briefing, brief
from language.risk import MEANT, Risk
from starter.connect import PATIENCE, settings, understood
from starter.escape import visible
from starter.foreseen import remembered, usual
from starter.halt import read as read_halts
from starter.problem import Refused
from starter.quoted import Quoted
from starter.related import Related, related
from starter.render import cost

STYLES: dict[Risk, str] = {"irreversible": "bold red", "lasting": "bold red", "reversible": "yellow", "question": ""}


@dataclass(frozen=True)
class Told:
    """What is told of one opening. There is no briefing where the mission's plan is not the one that is signed."""

    briefing: Briefing | None
    related: Related | None = None
    halts: tuple[Halt, ...] = ()
    """What keeps from beginning what is asked for, approved or not."""
    before: str = ""
    """What such missions have cost."""

    def source(self, name: str) -> str:
        """Return whose words a part of the context may hold."""
        return ", ".join(self.briefing.context.get(name, ())) if self.briefing is not None else ""


async def tell(client: Client, gate: Opening, person: str = "") -> Told:
    """Return what is told of a gate, to whoever is about to decide there. Refuses a planned step that is not as shown.

    What an agent planned is signed as it was loaded, and shown as it was written: here the one is made of the other.
    """
    plan = await read_plan(client, gate.subject.mission, gate.subject.plan_digest)
    if gate.subject.planned:
        demand_planned(gate, plan)
    if plan is None:
        return Told(None)
    told = brief(plan, gate)
    halts = await _halts(client, gate.subject, plan.definition.team)
    before = usual(await remembered(settings(), plan.definition.mission, gate.subject.mission))
    return Told(told, await related(client, gate, told.resources, person=person), halts, before)


def demand_planned(gate: Opening, plan: Plan | None) -> None:
    from language.planned import digest_written

    seen = gate.context.get(SHOWN)
    steps = seen.get(STEPS) if isinstance(seen, dict) else None
    if plan is None or digest_written(steps, plan.definition) != gate.subject.planned:
        raise Refused(
            f"the plan shown at {gate.subject.step} cannot be trusted: its steps do not come to the digest that "
            "is to be signed, or the workers have another version of gonogo. Nothing was signed"
        )


async def _halts(client: Client, subject: Subject, team: str) -> tuple[Halt, ...]:
    tools = {subject.tool, *(action.tool for action in subject.actions)} - {None}
    table = await read_halts(client) if tools else HaltTable()
    targets = {f"team:{team}", *(f"tool:{tool}" for tool in tools)}
    return tuple(halt for halt in table.halts if halt.target in targets)


async def read_plan(client: Client, mission: str, known: str) -> Plan | None:
    """Return the plan that a mission began with, if it has this digest."""
    with understood(mission):
        events = client.get_workflow_handle(mission).fetch_history_events(page_size=1, rpc_timeout=PATIENCE)
        first = await anext(events)
    payloads = first.workflow_execution_started_event_attributes.input.payloads
    [given] = await converter(client, mission).decode(payloads)
    raw = given.get("plan") if isinstance(given, dict) else None
    # The digest is of what was frozen: a model of today may have fields that it knew nothing of.
    if not isinstance(raw, dict) or digest({**raw, "digest": ""}) != known:
        return None
    return Plan.model_validate(raw)


def rows(gate: Opening, about: Told) -> Iterator[tuple[str, RenderableType]]:
    """Yield what is told, by name."""
    told = about.briefing
    if told is None:
        yield (
            "risk",
            Text("cannot be told: the plan that the mission runs is not the one that you would sign", "bold red"),
        )
        return
    if told.words:
        yield "words of", Text(visible("\n".join(_words(told)), lines=True))
    yield "risk", Text(told.risk, STYLES[told.risk]).append(f": {MEANT[told.risk]}", "default")
    yes, no = ("answered", "declined") if gate.subject.kind == "task" else ("approved", "rejected")
    ways = {yes: told.approve, no: told.reject, "to be changed": told.changes}
    for name, text in (*((f"if {word}", text) for word, text in ways.items()), ("at the deadline", told.deadline)):
        if text:
            yield name, Text(visible(text))
    if about.halts:
        waits = "\n".join(f"{halt}; approved, it waits until that is lifted" for halt in about.halts)
        yield "halted", Text(visible(waits, lines=True), "yellow")
    if any(told.back):
        yield "way back", Group(*(Quoted(text) for text in told.back if text))
    if about.related is not None:
        yield "lately", Group(*about.related.lines())
    spent = f"{cost(gate.subject.spent)} so far; " if gate.subject.spent is not None else ""
    yield "cost", Text(visible(f"{spent}the whole mission takes {told.estimated}; {about.before}".removesuffix("; ")))


def _words(told: Briefing) -> Iterator[str]:
    for name, who in told.words.items():
        yield f"{name or 'the question'}: {', '.join(who)}"
