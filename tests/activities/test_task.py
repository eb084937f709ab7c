"""An answer to a task: only by whom it was asked of, only as its schema has it, and never an approval of anything."""

from pathlib import Path
from typing import Any

import pytest

from activities import keys
from activities.identity import judge
from contracts.call import Grant
from tests.activities.court import signed, told
from tests.activities.office import claims, hearing, opening, subject

TASK = subject(
    kind="task",
    approvers=("anna", "lead"),
    tool=None,
    arguments=None,
    compensation=None,
    excluded=(),
    message="Rate it",
)
RATED = {
    "type": "object",
    "required": ["n"],
    "properties": {"n": {"type": "integer"}, "why": {"type": "string"}},
    "additionalProperties": False,
}
OPEN = opening(TASK, input_schema=RATED)


def said(home: Path, name: str = "anna", **fields: Any) -> str:
    return keys.sign(home, name, claims(TASK, **{"iss": name, "verb": "answer", "answer": {"n": 3}, **fields}))


@pytest.mark.parametrize("name", ["anna", "bert"])
def test_who_is_asked_by_name_or_by_role_may_answer(home: Path, name: str) -> None:
    ruling = judge(hearing(said(home, name), OPEN), keys.registered(home))

    assert (True, name, "answer", {"n": 3}) == (ruling.accepted, ruling.person, ruling.verb, ruling.answer)


def test_who_asked_for_the_mission_may_answer_and_who_is_asked_may_decline(home: Path) -> None:
    asked = TASK.model_copy(update={"approvers": ("secops",)})
    own = keys.sign(home, "rita", claims(asked, iss="rita", verb="answer", answer={"n": 1}))

    assert "accepted" == told(home, own, opening(asked, input_schema=RATED))
    assert "accepted" == told(home, said(home, verb="reject", answer=None), OPEN)


@pytest.mark.parametrize(
    ("name", "fields", "reason"),
    [
        ("carl", {}, "carl is none of the approvers: anna, lead"),
        ("anna", {"answer": {"n": "3"}}, "the answer does not fit: …"),
        ("anna", {"answer": {"n": 3, "m": 1}}, "the answer does not fit: …"),
        ("anna", {"answer": None}, "the answer does not fit: …"),
        ("anna", {"verb": "approve", "answer": None}, "the decision is to approve, which nobody can at a task, …"),
        ("anna", {"verb": "delegate", "to": "bert", "answer": None}, "the decision is to delegate, which nobody …"),
        ("anna", {"verb": "reject"}, "the decision is to reject and carries an answer; only 'answer' may"),
        ("anna", {"changes": {"n": 1}}, "the decision is to answer and carries changes; only 'modify' may"),
        ("anna", {"nonce": "another"}, "the decision is for another opening of this gate; look at the gate again"),
        ("anna", {"exp": 1}, "the decision expired at 1970-01-01T00:00:01+00:00"),
    ],
)
def test_each_other_word_is_refused_with_its_own_reason(home: Path, name: str, fields: Any, reason: str) -> None:
    heard = told(home, said(home, name, **fields), OPEN)

    assert reason.removesuffix("…") == heard[: len(reason.removesuffix("…"))]
    assert reason.endswith("…") or reason == heard


def test_an_answer_is_changed_by_nobody_on_its_way(home: Path) -> None:
    head, _, signature = said(home).split(".")
    other = said(home, answer={"n": 9}).split(".")[1]

    assert "the signature does not fit" in told(home, f"{head}.{other}.{signature}", OPEN)


def test_at_a_gate_an_answer_is_no_decision(home: Path) -> None:
    reason = "the decision is to answer, which nobody can at a gate"

    assert reason == told(home, signed(home, verb="answer", answer={"n": 1}))


def test_an_answer_is_no_approval_to_who_executes(home: Path) -> None:
    from datetime import UTC, datetime

    from activities.identity import approvals
    from activities.statement import Refusal

    grant = Grant(subject=TASK, nonce="nonce-1", tokens=(said(home),))
    with pytest.raises(Refusal, match="the decision of anna is to answer, not to approve"):
        approvals(grant, keys.registered(home), datetime.now(UTC))
