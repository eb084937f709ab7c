"""What each kind of step yields, and so what each variable is.

Agents and tools answer by the output schemas of their contracts, which are enforced when the mission runs; the other
kinds have shapes of their own. A new kind of step adds its case in `Outputs.made`. What a step yields and what its
variable holds may differ: an action that was refused yields what people said, and sets no variable.
"""

from collections.abc import Mapping
from typing import assert_never, get_args

from contracts.canary import STAGE, Canary
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
from contracts.record import Status
from contracts.step import ABORT, CONTINUE, ESCALATE
from contracts.workspace import Workspace
from language.cel_compile import ExpressionError, compile_expression
from language.draft import Draft
from language.steps import called_names, fallbacks
from language.types.infer import infer
from language.types.kind import (
    ANY,
    BOOL,
    INT,
    NOTHING,
    NULL,
    TEXT,
    Type,
    kinds_of,
    list_of,
    map_of,
    text_of,
    type_of,
    union,
)
from language.types.party import party_type
from language.types.schema import schema_type

DEEPEST = 50
STATUSES = text_of({"not_run", *get_args(Status)} - {"waiting"})
MISSION = map_of(dict.fromkeys(("id", "name", "version", "requested_by"), TEXT))
DECISION = map_of(
    {
        "approved": BOOL,
        "decision": text_of(("approved", "rejected", "changes_requested", "timed_out")),
        "by": list_of(TEXT),
        "comment": TEXT,
    }
)
"""What a gate yields, and a step that people did not approve."""
OBJECTION = map_of(
    {
        "objected": BOOL,
        "decision": text_of(("unopposed", "approved", "objected")),
        "by": list_of(TEXT),
        "comment": TEXT,
    }
)
PLANNED = map_of({"id": TEXT, "digest": TEXT, "steps": kinds_of("map")})
ITEM_FAILED = map_of({"index": INT, "key": TEXT, "code": TEXT, "cause": TEXT})


