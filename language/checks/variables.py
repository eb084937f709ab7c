"""Variables: outputs that can exist, and nothing read before any way through the mission can have set it.

What may be set where is in `checks/possible.py`.
"""

from collections.abc import Iterator
from typing import Any

from contracts.canary import STAGE
from contracts.definition import AgentStep, CanaryStep, MapStep, PartyStep, PlanStep, RaceStep, ReviewStep, Step
from contracts.workspace import Workspace
from language.cel_compile import ExpressionError, compile_expression
from language.checks.possible import Flow
from language.draft import Draft
from language.expression import position
from language.finding import Finding
from language.name import suggestion, unfit
from language.sites import Site, sites, verdict_sites
from language.steps import children, gate_of, walk

ALWAYS = ("mission", "steps")


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:  # noqa: ARG001 (every check has these arguments)
    """Find outputs that cannot be, and variables read too early."""
    yield from outputs(draft)
    flow = Flow(draft)
    flow.settle()
    for step in draft.steps():
        yield from context(step, draft, flow)
        for site in sites(step, draft):
            yield from early(site, flow, flow.seen(step, site.when))
            yield from unknown_steps(site, draft)
    for site in verdict_sites(draft):
        yield from early(site, flow, flow.at_end)
        yield from unknown_steps(site, draft)


def outputs(draft: Draft) -> Iterator[Finding]:
    """Find outputs whose names no variable can have."""
    properties = draft.definition.inputs.get("properties")
    for step in draft.steps():
        name = step.output
        if not name:
            continue
        if isinstance(properties, dict) and name in properties:
            reason = "an input has this name, and inputs do not change"
            yield draft.find("NAME_CLASH", f"the output '{name}': {reason}", step, "output", mend="rename it")
        elif reason := unfit(name):
            yield draft.find("BAD_NAME", f"the output '{name}': {reason}", step, "output", mend="rename it")
    yield from items(draft)


def items(draft: Draft) -> Iterator[Finding]:
    """Find names of items that no variable can have, or that something else has."""
    outputs_ = {step.output for step in draft.steps()}
    properties = draft.definition.inputs.get("properties")
    taken = outputs_ | set(properties if isinstance(properties, dict) else ())
    for step in draft.steps():
        if not isinstance(step, MapStep):
            continue
        name = step.map.as_
        reason = "an input or an output has this name" if name in taken else unfit(name)
        if reason:
            code = "NAME_CLASH" if name in taken else "BAD_NAME"
            yield draft.find(code, f"the item '{name}': {reason}", step, "map", "as", mend="write another name in 'as'")


def context(step: Step, draft: Draft, flow: Flow) -> Iterator[Finding]:
    """Find context that does not exist, or not yet."""
    if isinstance(step, PlanStep):
        yield from unknown_context(step, step.plan.context, ("plan", "context"), draft, flow)
    gate = gate_of(step)
    key = ("gate",) if step.kind == "gate" else ("approval",)
    wanted = gate.context if gate else step.context if isinstance(step, AgentStep) else ()
    if isinstance(step, ReviewStep):
        wanted, key = step.review.context, ("review",)
    if isinstance(step, PartyStep):
        wanted, key = step.party.context, ("party",)
    yield from unknown_context(step, wanted, (*(() if isinstance(step, AgentStep) else key), "context"), draft, flow)


def unknown_context(
    step: Step, wanted: tuple[str, ...], path: tuple[str, ...], draft: Draft, flow: Flow
) -> Iterator[Finding]:
    for number, name in enumerate(wanted):
        place = draft.value(step, *path, number).place
        if name in ALWAYS or name not in {*flow.known, "iteration"}:
            meant = suggestion(name, flow.known).removeprefix("; ")
            mend = meant or "context names inputs and outputs of steps"
            yield Finding("UNKNOWN_VARIABLE", f"unknown variable '{name}'", place, mend)
        elif not flow.bits[name] & flow.seen(step, "before"):
            yield Finding("READ_BEFORE_SET", *too_early(name, draft, place))


def early(site: Site, flow: Flow, may: int) -> Iterator[Finding]:
    """Find variables of an expression that no way there can have set. Unknown ones are found elsewhere."""
    try:
        tree = compile_expression(site.source).tree if site.source else None
    except ExpressionError:
        return
    for name, offset in tree.first_seen.items() if tree else ():
        if name in flow.bits and not flow.bits[name] & may:
            message, place, mend = too_early(name, flow.draft, site.place(*position(site.source, offset)))
            mend = "'result' is what the action returned" if site.when == "undoing" else mend
            yield Finding("READ_BEFORE_SET", message, place, mend)


def too_early(name: str, draft: Draft, place: Any) -> tuple[str, Any, str]:
    """Return message, place and mend for a variable that is not set yet."""
    inside = {"iteration": "loop", "index": "map"}
    inside |= {STAGE: "canary"} if any(isinstance(step, CanaryStep) for step in draft.steps()) else {}
    if name in inside:
        return f"'{name}' exists only inside a {inside[name]}", place, "leave it out"
    if name == "result":
        message = "'result' exists only in a compensation's 'with', a race's 'good', a canary's 'healthy' or 'incident'"
        return message, place, "name an output"
    if any(isinstance(step, MapStep) and step.map.as_ == name for step in draft.steps()):
        return f"'{name}' exists only inside its map", place, "leave it out"
    if name in inner_outputs(draft):
        message = f"'{name}' is set inside a map, a race or a canary and stays there"
        return message, place, "read the output of that step"
    by = next((step for step in draft.steps() if step.output == name), None)
    line = f" in line {by.place.line}" if by else ""
    return f"'{name}' is read before any way here can have set it", place, f"it is set by the step{line}"


def inner_outputs(draft: Draft) -> set[str]:
    """Return the outputs that only steps written inside maps, races and canaries set."""
    inside = {
        id(inner)
        for step in draft.steps()
        if isinstance(step, MapStep | RaceStep | CanaryStep)
        for steps in children(step)
        for inner in walk(steps)
    }
    outside = {step.output for step in draft.steps() if id(step) not in inside}
    return {step.output for step in draft.steps() if step.output} - outside


def unknown_steps(site: Site, draft: Draft) -> Iterator[Finding]:
    """Find `steps.NAME` where no step has that name."""
    try:
        reads = compile_expression(site.source).tree.reads if site.source else {}
    except ExpressionError:
        return
    for path in reads.get("steps", ()):
        if path and path[0] not in draft.named:
            mend = suggestion(path[0], draft.named).removeprefix("; ") or "name a step that has a 'step' key"
            yield Finding("UNKNOWN_STEP", f"unknown step 'steps.{path[0]}'", site.place(), mend)
