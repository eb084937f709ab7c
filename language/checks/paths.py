"""Paths: every variable that is read has been set on every way there, or has a `default`.

`steps.NAME.output` is not looked at here: it is how a definition reads what may not have run. The other halves:
`checks/sure.py` knows what is set where, `checks/variables.py` finds what no way sets.
"""

from collections.abc import Iterator
from graphlib import CycleError

from contracts.canary import STAGE
from contracts.definition import AgentStep, CanaryStep, MapStep, PartyStep, PlanStep, ReviewStep, Step
from contracts.step import Place
from contracts.workspace import Workspace
from language.cel_compile import ExpressionError, compile_expression
from language.cel_tree import variable
from language.checks.guard import reads
from language.checks.possible import LOCAL, Flow
from language.checks.sure import Sure
from language.draft import Draft
from language.expression import position
from language.finding import Finding
from language.sites import Site, sites, verdict_sites
from language.steps import gate_of


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:  # noqa: ARG001 (every check has these arguments)
    """Find variables that some ways to where they are read have not set."""
    yield from defaults(draft)
    flow = Flow(draft)
    flow.settle()
    try:
        sure = Sure(flow)
    except CycleError:
        return  # which has a finding of its own
    for step in draft.steps():
        yield from context(step, flow, sure)
        for site in sites(step, draft):
            asking = step.when is not None and site.value is draft.value(step, "when")
            known = sure.before(step) if asking else sure.seen(step, site.when)
            yield from unset(site, flow, flow.seen(step, site.when), known, sure)
    for site in verdict_sites(draft):
        yield from unset(site, flow, flow.at_end, sure.at_end, sure)


def context(step: Step, flow: Flow, sure: Sure) -> Iterator[Finding]:
    """Find context that some ways have not set. A name that is none, or is never set, has its finding already."""
    gate = gate_of(step)
    wanted = gate.context if gate else step.context if isinstance(step, AgentStep) else ()
    path = ("gate" if step.kind == "gate" else "approval", "context") if gate else ("context",)
    if isinstance(step, ReviewStep):
        wanted, path = step.review.context, ("review", "context")
    yield from unset_context(step, wanted, path, flow, sure)
    if isinstance(step, PlanStep):
        yield from unset_context(step, step.plan.context, ("plan", "context"), flow, sure)


def unset_context(
    step: Step, wanted: tuple[str, ...], path: tuple[str, ...], flow: Flow, sure: Sure
) -> Iterator[Finding]:
    if isinstance(step, PartyStep):
        wanted, path = step.party.context, ("party", "context")
    for number, name in enumerate(wanted):
        bit = flow.bits.get(name, 0)
        if bit & flow.seen(step, "before") and not bit & sure.seen(step, "before"):
            yield maybe_unset(name, flow.draft, flow.draft.value(step, *path, number).place)


def unset(site: Site, flow: Flow, may: int, must: int, sure: Sure) -> Iterator[Finding]:
    """Find variables of an expression that some ways there have not set, each once."""
    try:
        tree = compile_expression(site.source).tree if site.source else None
    except ExpressionError:
        return
    told: set[str] = set()
    for node, succeeded_steps in reads(tree.root) if tree else ():
        name = variable(node.name)
        bit = flow.bits.get(name, 0)
        known = must | sure.outputs_of(succeeded_steps)
        if tree and bit & may and not bit & known and name not in told:
            told.add(name)
            place = site.place(*position(site.source, tree.positions.get(node.number, 0)))
            yield maybe_unset(name, flow.draft, place)


def maybe_unset(name: str, draft: Draft, place: Place) -> Finding:
    if name in LOCAL or any(name == named_inside(step) for step in draft.steps()):
        message = f"'{name}' is there only for some of those who call this step"
        inside = {"iteration": "loop", "stage": "canary"}.get(name, "map")
        mend = f"call it only from inside a {inside}, or leave '{name}' out"
        return Finding("MAYBE_UNSET", message, place, mend)
    by = next((step for step in draft.steps() if step.output == name), None)
    if by is None:
        message = f"'{name}' may be left out of the inputs"
        return Finding("MAYBE_UNSET", message, place, "list it under 'required', or give its schema a 'default'")
    ask = f", or ask 'steps.{by.step}.status == \"succeeded\"' first" if by.step in draft.named else ""
    mend = f"give the step in line {by.place.line} a 'default'{ask}"
    return Finding("MAYBE_UNSET", f"'{name}' is not set on every way here", place, mend)


def named_inside(step: Step) -> str:
    """Return what a step calls the item or the stage that steps inside it see."""
    if isinstance(step, MapStep):
        return step.map.as_
    return STAGE if isinstance(step, CanaryStep) else ""


def defaults(draft: Draft) -> Iterator[Finding]:
    """Find variables with two defaults: which of them holds nobody could tell."""
    first: dict[str, Step] = {}
    for step in draft.steps():
        if step.default is not None and step.output:
            before = first.setdefault(step.output, step)
            if before is not step:
                message = f"'{step.output}' has a default already in line {before.place.line}"
                yield draft.find("NAME_CLASH", message, step, "default", mend="keep one of them")
