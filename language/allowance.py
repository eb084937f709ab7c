"""What a plan may hold beyond what any mission may: only kinds, agents, tools and people that its step allows.

The law: deny by default. A plan can never widen what its mission may do, nor ask fewer people than its own gate does.
"""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel

from contracts.definition import ActionStep, Compensation, Definition, PartyStep, PlanStep, ReviewStep, Step
from contracts.gate import Gate
from contracts.planned import PlanOrder
from contracts.step import ESCALATE, BaseStep
from language.checks.expressions import variables
from language.checks.names import listed
from language.checks.plans import NEVER
from language.checks.quorum import rungs
from language.draft import Draft
from language.finding import Finding
from language.named import named_by
from language.steps import called_by, every_step, fallbacks, gate_of

CODE = "PLAN_NOT_ALLOWED"
WRITTEN = {"group": "steps"}
"""Kinds that an author writes by another word."""


def beyond(order: PlanOrder, draft: Draft) -> Iterator[Finding]:
    """Find what a plan has and may not have."""
    found = list(draft.steps())
    most = order.step.plan.max_steps
    if len(found) > most:
        place = draft.tree.place
        yield Finding("TOO_MANY_STEPS", f"the plan has more than {most} steps", place, "plan fewer, or in parts")
    taken = taken_by(order.plan.definition, draft)
    for step in found[: most + 1]:
        yield from kind(step, order.step, draft)
        yield from actors(step, order, draft)
        yield from people(step, order.step, draft)
        yield from names(step, taken, draft)


def kind(step: Step, planned: PlanStep, draft: Draft) -> Iterator[Finding]:
    word = WRITTEN.get(step.kind, step.kind)
    if word in NEVER or word not in planned.plan.allow.kinds:
        allowed = listed(set(planned.plan.allow.kinds) - NEVER)
        yield draft.find(CODE, f"a plan here has no step of the kind '{word}'", step, mend=f"allowed: {allowed}")


def actors(step: Step, order: PlanOrder, draft: Draft) -> Iterator[Finding]:
    """Find agents and tools that are not allowed. What may undo an allowed tool may do only that."""
    allow = order.step.plan.allow
    agents, tools = named_by([step])
    known = [order.plan.tools[name] for name in allow.tools if name in order.plan.tools]
    undoing = {name for tool in known for name in tool.compensated_by}
    undo = {one.tool for one in compensations(step)}
    acting = {step.action} if isinstance(step, ActionStep) else tools - undo
    for name in sorted(agents - set(allow.agents)):
        key = ("on_failure",) if name in fallbacks(step).values() else (step.kind,)
        mend = f"allowed: {listed(allow.agents)}"
        yield draft.find(CODE, f"a plan here has no agent '{name[:80]}'", step, *key, mend=mend)
    for name in sorted((acting - set(allow.tools)) | (undo - set(allow.tools) - undoing)):
        key = (step.kind,) if name in acting else ("compensate",)
        mend = f"allowed: {listed(allow.tools)}"
        yield draft.find(CODE, f"a plan here has no tool '{name[:80]}'", step, *key, mend=mend)


def compensations(value: object) -> Iterator[Compensation]:
    """Yield what undoes a step, whichever of its own parts says so."""
    if isinstance(value, Compensation):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            part = getattr(value, name)
            yield from () if isinstance(part, BaseStep) else compensations(part)


def people(step: Step, planned: PlanStep, draft: Draft) -> Iterator[Finding]:
    """Find people whom a plan may not ask, and gates that are content with fewer than the plan's own."""
    own, allow = planned.approval, planned.plan.allow
    allowed = set(allow.approvers or (asked(own) if own else ()))
    gate = gate_of(step)
    if isinstance(step, ReviewStep):
        yield from strangers(step, set(step.review.reviewers) - allowed, allowed, draft, "review")
    if isinstance(step, PartyStep):
        yield from strangers(step, set(step.party.facilitator) - allowed, allowed, draft, "party")
    if gate is None:
        return
    key = "gate" if step.kind == "gate" else "approval"
    yield from strangers(step, asked(gate) - allowed, allowed, draft, key)
    if own is not None:
        yield from fewer(step, gate, own, draft, key)


def fewer(step: Step, gate: Gate, own: Gate, draft: Draft, key: str) -> Iterator[Finding]:
    """Find gates that are content with less than the plan's own, on any rung of their ladder."""
    for quorum, path in rungs(gate, key):
        if quorum.required < own.quorum():
            message = f"{quorum.required} must approve here, and the plan itself needs {own.quorum()}"
            yield draft.find(CODE, message, step, *path, "required", mend=f"write 'required: {own.quorum()}'")
        for role, count in own.from_.items():
            if quorum.seats.get(role, 0) < count:
                message = f"the plan itself needs {count} of '{role}'"
                yield draft.find(CODE, message, step, *path, "from", mend=f"write '{role}: {count}' in 'from'")
    for who in own.exclude:
        if who not in gate.exclude:
            message = f"the plan itself is not approved by its {who}"
            yield draft.find(CODE, message, step, key, "exclude", mend=f"write 'exclude: {who}'")
    if gate.reject_quorum > own.reject_quorum:
        message = f"{gate.reject_quorum} must reject here, and the plan itself is rejected by {own.reject_quorum}"
        mend = f"write 'reject_quorum: {own.reject_quorum}'"
        yield draft.find(CODE, message, step, key, "reject_quorum", mend=mend)


def asked(gate: Gate) -> set[str]:
    """Return everybody whom a gate names. The workspace's own escalation is not the gate's."""
    ladder = gate.escalation if gate.on_timeout == ESCALATE else ()
    return {*gate.approvers, *(name for rung in ladder for name in rung.approvers)}


def strangers(step: Step, names_: set[str], allowed: set[str], draft: Draft, key: str) -> Iterator[Finding]:
    for name in sorted(names_):
        mend = f"allowed: {listed(allowed)}"
        yield draft.find(CODE, f"a plan here may not ask '{name[:80]}'", step, key, mend=mend)


class Taken(NamedTuple):
    """The names that a mission has given to its steps and its variables."""

    steps: frozenset[str]
    variables: frozenset[str]


def taken_by(mission: Definition, draft: Draft) -> Taken:
    steps = frozenset(step.step for step in every_step(mission))
    return Taken(steps, variables(Draft(mission, draft.tree, draft.nodes, steps)))


def names(step: Step, taken: Taken, draft: Draft) -> Iterator[Finding]:
    """Find names that are the mission's: a plan brings its own, and leads nowhere else."""
    if step.step in taken.steps & draft.named:
        message = f"the mission has a step '{step.step}' already"
        yield draft.find("DUPLICATE_STEP", message, step, "step", mend="give it a name of its own")
    if step.output in taken.variables:
        message = f"the output '{step.output}': the mission has this variable"
        yield draft.find("NAME_CLASH", message, step, "output", mend="rename it")
    for name in called_by(step):
        if name in taken.steps - draft.named:
            message = f"'{name}' is a step of the mission, and a plan calls only its own"
            yield draft.find("UNKNOWN_STEP", message, step, mend="name a step of the plan")
