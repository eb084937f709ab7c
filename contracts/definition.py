"""The checked definition of a mission: what `language` makes of an author's YAML and the interpreter walks.

Every step is one model with a `kind`. The YAML forms are friendlier (`agent: architect` stands for `kind: agent`);
`language/loader.py` turns them into these. A `Target` is where control goes next: the name of a step,
a list of steps written in place, or one of the three built-in words.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from contracts.base import Document
from contracts.canary import Canary
from contracts.child import OnParentClose
from contracts.duration import Duration
from contracts.gate import Gate, Review
from contracts.money import Budget
from contracts.party import Party
from contracts.planning import Planning
from contracts.step import ALIASED, CONTINUE, ESCALATE, BaseStep, Fallback, Retry
from contracts.wait import Wait

MOST_AT_ONCE = 500
"""Items of a map under way at once: a server keeps at most 2,000 activities of a mission pending."""


class AgentStep(BaseStep):
    """An agent does a task. `context` names variables; the agent gets their values and nothing else.

    `below_floor` says where control goes when the answer's confidence is below the agent's floor. `watch` names an
    agent who reads what this one notices, and may object. `cache` is how long an answer may be used again, where the
    same agent is asked the same.
    """

    kind: Literal["agent"] = "agent"
    agent: str
    task: str
    context: tuple[str, ...] = ()
    below_floor: "Target" = ESCALATE
    watch: str | None = None
    cache: Duration | None = None


class ParallelStep(BaseStep):
    """Steps that run at once. The output maps each branch's name to its result. One failure stops the others."""

    kind: Literal["parallel"] = "parallel"
    parallel: tuple["Step", ...]


class GateStep(BaseStep):
    """People decide. Output: `{approved: bool, decision: approved|rejected|timed_out, by: [..], comment: str}`."""

    kind: Literal["gate"] = "gate"
    gate: Gate


class Condition(Document):
    """`if` is CEL and must answer true or false."""

    if_: str = Field(alias="if")
    then: "Target"
    else_: "Target" = Field(default=CONTINUE, alias="else")

    model_config = ALIASED


class ConditionStep(BaseStep):
    """One of two ways on."""

    kind: Literal["condition"] = "condition"
    condition: Condition


class Loop(Document):
    """`do` runs, then `until` is asked; at most `max_iterations` times, then `on_max`."""

    do: "Target"
    until: str
    max_iterations: int = Field(ge=1, le=1000)
    on_max: "Target" = ESCALATE


class LoopStep(BaseStep):
    """Work again until it is good enough."""

    kind: Literal["loop"] = "loop"
    loop: Loop


class Compensation(Document):
    """What undoes an action. Without `with`, the tool gets those of the action's arguments that its schema knows.

    `with` may also read `result`, what the action returned. Without `retry` it is tried as its tool's contract says.
    """

    tool: str
    retry: Retry | None = None
    with_: dict[str, JsonValue] | None = Field(default=None, alias="with")

    model_config = ALIASED


class ActionStep(BaseStep):
    """A tool acts. The arguments are resolved first, people see exactly them, exactly they run."""

    kind: Literal["action"] = "action"
    action: str
    with_: dict[str, JsonValue] = Field(default_factory=dict, alias="with")
    compensate: Compensation | None = None
    approval: Gate | None = None

    model_config = ALIASED


class GroupStep(BaseStep):
    """Steps that belong together, in order or as the task graph that their `needs` make.

    With an `approval` it holds actions alone: people see all of them, in order, before the first one runs.
    """

    kind: Literal["group"] = "group"
    steps: tuple["Step", ...]
    approval: Gate | None = None


class Map(Document):
    """`do` runs for each item of the list that `over` (CEL) answers; the item is the variable `as`, its place `index`.

    `key` (CEL over the item) names it in step paths; without it its index does. At most `max_concurrency` items are
    under way at once. As many may fail as `tolerate` says, or that share of all: the larger of the two.
    """

    over: str
    as_: str = Field(default="item", alias="as")
    key: str | None = None
    do: "Target"
    max_concurrency: int = Field(default=10, ge=1, le=MOST_AT_ONCE)
    tolerate: int = Field(default=0, ge=0)
    tolerate_share: float = Field(default=0.0, ge=0.0, le=1.0)

    model_config = ALIASED


class MapStep(BaseStep):
    """The same for each item of a list. Output: `{results: [..], failures: [{index, key, code, cause}]}`.

    `results` has each item's result in the order of the list, null where it failed. What steps inside set is each
    item's own. An item that failed is undone.
    """

    kind: Literal["map"] = "map"
    map: Map


