"""The frozen plan: the workflow's one argument, and what it carries from one run to the next.

`starter` makes it from a checked definition; editing a file afterwards never touches a running mission.
"""

import base64
import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import Field

from contracts.base import Message, digest
from contracts.call import Usage
from contracts.child import Parent
from contracts.command import Controls
from contracts.data import classes
from contracts.decision import Envelope, Opening, Receipt, Ruling
from contracts.definition import Definition
from contracts.event import Event
from contracts.mind import Agent
from contracts.notice import Notice
from contracts.payload import LARGEST, Bulky
from contracts.policy import Admission
from contracts.record import Failure, Record
from contracts.risk import RiskFile
from contracts.workspace import Escalation, Tool


class Limits(Message):
    """When a run hands over to the next one; tests lower these. Events and decisions are counted per run.

    `exact`: what a mission does hangs on its history alone: its runs count for themselves, rulings and plans come from
    ordinary activities. `ladder`: people whom a failure turns to are told all that was tried; endless talk is found.
    `jitter`: waits between attempts of whole steps vary. `tells`: what the mission has cost so far, and with what an
    action would be undone, is part of what people sign. `by_reference`: what is large lies beside the history, and
    counts as the reference that stands there. `attentive`: operators are told of a reset, and answer by the mission's
    deadline; who was asked is told when nobody asks any more. `admits`: policy is asked before the first step.
    `governed`: what is asked names the version of the rules in force. `heeds`: what waits is asked again as soon as
    those change, and whoever policy names is asked about whatever it wants approved before a mission begins. `hourly`:
    risk is of the hour in which people are asked, so that what they sign is the same at whichever moment a mission is
    asked. `recalls`: which rules are in force is not asked again within half a minute. `defers`: whom policy names is
    asked about a plan that an agent made. Missions that were started without these go on as they began.
    """

    events_per_run: int = Field(default=4_000, ge=16)
    decisions_per_run: int = Field(default=1_000, ge=1)
    bytes_carried: int = LARGEST
    exact: bool = False
    tells: bool = False
    ladder: bool = False
    jitter: bool = False
    by_reference: bool = False
    attentive: bool = False
    admits: bool = False
    governed: bool = False
    heeds: bool = False
    hourly: bool = False
    recalls: bool = False
    defers: bool = False


CURRENT = Limits(
    exact=True,
    tells=True,
    ladder=True,
    jitter=True,
    by_reference=True,
    attentive=True,
    admits=True,
    governed=True,
    heeds=True,
    hourly=True,
    recalls=True,
    defers=True,
)
"""What a mission that starts now begins with."""


class Plan(Message):
    """What runs: the definition and the agents and tools that it names, each as it was at the start."""

    definition: Definition
    agents: dict[str, Agent] = Field(default_factory=dict)
    tools: dict[str, Tool] = Field(default_factory=dict)
    pins: dict[str, str] = Field(default_factory=dict)
    """What was admitted of each tool that its actions and its agents use, when it started: digests of definitions."""
    escalation: Escalation
    people: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Who there was with which roles, where steps that are planned later may ask them."""
    missions: dict[str, "Plan"] = Field(default_factory=dict)
    """The plans of the missions that steps start, by the names that these use."""
    operators: tuple[str, ...] = ()
    """Roles or people whose commands count."""
    notify: bool = False
    """Whether the workspace had channels by which people are told."""
    risk: RiskFile | None = None
    """What the workspace weighed actions by."""
    signatures: tuple[dict[str, Any], ...] = ()
    """Who vouches for it, as envelopes: `contracts/signed.py`."""
    digest: str = ""

    def commanders(self) -> tuple[str, ...]:
        """Return the roles or people whose commands count."""
        return self.definition.operators or self.operators or (self.escalation.role,)

    def pinned(self, tools: Iterable[str]) -> dict[str, str]:
        """Return the pins of some tools, of those that have one."""
        return {name: self.pins[name] for name in tools if name in self.pins}

    def data(self) -> tuple[str, ...]:
        """Return the classes of data that the mission may hold: all that any of its schemas declares.

        What is made of data is of its class, so no step's share is told apart: a mission that is to have less of it
        hands less to a child.
        """
        schemas = [self.definition.inputs, *(agent.output for agent in self.agents.values())]
        schemas += [part for tool in self.tools.values() for part in (tool.input, tool.output)]
        return tuple(sorted({one for schema in schemas for one in classes(schema)}))

    def family(self) -> "tuple[Plan, ...]":
        """Return the plan, and those of the missions that it starts, in turn too."""
        return (self, *(one for child in self.missions.values() for one in child.family()))

    def sealed(self) -> "Plan":
        """Return the plan with the digest of everything else in it."""
        return self.model_copy(update={"digest": digest(self.model_copy(update={"digest": ""}))})


class Ending(Message):
    """What a mission is coming to, once that is certain. `state` is one of `contracts.view.MissionState`."""

    state: str
    verdict: str | None = None
    reason: str = ""
    failure: Failure | None = None


class Carried(Message):
    """What a mission knows, when it continues as a new run: the journal and everything that still waits."""

    records: tuple[Record, ...] = ()
    revision: int = 0
    order: int = 0
    openings: tuple[Opening, ...] = ()
    inbox: tuple[Envelope, ...] = ()
    votes_seen: tuple[str, ...] = ()
    """Ids (`jti`) of decisions that were accepted: each counts once."""
    refusals: tuple[Ruling, ...] = ()
    receipts: dict[str, Receipt] = Field(default_factory=dict)
    """What the senders of the last decisions are told, by the digest of the token."""
    events: tuple[Event, ...] = ()
    events_seen: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    """What is on its way to people, and is sent again."""
    ending: Ending | None = None
    """Set when the mission is being undone: the next run goes on undoing."""
    started_at: datetime | None = None
    runs: int = 1
    controls: Controls = Controls()
    generation: int = 0
    admission: Admission | None = None
    """What policy said before the first step. Only a run that goes on from another believes it."""
    packed: str = ""
    """All of it, as runs left it that had nowhere else to put what is large: base64 of zlib of JSON."""

    def unpacked(self) -> "Carried":
        """Return the same, readable."""
        if not self.packed:
            return self
        return Carried.model_validate_json(zlib.decompress(base64.b64decode(self.packed)))


class MissionInput(Bulky):
    """The workflow's argument. A plan stays in the history; what a run hands to the next may lie apart."""

    plan: Plan
    inputs: dict[str, Any] = Field(default_factory=dict)
    requested_by: str = ""
    limits: Limits = Limits()
    carried: Carried | None = None
    parent: Parent | None = None
    fresh: bool = False
    """No answer of before is used again."""
    rerun_of: str = ""
    """The mission that this one begins anew, and from which step."""
    order: str = ""
    """The requester's own signature under what is to run, and with what."""
    veil: str = ""
    """The secret by which items are called on the server; none where contents are in the clear."""

    def may_lie_apart(self) -> bool:
        return self.carried is not None


class MissionResult(Message):
    """The workflow's answer. `state` is one of `contracts.view.MissionState`."""

    state: str
    verdict: str | None = None
    reason: str = ""
    spent: Usage = Usage()
    runs: int = 1
