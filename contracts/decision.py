"""Decisions: what is shown, what is signed, what is ruled.

A decision is a compact JWS (EdDSA) over `Claims`. It is bound to the mission, its first run, the step, the nonce of
this opening of the gate, and the digest of the `Subject`: exactly what was shown. `activities/identity.py` judges it;
`workflows/governance/tally.py` counts it.
"""

import hashlib
from datetime import datetime
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field, JsonValue

from contracts.base import Message, digest
from contracts.payload import Bulky
from contracts.policy import Answer
from contracts.risk import Reading
from contracts.usage import Usage

DECIDE = "decide"
RULES = "rules"
"""The signal that other rules may be in force, with their version: a mission believes only its judge."""
TOKEN_TYPE = "gonogo-decision+jwt"  # noqa: S105 (a media type, no secret)
LONGEST_TOKEN = 65_536

Asked = Literal["approve", "reject", "modify", "request_changes", "abstain", "delegate", "withdraw"]
Answering = Literal["answer"]
Spoken = Literal["interject", "call_vote", "end"]
Halting = Literal["halt", "lift"]
CommandVerb = Literal[
    "pause", "resume", "skip", "retry", "redirect", "rollback", "amend", "note", "interrupt", "escalate", "abort"
]
Verb = Literal[Asked, Answering, Spoken, Halting, CommandVerb]
REFUSING: frozenset[Verb] = frozenset(("reject", "request_changes"))
"""What counts against what is asked."""
COMMANDS: frozenset[str] = frozenset(get_args(CommandVerb))
"""What operators say to a mission as a whole, or to one of its steps: `contracts/command.py`."""
FOLLOWED: frozenset[Verb] = frozenset(("pause", "resume"))
"""Commands that the children of a mission follow."""
BOUND: frozenset[str] = frozenset(("approval", "escalation", "compensation", "override"))
"""Kinds of what is asked that count only under the rules that were in force when it was asked."""
SPEAKING: frozenset[Verb] = frozenset(("interject", "call_vote", "end"))
"""What a facilitator may do while a party talks; at a gate these are no decisions, and the others none in a party."""
HALTING: frozenset[Verb] = frozenset(("halt", "lift"))
"""What an operator may do at the table of halts."""
MOST_SPOKEN = 50
"""How often one facilitation is spoken in."""


class Action(Message):
    """One of several actions that people approve together: its path, and exactly what runs there."""

    step: str
    tool: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    compensation: str | None = None
    undo: dict[str, JsonValue] | None = None
    """The arguments of the compensation, as far as they do not hang on what the action returns."""


class Subject(Message):
    """Exactly what people are asked to decide on. Its digest is what they sign.

    `context_digest` stands for the context shown beside it (`Opening.context`).
    `kind`: an `approval` of an action or of a gate's question, an `escalation`, a `compensation` that failed, or a
    `review`, at which a rejection is an objection. A `facilitation` is open while a party talks, and asks for nothing.
    A `task` is a step that people do, or an agent's question to them: it asks for an answer, and approves nothing.
    An `override` asks a gate's own people whether an operator's command may pass that gate.
    A `halt` is what the table of halts asks at each target: to halt it, or to lift that.
    """

    mission: str
    """Id of the mission (the workflow id)."""
    first_run_id: str
    name: str
    """The mission's name, from its definition."""
    step: str
    """Path of the step."""
    kind: Literal["approval", "escalation", "compensation", "review", "facilitation", "override", "halt", "task"] = (
        "approval"
    )
    message: str = ""
    approvers: tuple[str, ...]
    required: int = 1
    tool: str | None = None
    arguments: dict[str, JsonValue] | None = None
    compensation: str | None = None
    """Name of the tool that would undo it."""
    context_digest: str = ""
    plan_digest: str = ""
    requested_by: str = ""
    generation: int = 0
    """How often the step was begun anew by an operator's command."""
    seats: dict[str, int] = Field(default_factory=dict)
    """Of which roles how many of those who approve must be, each person for one of them."""
    reject_quorum: int = 1
    excluded: tuple[str, ...] = ("requester",)
    """Who may not decide, whatever their roles: the `requester`, the `author`. An action's requester never may,
    nor that of a plan that policy wants approved."""
    authors: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    """What runs when people approve a group: all of its actions, in their order, in place of `tool` and `arguments`."""
    spent: Usage | None = None
    """What the mission had cost when it asked."""

    undo: dict[str, JsonValue] | None = None
    """The arguments of the compensation, as `Action` has them."""
    own: tuple[str, ...] = ()
    """Those of the approvers whom the gate itself asks, where its risk has others asked too."""
    own_required: int = 0
    """How many of `own` must be among those who approve."""
    governance: str = ""
    """The version of the rules that it is asked under: policies, what is weighed, people with their roles and keys."""
    risk: Reading | None = None
    """How risky it is, by the workspace that the mission began with, and the facts that this was weighed by."""
    planned: str = ""
    """The digest of the steps of the plan that is asked about, where policy wants these approved."""
    findings: tuple[str, ...] = ()
    """What policy wants approved of that plan, each as a sentence."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {
            "generation",
            "actions",
            "seats",
            "reject_quorum",
            "excluded",
            "authors",
            "spent",
            "undo",
            "risk",
            "own",
            "own_required",
            "governance",
            "planned",
            "findings",
        }
    )

    def acts(self) -> tuple[Action, ...]:
        """Return what runs when people approve it."""
        if self.tool is None:
            return self.actions
        known = {"arguments": self.arguments or {}, "compensation": self.compensation, "undo": self.undo}
        one = Action(step=self.step, tool=self.tool, **known)
        return (one, *self.actions)

    def digest(self) -> str:
        """Return what a decision is bound to.

        A field that came later (`LATER`) stays out where it says nothing: a gate that opened before keeps its digest.
        """
        usual = {name: type(self).model_fields[name].get_default(call_default_factory=True) for name in self.LATER}
        silent = {name for name, value in usual.items() if getattr(self, name) == value}
        return digest(self.model_dump(mode="json", exclude=silent))


class Ruling(Message):
    """The judgement on one decision, accepted or refused, and why. This is what the record keeps."""

    accepted: bool
    reason: str = ""
    person: str = ""
    roles: tuple[str, ...] = ()
    verb: Verb | None = None
    step: str = ""
    nonce: str = ""
    digest: str = ""
    jti: str = ""
    comment: str = ""
    changes: dict[str, JsonValue] | None = None
    answer: JsonValue = None
    """What was answered to a task."""
    to: str = ""
    """To whom a decision is delegated."""
    received_at: datetime | None = None
    token: str = ""
    unopened: bool = False
    """Refused, and for an opening that was not there when it was judged."""
    late: bool = False
    """Refused because it came after the deadline, or after it had expired."""
    overtaken: bool = False
    """Refused because the rules have changed since it was asked."""
    governance: str = ""
    """The version of the rules in force when it was judged."""
    asked: bool = False
    """Nothing was judged: it says only which rules are in force."""
    policy: Answer | None = None
    """What the policies said of this person's deciding here."""


