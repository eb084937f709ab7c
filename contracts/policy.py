"""What is asked of the policies of a workspace, and what they answer.

The law: an answer names the policies that gave it and the version that they were of. Deny is the answer to whatever
cannot be asked. `activities/policy.py` answers; who acts asks, right before the effect.
"""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field

from contracts.base import Message

ADMIT = "mission.admit"
ADMISSION = "@admission"
"""The path at which people are asked before the first step; asked again, it has a number behind it.

Below the path of a plan that an agent made, they are asked before the first step of that."""
FINDINGS = "findings"
"""Under which name people see what policy found."""
MOST_ASKED = 10
"""How often people are asked in a row while the rules change."""
POLICY = "policy"
"""Under which a failure says what the policies answered."""

Verb = Literal["start", "decide", "steer", "read_outputs", "read_audit", "run_agent", "use_tool", "think", "act"]
KINDS: dict[Verb, tuple[str, str]] = {
    "start": ("Person", "Mission"),
    "decide": ("Person", "Step"),
    "steer": ("Person", "Mission"),
    "read_outputs": ("Person", "Mission"),
    "read_audit": ("Person", "Mission"),
    "run_agent": ("Mission", "Agent"),
    "use_tool": ("Agent", "Tool"),
    "think": ("Agent", "Model"),
    "act": ("Mission", "Tool"),
}
"""Of which kinds who asks and what it is about are, by what is asked for."""
Outcome = Literal["allow", "deny", "needs approval"]


class Question(Message):
    """May `who` do this to `what`? `team` is the mission's; `at` is the step that it is asked for."""

    verb: Verb
    who: str
    what: str
    team: str = ""
    at: str = ""
    context: dict[str, Any] = Field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.who or 'nobody'} may {self.verb.replace('_', ' ')} {self.what}"


class Answer(Message):
    """What the policies say. `policies` are those that decided, by id, each with its file and line."""

    verb: str = ""
    who: str = ""
    what: str = ""
    at: str = ""
    outcome: Outcome = "deny"
    approval: dict[str, int] = Field(default_factory=dict)
    """How many of which role, or who, must approve it."""
    policies: dict[str, str] = Field(default_factory=dict)
    reason: str = ""
    """Why it is denied, where no policy forbids it."""
    version: str = ""
    """The digest of the policies."""

    def allowed(self) -> bool:
        """Whether it may be done as it is."""
        return self.outcome == "allow"

    def __str__(self) -> str:
        asked = f"{self.who or 'nobody'}: {self.verb.replace('_', ' ')} {self.what}"
        named = (
            f" by {', '.join(f'{name} ({place})' for name, place in self.policies.items())}" if self.policies else ""
        )
        match self.outcome:
            case "allow":
                return f"{asked}: allowed{named}" + (f", approved by {wanted(self.approval)}" if self.approval else "")
            case "deny":
                return f"{asked}: denied{named}{': ' + self.reason if self.reason else ''}"
            case "needs approval":
                return f"{asked}: needs approval by {wanted(self.approval)}{named}"


class Admitting(Message):
    """Ask policy of the mission that asks. What is to run is read from its own start, as the server has it."""

    heeds: bool = False
    """Whatever policy wants approved may be put to people; else only the start."""


class Admission(Message):
    """Whether a mission may begin, and all that was asked. What is not allowed comes first."""

    admitted: bool = False
    signed: bool = False
    """Its order is signed by whoever requested it."""
    answers: tuple[Answer, ...] = ()
    asked: int = 0
    findings: tuple[str, ...] = ()
    """Why it is not admitted."""
    approval: dict[str, int] = Field(default_factory=dict)
    """Whose approval would admit it all the same: set where nothing is denied outright."""
    by: tuple[str, ...] = ()
    """Who approved it."""
    path: str = ""
    """Where they were asked."""
    version: str = ""
    governance: str = ""
    """The version of the rules that were in force then; empty where nobody can say."""


def told(answers: Iterable[Answer]) -> dict[str, Any]:
    """Return answers as the details of a failure have them."""
    return {POLICY: [answer.model_dump(mode="json") for answer in answers]}


def approval_of(answers: Iterable[Answer]) -> dict[str, int]:
    """Return whose approval all these answers want together."""
    approval: dict[str, int] = {}
    for who, number in (one for answer in answers for one in answer.approval.items()):
        approval[who] = max(number, approval.get(who, 0))
    return approval


def stands_in(answer: Answer, findings: Iterable[str]) -> bool:
    """Whether an answer stands among sentences that people were shown, word for word."""
    shown = str(answer)
    return any(one == shown or one.endswith(f": {shown}") for one in findings)


def wanted(approval: dict[str, int]) -> str:
    """Return whose approval is wanted, in words."""
    return " and ".join(f"{number} {role}" for role, number in approval.items())


def lacking(approval: dict[str, int], approved: Iterable[tuple[str, Iterable[str]]]) -> dict[str, int]:
    """Return what is lacking of an approval: `approved` are the people who did, each with their roles."""
    there = [{name, *roles} for name, roles in approved]
    left = {role: number - sum(role in one for one in there) for role, number in approval.items()}
    return {role: number for role, number in left.items() if number > 0}
