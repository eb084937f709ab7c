"""The checked definition of a mission: what `language` makes of an author's YAML and the interpreter walks.

Every step is one model with a `kind`. The YAML forms are friendlier (`agent: architect` stands for `kind: agent`);
`language/loader.py` turns them into these. A `Target` is where control goes next: the name of a step,
a list of steps written in place, or one of the three built-in words.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue

from contracts.base import Document
from contracts.duration import Duration

ESCALATE = "escalate"
ABORT = "abort"
CONTINUE = "continue"
REFUSE = "refuse"
BUILT_IN = (ESCALATE, ABORT, CONTINUE)
MOST_AT_ONCE = 500
"""Items of a map under way at once: a server keeps at most 2,000 activities of a mission pending."""
ANY = "any"
FAILURES = (
    "bad_input",
    "context_missing",
    "expression_error",
    "failed",
    "no_winner",
    "not_found",
    "output_invalid",
    "over_budget",
    "refused",
    "timed_out",
    "too_many_failed",
    "tool_failed",
    "unavailable",
)
"""The classes of failure that a definition can provide for. A bug of ours is none of them."""


ALIASED = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)
"""For models with keys that are Python keywords: `if`, `else`, `with`."""


class Place(Document):
    """Where in a file something was written. Lines and columns count from 1."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Retry(Document):
    """How often a failed effect is tried again: waits grow by `factor` from `first` to at most `most`, with jitter."""

    attempts: int = Field(default=3, ge=1, le=100)
    first: Duration = Field(default="1s", validate_default=True)
    factor: float = Field(default=2.0, ge=1.0, le=10.0)
    most: Duration = Field(default="1m", validate_default=True)


class Fallback(Document):
    """Another agent that does the task where the first one failed."""

    agent: str


class Default(Document):
    """The value that a step's variable has until the step sets it. Null is a value, unlike no default at all."""

    value: JsonValue


class BaseStep(Document):
    """What every step has. `step` is unique in the mission; unnamed branches are named after their agent or tool.

    `when` is CEL: where it is false the step is skipped. `timeout` bounds one attempt; `retry` says how many there are:
    without it three for an agent or an action, and one for any other step, which is undone and tried again as a whole.
    `on_failure` maps a class of failure, or `any`, to where control goes instead.
    """

    step: str
    needs: tuple[str, ...] | None = None
    output: str | None = None
    when: str | None = None
    retry: Retry | None = None
    timeout: Duration | None = None
    on_failure: dict[str, "Target | Fallback"] = Field(default_factory=dict)
    default: Default | None = None
    place: Place = Place()


class AgentStep(BaseStep):
    """An agent does a task. `context` names variables; the agent gets their values and nothing else.

    `below_floor` says where control goes when the answer's confidence is below the agent's floor.
    """

    kind: Literal["agent"] = "agent"
    agent: str
    task: str
    context: tuple[str, ...] = ()
    below_floor: "Target" = ESCALATE


class ParallelStep(BaseStep):
    """Steps that run at once. The output maps each branch's name to its result. One failure stops the others."""

    kind: Literal["parallel"] = "parallel"
    parallel: tuple["Step", ...]


class Rung(Document):
    """One rung of an escalation ladder: who is asked next, and for how long."""

    approvers: tuple[str, ...]
    timeout: Duration


class Gate(Document):
    """What is asked, of whom, and for how long. Silence never approves.

    `approvers` are roles or people; any of them may decide, `required` of them must approve.
    At the deadline `on_timeout` says: `escalate` climbs `escalation` (or asks the workspace's escalation role),
    `refuse` counts as a rejection, `abort` ends the mission undone; a step's name or a list of steps runs that.
    """

    type: Literal["approval"] = "approval"
    approvers: tuple[str, ...]
    required: int = Field(default=1, ge=1)
    message: str = ""
    context: tuple[str, ...] = ()
    timeout: Duration | None = None
    on_timeout: "Target" = "refuse"
    escalation: tuple[Rung, ...] = ()
    on_reject: "Target" = ABORT


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

    `with` may also read `result`, what the action returned.
    """

    tool: str
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
    """Steps that belong together, in order or as the task graph that their `needs` make."""

    kind: Literal["group"] = "group"
    steps: tuple["Step", ...]


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


class Wait(Document):
    """Exactly one of: `for` a span, `until` a moment (CEL that answers RFC 3339 text), or an `event` from outside.

    An event is a signal with a name and a `key` (a template) that says which of its kind is meant; its payload must
    fit `schema`. The step's own `timeout` bounds the wait for it.
    """

    for_: Duration | None = Field(default=None, alias="for")
    until: str | None = None
    event: str | None = None
    key: str = ""
    schema_: dict[str, Any] = Field(default_factory=dict, alias="schema")

    model_config = ALIASED


class WaitStep(BaseStep):
    """Time passes, or something happens. Output: `{at}`, or the event's payload."""

    kind: Literal["wait"] = "wait"
    wait: Wait


class Review(Document):
    """Who is told, and for how long they may object. Silence lets the mission go on, so nothing here may act."""

    reviewers: tuple[str, ...]
    timeout: Duration
    message: str = ""
    context: tuple[str, ...] = ()
    on_object: "Target" = ABORT


class ReviewStep(BaseStep):
    """People may object. Output: `{objected: bool, decision: unopposed|approved|objected, by: [..], comment: str}`."""

    kind: Literal["review"] = "review"
    review: Review


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
    | ReviewStep,
    Field(discriminator="kind"),
]
Target = str | tuple[Step, ...]


class Verdict(Document):
    """What the mission must reach: one of these words, as the CEL expression `value` answers at the end."""

    one_of: tuple[str, ...] = Field(min_length=1)
    value: str


class Definition(Document):
    """A mission as its author wrote it, checked. `inputs` is a JSON Schema whose properties become variables."""

    mission: str
    version: str
    team: str
    description: str = ""
    inputs: dict[str, Any] = Field(default_factory=dict)
    verdict: Verdict
    steps: tuple[Step, ...]
    source: str = ""
    """Path of the file, relative to the workspace."""


for _model in (
    AgentStep,
    ParallelStep,
    Gate,
    GateStep,
    Condition,
    ConditionStep,
    Loop,
    LoopStep,
    ActionStep,
    GroupStep,
    Map,
    MapStep,
    RaceStep,
    WaitStep,
    Review,
    ReviewStep,
    Definition,
):
    _model.model_rebuild()