class Opening(Message):
    """One opening of a gate: the subject, the context shown with it, its nonce, its deadline, the votes so far."""

    subject: Subject
    digest: str
    nonce: str
    opened_at: datetime
    deadline: datetime | None = None
    rung: int = 0
    context: dict[str, Any] = Field(default_factory=dict)
    input_schema: dict[str, Any] | None = None
    """Schema that changed arguments must fit, at a task the answer; absent where there is nothing to modify."""
    votes: tuple[Ruling, ...] = ()
    risk: str = ""
    """How much is at stake, as the mission says to whoever sorts what waits. Nobody signs it."""
    stands_still: bool = False
    """Its clock stands while the mission is paused."""
    overtaken: str = ""
    """The version of the rules in force, where that is not the one that was asked under: it is asked again."""
    left: float | None = None
    """Seconds that were left when the mission was paused; it has no deadline until it goes on."""
    reminders: tuple[datetime, ...] = ()
    """When the people who are asked are still to be reminded, the next first."""
    reminders_left: tuple[float, ...] = ()
    """Seconds that were left to each when the mission was paused."""

    def words(self) -> tuple[Ruling, ...]:
        """Return the votes that stand, one for each person: an approval that was withdrawn is none any more."""
        left: list[Ruling] = []
        for vote in self.votes:
            if vote.verb == "withdraw":
                left = [one for one in left if one.person != vote.person]
            else:
                left.append(vote)
        return tuple(left)

    def approvals(self) -> tuple[Ruling, ...]:
        """Return the approvals that stand."""
        return tuple(vote for vote in self.words() if vote.verb == "approve")


class Claims(Message):
    """What a decision's JWS says. Times are seconds since 1970, as JWT has them."""

    iss: str
    jti: str
    iat: int
    exp: int
    mission: str
    run: str
    step: str
    nonce: str
    digest: str
    verb: Verb
    comment: str = ""
    changes: dict[str, JsonValue] | None = None
    to: str = ""
    answer: JsonValue = None


class Kin(Message):
    """A mission above this one, and whose commands count there."""

    mission: str
    first_run_id: str
    operators: tuple[str, ...] = ()


class Envelope(Message):
    """A decision as it arrived: the token, or why it could not even be read."""

    token: str = ""
    received_at: datetime
    unreadable: str = ""
    rules: bool = False
    """No decision: somebody says that other rules are in force."""


class Hearing(Bulky):
    """What the judge needs: the token, when it came, the gates that are open."""

    token: str
    received_at: datetime
    mission: str
    first_run_id: str
    openings: tuple[Opening, ...] = ()
    used: tuple[str, ...] = ()
    """Ids of decisions that already counted."""
    operators: tuple[str, ...] = ()
    """Roles or people whose commands count."""
    above: tuple[Kin, ...] = ()
    """The missions whose child this is; what pauses them pauses it too."""
    asks: bool = False
    """Nothing is to be judged: the mission asks which rules are in force."""
    governed: bool = False
    """Nothing is asked here without the version of the rules."""
    name: str = ""
    """The mission's definition, and the team that it is of."""
    team: str = ""


class Receipt(Message):
    """What the sender of a decision is told."""

    accepted: bool
    reason: str = ""
    step: str = ""
    state: str = ""
    """`open` while the gate waits, `heard` in a party, else what it came to: `approved`, `rejected`, …

    Of a command: `done`, `due` when it is carried out next.
    """


def token_digest(token: str) -> str:
    """Return the digest by which a decision is spoken of where its token is not to be shown."""
    return "sha256:" + hashlib.sha256(token.encode()).hexdigest()
