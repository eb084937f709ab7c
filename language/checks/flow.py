"""Where control goes: no cycles, nothing that cannot be reached, not too much of it."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from contracts.definition import AgentStep, ConditionStep, GroupStep, LoopStep, ParallelStep, Step, Target
from contracts.step import ABORT
from contracts.workspace import Workspace
from language.checks.names import listed
from language.draft import Draft
from language.finding import Finding
from language.name import nearest
from language.step_form import MOST_STEPS
from language.steps import called_by, called_names, children
from language.yaml_source import Value

DEEPEST_CALL = 50
MOST_ROUNDS = 10_000
LOOP = "use a loop step, which has a bound"


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find cycles of calls and needs, loops that go round too often, and steps that no way leads to."""
    map_ = Map(draft)
    yield from map_.cycles()
    yield from map_.unreachable()
    yield from rounds(draft, map_)
    yield from never_unsure(draft, workspace)
    for steps in (draft.definition.steps, *(inner for step in draft.steps() for inner in children(step))):
        yield from needs(steps, draft, map_.called)
        yield from after_the_end(steps, draft, map_)


def too_many(draft: Draft) -> Iterator[Finding]:
    """Find a mission that is too long. This comes first, since other checks take the square of its length."""
    count = sum(1 for _ in draft.steps())
    if count > MOST_STEPS:
        place = draft.tree.place_of("steps")
        yield Finding("TOO_MANY_STEPS", f"more than {MOST_STEPS} steps", place, "split the mission")


class Map:
    """Which step leads into which: into those written inside it, and those it calls."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.called = called_names(draft.definition) & draft.named
        self.steps = {step.step: step for step in draft.steps() if step.step in draft.named}

    def into(self, step: Step) -> list[Step]:
        """Return the steps that a step runs itself."""
        inside = [inner for steps in children(step) for inner in steps if inner.step not in self.called]
        return inside + [self.steps[name] for name in called_by(step) if name in self.steps]

    def cycles(self) -> Iterator[Finding]:
        """Find calls that lead back to where they came from. Each cycle is told once, at the call that closes it."""
        state: dict[int, str] = {}
        stack: list[Step] = []

        def visit(step: Step) -> Iterator[Finding]:
            state[id(step)] = "open"
            stack.append(step)
            for following in self.into(step):
                if state.get(id(following)) == "open":
                    names = [open_.step for open_ in stack]
                    way = " → ".join([*names[names.index(following.step) :], following.step])
                    yield self.draft.find("CYCLE", f"these steps call each other without end: {way}", step, mend=LOOP)
                elif id(following) not in state:
                    yield from visit(following)
            stack.pop()
            state[id(step)] = "done"

        for step in self.draft.steps():
            if id(step) not in state:
                yield from visit(step)

    def unreachable(self) -> Iterator[Finding]:
        """Find steps that nothing leads to: they are called, but only by steps that never run."""
        seen: set[int] = set()
        waiting = [step for step in self.draft.definition.steps if step.step not in self.called]
        while waiting:
            step = waiting.pop()
            if id(step) not in seen:
                seen.add(id(step))
                waiting.extend(self.into(step))
        for step in self.draft.steps():
            if id(step) not in seen and step.step in self.called:
                message = f"no way leads to the step '{step.step}': only steps that never run call it"
                yield self.draft.find("UNREACHABLE", message, step, mend="call it from a step that runs")

    def never_returns(self, target: Target, seen: frozenset[str] = frozenset()) -> bool:
        """Whether nothing can follow a target, since it aborts on every way."""
        if isinstance(target, str):
            if target == ABORT:
                return True
            step = self.steps.get(target)
            if step is None or target in seen or len(seen) > DEEPEST_CALL:
                return False
            return self.ends(step, seen | {target})
        return any(self.ends(step, seen) for step in target if step.step not in self.called)

    def ends(self, step: Step, seen: frozenset[str] = frozenset()) -> bool:
        """Whether nothing can follow a step."""
        if step.when or step.on_failure:
            return False
        match step:
            case ConditionStep():
                ways = (step.condition.then, step.condition.else_)
                return all(self.never_returns(way, seen) for way in ways)
            case LoopStep():
                return self.never_returns(step.loop.do, seen)
            case GroupStep():
                return self.never_returns(step.steps, seen)
            case ParallelStep():
                return self.never_returns(step.parallel, seen)
            case _:
                return False


def rounds(draft: Draft, map_: Map) -> Iterator[Finding]:
    """Find loops that together with those inside them go round too often, each at the innermost that does."""
    steps = {id(step): step for step in draft.steps()}
    into = {key: [id(inner) for inner in map_.into(step)] for key, step in steps.items()}
    try:
        order = list(TopologicalSorter(into).static_order())
    except CycleError:
        return  # which has a finding of its own
    most: dict[int, int] = {}
    for key in order:
        inner, step = max((most[to] for to in into[key]), default=1), steps[key]
        most[key] = inner * step.loop.max_iterations if isinstance(step, LoopStep) else inner
        if inner <= MOST_ROUNDS < most[key]:
            message = f"together with the loops inside it this may go round {most[key]:,} times"
            mend = f"at most {MOST_ROUNDS:,} are allowed: lower 'max_iterations'"
            yield draft.find("LOOP_TOO_LONG", message, step, "loop", "max_iterations", mend=mend)


def never_unsure(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find `below_floor` of agents whose contracts set no floor: nothing ever goes there."""
    for step in draft.steps():
        if not isinstance(step, AgentStep) or step.agent not in workspace.agents:
            continue
        written = draft.value(step).data
        floor = workspace.agents[step.agent].confidence_floor
        everywhere = draft.tree.find("on_failure").place == draft.value(step, "on_failure").place
        for path in (("below_floor",), *(() if everywhere else (("on_failure", "confidence_low"),))):
            if floor is None and isinstance(written, dict) and stands(path, draft.value(step)):
                message = f"nothing comes here: the agent '{step.agent}' has no confidence_floor to be below"
                mend = f"give the agent a 'confidence_floor' in agents.yaml, or leave '{path[-1]}' out"
                yield draft.find("UNREACHABLE", message, step, *path, mend=mend)


