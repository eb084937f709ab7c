"""What the mission asks of its activities, and what they answer. One model per argument and per answer."""

from datetime import datetime
from typing import Any

from pydantic import Field

from contracts.artifact import Artifact, Source
from contracts.base import Message, digest
from contracts.decision import Subject
from contracts.duration import Duration
from contracts.mind import Agent
from contracts.money import Budget, Payer, Spending
from contracts.observation import Observation as Observation  # noqa: PLC0414 (part of what activities answer)
from contracts.payload import Bulky
from contracts.policy import FINDINGS, Answer
from contracts.receipt import Envelope
from contracts.risk import Reading
from contracts.talk import Talk
from contracts.usage import Usage as Usage  # noqa: PLC0414 (it is part of what activities answer)

RUN_AGENT = "agent.run"
WATCH_AGENT = "agent.watch"
EXECUTE_ACTION = "action.execute"
JUDGE_DECISION = "decision.judge"


def idempotency_key(
    namespace: str, mission: str, first_run_id: str, path: str, arguments_digest: str, *, generation: int = 0
) -> str:
    """Name what must happen once. No run id, no attempt: a reset and a retry must find the same key.

    What operators had undone and begun anew is another `generation`, and must happen once more. The mission makes the
    key and the executor of an approved action makes it again: one approval, one effect.
    """
    return digest([namespace, mission, first_run_id, path, generation, arguments_digest])


class Grant(Message):
    """What people approved, and their signed statements (compact JWS), for the executor to check again."""

    subject: Subject
    nonce: str
    tokens: tuple[str, ...] = ()


class Assent(Message):
    """What people approved though policy did not allow it: before a mission began, or of a plan that an agent made.

    `findings` are what they were shown before it began; what they approved of a plan stands in the grant itself.
    """

    grant: Grant
    findings: tuple[str, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()
    """Those of the plan, as they were loaded."""

    def context(self) -> dict[str, Any]:
        """Return what was shown beside the question, as it was signed."""
        return {FINDINGS: list(self.findings)}


class AgentCall(Bulky):
    """Work for an agent. `errors` are what was wrong with its last answer, when it is asked again.

    `team` is the mission's, here and in a tool's call: halted, nothing of that mission begins.
    """

    mission: str
    path: str
    name: str
    agent: Agent
    task: str
    context: dict[str, Any] = Field(default_factory=dict)
    errors: tuple[str, ...] = ()
    guidance: tuple[str, ...] = ()
    """What operators had to say to it."""
    watches: str = ""
    """The path of the step at which it watches another agent."""
    generation: int = 0
    team: str = ""
    budget: Budget | None = None
    """What the mission may spend in all."""
    since: datetime | None = None
    """When the mission began."""
    payers: tuple[Payer, ...] = ()
    """The missions above it, which pay as well."""
    cache: Duration | None = None
    """For how long an answer may be used again."""
    fresh: bool = False
    """The mission was started to ask anew."""
    elsewhere: bool = False
    """Its step has a way for what cannot be reached, and does not wait for it."""
    talk: Talk | None = None
    """What it asked people, and what they answered: it goes on from there."""
    pins: dict[str, str] = Field(default_factory=dict)
    """What was admitted of the tools that it may call, when the mission started."""
    data: tuple[str, ...] = ()
    """The classes of data that the mission may hold; here and in a tool's call."""
    admitted: bool = False
    """Policy was asked before the mission's first step, and admitted it; here and in a tool's call."""
    assent: Assent | None = None
    """What people approved of the mission that policy wanted approved; here and in a tool's call."""

    resume: str = ""
    """The digest of what was begun before the agent was put off: it goes on there."""

    def paid_by(self) -> tuple[Payer, ...]:
        """Return who pays: the mission itself, then those above it."""
        return (Payer(mission="", budget=self.budget, since=self.since), *self.payers)

    def uses(self) -> tuple[str, ...]:
        """Return the tools that it may lead to."""
        return self.agent.hands()


class AgentResult(Bulky):
    """An agent's answer. `errors` is not empty when the answer does not fit the agent's output schema."""

    output: Any = None
    observations: tuple[Observation, ...] = ()
    usage: Usage = Usage()
    errors: tuple[str, ...] = ()
    news: tuple[Spending, ...] = ()
    """Soft bounds that were reached, of which nobody was told yet."""
    handed_back: int | None = None
    """How often it was told already what is wrong, where its contract says how often: it is not asked again."""
    artifacts: tuple[Artifact, ...] = ()
    sources: tuple[Source, ...] = ()
    escalated: str = ""
    """Why it asks people; `output` is what it has so far, where that fits."""
    talk: Talk | None = None
    """What it asks people before it can go on; there is no answer yet."""
    policy: tuple[Answer, ...] = ()
    """What the policies said of its running, of the models that it thinks with, and of the tools that it used."""

    def left(self) -> dict[str, Any]:
        """Return the digests of the files that were left and of the sources that were shown, where there are any."""
        files = {one.name: one.digest for one in self.artifacts}
        sources = {one.source: one.digest for one in self.sources}
        return {**({"files": files} if files else {}), **({"sources": sources} if sources else {})}


def noted(result: AgentResult) -> dict[str, Any]:
    """Return what a record keeps of a result beside its answer."""
    return {name: getattr(result, name) for name in ("observations", "usage", "artifacts", "sources", "policy")}


class ToolCall(Bulky):
    """One use of a tool. `key` is the idempotency key. `undoes` names the tool that this call compensates."""

    mission: str
    path: str
    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    key: str
    grant: Grant | None = None
    undoes: str = ""
    undoes_key: str = ""
    """The key of the call that this one compensates: a tool that sees it refuses that call, should it come late."""
    generation: int = 0
    team: str = ""
    again: bool = False
    """It was asked for before the mission was stopped from outside, and may have been done then."""
    pins: dict[str, str] = Field(default_factory=dict)
    """What was admitted of the tool, when the mission started."""
    requested_by: str = ""
    """Who asked for the mission, as the mission says it."""
    compensation: str | None = None
    """The tool that would undo it."""
    risk: Reading | None = None
    """How risky the mission found it, where nobody was asked."""
    data: tuple[str, ...] = ()
    admitted: bool = False
    assent: Assent | None = None

    def uses(self) -> tuple[str, ...]:
        """Return the tools that it may lead to."""
        return (self.tool,)


class ToolResult(Bulky):
    """What the tool reported. A tool that failed raises; see `activities/actions.py` for the error's details."""

    output: Any = None
    usage: Usage = Usage()
    policy: tuple[Answer, ...] = ()
    receipt: Envelope | None = None
    """What the executor vouches for, signed: it stays in the history, beside the call that it is of."""
