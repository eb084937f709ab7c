"""What may be set: every variable that some way through the mission may have set before, in and after each step.

Sets are bits of a number, since a mission of 500 steps that call each other takes many rounds until nothing changes.
`checks/sure.py` knows what is surely set; `checks/variables.py` finds what is read where no way can have set it.
"""

from typing import Any

from contracts.canary import STAGE
from contracts.definition import (
    AgentStep,
    CanaryStep,
    ConditionStep,
    GroupStep,
    LoopStep,
    MapStep,
    ParallelStep,
    PartyStep,
    RaceStep,
    Step,
    Target,
)
from contracts.step import BUILT_IN
from language.checks.expressions import variables
from language.draft import Draft
from language.steps import called_names, failure_targets, kind_targets

LOCAL = ("iteration", "result", "index")


class Flow:
    """Which variables may be set where."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.known = variables(draft)
        self.bits = {name: 1 << number for number, name in enumerate(sorted({*self.known, *LOCAL}))}
        self.called = called_names(draft.definition) & draft.named
        self.steps = {step.step: step for step in draft.steps() if step.step in draft.named}
        self.before: dict[int, int] = {}
        self.after: dict[int, int] = {}
        self.after_round: dict[int, int] = {}
        self.at_end = 0

    def settle(self) -> None:
        """Walk until nothing changes, the called steps once forwards and once backwards."""
        properties = self.draft.definition.inputs.get("properties")
        start = self.mask(properties if isinstance(properties, dict) else ())
        called = [step for step in self.draft.steps() if step.step in self.called and step.step in self.steps]
        before: Any = None
        while before != (shape := (sum(self.before.values()), sum(self.after.values()), self.at_end)):
            before = shape
            self.at_end = self.sequence(self.draft.definition.steps, start)
            called.reverse()
            for step in called:
                if id(step) in self.before:
                    self.enter(step, self.before[id(step)])

    def mask(self, names: Any) -> int:
        return sum(self.bits[name] for name in set(names) if name in self.bits)

    def seen(self, step: Step, when: str) -> int:
        """Return what may be set when an expression of a step is read."""
        before = self.before.get(id(step), -1)
        match when:
            case "iterating":
                return self.after_round.get(id(step), -1)
            case "undoing":
                return before | self.bits["result"]
            case "each" if isinstance(step, MapStep):
                return before | self.bits[step.map.as_] | self.bits["index"]
            case "answered":
                return before | self.bits["result"] | self.stage(step)
            case _:
                return before

    def stage(self, step: Step) -> int:
        return self.bits[STAGE] if isinstance(step, CanaryStep) else 0

    def sequence(self, steps: tuple[Step, ...], before: int) -> int:
        """Return what may be set after a list, in order or as a task graph."""
        own = [step for step in steps if step.step not in self.called]
        if any(step.needs is not None for step in own):
            return self.graph(own, before)
        for step in own:
            before = self.enter(step, before)
        return before

    def graph(self, steps: list[Step], before: int) -> int:
        """Run each step after all that it needs, in as many rounds as that takes."""
        after: dict[str, int] = {}
        left = list(steps)
        while left:
            ready = [step for step in left if all(need in after for need in known_needs(step, steps))]
            for step in ready or left:
                start = before
                for need in step.needs or ():
                    start |= after.get(need, 0)
                after[step.step] = self.enter(step, start)
            left = [step for step in left if step.step not in after]
        for result in after.values():
            before |= result
        return before

    def enter(self, step: Step, before: int) -> int:
        """Note what may be set before a step, and return what may be set after it."""
        before |= self.before.get(id(step), 0)
        self.before[id(step)] = before
        after = self.inside(step, before) | (self.bits[step.output] if step.output else 0)
        for target in failure_targets(step).values():
            after |= self.follow(target, after)
        self.after[id(step)] = self.after.get(id(step), 0) | after
        return self.after[id(step)]

    def inside(self, step: Step, before: int) -> int:
        """Return what may be set after what a step holds and calls."""
        match step:
            case LoopStep():
                return self.loop(step, before)
            case MapStep():
                self.follow(step.map.do, before | self.bits[step.map.as_] | self.bits["index"])
                return before
            case RaceStep():
                for branch in step.race:
                    if branch.step not in self.called:
                        self.enter(branch, before)
                return before
            case CanaryStep():
                for key, part in step.canary.parts().items():
                    self.enter(part, before | self.stage(step) | (self.bits["result"] if key == "incident" else 0))
                return before
            case ConditionStep():
                return self.follow(step.condition.then, before) | self.follow(step.condition.else_, before)
            case GroupStep():
                after = self.sequence(step.steps, before)
                for target in kind_targets(step).values():
                    after |= self.follow(target, before)
                return after
            case ParallelStep():
                after = before
                for branch in step.parallel:
                    if branch.step not in self.called:
                        after |= self.enter(branch, before)
                return after
            case _:
                # What agents answer is known where it leads; a gate's answer is a result of the whole step.
                known = isinstance(step, AgentStep | PartyStep)
                start = before | (self.bits[step.output] if step.output and known else 0)
                after = start
                for target in kind_targets(step).values():
                    after |= self.follow(target, start)
                return after

    def loop(self, step: LoopStep, before: int) -> int:
        """Go round twice: what one round sets, the next may read."""
        iteration = self.bits["iteration"]
        once = self.follow(step.loop.do, before | iteration)
        after = self.follow(step.loop.do, once)
        self.after_round[id(step)] = self.after_round.get(id(step), 0) | after | iteration
        outside = after & ~iteration | before & iteration
        return outside | self.follow(step.loop.on_max, outside)

    def follow(self, target: Target, before: int) -> int:
        if not isinstance(target, str):
            return self.sequence(target, before)
        step = self.steps.get(target)
        if step is None or target in BUILT_IN:
            return before
        self.before[id(step)] = self.before.get(id(step), 0) | before
        return before | self.after.get(id(step), 0)


def known_needs(step: Step, steps: list[Step]) -> list[str]:
    siblings = {sibling.step for sibling in steps}
    return [need for need in step.needs or () if need in siblings]
