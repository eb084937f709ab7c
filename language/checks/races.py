"""Races: no two steps that run at once set the same variable."""

from collections.abc import Iterator

from contracts.definition import CanaryStep, MapStep, ParallelStep, RaceStep, Step
from contracts.workspace import Workspace
from language.checks.possible import Flow, known_needs
from language.draft import Draft
from language.finding import Finding
from language.steps import called_by, children


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:  # noqa: ARG001 (every check has these arguments)
    """Find steps that run at once and set the same variable."""
    flow = Flow(draft)
    written = Written(flow)
    for step in draft.steps():
        if isinstance(step, ParallelStep):
            branches = [branch for branch in step.parallel if branch.step not in flow.called]
            yield from written.clashes(branches, {branch.step: set() for branch in branches})
    lists = [draft.definition.steps, *(inner for step in draft.steps() for inner in children(step))]
    for steps in lists:
        own = [step for step in steps if step.step not in flow.called]
        if any(step.needs is not None for step in own):
            yield from written.clashes(own, all_needs(own))


def all_needs(steps: list[Step]) -> dict[str, set[str]]:
    """Return for each step every sibling that it waits for, directly or not."""
    needed = {step.step: set(known_needs(step, steps)) for step in steps}
    while True:
        wider = {name: needs.union(*(needed[need] for need in needs)) for name, needs in needed.items()}
        if wider == needed:
            return needed
        needed = wider


class Written:
    """Which variables a step sets, with all that it holds and calls."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.found: dict[int, int] = {}
        every = list(flow.draft.steps())
        changed = True
        while changed:
            changed = False
            every.reverse()
            for step in every:
                writes = self.own(step)
                changed |= writes != self.found.get(id(step))
                self.found[id(step)] = writes

    def own(self, step: Step) -> int:
        writes = self.flow.bits[step.output] if step.output else 0
        if isinstance(step, MapStep | RaceStep | CanaryStep):
            return writes  # what steps inside set stays inside
        for steps in children(step):
            for inner in steps:
                if inner.step not in self.flow.called:
                    writes |= self.found.get(id(inner), 0)
        for name in called_by(step):
            if name in self.flow.steps:
                writes |= self.found.get(id(self.flow.steps[name]), 0)
        return writes

    def clashes(self, steps: list[Step], needed: dict[str, set[str]]) -> Iterator[Finding]:
        for number, second in enumerate(steps):
            for first in steps[:number]:
                if first.step in needed[second.step] or second.step in needed[first.step]:
                    continue
                both = self.found[id(first)] & self.found[id(second)]
                for name in (name for name, bit in self.flow.bits.items() if bit & both):
                    message = f"'{first.step}' and '{second.step}' run at once and both set '{name}'"
                    mend = "give each an output of its own"
                    yield self.flow.draft.find("WRITE_RACE", message, second, "output", mend=mend)
