"""What keeps people in charge: no effect without approval, no approval by silence. Quorums are in `quorum.py`.

The law: only a tool's contract in the workspace frees it from approval (`autonomy: allowed`), never a mission.
"""

from collections.abc import Iterator

from contracts.definition import (
    ActionStep,
    GateStep,
    GroupStep,
    MissionStep,
    PlanStep,
    RaceStep,
    ReviewStep,
    Step,
    Target,
)
from contracts.gate import Gate
from contracts.step import CONTINUE
from contracts.workspace import Tool, Workspace
from language.checks.names import listed
from language.checks.together import covered
from language.draft import Draft
from language.finding import Finding
from language.silence import APPROVING_WORDS
from language.steps import called_by, called_names, children, every_step, gate_of, walk


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find actions, gates and compensations with which an effect could happen that people did not allow."""
    steps = {step.step: step for step in draft.steps() if step.step in draft.named}
    acting = Acting(draft, workspace, steps)
    yield from acting.in_races()
    yield from acting.after_reviews()
    for step in draft.steps():
        if isinstance(step, ActionStep) and step.action in workspace.tools:
            if step.approval is None and id(step) not in acting.covered:
                yield from ungated(step, workspace.tools[step.action], draft)
                yield from unallowed_undo(step, draft, workspace)
            yield from compensation(step, workspace.tools[step.action], draft, workspace)
        gate = gate_of(step)
        if gate:
            key = "gate" if step.kind == "gate" else "approval"
            yield from silence(step, gate, key, draft, steps)


class Acting:
    """Finds what acts where nothing may: in a race, whose losers are cancelled, and behind silence at a review."""

    def __init__(self, draft: Draft, workspace: Workspace, steps: dict[str, Step]) -> None:
        self.draft = draft
        self.workspace = workspace
        self.steps = steps
        self.called = called_names(draft.definition) & draft.named
        families = [draft.family(step) for step in draft.steps() if isinstance(step, MissionStep)]
        self.covered = covered(draft.definition).union(*(covered(one) for family in families for one in family))

    def in_races(self) -> Iterator[Finding]:
        for race in self.draft.steps():
            for step in self.reached(race.race) if isinstance(race, RaceStep) else ():
                if self.acts(step):
                    message = f"'{step.step}' changes the world, and runs in the race '{race.step}'"
                    mend = "let agents race, and act on the answer after it"
                    yield self.draft.find("RACE_ACTS", message, step, step.kind, mend=mend)

    def after_reviews(self) -> Iterator[Finding]:
        """Find effects that only silence stands before: behind a review, with no approval of their own."""
        told: set[int] = set()
        for steps in (self.draft.definition.steps, *(inner for step in self.draft.steps() for inner in children(step))):
            for step in self.behind(steps):
                if id(step) not in told and self.acts_unasked(step):
                    told.add(id(step))
                    message = f"'{step.step}' would act because nobody objected at a review"
                    mend = "put a gate between them, or give the action an 'approval'"
                    yield self.draft.find("SILENCE_APPROVES", message, step, step.kind, mend=mend)

    def behind(self, steps: tuple[Step, ...]) -> Iterator[Step]:
        """Yield what may run after a review of a list, up to the next gate. In a task graph that is all the rest."""
        own = [step for step in steps if step.step not in self.called]
        graph = any(step.needs is not None for step in own)
        reviewed = False
        for step in own:
            if isinstance(step, GateStep) and not graph:
                reviewed = False
            elif reviewed:
                yield from self.reached((step,))
            reviewed |= any(self.reviews(inner) for inner in self.reached((step,)))
        if graph and reviewed:
            yield from self.reached(tuple(own))

    def reviews(self, step: Step) -> bool:
        """Whether silence may let the mission go on from a step, or from within the mission that it starts."""
        return any(isinstance(inner, ReviewStep) for inner in self.carried_out(step))

    def acts(self, step: Step) -> bool:
        """Whether a step changes the world. What is planned may, where it is allowed a tool that does."""
        return any(tool.acts() for one in self.carried_out(step) for tool in self.tools(one))

    def acts_unasked(self, step: Step) -> bool:
        """Whether a step changes the world without an approval. Actions that are planned have their own."""
        return any(self.unasked(one, tool) for one in self.carried_out(step) for tool in self.tools(one))

    def unasked(self, step: Step, tool: Tool) -> bool:
        own = isinstance(step, ActionStep)
        asked = gate_of(step) is not None or id(step) in self.covered
        return not asked and tool.acts() and (own or not tool.needs_approval())

    def tools(self, step: Step) -> list[Tool]:
        match step:
            case ActionStep():
                names: tuple[str, ...] = (step.action,)
            case PlanStep():
                names = step.plan.allow.tools
            case _:
                names = ()
        return [self.workspace.tools[name] for name in names if name in self.workspace.tools]

    def carried_out(self, step: Step) -> Iterator[Step]:
        """Yield a step, and every step of the missions that it starts."""
        yield step
        for mission in self.draft.family(step) if isinstance(step, MissionStep) else ():
            yield from every_step(mission)

    def reached(self, steps: tuple[Step, ...]) -> Iterator[Step]:
        """Yield steps with everything that they hold and call."""
        waiting, seen = list(reversed(steps)), set[int]()
        while waiting:
            step = waiting.pop()
            if id(step) not in seen:
                seen.add(id(step))
                yield step
                waiting += [inner for inside in children(step) for inner in inside if inner.step not in self.called]
                waiting += [self.steps[name] for name in called_by(step) if name in self.steps]


def ungated(step: ActionStep, tool: Tool, draft: Draft) -> Iterator[Finding]:
    if tool.needs_approval():
        message = f"'{step.action}' changes the world ({tool.effect}) and nobody is asked"
        mend = "give the action an 'approval'; only the tool's contract, with 'autonomy: allowed', can free it"
        yield draft.find("APPROVAL_UNGATED", message, step, "action", mend=mend)


def compensation(step: ActionStep, tool: Tool, draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find compensations that the tool's contract does not name."""
    if step.compensate is None or step.compensate.tool not in workspace.tools:
        return
    name = step.compensate.tool
    if name not in tool.compensated_by:
        message = f"'{name}' is not among the tools that may undo '{step.action}'"
        mend = f"its contract names: {listed(tool.compensated_by)}"
        yield draft.find("COMPENSATION_NOT_ALLOWED", message, step, "compensate", "tool", mend=mend)


