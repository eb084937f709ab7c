"""What a mission may take, at least and at most: agents' runs, actions, gates, events of history, time at gates.

Pure, over the frozen plan. The law: a mission that comes to its verdict without a failure lies within, as long as no
decision is refused, no rule changes, nobody asks for changes, nobody else holds a lock and no party runs out of tokens;
tests hold the recorded histories to it. Events are those that Temporal writes for us, as `docs/performance.md` tells:
an activity's retries write none.
"""

from datetime import timedelta
from math import inf
from typing import assert_never

from contracts.base import Message
from contracts.canary import Canary
from contracts.decision import MOST_SPOKEN
from contracts.definition import (
    ActionStep,
    AgentStep,
    CanaryStep,
    ConditionStep,
    GateStep,
    GroupStep,
    LoopStep,
    MapStep,
    MissionStep,
    ParallelStep,
    PartyStep,
    PlanStep,
    RaceStep,
    ReviewStep,
    Step,
    Target,
    WaitStep,
)
from contracts.gate import MOST_CHANGES, Gate
from contracts.mind import A2AAgent, PeopleAgent
from contracts.party import Party
from contracts.plan import Plan
from contracts.step import ABORT, BUILT_IN, ESCALATE, LAST_RESORTS
from contracts.talk import MOST_QUESTIONS
from language import talk
from language.bounds import (
    ACTIVITY,
    ASKED,
    CHILD,
    FIRED,
    LOCKS,
    MISSION,
    NOTHING,
    QUIET_GATE,
    RUNG,
    TIMER,
    VOTE,
    Bounds,
    Cost,
    Span,
    Spends,
    events,
    nothing_spent,
    plus,
    seconds,
    span,
    together,
)
from language.steps import by_name, called_by, called_names, walk


class Estimate(Message):
    """What a mission may take. `waiting` is seconds at gates; `most` is none where a gate waits for ever."""

    agents: Span
    actions: Span
    gates: Span
    events: Span
    waiting_least: float
    waiting_most: float | None
    tokens: Span = Span(least=0, most=0)
    usd_least: float = 0.0
    usd_most: float | None = 0.0


def estimate(plan: Plan, spends: Spends = nothing_spent) -> Estimate:
    """Return what a plan may take."""
    bounds = Bounds(MISSION, MISSION).then(Reckoner(plan, spends).run(plan.definition.steps))
    if plan.notify:
        # At its end a mission stays a little for the last notice.
        bounds = bounds.then(Bounds(NOTHING, FIRED))
    least, most = bounds.least, bounds.most
    return Estimate(
        agents=span(least.agents, most.agents),
        actions=span(least.actions, most.actions),
        gates=span(least.gates, most.gates),
        events=span(events(least), events(most)),
        waiting_least=least.wait,
        waiting_most=None if most.wait == inf else most.wait,
        tokens=span(least.tokens, most.tokens),
        usd_least=least.usd,
        usd_most=None if most.usd == inf else most.usd,
    )


