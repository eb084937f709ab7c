"""The digest of what is decided on: it says everything that is shown, and stays what it was for gates from before."""

import pytest

from contracts.decision import Action, Subject
from contracts.risk import Reading
from contracts.usage import Usage

FROM_BEFORE = "sha256:b3909ccfd4ffad8f381a0400ea0ac7971ca4513275ed7ce4fb23b021166ffb76"
"""What the digest of `SUBJECT` was when a subject had no later fields."""
SUBJECT = Subject(mission="m", first_run_id="r", name="n", step="a/b", approvers=("ops",), tool="t", arguments={"x": 1})


def test_a_field_that_came_later_and_says_nothing_leaves_the_digest_as_it_was() -> None:
    assert FROM_BEFORE == SUBJECT.digest()


@pytest.mark.parametrize("field", sorted(Subject.LATER))
def test_a_field_that_came_later_and_says_something_is_signed_too(field: str) -> None:
    said = {
        "generation": 1,
        "actions": (Action(step="a/b/c", tool="t"),),
        "seats": {"ops": 1},
        "reject_quorum": 2,
        "excluded": ("requester", "author"),
        "authors": ("ada",),
        "spent": Usage(usd=0.1),
        "undo": {"x": 1},
        "risk": Reading(score=0, level="low", people=0),
        "own": ("ops",),
        "governance": "sha256:1",
        "own_required": 1,
        "planned": "sha256:1",
        "findings": ("store: m: act file: needs approval by 1 lead",),
    }[field]

    assert FROM_BEFORE != SUBJECT.model_copy(update={field: said}).digest()
