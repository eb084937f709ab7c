"""Variables: outputs that can exist, and nothing read before any way through the mission can have set it.

The analysis keeps, for each step, every variable that some way there may have set. Sets are bits of a number, since
a mission of 500 steps that call each other takes many rounds until nothing changes.
"""

from collections.abc import Iterator
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
    PlanStep,
    RaceStep,
    ReviewStep,
    Step,
    Target,
)
from contracts.step import BUILT_IN
from contracts.workspace import Workspace
from language.cel_compile import ExpressionError, compile_expression
from language.checks.expressions import variables
from language.draft import Draft
from language.expression import position
from language.finding import Finding
from language.name import suggestion, unfit
from language.sites import Site, sites, verdict_sites
from language.steps import called_names, children, failure_targets, gate_of, kind_targets, walk

LOCAL = ("iteration", "result", "index")
ALWAYS = ("mission", "steps")


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:  # noqa: ARG001 (every check has these arguments)
    """Find outputs that cannot be, and variables read too early."""
    yield from outputs(draft)
    flow = Flow(draft)
    flow.settle()
    for step in draft.steps():
        yield from context(step, draft, flow)
        for site in sites(step, draft):
            yield from early(site, flow, flow.seen(step, site.when))
            yield from unknown_steps(site, draft)
    for site in verdict_sites(draft):
        yield from early(site, flow, flow.at_end)
        yield from unknown_steps(site, draft)


def outputs(draft: Draft) -> Iterator[Finding]:
    """Find outputs whose names no variable can have."""
    properties = draft.definition.inputs.get("properties")
    for step in draft.steps():
        name = step.output
        if not name:
            continue
        if isinstance(properties, dict) and name in properties:
            reason = "an input has this name, and inputs do not change"
            yield draft.find("NAME_CLASH", f"the output '{name}': {reason}", step, "output", mend="rename it")
        elif reason := unfit(name):
            yield draft.find("BAD_NAME", f"the output '{name}': {reason}", step, "output", mend="rename it")
    yield from items(draft)


def items(draft: Draft) -> Iterator[Finding]:
    """Find names of items that no variable can have, or that something else has."""
    outputs_ = {step.output for step in draft.steps()}
    properties = draft.definition.inputs.get("properties")
    taken = outputs_ | set(properties if isinstance(properties, dict) else ())
    for step in draft.steps():
        if not isinstance(step, MapStep):
            continue
        name = step.map.as_
        reason = "an input or an output has this name" if name in taken else unfit(name)
        if reason:
            code = "NAME_CLASH" if name in taken else "BAD_NAME"
            yield draft.find(code, f"the item '{name}': {reason}", step, "map", "as", mend="write another name in 'as'")


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
                return self.sequence(step.steps, before)
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


def context(step: Step, draft: Draft, flow: Flow) -> Iterator[Finding]:
    """Find context that does not exist, or not yet."""
    if isinstance(step, PlanStep):
        yield from unknown_context(step, step.plan.context, ("plan", "context"), draft, flow)
    gate = gate_of(step)
    key = ("gate",) if step.kind == "gate" else ("approval",)
    wanted = gate.context if gate else step.context if isinstance(step, AgentStep) else ()
    if isinstance(step, ReviewStep):
        wanted, key = step.review.context, ("review",)
    if isinstance(step, PartyStep):
        wanted, key = step.party.context, ("party",)
    yield from unknown_context(step, wanted, (*(() if isinstance(step, AgentStep) else key), "context"), draft, flow)


def unknown_context(
    step: Step, wanted: tuple[str, ...], path: tuple[str, ...], draft: Draft, flow: Flow
) -> Iterator[Finding]:
    for number, name in enumerate(wanted):
        place = draft.value(step, *path, number).place
        if name in ALWAYS or name not in {*flow.known, "iteration"}:
            meant = suggestion(name, flow.known).removeprefix("; ")
            mend = meant or "context names inputs and outputs of steps"
            yield Finding("UNKNOWN_VARIABLE", f"unknown variable '{name}'", place, mend)
        elif not flow.bits[name] & flow.seen(step, "before"):
            yield Finding("READ_BEFORE_SET", *too_early(name, draft, place))


def early(site: Site, flow: Flow, may: int) -> Iterator[Finding]:
    """Find variables of an expression that no way there can have set. Unknown ones are found elsewhere."""
    try:
        tree = compile_expression(site.source).tree if site.source else None
    except ExpressionError:
        return
    for name, offset in tree.first_seen.items() if tree else ():
        if name in flow.bits and not flow.bits[name] & may:
            message, place, mend = too_early(name, flow.draft, site.place(*position(site.source, offset)))
            mend = "'result' is what the action returned" if site.when == "undoing" else mend
            yield Finding("READ_BEFORE_SET", message, place, mend)


def too_early(name: str, draft: Draft, place: Any) -> tuple[str, Any, str]:
    """Return message, place and mend for a variable that is not set yet."""
    inside = {"iteration": "loop", "index": "map"}
    inside |= {STAGE: "canary"} if any(isinstance(step, CanaryStep) for step in draft.steps()) else {}
    if name in inside:
        return f"'{name}' exists only inside a {inside[name]}", place, "leave it out"
    if name == "result":
        message = "'result' exists only in a compensation's 'with', a race's 'good', a canary's 'healthy' or 'incident'"
        return message, place, "name an output"
    if any(isinstance(step, MapStep) and step.map.as_ == name for step in draft.steps()):
        return f"'{name}' exists only inside its map", place, "leave it out"
    if name in inner_outputs(draft):
        message = f"'{name}' is set inside a map, a race or a canary and stays there"
        return message, place, "read the output of that step"
    by = next((step for step in draft.steps() if step.output == name), None)
    line = f" in line {by.place.line}" if by else ""
    return f"'{name}' is read before any way here can have set it", place, f"it is set by the step{line}"


def inner_outputs(draft: Draft) -> set[str]:
    """Return the outputs that only steps written inside maps, races and canaries set."""
    inside = {
        id(inner)
        for step in draft.steps()
        if isinstance(step, MapStep | RaceStep | CanaryStep)
        for steps in children(step)
        for inner in walk(steps)
    }
    outside = {step.output for step in draft.steps() if id(step) not in inside}
    return {step.output for step in draft.steps() if step.output} - outside


def unknown_steps(site: Site, draft: Draft) -> Iterator[Finding]:
    """Find `steps.NAME` where no step has that name."""
    try:
        reads = compile_expression(site.source).tree.reads if site.source else {}
    except ExpressionError:
        return
    for path in reads.get("steps", ()):
        if path and path[0] not in draft.named:
            mend = suggestion(path[0], draft.named).removeprefix("; ") or "name a step that has a 'step' key"
            yield Finding("UNKNOWN_STEP", f"unknown step 'steps.{path[0]}'", site.place(), mend)
