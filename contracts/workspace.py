"""What a workspace names beside its missions: tools, people, and the agents of `contracts/mind.py`.

`contracts/channel.py` has where people are told. Read from the workspace's files by `language/workspace.py`. These
contracts, not the missions, say what an effect is and who may act without asking.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field

from contracts.base import Document
from contracts.channel import NotifyFile
from contracts.duration import Duration
from contracts.mind import MISSION_QUEUE as MISSION_QUEUE  # noqa: PLC0414 (tools have a queue too)
from contracts.mind import Agent
from contracts.money import MoneyFile
from contracts.risk import RiskFile
from contracts.security import SecurityFile
from contracts.sink import EventsFile
from contracts.step import Retry

TOOL_QUEUE = "gonogo-tools"
LEAST_FOR_GOOD = 2
"""How many people an effect takes that nothing can undo."""


class Tool(Document):
    """What acts or answers, reached over MCP.

    `effect`: what it does to the world. `idempotency`: `key` (honours ours), `native` (may be repeated as it is),
    `none` (gets one attempt). `autonomy: allowed` frees a tool with an effect from approval; nothing else can.
    `approvals`: how many different people must approve each use, whatever a mission says; two for what is irreversible.
    `compensated_by` names the only tools that may undo it. `manual` is what a person does when undoing fails.
    `retry` is how often it is tried where a mission says nothing of it, also when it undoes another.
    """

    description: str = ""
    server: str
    tool: str = ""
    """The tool's name at its server; by default its name here."""
    effect: Literal["read", "write", "irreversible"]
    idempotency: Literal["key", "native", "none"] = "none"
    autonomy: Literal["approval", "allowed"] = "approval"
    approvals: int | None = Field(default=None, ge=1, le=100)
    compensated_by: tuple[str, ...] = ()
    input: dict[str, Any] = Field(default_factory=dict)
    output: dict[str, Any] = Field(default_factory=dict)
    timeout: Duration = Field(default="30s", validate_default=True)
    retry: Retry | None = None
    queue: str = TOOL_QUEUE
    manual: str = ""
    resource: str = ""
    """The property of `input` that names what it acts on: past decisions on the same are shown beside a new one."""
    routine: bool = False
    """Whether an approval may take a single key, where it can be undone, nothing is cut and one person decides."""
    pin: str = ""
    """The digest of its definition as its server listed it when it was admitted; `pins.yaml` has it."""

    def served_on(self) -> str:
        """Return the queue of its workers. Plans from before say the missions' own, where nothing acts any more."""
        return TOOL_QUEUE if self.queue == MISSION_QUEUE else self.queue

    def acts(self) -> bool:
        """Whether the tool changes the world."""
        return self.effect != "read"

    def needs_approval(self) -> bool:
        """Whether people must approve each use."""
        return self.acts() and (self.autonomy != "allowed" or self.effect == "irreversible")

    def quorum(self) -> int:
        """How many different people must approve each use."""
        return max(self.approvals or 1, LEAST_FOR_GOOD if self.effect == "irreversible" else 1)


class Server(Document):
    """Where tools are reached. `url_env`, when that variable is set, wins over `url`.

    `credential: step` is for a server that checks them: each action brings one that is good for it alone. `headers` go
    with each request; a secret in one is named, as `contracts/secret.py` says.
    """

    url: str
    url_env: str = ""
    credential: Literal["none", "step"] = "none"
    headers: dict[str, str] = Field(default_factory=dict)


class Person(Document):
    """Somebody who may decide: roles, and the public keys (base64url, 32 bytes) that speak for them."""

    name: str = ""
    roles: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


class AtMost(Document):
    """How many requests an approver is told of one by one, of those that came within a span of time."""

    requests: int = Field(ge=1)
    per: Duration = Field(gt=timedelta(0))


class Escalation(Document):
    """Whom a mission turns to when it cannot go on by itself."""

    role: str
    timeout: Duration | None = None


class AgentsFile(Document):
    """`agents.yaml`. `model` is what agents think with that name no other."""

    model: str = ""
    knowledge: dict[str, str] = Field(default_factory=dict)
    """Folders of documents, inside the workspace, by name."""
    agents: dict[str, Agent] = Field(default_factory=dict)


class ToolsFile(Document):
    """`tools.yaml`."""

    servers: dict[str, Server] = Field(default_factory=dict)
    tools: dict[str, Tool] = Field(default_factory=dict)


class PinsFile(Document):
    """`pins.yaml`, which `gonogo admit` writes: the digest of each tool's definition as it was admitted."""

    tools: dict[str, str] = Field(default_factory=dict)


class PeopleFile(Document):
    """`people.yaml`: in the workspace for names and roles, in GONOGO_HOME for registered keys.

    `operators` are the roles and people who may command missions and halt what they use: by default the escalation
    role. `at_most` is how much of what waits people are told one by one.
    """

    escalation: Escalation | None = None
    operators: tuple[str, ...] = ()
    at_most: AtMost | None = None
    people: dict[str, Person] = Field(default_factory=dict)

    def merged(self, other: "PeopleFile") -> "PeopleFile":
        """Return both files as one: a person's roles and keys are the union of what the two say."""
        people = dict(self.people)
        for name, person in other.people.items():
            known = people.get(name, Person())
            people[name] = Person(
                name=known.name or person.name,
                roles=tuple(dict.fromkeys(known.roles + person.roles)),
                keys=tuple(dict.fromkeys(known.keys + person.keys)),
            )
        operators = tuple(dict.fromkeys(self.operators + other.operators))
        return PeopleFile(
            escalation=self.escalation or other.escalation,
            operators=operators,
            at_most=self.at_most or other.at_most,
            people=people,
        )

    def operating(self) -> tuple[str, ...]:
        """Return the roles and people who may steer missions, and halt what they use."""
        return self.operators or ((self.escalation.role,) if self.escalation else ())

    def roles(self) -> frozenset[str]:
        """Every role that somebody holds."""
        return frozenset(role for person in self.people.values() for role in person.roles)


class Workspace(Document):
    """Everything that missions may name."""

    root: str
    agents: dict[str, Agent] = Field(default_factory=dict)
    servers: dict[str, Server] = Field(default_factory=dict)
    tools: dict[str, Tool] = Field(default_factory=dict)
    people: PeopleFile = PeopleFile()
    notify: NotifyFile = NotifyFile()
    money: MoneyFile = MoneyFile()
    risk: RiskFile | None = None
    security: SecurityFile = SecurityFile()
    events: EventsFile = EventsFile()
    knowledge: dict[str, str] = Field(default_factory=dict)
    """Folders of documents by name, each a whole path."""

    def allowing(self, hosts: Iterable[str]) -> "Workspace":
        """Return the same with hosts inside that may be called from where it is read."""
        more = {"allow_hosts": (*self.security.allow_hosts, *hosts)}
        return self.model_copy(update={"security": self.security.model_copy(update=more)})
