"""What a frozen plan asks of policy before its first step: every agent, model, tool and effect, children's included.

Pure. What hangs on the moment is left out: the argument that a tool is used on is not known yet, so a policy that
speaks of it holds when it is used. As many approve an action as its gate asks. `activities/admission.py` asks.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from contracts.definition import ActionStep, GroupStep, Step
from contracts.gate import Gate
from contracts.mind import Agent
from contracts.money import Budget
from contracts.plan import Plan
from contracts.policy import Answer, Question, Verb, lacking
from language.named import named_by
from language.steps import children

Models = Callable[[str, Agent], Iterable[str]]
"""`models(name, agent)`: with what an agent thinks."""
Covered = tuple[Step, Gate | None]


def starting(plan: Plan, who: str, *, signed: bool) -> Question:
    """Return what is asked of whoever starts a mission."""
    definition = plan.definition
    context = {"signed": signed, "data": data_of(plan), "budget": spending(definition.budget)}
    return Question(verb="start", who=who, what=definition.mission, team=definition.team, context=context)


def data_of(plan: Plan) -> list[str]:
    """Return the classes of data in a mission and in those that it starts."""
    return sorted({one for member in plan.family() for one in member.data()})


def spending(budget: Budget | None) -> dict[str, int]:
    """Return a budget as policies see it: what is not bounded is not there."""
    if budget is None:
        return {}
    given: dict[str, float | int | None] = {
        "cents": None if budget.usd is None else round(budget.usd * 100),
        "tokens": budget.tokens,
        "agent_runs": budget.agent_runs,
        "seconds": None if budget.time is None else round(budget.time.total_seconds()),
    }
    return {name: int(most) for name, most in given.items() if most is not None}


def questions(plan: Plan, models: Models) -> Iterator[Question]:
    """Yield what is asked of a plan's steps, each question once."""
    seen: set[str] = set()
    for member in plan.family():
        for question in _of_one(member, models):
            key = question.model_dump_json(exclude={"at"})
            if key not in seen:
                seen.add(key)
                yield question


def _of_one(plan: Plan, models: Models) -> Iterator[Question]:
    for step, gate in covered(plan.definition.steps):
        agents, _ = named_by([step])
        for name in sorted(agents & plan.agents.keys()):
            yield from _of_agent(name, plan.agents[name], step.step, plan, models)
        if isinstance(step, ActionStep):
            yield from _of_action(step, gate, plan)


def at_its_gate(question: Question, answer: Answer) -> Answer:
    """Return what is left to ask before the first step: the action's own gate may ask those whom policy wants."""
    who, number = question.context.get("approved_as", ()), question.context.get("approvals", 0)
    if answer.outcome == "needs approval" and len(who) == 1 and not lacking(answer.approval, [("", who)] * number):
        return answer.model_copy(update={"outcome": "allow"})
    return answer


def covered(steps: Iterable[Step], group: Gate | None = None) -> Iterator[Covered]:
    """Yield every step with the gate at which its action is approved: its own, or that of the group around it."""
    for step in steps:
        own = step.approval if isinstance(step, ActionStep) else None
        yield step, own or group
        around = step.approval if isinstance(step, GroupStep) and step.approval is not None else group
        for inner in children(step):
            yield from covered(inner, around)


def _of_agent(name: str, agent: Agent, at: str, plan: Plan, models: Models) -> Iterator[Question]:
    mission = plan.definition.mission
    yield _asked("run_agent", mission, name, at, plan, admitted=True)
    for model in models(name, agent):
        yield _asked("think", name, model, at, plan, mission=mission)
    for tool in agent.hands():
        if tool not in plan.tools or not plan.tools[tool].acts():
            yield _asked("use_tool", name, tool, at, plan, mission=mission)


def _of_action(step: ActionStep, gate: Gate | None, plan: Plan) -> Iterator[Question]:
    approvals = max((one.required for one in gate.quorums()), default=0) if gate is not None else 0
    asked_of = sorted({*gate.approvers, *gate.from_}) if gate is not None else []
    undo = [step.compensate.tool] if step.compensate is not None else []
    for tool, undoes in ((step.action, False), *((tool, True) for tool in undo)):
        given = {"step": step.step, "undoes": undoes, "approvals": approvals, "approved_as": asked_of, "admitted": True}
        yield _asked("act", plan.definition.mission, tool, step.step, plan, **given)


def _asked(verb: Verb, who: str, what: str, at: str, plan: Plan, **context: Any) -> Question:
    given = {"data": list(plan.data()), **context}
    return Question(verb=verb, who=who, what=what, team=plan.definition.team, at=at, context=given)