class RaceStep(BaseStep):
    """Steps that run at once until the first good answer; the others are cancelled. Output: `{winner, answer}`.

    `good` is CEL over `result`, an answer; without it any will do. Only steps that change nothing may race.
    """

    kind: Literal["race"] = "race"
    race: tuple["Step", ...]
    good: str | None = None


class WaitStep(BaseStep):
    """Time passes, or something happens. Output: `{at}`, or the event's payload."""

    kind: Literal["wait"] = "wait"
    wait: Wait


class ReviewStep(BaseStep):
    """People may object. Output: `{objected: bool, decision: unopposed|approved|objected, by: [..], comment: str}`."""

    kind: Literal["review"] = "review"
    review: Review


class CanaryStep(BaseStep):
    """An action in stages. Output: `{completed: bool, refused, stages: [{stage, result, metrics}]}`.

    `refused` is the stage that people did not approve, or null; `stages` are those that proved healthy. What steps
    inside set stays inside.
    """

    kind: Literal["canary"] = "canary"
    canary: Canary


class PlanStep(BaseStep):
    """An agent plans steps, which are checked like the author's own and then run. Output: `{id, digest, steps}`.

    `steps` maps each of the plan's steps to its result; what they set stays inside. With an `approval` people see what
    the plan changes before it runs: against nothing, or against the plan before it.
    """

    kind: Literal["plan"] = "plan"
    plan: Planning
    approval: Gate | None = None


class PartyStep(BaseStep):
    """Agents talk until they agree, or long enough. What it yields is told in `docs/language/party.md`."""

    kind: Literal["party"] = "party"
    party: Party


class Allowance(Document):
    """The most that a child mission, and what it starts in turn, may use."""

    agents: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


class MissionStep(BaseStep):
    """Another mission runs as a child. Output: `{mission, verdict, state}`, the child's id first.

    Only the verdicts in `accept` are a success. Without `allow` it may use what this mission's own steps name.
    `on_parent_close`: when this mission comes to nothing, `undo` undoes what the child did, `cancel` does so only to a
    child that still runs, `abandon` lets it be.
    """

    kind: Literal["mission"] = "mission"
    mission: str
    with_: dict[str, JsonValue] = Field(default_factory=dict, alias="with")
    accept: tuple[str, ...]
    on_parent_close: OnParentClose
    allow: Allowance | None = None

    model_config = ALIASED


Step = Annotated[
    AgentStep
    | ParallelStep
    | GateStep
    | ConditionStep
    | LoopStep
    | ActionStep
    | GroupStep
    | MapStep
    | RaceStep
    | WaitStep
    | ReviewStep
    | CanaryStep
    | PlanStep
    | PartyStep
    | MissionStep,
    Field(discriminator="kind"),
]
Target = str | tuple[Step, ...]


class Verdict(Document):
    """What the mission must reach: one of these words, as the CEL expression `value` answers at the end."""

    one_of: tuple[str, ...] = Field(min_length=1)
    value: str


class DeadLetterBox(Document):
    """A mission that failed waits for its operators, for so long or for ever; then what it did is undone."""

    timeout: Duration | None = None


class Definition(Document):
    """A mission as its author wrote it, checked. `inputs` is a JSON Schema whose properties become variables.

    `operators` are the roles or people whose commands count; by default those of the workspace. Without `dead_letter`
    a mission that fails is undone at once, unless it failed because nothing was left to spend.
    """

    mission: str
    version: str
    team: str
    author: tuple[str, ...] = ()
    """The people who wrote it; a gate may exclude them."""
    description: str = ""
    inputs: dict[str, Any] = Field(default_factory=dict)
    verdict: Verdict
    steps: tuple[Step, ...]
    operators: tuple[str, ...] = ()
    dead_letter: DeadLetterBox | None = None
    budget: Budget | None = None
    source: str = ""
    """Path of the file, relative to the workspace."""


_named = {"Step": Step, "Target": Target, "Fallback": Fallback, "ActionStep": ActionStep, "AgentStep": AgentStep}
for _model in (
    *(AgentStep, ParallelStep, GateStep, ConditionStep, LoopStep, ActionStep),
    *(GroupStep, MapStep, RaceStep, WaitStep, ReviewStep, CanaryStep, PlanStep, PartyStep, MissionStep),
    *(Gate, Condition, Loop, Map, Review, Canary, Party, Fallback),
    Definition,
):
    _model.model_rebuild(_types_namespace=_named)