class Reckoner:
    """Adds up steps. Steps that others call are reckoned first, so that a long chain of calls is no deep recursion."""

    def __init__(self, plan: Plan, spends: Spends = nothing_spent) -> None:
        self.plan = plan
        self.spends = spends
        self.called = called_names(plan.definition)
        self.steps = by_name(plan.definition)
        self.known: dict[str, Bounds] = {}
        for name in self.callees_first():
            self.known[name] = self.step(self.steps[name])

    def callees_first(self) -> list[str]:
        """Return the names of called steps, each after those that it leads to. A checked mission has no cycle."""
        order: dict[str, None] = {}
        waiting = sorted(self.called)
        while waiting:
            name = waiting[-1]
            into = [other for inner in walk([self.steps[name]]) for other in called_by(inner) if other not in order]
            if name in order or not into:
                order[waiting.pop()] = None
            else:
                waiting += into
        return list(order)

    def run(self, steps: tuple[Step, ...]) -> Bounds:
        """Return the bounds of a list, in order or as a task graph."""
        own = [step for step in steps if step.step not in self.called]
        if any(step.needs is not None for step in own):
            return self.graph(own)
        return together(Bounds.then, (self.step(step) for step in own))

    def graph(self, steps: list[Step]) -> Bounds:
        """Return the bounds of a task graph: all its steps, and the wait of the longest way through it."""
        bounds = {step.step: self.step(step) for step in steps}
        ends: dict[str, float] = {}
        left = list(steps)
        while left:
            for step in [step for step in left if all(need in ends for need in step.needs or ())]:
                start = max((ends[need] for need in step.needs or ()), default=0.0)
                ends[step.step] = start + bounds[step.step].most.wait
            left = [step for step in left if step.step not in ends]
        both = together(Bounds.beside, bounds.values())
        return Bounds(both.least, Cost(**{**vars(both.most), "wait": max(ends.values())}))

    def step(self, step: Step) -> Bounds:
        bounds = self.kind(step)
        if step.locks:
            bounds = bounds.then(Bounds(NOTHING, LOCKS))
        return bounds.perhaps() if step.when else bounds

    def kind(self, step: Step) -> Bounds:
        match step:
            case AgentStep():
                return self.agent(step)
            case ActionStep():
                return self.action(step)
            case GateStep():
                return self.gate(step.gate).then(self.answers(step.gate))
            case ConditionStep():
                return self.target(step.condition.then).either(self.target(step.condition.else_))
            case LoopStep():
                once = self.target(step.loop.do)
                many = Cost(**{name: value * step.loop.max_iterations for name, value in vars(once.most).items()})
                return Bounds(once.least, many).then(self.target(step.loop.on_max).perhaps())
            case ParallelStep():
                branches = [branch for branch in step.parallel if branch.step not in self.called]
                return together(Bounds.beside, (self.step(branch) for branch in branches))
            case GroupStep():
                return self.approved(step.approval, self.run(step.steps))
            case MapStep():
                # How long the list is nobody knows before it is there.
                once = self.target(step.map.do)
                many = Cost(**{name: value * inf if value else 0 for name, value in vars(once.most).items()})
                return Bounds(NOTHING, many)
            case RaceStep():
                return self.race([self.step(branch) for branch in step.race if branch.step not in self.called])
            case CanaryStep():
                return self.canary(step.canary)
            case WaitStep():
                return self.wait(step)
            case ReviewStep():
                waits = seconds(step.review.timeout)
                asked = Bounds(QUIET_GATE, Cost(**{**vars(ASKED.each(TIMER, plus)), "wait": waits}))
                return asked.then(self.target(step.review.on_object).perhaps())
            case PlanStep():
                return self.plan_(step)
            case PartyStep():
                return self.party(step.party).then(self.target(step.party.on_stall).perhaps())
            case MissionStep():
                return self.child(self.plan.missions[step.mission])
            case _:
                assert_never(step)

    def plan_(self, step: PlanStep) -> Bounds:
        """Return the bounds of planning and of what is planned, which nobody knows but for what it may not do."""
        once = self.consult(step.plan.agent).then(Bounds(ACTIVITY, ACTIVITY))
        asked = self.gate(step.approval) if step.approval else Bounds()
        tries = Cost(**{name: value * step.plan.attempts for name, value in vars(once.then(asked).most).items()})
        allow = step.plan.allow
        gates = inf if allow.approvers or step.approval else 0
        unknown = Cost(
            agents=inf if allow.agents else 0,
            actions=inf if allow.tools else 0,
            gates=gates,
            marks=inf,
            tasks=inf,
            wait=inf,
        )
        asking = once.then(asked)
        bounds = Bounds(asking.least, tries).then(Bounds(NOTHING, unknown))
        return bounds.then(self.answers(step.approval)) if step.approval else bounds

    def race(self, branches: list[Bounds]) -> Bounds:
        """Return the bounds of a race: the least of one branch, and all of all."""
        all_ = together(Bounds.beside, branches)
        return Bounds(together(Bounds.either, branches).least, all_.most)

    def canary(self, canary: Canary) -> Bounds:
        """Return the bounds of a canary: all its stages healthy, or refused at the first that asks."""
        proof = Bounds(FIRED, FIRED).then(self.step(canary.probe))
        stages = [canary.sandbox] if canary.sandbox else []
        stages += [canary.do] * (len(canary.stages) - 1) + [canary.last or canary.do]
        bounds = [self.action(stage) for stage in stages]
        healthy = [stage.then(proof) for stage in bounds]
        refused = next((number for number, stage in enumerate(bounds) if not stage.least.actions), len(stages))
        least = together(Bounds.then, (*healthy[:refused], *bounds[refused : refused + 1])).least
        return Bounds(least, together(Bounds.then, healthy).most)

    def wait(self, step: WaitStep) -> Bounds:
        """Return the bounds of a wait; `wait` in a cost is time at gates, and this is none."""
        return Bounds(NOTHING if step.wait.for_ is None else FIRED, FIRED)

    def child(self, plan: Plan) -> Bounds:
        """Return the bounds of a child mission; its events stand in its own history."""
        inside = Reckoner(plan).run(plan.definition.steps)
        quiet = [Cost(**{**vars(one), "marks": 0, "tasks": 0}) for one in (inside.least, inside.most)]
        return Bounds(*CHILD).then(Bounds(*quiet))

    def agent(self, step: AgentStep) -> Bounds:
        """Return the bounds of an agent: an answer that does not fit its schema goes back to it once."""
        contract = self.plan.agents[step.agent]
        bounds = self.consult(step.agent, step.step, step.timeout)
        unsure = contract.confidence_floor is not None
        return bounds.then(self.target(step.below_floor).perhaps()) if unsure else bounds

    def consult(self, name: str, step: str = "", timeout: timedelta | None = None) -> Bounds:
        contract = self.plan.agents[name]
        if isinstance(contract, PeopleAgent):
            return self.gate(Gate(approvers=contract.by, timeout=timeout or contract.timeout))
        once = Bounds(ACTIVITY.each(Cost(agents=1), plus), ACTIVITY.each(Cost(agents=1), plus))
        once = once.then(self.spends(step, name))
        if isinstance(contract, A2AAgent):
            asked = self.gate(Gate(approvers=contract.ask, timeout=contract.ask_timeout)).then(once)
            once = once.then(together(Bounds.then, [asked] * MOST_QUESTIONS).perhaps())
        return Bounds(once.least, once.most.each(once.most, plus) if contract.output else once.most)

    def party(self, party: Party) -> Bounds:
        """Return the bounds of a party. Who answer at once may come back in one workflow task."""
        fewest, all_ = talk.least(party), talk.most(party)
        tasks = fewest.rounds if party.turns == "all" else fewest.calls
        spoken = Cost(marks=2 + 2 * MOST_SPOKEN, tasks=MOST_SPOKEN) if party.facilitator else NOTHING
        most = Cost(agents=2 * all_.calls, marks=6 * all_.calls, tasks=2 * all_.calls)
        return Bounds(Cost(agents=fewest.calls, marks=3 * fewest.calls, tasks=tasks), most.each(spoken, plus))

    def action(self, step: ActionStep) -> Bounds:
        acts = ACTIVITY.each(Cost(actions=1), plus)
        risk = self.plan.risk
        if step.approval is None and risk is not None and risk.most() and self.plan.tools[step.action].acts():
            # Its risk may have people asked whom neither contract nor definition ask.
            asked = self.gate(Gate(approvers=(self.plan.escalation.role,), timeout=self.plan.escalation.timeout))
            return asked.perhaps().then(Bounds(acts, acts))
        return self.approved(step.approval, Bounds(acts, acts))

    def approved(self, gate: Gate | None, bounds: Bounds) -> Bounds:
        """Return the bounds of what people are asked for first, if they are."""
        if gate is None:
            return bounds
        ends = gate.on_reject == ABORT and gate.on_timeout in (ABORT, ESCALATE, *LAST_RESORTS)
        return self.gate(gate).then(bounds if ends else bounds.either(self.answers(gate)))

    def answers(self, gate: Gate) -> Bounds:
        """Return the bounds of what follows when people do not approve."""
        ways = [self.target(gate.on_reject)]
        if gate.on_timeout not in (ESCALATE, *LAST_RESORTS):
            ways.append(self.target(gate.on_timeout))
        return together(Bounds.either, ways).perhaps()

    def gate(self, gate: Gate) -> Bounds:
        """Return the bounds of asking: one decision at least, and at most a whole ladder with votes on each rung."""
        waits = [seconds(gate.timeout)]
        if gate.on_timeout == ESCALATE:
            escalation = self.plan.escalation
            waits += [seconds(rung.timeout) for rung in gate.escalation] or [seconds(escalation.timeout)]
        most = ASKED.each(TIMER if gate.timeout else NOTHING, plus)
        reminders = len(gate.remind) + sum(len(rung.remind) for rung in gate.escalation)
        asked_for = max(*(quorum.required for quorum in gate.quorums()), self.plan.risk.most() if self.plan.risk else 1)
        extra = [VOTE] * (asked_for + gate.reject_quorum - 2) * len(waits) + [RUNG] * (len(waits) - 1)
        # The opening and the end are told, each rung and each reminder.
        extra += [FIRED] * reminders + [ACTIVITY] * (len(waits) + 1 + reminders if self.plan.notify else 0)
        # Which rules are in force is asked before people are.
        for cost in [ACTIVITY, *extra]:
            most = most.each(cost, plus)
        asked = Bounds(QUIET_GATE, Cost(**{**vars(most), "wait": sum(waits)}))
        if gate.on_changes is None:
            return asked
        anew = self.target(gate.on_changes).then(asked)
        return asked.then(together(Bounds.then, [anew] * MOST_CHANGES).perhaps())

    def target(self, target: Target) -> Bounds:
        if not isinstance(target, str):
            return self.run(target)
        if target == ESCALATE:
            return self.gate(Gate(approvers=(self.plan.escalation.role,), timeout=self.plan.escalation.timeout))
        return Bounds() if target in {*BUILT_IN, *LAST_RESORTS} else self.known[target]
