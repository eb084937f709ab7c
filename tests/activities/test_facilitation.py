"""Words in a party: only its facilitators', as often as they like, and never an approval of anything."""

from pathlib import Path
from typing import Any

import pytest

from activities import keys
from activities.identity import judge
from contracts.decision import MOST_SPOKEN, Opening, Ruling
from tests.activities.court import signed, told
from tests.activities.office import claims, hearing, opening, subject

PARTY = subject(kind="facilitation", approvers=("anna", "lead"), tool=None, arguments=None, compensation=None)


def floor(*votes: Ruling) -> Opening:
    return opening(PARTY, deadline=None, votes=votes)


def said(home: Path, name: str = "anna", **fields: Any) -> str:
    return keys.sign(home, name, claims(PARTY, **{"iss": name, "verb": "interject", "comment": "Wait", **fields}))


def heard(number: int) -> tuple[Ruling, ...]:
    one = {"accepted": True, "person": "anna", "verb": "interject", "nonce": "nonce-1"}
    return tuple(Ruling(**one, jti=f"word-{count}") for count in range(number))


@pytest.mark.parametrize(("name", "verb"), [("anna", "interject"), ("bert", "call_vote"), ("anna", "end")])
def test_a_facilitator_may_speak_by_name_and_by_role(home: Path, name: str, verb: str) -> None:
    ruling = judge(hearing(said(home, name, verb=verb), floor()), keys.registered(home))

    assert (True, name, verb, "Wait") == (ruling.accepted, ruling.person, ruling.verb, ruling.comment)


def test_the_same_person_may_speak_again_and_the_same_word_only_once(home: Path) -> None:
    assert "accepted" == told(home, said(home), floor(*heard(3)))
    assert "the decision has already been counted" == told(home, said(home, jti="word-1"), floor(*heard(3)))
    assert "the decision has already been counted" == told(home, said(home), floor(), used=("decision-1",))


def test_nobody_speaks_without_end(home: Path) -> None:
    full = floor(*heard(MOST_SPOKEN))

    assert f"{MOST_SPOKEN} words have been spoken here; no more are heard" == told(home, said(home), full)


@pytest.mark.parametrize(
    ("name", "fields", "reason"),
    [
        ("carl", {}, "carl is none of the approvers: anna, lead"),
        ("rita", {}, "rita requested this mission and may not decide in it"),
        ("anna", {"verb": "approve"}, "the decision is to approve, which nobody can at a party that talks"),
        ("anna", {"verb": "reject"}, "the decision is to reject, which nobody can at a party that talks"),
        ("anna", {"comment": " "}, "the decision is to interject and says nothing"),
        ("anna", {"changes": {"host": "x"}}, "the decision is to interject and carries changes; only 'modify' may"),
        ("anna", {"comment": "x" * 4_001}, "the comment is longer than 4000 characters"),
        ("anna", {"nonce": "another"}, "the decision is for another opening of this gate; look at the gate again"),
    ],
)
def test_each_other_word_is_refused_with_its_own_reason(home: Path, name: str, fields: Any, reason: str) -> None:
    assert reason == told(home, said(home, name, **fields), floor())


@pytest.mark.parametrize("verb", ["interject", "call_vote", "end"])
def test_at_a_gate_a_facilitator_s_word_is_no_decision(home: Path, verb: str) -> None:
    reason = f"the decision is to {verb.replace('_', ' ')}, which nobody can at a gate"

    assert reason == told(home, signed(home, verb=verb, comment="c"))
