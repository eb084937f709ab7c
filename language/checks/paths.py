"""Paths: every variable that is read has been set on every way there, or has a `default`.

Nothing unsets a variable, so what a step surely sets does not depend on how control came to it: `Sure.set_by` has it,
with one case for each kind of step. A second walk carries that forward to what is surely set before each step. A way
that aborts the mission leads nowhere, so everything is set at its end. `steps.NAME.output` is not looked at here: it
is how a definition reads what may not have run. The other half is `checks/variables.py`, which finds what no way sets.
"""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import assert_never

from contracts.definition import (
    ABORT,
    ESCALATE,
    REFUSE,
    ActionStep,
    AgentStep,
    ConditionStep,
    Fallback,
    GateStep,
    GroupStep,
    LoopStep,
    MapStep,
    ParallelStep,
    Place,
    RaceStep,
    ReviewStep,
    Step,
    Target,
    WaitStep,
)
from contracts.workspace import Workspace
from language.cel_compile import ExpressionError, compile_expression
from language.cel_tree import variable
from language.checks.guard import NO_NAMES, Names, reads, succeeded
from language.checks.variables import Flow, known_needs
from language.draft import Draft
from language.expression import position
from language.finding import Finding
from language.sites import Site, sites, verdict_sites
from language.start import surely_set
from language.steps import called_by, children, failure_targets, gate_of

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
            case "undoing", _:
                return before | self._flow.bits["result"]
            case "each", MapStep():
                return before | self._flow.mask((step.map.as_, "index"))
            case "answered", _:
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
        for way in step.on_failure.values():
            found &= self._own(step) if isinstance(way, Fallback) else self.reached(way)
        return found & 0 if step.when else found

    def _own(self, step: Step) -> int:
        return self._flow.mask([step.output])

    def _body(self, step: Step) -> int:
        match step:
            case AgentStep() | GateStep() | MapStep() | RaceStep() | WaitStep() | ReviewStep():
                # What steps inside a map or a race set stays inside.
                return self._own(step)
            case ActionStep():
                return self._action(step)
            case ConditionStep():
                then = self.reached(step.condition.then) | self.outputs_of(facts(step, answer=True))
                otherwise = self.reached(step.condition.else_) | self.outputs_of(facts(step, answer=False))
                return then & otherwise | self._own(step)
            case LoopStep():
                return self.reached(step.loop.do) | self._own(step)
            case GroupStep():
                return self.reached(step.steps) | self._own(step)
            case ParallelStep():
                return self.reached(step.parallel) | self._own(step)
            case _:
                assert_never(step)

    def _action(self, step: ActionStep) -> int:
        """Return what an action sets: refused, it sets nothing itself; where its refusal leads may."""
        found = self._own(step)
        if step.approval is not None:
            found &= self.reached(step.approval.on_reject)
            if step.approval.on_timeout not in (ESCALATE, REFUSE):
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
        """Walk a graph, whose steps know what those that they need have set, and what these needed."""
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
            case GateStep() | ActionStep():
                gate = gate_of(step)
                for way in (gate.on_timeout, gate.on_reject) if gate else ():
                    self._follow(way, before)
            case ConditionStep():
                self._follow(step.condition.then, before | self.outputs_of(facts(step, answer=True)))
                self._follow(step.condition.else_, before | self.outputs_of(facts(step, answer=False)))
            case LoopStep():
                self._follow(step.loop.do, before | self._flow.bits["iteration"])
                self._follow(step.loop.on_max, before | self.reached(step.loop.do))
            case GroupStep():
                self._sequence(step.steps, before)
            case ParallelStep() | RaceStep():
                for branch in step.parallel if isinstance(step, ParallelStep) else step.race:
                    if branch.step not in self._flow.called:
                        self._enter(branch, before)
            case MapStep():
                self._follow(step.map.do, before | self._flow.mask((step.map.as_, "index")))
            case ReviewStep():
                self._follow(step.review.on_object, before)
            case WaitStep():
                pass
            case _:
                assert_never(step)

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


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:  # noqa: ARG001 (every check has these arguments)
    """Find variables that some ways to where they are read have not set."""
    yield from defaults(draft)
    flow = Flow(draft)
    flow.settle()
    try:
        sure = Sure(flow)
    except CycleError:
        return  # which has a finding of its own
    for step in draft.steps():
        yield from context(step, flow, sure)
        for site in sites(step, draft):
            asking = step.when is not None and site.value is draft.value(step, "when")
            known = sure.before(step) if asking else sure.seen(step, site.when)
            yield from unset(site, flow, flow.seen(step, site.when), known, sure)
    for site in verdict_sites(draft):
        yield from unset(site, flow, flow.at_end, sure.at_end, sure)


def context(step: Step, flow: Flow, sure: Sure) -> Iterator[Finding]:
    """Find context that some ways have not set. A name that is none, or is never set, has its finding already."""
    gate = gate_of(step)
    wanted = gate.context if gate else step.context if isinstance(step, AgentStep) else ()
    path = ("gate" if step.kind == "gate" else "approval", "context") if gate else ("context",)
    if isinstance(step, ReviewStep):
        wanted, path = step.review.context, ("review", "context")
    for number, name in enumerate(wanted):
        bit = flow.bits.get(name, 0)
        if bit & flow.seen(step, "before") and not bit & sure.seen(step, "before"):
            yield maybe_unset(name, flow.draft, flow.draft.value(step, *path, number).place)


def unset(site: Site, flow: Flow, may: int, must: int, sure: Sure) -> Iterator[Finding]:
    """Find variables of an expression that some ways there have not set, each once."""
    try:
        tree = compile_expression(site.source).tree if site.source else None
    except ExpressionError:
        return
    told: set[str] = set()
    for node, succeeded_steps in reads(tree.root) if tree else ():
        name = variable(node.name)
        bit = flow.bits.get(name, 0)
        known = must | sure.outputs_of(succeeded_steps)
        if tree and bit & may and not bit & known and name not in told:
            told.add(name)
            place = site.place(*position(site.source, tree.positions.get(node.number, 0)))
            yield maybe_unset(name, flow.draft, place)


def maybe_unset(name: str, draft: Draft, place: Place) -> Finding:
    if name == "iteration":
        message = "'iteration' is there only when this is called from inside a loop"
        return Finding("MAYBE_UNSET", message, place, "call it from loops alone, or leave 'iteration' out")
    by = next((step for step in draft.steps() if step.output == name), None)
    if by is None:
        message = f"'{name}' may be left out of the inputs"
        return Finding("MAYBE_UNSET", message, place, "list it under 'required', or give its schema a 'default'")
    ask = f", or ask 'steps.{by.step}.status == \"succeeded\"' first" if by.step in draft.named else ""
    mend = f"give the step in line {by.place.line} a 'default'{ask}"
    return Finding("MAYBE_UNSET", f"'{name}' is not set on every way here", place, mend)


def defaults(draft: Draft) -> Iterator[Finding]:
    """Find variables with two defaults: which of them holds nobody could tell."""
    first: dict[str, Step] = {}
    for step in draft.steps():
        if step.default is not None and step.output:
            before = first.setdefault(step.output, step)
            if before is not step:
                message = f"'{step.output}' has a default already in line {before.place.line}"
                yield draft.find("NAME_CLASH", message, step, "default", mend="keep one of them")
