"""What people are told beside a gate's question: the risk, the ways on and back, what it costs, whose words it holds.

Pure, over the frozen plan, whose digest people sign. The law: nothing here is said by an agent or by the mission that
asks; whoever shows a gate works it out anew. What cannot be told is left out and never guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from contracts.decision import Opening, Subject
from contracts.definition import ActionStep, AgentStep, GateStep, PlanStep, ReviewStep, Step
from contracts.duration import show_duration
from contracts.gate import Gate
from contracts.mind import A2AAgent
from contracts.plan import Plan
from contracts.step import ABORT, CONTINUE, DEAD_LETTER, ESCALATE, REFUSE
from language.bounds import Span
from language.estimate import estimate
from language.risk import Risk, by_policy, risk, step_at
from language.source import Sources, read_by, sources
from language.steps import by_name, fallbacks, gate_of
from language.way import way

NUMBER = re.compile(r"/plan\[(\d+)\](?:/@admission(?:\[\d+\])?)?$")
UNANSWERED = "the step fails, since nobody answered"
UNDONE = "the mission ends as refused, and what it did is undone"


@dataclass(frozen=True)
class Briefing:
    """What is told of one opening; an empty text is nothing to tell.

    `words` says of the question (under an empty name) and of the arguments whose words they may hold, `context` of what
    is shown beside it. `resources` are what it acts on: a tool, the name of its argument, the value.
    """

    risk: Risk
    approve: str = ""
    reject: str = ""
    changes: str = ""
    deadline: str = ""
    back: tuple[str, ...] = ()
    estimated: str = ""
    resources: tuple[tuple[str, str, Any], ...] = ()
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    context: dict[str, tuple[str, ...]] = field(default_factory=dict)


def brief(plan: Plan, opening: Opening) -> Briefing:
    """Return what to tell people about an opening of a mission with this plan."""
    subject, step = opening.subject, step_at(plan, opening.subject.step)
    own = subject.kind == "approval" and not by_policy(subject)
    gate = gate_of(step) if step is not None and own else None
    if gate is None and subject.risk is not None:
        gate = Gate(approvers=subject.approvers)
    known = sources(plan.definition)
    return Briefing(
        risk=risk(plan, subject),
        approve=_approve(subject, step),
        reject=_reject(subject, step, gate),
        changes=_changes(gate),
        deadline=_deadline(plan, opening, step, gate),
        back=tuple(dict.fromkeys(_back(plan, subject))),
        estimated=_estimated(plan),
        resources=tuple(_resources(plan, subject)),
        words=dict(_words(plan, subject, gate, known)),
        context={name: known.get(name, ()) for name in opening.context},
    )


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
        case "task":
            return "the step goes on with that answer"
    acts = subject.acts()
    what = "the plan is carried out" if isinstance(step, PlanStep) else "the mission goes on"
    if acts:
        tool = acts[0].tool if len(acts) == 1 else f"all {len(acts)} actions, in this order,"
        what = f"{tool} {'runs' if len(acts) == 1 else 'run'} with exactly these arguments"
    return f"once {subject.required} have approved, {what}" if subject.required > 1 else what


def _reject(subject: Subject, step: Step | None, gate: Gate | None) -> str:
    match subject.kind:
        case "compensation":
            return "it counts as done by hand, as your comment says, and is not tried again"
        case "escalation":
            return UNDONE
        case "task":
            return f"the step fails: {subject.step} is refused, with your comment"
        case "review" if isinstance(step, ReviewStep):
            return UNDONE if step.review.on_object == ABORT else way(step.review.on_object)
    if isinstance(step, PlanStep) and step.plan.revise and _number(subject.step) < step.plan.attempts:
        return f"{step.plan.agent} plans again, with your words"
    if gate is None:
        return UNDONE if by_policy(subject) else ""
    told = _refused(gate, step)
    return f"once {gate.reject_quorum} have rejected, {told}" if gate.reject_quorum > 1 else told


def _changes(gate: Gate | None) -> str:
    """Return what asking for changes leads to, where that is no rejection."""
    target = gate.on_changes if gate is not None else None
    if target is None:
        return ""
    names = (target,) if isinstance(target, str) else tuple(step.step for step in target)
    return f"{', '.join(names)} {'follows' if len(names) == 1 else 'follow'}, and people are asked anew"


def _number(path: str) -> int:
    """Return the number of the plan that is asked for at a path."""
    found = NUMBER.search(path)
    return int(found[1]) if found else 0


def _refused(gate: Gate, step: Step | None) -> str:
    """Return what follows a rejection. A question that nothing hangs on by itself is answered all the same."""
    if gate.on_reject == CONTINUE and isinstance(step, GateStep):
        return "the mission goes on, and knows that it was rejected"
    return UNDONE if gate.on_reject == ABORT else way(gate.on_reject)


def _deadline(plan: Plan, opening: Opening, step: Step | None, gate: Gate | None) -> str:
    if opening.deadline is None or opening.subject.kind == "facilitation":
        return ""
    if opening.subject.kind == "review":
        return "the mission goes on, unless somebody has objected"
    if opening.subject.kind == "task":
        return "the step fails, since nobody answered"
    if gate is None:
        lettered = opening.subject.kind == "escalation" and plan.definition.dead_letter is not None
        return UNANSWERED if lettered else "it counts as rejected"
    ladder = _ladder(plan, gate)
    if opening.rung < len(ladder):
        who, span = ladder[opening.rung]
        return (
            f"{' or '.join(who)} may decide instead, {f'for {show_duration(span)}' if span else 'without a deadline'}"
        )
    last = gate.last_resort()
    if last == DEAD_LETTER:
        return UNANSWERED
    return f"it counts as rejected: {_refused(gate, step)}" if last in (ESCALATE, REFUSE) else way(last)


def _ladder(plan: Plan, gate: Gate) -> list[tuple[tuple[str, ...], timedelta | None]]:
    """Return who is asked after the gate's own approvers, and for how long."""
    if gate.on_timeout != ESCALATE:
        return []
    own: list[tuple[tuple[str, ...], timedelta | None]] = [(rung.approvers, rung.timeout) for rung in gate.escalation]
    return own or [((plan.escalation.role,), plan.escalation.timeout)]


