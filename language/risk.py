"""How much is at stake at a gate, from the contracts of the tools that act when people approve. Pure."""

from typing import Literal

from contracts.decision import Subject
from contracts.definition import PlanStep, Step
from contracts.plan import Plan
from contracts.policy import ADMISSION
from contracts.workspace import Tool
from language.steps import by_name

Risk = Literal["irreversible", "lasting", "reversible", "question"]
RISKS: tuple[Risk, ...] = ("irreversible", "lasting", "reversible", "question")
"""The gravest first."""
MEANT: dict[Risk, str] = {
    "irreversible": "it cannot be undone",
    "lasting": "nothing here undoes it",
    "reversible": "it can be undone",
    "question": "nothing acts by this answer alone",
}

STOOD_IN = "/on_failure"
"""Where another agent does the task of a step."""


def risk(plan: Plan, subject: Subject) -> Risk:
    """Return how much is at stake where a mission with this plan asks this; a tool that nobody knows is the gravest."""
    if subject.kind == "compensation":
        return "lasting"
    found = [of_tool(plan.tools.get(act.tool), undone=act.compensation is not None) for act in subject.acts()]
    step = step_at(plan, subject.step)
    if isinstance(step, PlanStep) and subject.kind == "approval":
        allowed = [plan.tools.get(name) for name in step.plan.allow.tools]
        found += [
            of_tool(tool, undone=bool(tool and tool.compensated_by)) for tool in allowed if not tool or tool.acts()
        ]
    return min(found, key=RISKS.index, default="question")


def by_policy(subject: Subject) -> bool:
    """Whether those are asked whom policy names, beside all gates: before a mission begins, or a plan made in it."""
    return subject.kind == "approval" and subject.step.rpartition("/")[2].startswith(ADMISSION)


def of_tool(tool: Tool | None, *, undone: bool) -> Risk:
    """Return how much is at stake where a tool acts; one that nobody knows is the gravest."""
    if tool is None or tool.effect == "irreversible":
        return "irreversible"
    return "reversible" if undone or not tool.acts() else "lasting"


def step_at(plan: Plan, path: str) -> Step | None:
    """Return the step of the definition at which a path asks; none for one that was planned or belongs to none."""
    while path.endswith(STOOD_IN):
        path = path.removesuffix(STOOD_IN)
    outer, _, last = path.rpartition("/")
    if outer and last.startswith(ADMISSION):
        outer, _, last = outer.rpartition("/")
    if outer and last.startswith("plan["):
        last = outer.rpartition("/")[2]
    return by_name(plan.definition).get(last.partition("#")[0].partition("[")[0])
