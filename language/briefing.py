"""What people are told beside a gate's question: the risk, the ways on and back, what it costs, whose words it holds.

Pure, over the frozen plan, whose digest people sign. The law: nothing here is said by an agent or by the mission that
asks; whoever shows a gate works it out anew. What cannot be told is left out and never guessed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from contracts.decision import Opening, Subject
from contracts.definition import ActionStep, PlanStep, ReviewStep, Step, Target
from contracts.gate import Gate
from contracts.plan import Plan
from contracts.step import ABORT, CONTINUE, ESCALATE, REFUSE
from contracts.workspace import Tool
from language.estimate import Span, estimate
from language.source import read_by, sources
from language.steps import by_name, gate_of

Risk = Literal["irreversible", "lasting", "reversible", "question"]
RISKS: tuple[Risk, ...] = ("irreversible", "lasting", "reversible", "question")
"""The gravest first."""
NOTED = {
    "irreversible": "cannot be undone: the tool's contract says so",
    "lasting": "stays: nothing here undoes it",
    "reversible": "can be undone",
    "question": "a question: nothing acts by it alone",
}
UNDONE = "the mission ends as refused, and what it did is undone"


@dataclass(frozen=True)
class Briefing:
    """What is told of one opening. `words` says of the question and of each argument whose words it may hold."""

    risk: Risk
    about: str = ""
    approve: str = ""
    reject: str = ""
    deadline: str = ""
    back: str = ""
    estimated: str = ""
    resource: str = ""
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    context: dict[str, tuple[str, ...]] = field(default_factory=dict)


def brief(plan: Plan, opening: Opening) -> Briefing:
    """Return what to tell people about an opening of a mission with this plan."""
    subject, step = opening.subject, step_at(plan, opening.subject.step)
    gate, tool = gate_of(step) if step is not None else None, plan.tools.get(subject.tool or "")
    known = sources(plan.definition)
    return Briefing(
        risk=risk(plan, subject),
        about=tool.description if tool is not None else "",
        approve=_approve(subject, step),
        reject=_reject(subject, step, gate),
        deadline=_deadline(plan, opening, gate),
        back=_back(plan, subject, tool),
        estimated=_estimated(plan),
        resource=tool.resource if tool is not None else "",
        words=dict(_words(step, gate, known)),
        context={name: known.get(name, ()) for name in opening.context},
    )


def risk(plan: Plan, subject: Subject) -> Risk:
    """Return how much is at stake where a mission asks this."""
    if subject.kind == "compensation":
        return "lasting"
    if subject.tool:
        return _of_tool(plan.tools.get(subject.tool), undone=subject.compensation is not None)
    step = step_at(plan, subject.step)
    allowed = step.plan.allow.tools if isinstance(step, PlanStep) and subject.kind == "approval" else ()
    tools = [plan.tools[name] for name in allowed if name in plan.tools and plan.tools[name].acts()]
    return min((_of_tool(tool, undone=bool(tool.compensated_by)) for tool in tools), key=RISKS.index, default="question")


def _of_tool(tool: Tool | None, *, undone: bool) -> Risk:
    if tool is None or tool.effect == "irreversible":
        return "irreversible"
    return "reversible" if undone or not tool.acts() else "lasting"


def step_at(plan: Plan, path: str) -> Step | None:
    """Return the step of the definition that a path leads to; none for one that was planned, or asks apart."""
    steps = by_name(plan.definition)
    last = path.rpartition("/")[2].partition("#")[0]
    if last.startswith("plan[") and "/" in path:
        last = path.rpartition("/")[0].rpartition("/")[2].partition("#")[0]
    return steps.get(last.partition("[")[0])


def _approve(subject: Subject, step: Step | None) -> str:
    match subject.kind:
        case "review":
            return "the review ends early, and the mission goes on"
        case "compensation":
            return "what undoes it is tried again"
        case "escalation":
            return "the mission goes on from here"
        case "facilitation":
            return ""
    first = f"once {subject.required} have approved, " if subject.required > 1 else ""
    if subject.tool:
        return f"{first}{subject.tool} runs with exactly these arguments"
    return f"{first}the plan is carried out" if isinstance(step, PlanStep) else f"{first}the mission goes on"


def _reject(subject: Subject, step: Step | None, gate: Gate | None) -> str:
    if subject.kind == "compensation":
        return "it counts as done by hand, as your comment says; it is not tried again"
    if subject.kind == "escalation":
        return UNDONE
    if isinstance(step, ReviewStep):
        return UNDONE if step.review.on_object == ABORT else way(step.review.on_object)
    if gate is None:
        return ""
    told = UNDONE if gate.on_reject == ABORT else way(gate.on_reject)
    if isinstance(step, PlanStep) and step.plan.revise and subject.step.endswith("]"):
        number = int(subject.step.rpartition("[")[2].rstrip("]"))
        return told if number >= step.plan.attempts else f"{step.plan.agent} plans again, with your words"
    return told


def way(target: Target) -> str:
    """Return where control goes, in words."""
    match target:
        case "continue":
            return "the mission goes on without it"
        case "abort":
            return "the mission is aborted, and what it did is undone"
        case "escalate":
            return "people are asked how to go on"
        case str():
            return f"the step {target} runs, and the mission goes on"
        case _:
            return f"{', '.join(step.step for step in target)} run, and the mission goes on"


def _deadline(plan: Plan, opening: Opening, gate: Gate | None) -> str:
    if opening.deadline is None:
        return ""
    if opening.subject.kind == "review":
        return "the mission goes on, unless somebody has objected"
    if gate is None:
        return "it counts as rejected"
    ladder = [(rung.approvers, rung.timeout) for rung in gate.escalation]
    if gate.on_timeout == ESCALATE:
        ladder = ladder or [((plan.escalation.role,), plan.escalation.timeout)]
        if opening.rung < len(ladder):
            who, span = ladder[opening.rung]
            return f"{' or '.join(who)} {'is' if len(who) == 1 else 'are'} asked instead{_for(span)}"
    if gate.on_timeout in (ESCALATE, REFUSE):
        return f"it counts as rejected: {UNDONE if gate.on_reject == ABORT else way(gate.on_reject)}"
    return way(gate.on_timeout)


def _for(span: timedelta | None) -> str:
    return f", for {span}" if span is not None else ", without a deadline"


def _back(plan: Plan, subject: Subject, tool: Tool | None) -> str:
    if tool is None:
        return ""
    undoing = plan.tools.get(subject.compensation or "")
    if undoing is not None:
        told = f"{subject.compensation} undoes it, should the mission come to nothing later"
        return f"{told}; by hand: {undoing.manual}" if undoing.manual else told
    return f"nothing undoes it here; by hand: {tool.manual}" if tool.manual else "nothing undoes it"


def _estimated(plan: Plan) -> str:
    whole = estimate(plan)
    parts = ((whole.agents, "agent runs"), (whole.actions, "actions"), (whole.gates, "gates"))
    return ", ".join(f"{_span(span)} {noun}" for span, noun in parts)


def _span(span: Span) -> str:
    if span.most is None:
        return f"{span.least} or more"
    return str(span.least) if span.least == span.most else f"{span.least} to {span.most}"


def _words(step: Step | None, gate: Gate | None, known: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield whose words the question holds, under an empty name, and each argument."""
    if gate is not None and (who := read_by(gate.message, known)):
        yield "", who
    if isinstance(step, ActionStep):
        for name, value in step.with_.items():
            if who := read_by(value, known):
                yield name, who