def unallowed_undo(step: ActionStep, draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find compensations that would act where nobody was asked."""
    name = step.compensate.tool if step.compensate else ""
    if name in workspace.tools and workspace.tools[name].needs_approval():
        message = f"'{name}' needs approval, and this action has none that could cover it"
        mend = "give the action an 'approval', or the tool's contract 'autonomy: allowed'"
        yield draft.find("COMPENSATION_UNGATED", message, step, "compensate", "tool", mend=mend)


def silence(step: Step, gate: Gate, key: str, draft: Draft, steps: dict[str, Step]) -> Iterator[Finding]:
    """Find deadlines at which the mission would go on as if people had approved."""
    target = gate.on_timeout
    mend = "write 'escalate', 'refuse' or 'abort', or name a step that does something else"
    if isinstance(target, str) and target not in steps and (target == CONTINUE or target.lower() in APPROVING_WORDS):
        message = f"'on_timeout: {target}' takes silence for consent"
        yield draft.find("SILENCE_APPROVES", message, step, key, "on_timeout", mend=mend)
    elif isinstance(step, ActionStep | GroupStep) and leads_to(step, target, steps):
        message = f"at the deadline '{step.step}' would come round to itself"
        yield draft.find("SILENCE_APPROVES", message, step, key, "on_timeout", mend=mend)


def leads_to(action: Step, target: Target, steps: dict[str, Step]) -> bool:
    """Whether a target runs an action, in whatever it calls or holds."""
    waiting = [steps[target]] if isinstance(target, str) and target in steps else []
    waiting += list(walk(target)) if not isinstance(target, str) else []
    seen: set[int] = set()
    while waiting:
        step = waiting.pop()
        if step is action:
            return True
        if id(step) not in seen:
            seen.add(id(step))
            waiting += [inner for inside in children(step) for inner in inside]
            waiting += [steps[name] for name in called_by(step) if name in steps]
    return False
