"""Load a plan: what a planner answered becomes steps of its mission, or findings that say why it cannot.

The law: a plan is read by the mission's own loader and checked in its place in the mission, against the contracts that
the mission was frozen with, so whatever is refused to the author is refused to the planner. Beyond that
`allowance.py` holds it to what its step allows. Pure, and run where it is recorded: a later release of the loader may
judge otherwise, and must not change the past.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from contracts.base import digest
from contracts.definition import Definition, GateStep, GroupStep, PlanStep, Step
from contracts.plan import Plan
from contracts.planned import LoadedPlan, PlanOrder
from contracts.planning import STEPS
from contracts.step import BaseStep, Place
from contracts.workspace import PeopleFile, Person, Workspace
from language.allowance import beyond
from language.difference import difference
from language.draft import Draft
from language.finding import Finding, in_order
from language.form import Form, filled
from language.insertion import inserted
from language.loader import CHECKS, named_steps
from language.step_form import StepReader
from language.steps import every_step
from language.yaml_source import Value, read_yaml

FILE = "plan"
START = Place(file=FILE, line=1, column=1)
MOST_TOLD, LONGEST = 30, 500
"""Findings that a planner is told at once, and characters of each."""
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def load_plan(order: PlanOrder) -> LoadedPlan:
    """Return the steps of a plan with their digest and what they change, or the findings."""
    findings: list[Finding] = [*unsure(order)]
    tree = written(order.answer, findings)
    steps = checked(order, tree, findings) if tree is not None else ()
    if findings:
        return LoadedPlan(id=order.id, findings=tuple(told(in_order(findings), tree)))
    changes = difference(alone(order, order.before) if order.before else None, alone(order, steps))
    return LoadedPlan(
        id=order.id,
        digest=digest_of([step.model_dump(mode="json") for step in steps], steps),
        rationale=str(order.answer.get("rationale", "")),
        steps=steps,
        changes=tuple(change.model_dump(mode="json") for change in changes if change.step),
    )


def unsure(order: PlanOrder) -> Iterator[Finding]:
    """Find a planner that is less sure than its contract demands; one that says nothing of it is."""
    floor = order.plan.agents[order.step.plan.agent].confidence_floor
    sure = order.answer.get("confidence") if isinstance(order.answer, dict) else None
    if floor is not None and (not isinstance(sure, int | float) or sure < floor):
        message = f"the planner's confidence is {json.dumps(sure)[:20]}, and its contract asks for {floor}"
        yield Finding("PLAN_NOT_ALLOWED", message, START)


def written(answer: Any, findings: list[Finding]) -> Value | None:
    """Return the answer's steps as the loader reads them: as text, whatever is in it."""
    steps = answer.get(STEPS) if isinstance(answer, dict) else None
    if not isinstance(steps, list):
        findings.append(Finding("WRONG_TYPE", f"the answer has no list of '{STEPS}'", START))
        return None
    try:
        text = json.dumps(steps, indent=1, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        findings.append(Finding("WRONG_TYPE", f"'{STEPS}' is no JSON: {error}", START))
        return None
    text = UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    tree, found = read_yaml(text, FILE)
    findings += found
    if tree is not None and not found and tree.plain() != steps:
        findings.append(Finding("BAD_VALUE", "the steps would be read as something else", START))
    return tree


def checked(order: PlanOrder, tree: Value, findings: list[Finding]) -> tuple[Step, ...]:
    """Return the plan's steps; `findings` gets all that is wrong with them, alone and in their place."""
    own, root = frozenset(named_steps(tree)), Value(START, {STEPS: tree}, {STEPS: START})
    named = names_around(order.plan.definition) | own
    reader = StepReader(findings, named)
    steps = read(root, reader, findings)
    findings += beyond(order, Draft(alone(order, steps), root, reader.nodes, own))
    if not any(finding.code == "TOO_MANY_STEPS" for finding in findings):
        findings += in_place(order, steps, root, reader.nodes, named)
    return steps


def read(root: Value, reader: StepReader, findings: list[Finding]) -> tuple[Step, ...]:
    """Return the steps that a plan has, read as the loader reads those of a mission."""
    return reader.steps(filled(Form(root, "a plan", findings), STEPS), named=True)


def names_around(mission: Definition) -> frozenset[str]:
    """Return the steps that a plan may name beside its own."""
    return frozenset(step.step for step in every_step(mission))


def in_place(
    order: PlanOrder, steps: tuple[Step, ...], root: Value, nodes: dict[Place, Value], named: frozenset[str]
) -> list[Finding]:
    """Return what is wrong with the mission once the plan stands in it, and was not wrong before."""
    mission, workspace = order.plan.definition, as_workspace(order.plan)
    whole = inserted(mission, order.step, standing(order.step, steps))
    known = Nodes(nodes)
    families = {name: tuple(one.definition for one in child.family()) for name, child in order.plan.missions.items()}
    before = set(faults(Draft(mission, root, known, named, families), workspace))
    after = faults(Draft(whole, root, known, named, families), workspace)
    return [finding for finding in after if finding not in before]


def standing(planned: PlanStep, steps: tuple[Step, ...]) -> GroupStep:
    """Return what takes the place of a planned step: the plan as a group, behind the question that people are asked."""
    common = {name: getattr(planned, name) for name in BaseStep.model_fields}
    if planned.approval is None:
        return GroupStep(**common, steps=steps)
    gate = GateStep(step=f"{planned.step}/gate", gate=planned.approval, place=planned.place)
    plan = GroupStep(step=f"{planned.step}/steps", steps=steps, place=planned.place)
    return GroupStep(**common, steps=(gate, plan))


def faults(draft: Draft, workspace: Workspace) -> list[Finding]:
    return [finding for check in CHECKS for finding in check(draft, workspace)]


class Nodes(dict[Place, Value]):
    """The YAML of the plan's steps. That of the mission's is gone: it was checked when the mission was."""

    def __missing__(self, place: Place) -> Value:
        return Value(place, {})


def as_workspace(plan: Plan) -> Workspace:
    """Return what a mission was frozen with, its children too, as the workspace that its plans are checked in."""
    tools = {name: tool for one in plan.family() for name, tool in one.tools.items()}
    people = {name: Person(roles=roles) for name, roles in plan.people.items()}
    directory = PeopleFile(escalation=plan.escalation, people=people)
    return Workspace(root="", agents=plan.agents, tools=tools, people=directory)


def alone(order: PlanOrder, steps: tuple[Step, ...]) -> Definition:
    """Return a plan as if it were all of its mission."""
    return order.plan.definition.model_copy(update={"steps": steps})


def digest_of(steps: Sequence[dict[str, Any]], read: Sequence[Step]) -> str:
    """Return the digest of a plan's steps as they were loaded, wherever they were written. `read` are these steps."""
    return digest(without_places(steps, read))


def digest_written(steps: Any, mission: Definition) -> str:
    """Return the digest of what steps come to, as a planner of a mission wrote them; empty where they are none."""
    findings: list[Finding] = []
    tree = written({STEPS: steps}, findings)
    if tree is None:
        return ""
    reader = StepReader(findings, names_around(mission) | frozenset(named_steps(tree)))
    found = read(Value(START, {STEPS: tree}, {STEPS: START}), reader, findings)
    return "" if findings else digest_of([step.model_dump(mode="json") for step in found], found)


def without_places(value: Any, read: Any) -> Any:
    """Return a value without the places of the steps in it. What is called so in an argument is part of it."""
    match value, read:
        case dict(), BaseModel():
            known = {field.alias or name: getattr(read, name) for name, field in type(read).model_fields.items()}
            return {
                key: without_places(item, known.get(key))
                for key, item in value.items()
                if key != "place" or not isinstance(read, BaseStep)
            }
        case dict(), dict():
            return {key: without_places(item, read.get(key)) for key, item in value.items()}
        case ((list() | tuple()), (list() | tuple())):
            return [without_places(*pair) for pair in zip(value, read, strict=True)]
        case _:
            return value


def told(findings: Sequence[Finding], tree: Value | None) -> Iterator[str]:
    """Yield findings as their planner reads them, those that are too many as a number."""
    yield from (worded(finding, tree) for finding in findings[:MOST_TOLD])
    if len(findings) > MOST_TOLD:
        yield f"and {len(findings) - MOST_TOLD} more"


def worded(finding: Finding, tree: Value | None) -> str:
    """Return a finding with the path in the planner's own answer."""
    path = path_to(tree, finding.place) if tree is not None and finding.place.file == FILE else ""
    mend = f" ({finding.mend})" if finding.mend else ""
    return f"{STEPS}{path}: {finding.code} {finding.message}{mend}"[:LONGEST]


def path_to(tree: Value, place: Place) -> str:
    """Return where a place is in the steps, as `[2].approval.approvers[0]`."""
    found, at = "", (0, 0)
    waiting: list[tuple[Value, str]] = [(tree, "")]
    while waiting:
        value, path = waiting.pop()
        here = (value.place.line, value.place.column)
        if at <= here <= (place.line, place.column):
            found, at = path, here
        if isinstance(value.data, dict):
            waiting += [(inner, f"{path}.{key}") for key, inner in value.data.items()]
        elif isinstance(value.data, list):
            waiting += [(inner, f"{path}[{number}]") for number, inner in enumerate(value.data)]
    return found
