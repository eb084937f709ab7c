"""Cases of policy: who asks for what, and what the answer must be. `gonogo policy test` runs `policies/cases.yaml`.

The law: what a case leaves out is what is usual, and it says itself what it expects. Pure.
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from contracts.base import Document
from contracts.policy import Question, Verb
from contracts.step import ALIASED, Place
from language.document import read_document, read_file
from language.finding import Rejected

FILE = "policies/cases.yaml"
USUAL: dict[Verb, dict[str, Any]] = {
    "start": {"signed": True, "data": [], "budget": {}},
    "decide": {"verb": "approve", "kind": "gate", "requested_by": ""},
    "steer": {"verb": "pause", "step": ""},
    "read_outputs": {},
    "read_audit": {},
    "run_agent": {"admitted": True, "data": []},
    "use_tool": {"mission": "", "data": []},
    "think": {"mission": "", "data": []},
    "act": {"step": "", "undoes": False, "admitted": True, "approvals": 0, "approved_as": [], "data": []},
}
"""What is known of a question where a case says nothing of it."""


class Case(Document):
    """One row: `{who: noor, may: start, what: incident_triage, expect: allow}`. `policies` are those that decide."""

    who: str
    may: Verb
    what: str
    team: str = ""
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    expect: Literal["allow", "deny", "needs approval"]
    policies: tuple[str, ...] | None = None

    model_config = ALIASED

    def question(self) -> Question:
        """Return what is asked."""
        context = {**USUAL[self.may], **self.with_}
        return Question(verb=self.may, who=self.who, what=self.what, team=self.team, context=context)


class CasesFile(Document):
    """`policies/cases.yaml`."""

    cases: tuple[Case, ...] = Field(min_length=1)


def read_cases(root: Path) -> list[tuple[Place, Case]]:
    """Return the cases of a workspace, each with its place. Raises `Rejected`."""
    text = read_file(root / FILE, "write 'cases:' and a list of {who, may, what, expect}")
    document, value, findings = read_document(CasesFile, text, str(root / FILE))
    if document is None:
        raise Rejected(findings)
    return [(value.place_of("cases", number), case) for number, case in enumerate(document.cases)]
