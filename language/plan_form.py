"""Read a step that is planned: who plans, and what the plan may hold."""

from typing import TYPE_CHECKING, Any

from contracts.definition import GroupStep, PlanStep, Step
from contracts.planning import MOST_STEPS, Allow, Planning
from language.form import Form

if TYPE_CHECKING:
    from language.step_form import StepReader


def read_plan(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    approval, inner = form.form("approval", "an approval"), form.form("plan", "a plan")
    gate = reader.gate(approval) if approval else None
    if inner is None:
        return GroupStep(**common, steps=())
    planning = Planning(
        agent=inner.text("agent", required=True),
        task=inner.text("task", required=True),
        context=inner.texts("context"),
        allow=read_allow(inner),
        attempts=inner.integer("attempts", 1, 10, 3),
        max_steps=inner.integer("max_steps", 1, MOST_STEPS, 30),
        revise=read_revise(inner),
    )
    inner.done()
    if planning.revise and gate is None:
        mend = "write 'approval: …' beside 'plan', or leave 'revise' out"
        inner.add("BAD_VALUE", "nobody can reject this plan, since nobody is asked", inner.data["revise"].place, mend)
    return PlanStep(**common, plan=planning, approval=gate)


def read_allow(form: Form) -> Allow:
    inner = form.form("allow", "what a plan is allowed", required=True)
    if inner is None:
        return Allow(kinds=())
    allow = Allow(
        kinds=inner.texts("kinds", required=True),
        agents=inner.texts("agents"),
        tools=inner.texts("tools"),
        approvers=inner.texts("approvers"),
    )
    inner.done()
    return allow


def read_revise(form: Form) -> bool:
    value = form.take("revise")
    if value is None:
        return False
    if not isinstance(value.data, bool):
        form.wrong(value, "'revise' is true or false", "write 'revise: true'")
    return value.data is True