def stands(path: tuple[str, ...], value: Value) -> bool:
    """Whether an author has written a key."""
    around = value.find(*path[:-1]).data
    return isinstance(around, dict) and path[-1] in around


def needs(steps: tuple[Step, ...], draft: Draft, called: frozenset[str]) -> Iterator[Finding]:
    """Find needs that no sibling can meet, and needs that wait for each other."""
    siblings = {step.step: step for step in steps if step.step not in called}
    for step in steps:
        for number, name in enumerate(step.needs or ()):
            if name in called and any(other.step == name for other in steps):
                message = f"'{name}' is called by another step and never runs for itself"
                yield draft.find("BAD_VALUE", message, step, "needs", number, mend="need the step that calls it")
            elif name not in siblings:
                meant = nearest(name, siblings)
                mend = f"did you mean '{meant}'?" if meant else f"steps of this list: {listed(siblings)}"
                yield draft.find("UNKNOWN_STEP", f"no step '{name}' in this list", step, "needs", number, mend=mend)
    yield from waiting_circles(siblings, draft)


def waiting_circles(siblings: dict[str, Step], draft: Draft) -> Iterator[Finding]:
    """Find steps that wait for each other: those left over when all that can run has run."""
    left = dict(siblings)
    while ready := [name for name, step in left.items() if not any(need in left for need in step.needs or ())]:
        for name in ready:
            del left[name]
    circle = [step for step in left.values() if closes(step, left)]
    if circle:
        names = ", ".join(step.step for step in circle)
        message = f"these steps wait for each other: {names}"
        yield draft.find("CYCLE", message, circle[0], "needs", mend="let one of them go first")


def closes(step: Step, left: dict[str, Step]) -> bool:
    """Whether a step needs itself in the end."""
    seen: set[str] = set()
    waiting = list(step.needs or ())
    while waiting:
        name = waiting.pop()
        if name == step.step:
            return True
        if name in left and name not in seen:
            seen.add(name)
            waiting.extend(left[name].needs or ())
    return False


def after_the_end(steps: tuple[Step, ...], draft: Draft, map_: Map) -> Iterator[Finding]:
    """Find steps that stand after one that aborts the mission on every way."""
    own = [step for step in steps if step.step not in map_.called]
    if any(step.needs is not None for step in own):
        return
    ended = next((number for number, step in enumerate(own) if map_.ends(step)), len(own))
    for step in own[ended + 1 :]:
        message = f"nothing comes here: '{own[ended].step}' aborts the mission on every way"
        yield draft.find("UNREACHABLE", message, step, mend="move it before, or leave it out")