class Outputs:
    """The types of a mission's variables and of what its steps yield."""

    def __init__(self, draft: Draft, workspace: Workspace) -> None:
        self._draft = draft
        self._workspace = workspace
        self._called = called_names(draft.definition)
        self._steps = {step.step: step for step in draft.steps() if step.step in draft.named}
        self._canaries = [step.canary for step in draft.steps() if isinstance(step, CanaryStep)]
        self._known: dict[int, Type] = {}
        self._depth = 0

    def variables(self) -> dict[str, Type]:
        """Return the type of every variable that the mission ever has, whichever step sets it."""
        schema = self._draft.definition.inputs
        properties = schema.get("properties")
        inputs = properties if isinstance(properties, dict) else {}
        found = {name: [schema_type(part, schema)] for name, part in inputs.items()}
        for step in self._draft.steps():
            if step.output:
                found.setdefault(step.output, []).extend(self._set_by(step))
        variables = {name: union(types) for name, types in found.items()}
        variables |= {"mission": MISSION, "iteration": INT, "index": INT}
        variables |= {STAGE: INT} if self._canaries else {}
        variables["steps"] = Type(frozenset({"map"}), shapes=(self,))
        for step in self._draft.steps():
            if isinstance(step, MapStep):
                known = [variables[step.map.as_]] if step.map.as_ in variables else []
                variables[step.map.as_] = union([*known, item(step, variables)])
        return variables

    def result(self, step: ActionStep) -> Type:
        """Return what `result` is in a step's compensation: what its action returned."""
        return self._tool(step.action)

    def _set_by(self, step: Step) -> list[Type]:
        match step:
            case ActionStep():
                own = self._tool(step.action)
            case PlanStep():
                own = PLANNED
            case GroupStep():
                own = self.reached(step.steps)
            case _:
                own = self.made(step)
        default = [type_of(step.default.value)] if step.default is not None else []
        return [own, *self._instead(step), *default]

    def _instead(self, step: Step) -> list[Type]:
        return [self._agent(name) for name in fallbacks(step).values()]

    def field(self, name: str) -> Type | None:
        """Return what `steps.NAME` is. Names that no step has are found by the check of names."""
        step = self._steps.get(name)
        return ANY if step is None else map_of({"status": STATUSES, "output": self.yielded(step)})

    def names(self) -> tuple[str, ...]:
        return tuple(self._steps)

    def element(self) -> Type:
        return NOTHING

    def yielded(self, step: Step) -> Type:
        """Return what stands under `steps.NAME.output` once the step has ended in whatever way."""
        known = self._known.get(id(step))
        if known is not None:
            return known
        if self._depth > DEEPEST:
            return ANY
        self._depth += 1
        # What leads back to itself is a cycle, which has a finding of its own.
        self._known[id(step)] = ANY
        found = [self.made(step), *self._instead(step)]
        if step.when or step.on_failure:
            found.append(NULL)
        self._known[id(step)] = union(found)
        self._depth -= 1
        return self._known[id(step)]

    def made(self, step: Step) -> Type:
        """Return what a step yields when it does what it is there for."""
        match step:
            case AgentStep():
                return self._agent(step.agent)
            case ActionStep():
                return union([self._tool(step.action), DECISION]) if step.approval else self._tool(step.action)
            case GateStep():
                return DECISION
            case ConditionStep():
                return union([self.reached(step.condition.then), self.reached(step.condition.else_)])
            case LoopStep():
                return self.reached(step.loop.do)
            case GroupStep():
                made = self.reached(step.steps)
                return union([made, DECISION]) if step.approval else made
            case ParallelStep():
                return self.reached(step.parallel)
            case MapStep():
                results = list_of(union([self.reached(step.map.do), NULL]))
                return map_of({"results": results, "failures": list_of(ITEM_FAILED)})
            case RaceStep():
                return map_of({"winner": text_of(branch.step for branch in step.race), "answer": self.answer(step)})
            case WaitStep():
                return map_of({"at": TEXT}) if step.wait.event is None else schema_type(step.wait.schema_)
            case ReviewStep():
                return OBJECTION
            case CanaryStep():
                return self._rolled_out(step.canary)
            case PlanStep():
                return union([PLANNED, DECISION]) if step.approval else PLANNED
            case PartyStep():
                return party_type(step.party)
            case MissionStep():
                return map_of({"mission": TEXT, "verdict": text_of(step.accept), "state": text_of(("completed",))})
            case _:
                assert_never(step)

    def _rolled_out(self, canary: Canary) -> Type:
        result = self._tool(canary.do.action)
        results = union([result, self._tool(canary.sandbox.action)]) if canary.sandbox else result
        stage = map_of({STAGE: INT, "result": results, "metrics": self.yielded(canary.probe)})
        return map_of({"completed": BOOL, "refused": union([INT, NULL]), "stages": list_of(stage)})

    def breach(self, step: Step) -> Type | None:
        """Return what `result` is in a canary's incident: what the probe found, or nothing where it found nothing."""
        canary = next((canary for canary in self._canaries if canary.incident is step), None)
        return union([self.yielded(canary.probe), NULL]) if canary else None

    def answer(self, step: RaceStep) -> Type:
        """Return what `answer` is in a race's `good`: what any of its branches yields."""
        return union(self.yielded(branch) for branch in step.race)

    def reached(self, target: Target) -> Type:
        """Return what comes of going to a target."""
        match target:
            case tuple():
                return map_of({step.step: self.yielded(step) for step in target if step.step not in self._called})
            case _ if target == CONTINUE:
                return NULL
            case _ if target == ABORT:
                return NOTHING
            case _ if target == ESCALATE:
                return DECISION
            case _:
                return self.yielded(self._steps[target]) if target in self._steps else ANY

    def _agent(self, name: str) -> Type:
        agent = self._workspace.agents.get(name)
        return schema_type(agent.output) if agent else ANY

    def _tool(self, name: str) -> Type:
        tool = self._workspace.tools.get(name)
        return schema_type(tool.output) if tool else ANY


def local_types(variables: Mapping[str, Type], step: Step, when: str, outputs: Outputs) -> Mapping[str, Type]:
    """Return the variables that an expression of a step sees, with those that only it sees."""
    match when, step:
        case "undoing", ActionStep():
            return {**variables, "result": outputs.result(step)}
        case "each", MapStep():
            return {**variables, step.map.as_: item(step, variables)}
        case "answered", CanaryStep():
            return {**variables, "result": outputs.yielded(step.canary.probe)}
        case "before", _ if (found := outputs.breach(step)) is not None:
            return {**variables, "result": found}
        case "answered", RaceStep():
            return {**variables, "result": outputs.answer(step)}
        case _:
            return variables


def item(step: MapStep, variables: Mapping[str, Type]) -> Type:
    """Return what each item of a map is: an element of the list that `over` answers."""
    try:
        listed = infer(compile_expression(step.map.over).tree, variables)[0]
    except ExpressionError:
        return ANY
    return listed.element() if "list" in listed.kinds else ANY