def _back(plan: Plan, subject: Subject) -> Iterator[str]:
    for act in subject.acts():
        tool, undoing = plan.tools.get(act.tool), plan.tools.get(act.compensation or "")
        manual = undoing.manual if undoing is not None else tool.manual if tool is not None else ""
        if undoing is not None:
            yield f"{act.compensation} undoes {act.tool}, should the mission come to nothing later"
            yield f"by hand, should that fail: {manual}" if manual else ""
        else:
            yield f"nothing undoes {act.tool} here"
            yield f"by hand: {manual}" if manual else ""


def _resources(plan: Plan, subject: Subject) -> Iterator[tuple[str, str, Any]]:
    for act in subject.acts():
        tool = plan.tools.get(act.tool)
        if tool is not None and tool.resource in act.arguments:
            yield act.tool, tool.resource, act.arguments[tool.resource]


def _estimated(plan: Plan) -> str:
    whole = estimate(plan)
    parts = ((whole.agents, "agent run"), (whole.actions, "action"), (whole.gates, "gate"))
    return ", ".join(_span(span, noun) for span, noun in parts)


def _span(span: Span, noun: str) -> str:
    if span.most is None:
        return f"{span.least} or more {noun}s"
    nouns = noun if span.most == 1 else f"{noun}s"
    return f"{span.least} {nouns}" if span.least == span.most else f"{span.least} to {span.most} {nouns}"


def _words(plan: Plan, subject: Subject, gate: Gate | None, known: Sources) -> Iterator[tuple[str, tuple[str, ...]]]:
    if gate is not None and (who := read_by(gate.message, known)):
        yield "", who
    if subject.kind == "task" and (who := _asking(plan, subject, known)):
        yield "", who
    steps = by_name(plan.definition)
    for act in subject.acts():
        step = steps.get(act.step.rpartition("/")[2])
        for name, value in step.with_.items() if isinstance(step, ActionStep) else ():
            if who := read_by(value, known):
                yield (name if subject.tool else f"{act.step} {name}"), who


def _asking(plan: Plan, subject: Subject, known: Sources) -> tuple[str, ...]:
    """Return whose words a task may hold: those in what the step says, or those of who asks from elsewhere."""
    step = step_at(plan, subject.step)
    if not isinstance(step, AgentStep):
        return ()
    agents = (step.agent, *fallbacks(step).values())
    asking = (f"agent {name}" for name in agents if isinstance(plan.agents.get(name), A2AAgent))
    return tuple(dict.fromkeys((*read_by(step.task, known), *asking)))
