"""What is surely set: by a step, and before it.

Nothing unsets a variable, so what a step surely sets does not depend on how control came to it: `Sure.set_by` has it,
with one case for each kind of step. A second walk carries that forward to what is surely set before each step. A way
that aborts the mission leads nowhere, so everything is set at its end. The other half is `checks/paths.py`.
"""

from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import assert_never

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
from contracts.step import ABORT, ESCALATE, LAST_RESORTS, Fallback
from language.cel_compile import ExpressionError, compile_expression
from language.checks.guard import NO_NAMES, Names, succeeded
from language.checks.possible import Flow, known_needs
from language.start import surely_set
from language.steps import called_by, children, failure_targets, gate_of, gate_targets, ways

EVERYTHING = -1
"""All bits: what is set where control never comes."""


class Sure:
    """Which variables are surely set, as bits of the flow's numbering."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._sets: dict[str, int] = {}
        self._found: dict[int, int] = {}
        self._before: dict[int, int] = {}
        order = self._callees_first()
        for name in order:
            self._sets[name] = self.set_by(flow.steps[name])
        definition = flow.draft.definition
        self.at_end = self._sequence(definition.steps, flow.mask(surely_set(definition)))
        for name in reversed(order):
            self._enter(flow.steps[name], self.before(flow.steps[name]))

    def _callees_first(self) -> list[str]:
        """Return the called steps, each after those that it calls. Raises `CycleError`."""
        called = {name: self._flow.steps[name] for name in sorted(self._flow.called) if name in self._flow.steps}
        calls = {name: {to for inner in self._run_in(step) for to in called_by(inner)} for name, step in called.items()}
        return [name for name in TopologicalSorter(calls).static_order() if name in called]

    def _run_in(self, step: Step) -> Iterator[Step]:
        """Yield a step and what runs inside it: called steps that are only written there do not."""
        yield step
        for steps in children(step):
            for inner in steps:
                if inner.step not in self._flow.called:
                    yield from self._run_in(inner)

    def before(self, step: Step) -> int:
        """Return what is surely set when a step comes up."""
        return self._before.get(id(step), EVERYTHING)

    def seen(self, step: Step, when: str) -> int:
        """Return what is surely set when an expression of a step is read."""
        before = self.before(step) | (self.outputs_of(asked(step.when, answer=True)) if step.when else 0)
        match when, step:
            case "iterating", LoopStep():
                return before | self._flow.bits["iteration"] | self.reached(step.loop.do)
            case "each", MapStep():
                return before | self._item(step)
            case "answered", _:
                return before | self._flow.bits["result"] | self._flow.stage(step)
            case "undoing", _:
                return before | self._flow.bits["result"]
            case _:
                return before

    def outputs_of(self, names: Names) -> int:
        """Return what steps that have succeeded have set."""
        steps = [self._flow.steps[name] for name in names if name in self._flow.steps]
        return self._flow.mask(step.output for step in steps if step.output)

    # what a step surely sets

    def set_by(self, step: Step) -> int:
        """Return what a step surely sets, whichever way it goes."""
        if id(step) not in self._found:
            self._found[id(step)] = self._surely(step)
        return self._found[id(step)]

    def _surely(self, step: Step) -> int:
        found = self._body(step)
        for _, way in ways(step):
            found &= self._own(step) if isinstance(way, Fallback) else self.reached(way)
        return found & 0 if step.when else found

    def _own(self, step: Step) -> int:
        return self._flow.mask([step.output])

    def _body(self, step: Step) -> int:
        match step:
            case AgentStep() | GateStep() | WaitStep() | ReviewStep() | MissionStep():
                return self._own(step)
            case MapStep() | RaceStep() | CanaryStep():
                # What is set inside a map, a race or a canary stays there.
                return self._own(step)
            case PartyStep():
                return self._own(step)
            case ActionStep() | PlanStep():
                return self._approved(step, self._own(step))
            case ConditionStep():
                then = self.reached(step.condition.then) | self.outputs_of(facts(step, answer=True))
                otherwise = self.reached(step.condition.else_) | self.outputs_of(facts(step, answer=False))
                return then & otherwise | self._own(step)
            case LoopStep():
                return self.reached(step.loop.do) | self._own(step)
            case GroupStep():
                return self._approved(step, self.reached(step.steps) | self._own(step))
            case ParallelStep():
                return self.reached(step.parallel) | self._own(step)
            case _:
                assert_never(step)

    def _approved(self, step: ActionStep | GroupStep | PlanStep, found: int) -> int:
        """Return what a step sets that people may refuse: then nothing but what comes where the refusal leads."""
        if step.approval is not None:
            found &= self.reached(step.approval.on_reject)
            if step.approval.on_timeout not in (ESCALATE, *LAST_RESORTS):
                found &= self.reached(step.approval.on_timeout)
        return found

    def reached(self, target: Target) -> int:
        """Return what is surely set by going to a target."""
        if target == ABORT:
            return EVERYTHING
        if isinstance(target, str):
            return self._sets.get(target, 0)
        found = 0
        for step in target:
            if step.step not in self._flow.called:
                found |= self.set_by(step)
        return found

    # what is surely set before a step

    def _sequence(self, steps: tuple[Step, ...], before: int) -> int:
        own = [step for step in steps if step.step not in self._flow.called]
        if any(step.needs is not None for step in own):
            return self._graph(own, before)
        for step in own:
            self._enter(step, before)
            before |= self.set_by(step)
        return before

    def _graph(self, steps: list[Step], before: int) -> int:
        """Go through a task graph: a step knows what those that it needs have set, and what they needed."""
        after: dict[str, int] = {}
        left = list(steps)
        while left:
            ready = [step for step in left if all(need in after for need in known_needs(step, steps))] or left
            for step in ready:
                start = before
                for need in step.needs or ():
                    start |= after.get(need, 0)
                self._enter(step, start)
                after[step.step] = start | self.set_by(step)
            left = [step for step in left if step.step not in after]
        for result in after.values():
            before |= result
        return before

    def _enter(self, step: Step, before: int) -> None:
        """Note what is set before a step, and before what it holds and calls."""
        before &= self.before(step)
        self._before[id(step)] = before
        if step.when:
            before |= self.outputs_of(asked(step.when, answer=True))
        for way in failure_targets(step).values():
            self._follow(way, before)
        match step:
            case AgentStep():
                # Whoever is asked about an answer sees it.
                self._follow(step.below_floor, before | self._own(step))
            case GateStep() | ActionStep() | PlanStep():
                for way in gate_targets(gate_of(step)).values():
                    self._follow(way, before)
            case ConditionStep():
                self._follow(step.condition.then, before | self.outputs_of(facts(step, answer=True)))
                self._follow(step.condition.else_, before | self.outputs_of(facts(step, answer=False)))
            case LoopStep():
                self._follow(step.loop.do, before | self._flow.bits["iteration"])
                self._follow(step.loop.on_max, before | self.reached(step.loop.do))
            case GroupStep():
                self._sequence(step.steps, before)
                for way in gate_targets(step.approval).values():
                    self._follow(way, before)
            case MapStep():
                self._follow(step.map.do, before | self._item(step))
            case ReviewStep():
                self._follow(step.review.on_object, before)
            case PartyStep():
                self._follow(step.party.on_stall, before | self._own(step))
            case ParallelStep():
                self._branches(step.parallel, before)
            case RaceStep():
                self._branches(step.race, before)
            case CanaryStep():
                for key, part in step.canary.parts().items():
                    result = self._flow.bits["result"] if key == "incident" else 0
                    self._enter(part, before | self._flow.stage(step) | result)
            case WaitStep() | MissionStep():
                return
            case _:
                assert_never(step)

    def _branches(self, steps: tuple[Step, ...], before: int) -> None:
        for branch in steps:
            if branch.step not in self._flow.called:
                self._enter(branch, before)

    def _item(self, step: MapStep) -> int:
        return self._flow.mask((step.map.as_, "index"))

    def _follow(self, target: Target, before: int) -> None:
        if not isinstance(target, str):
            self._sequence(target, before)
        elif target in self._flow.steps:
            # Its callers come before it; it is entered when all of them have said what they know.
            step = self._flow.steps[target]
            self._before[id(step)] = self.before(step) & before


def facts(step: ConditionStep, *, answer: bool) -> Names:
    """Return the steps that have surely succeeded on one of a condition's ways."""
    return asked(step.condition.if_, answer=answer)


def asked(source: str, *, answer: bool) -> Names:
    try:
        return succeeded(compile_expression(source).tree.root, answer=answer)
    except ExpressionError:
        return NO_NAMES
