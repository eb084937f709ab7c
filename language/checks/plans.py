"""Plans: their planner can answer with one, and what they allow exists and could be approved.

What a plan holds is checked when it comes (`language/planned.py`); here is what its author can be told before.
"""

from collections.abc import Iterator

from contracts.definition import PlanStep
from contracts.planning import PLANNING, SHOWN, STEPS
from contracts.workspace import Workspace
from language.checks.names import ROLE, at_step, unknown
from language.draft import Draft
from language.finding import Finding
from language.kind_form import READERS
from language.name import nearest
from language.types.schema import schema_type

NEVER = frozenset({"plan", "mission"})
"""Kinds that no plan holds: nobody but the author starts planning, or another mission."""


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find planners that cannot plan, and allowances that are none."""
    for step in draft.steps():
        if isinstance(step, PlanStep):
            yield from planner(step, draft, workspace)
            yield from kinds(step, draft)
            yield from listed(step, draft, workspace)
            yield from unapprovable(step, draft, workspace)


def planner(step: PlanStep, draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    found = at_step(draft, step)
    name = step.plan.agent
    yield from unknown("agent", name, workspace.agents, found, "plan", "agent")
    if name in workspace.agents:
        answer = schema_type(workspace.agents[name].output)
        steps = answer.field(STEPS)
        if "map" not in answer.kinds or steps is None or "list" not in steps.kinds:
            message = f"'{name}' answers with no list of '{STEPS}', which a plan is made of"
            mend = "give its output schema in agents.yaml a property 'steps: {type: array, items: {type: object}}'"
            yield found("PLANNER_SCHEMA", message, "plan", "agent", mend=mend)
    if PLANNING in step.plan.context:
        number = step.plan.context.index(PLANNING)
        message = f"'{PLANNING}' is what tells a planner its bounds"
        yield found("NAME_CLASH", message, "plan", "context", number, mend="rename the variable")
    if step.approval is not None and SHOWN in step.approval.context:
        number = step.approval.context.index(SHOWN)
        message = f"'{SHOWN}' is what people see of the plan itself"
        yield found("NAME_CLASH", message, "approval", "context", number, mend="rename the variable")


def kinds(step: PlanStep, draft: Draft) -> Iterator[Finding]:
    found = at_step(draft, step)
    allowed = [kind for kind in READERS if kind not in NEVER]
    for number, kind in enumerate(step.plan.allow.kinds):
        if kind not in allowed:
            meant = nearest(kind, allowed)
            mend = f"did you mean '{meant}'?" if meant else "leave it out"
            message = f"no plan may hold a step of the kind '{kind}'"
            yield found("PLAN_NOT_ALLOWED", message, "plan", "allow", "kinds", number, mend=mend)


def listed(step: PlanStep, draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find names in an allowance that nothing has."""
    people = {*workspace.people.roles(), *workspace.people.people}
    allow = step.plan.allow
    for key, what, names, known in (
        ("agents", "agent", allow.agents, workspace.agents),
        ("tools", "tool", allow.tools, workspace.tools),
        ("approvers", ROLE, allow.approvers, people),
    ):
        for number, name in enumerate(names):
            yield from unknown(what, name, known, at_step(draft, step), "plan", "allow", key, number)


def unapprovable(step: PlanStep, draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find tools that need an approval which nobody could give in a plan."""
    if step.plan.allow.approvers or step.approval is not None:
        return
    for number, name in enumerate(step.plan.allow.tools):
        if name in workspace.tools and workspace.tools[name].needs_approval():
            message = f"a plan may use '{name}', which needs approval, and nobody could give it"
            mend = "name 'approvers' under 'allow', or give the step an 'approval'"
            yield draft.find("APPROVAL_UNGATED", message, step, "plan", "allow", "tools", number, mend=mend)
