"""The judgement on authentic decisions: what counts, and the exact reason that a sender is told when it does not."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from activities import keys
from activities.entitled import may_decide
from activities.identity import Judge, judge
from activities.people import Directory
from contracts.decision import Ruling
from contracts.workspace import PeopleFile, Person
from tests.activities.court import signed, told
from tests.activities.office import NOW, SECONDS, claims, hearing, opening, subject
from tests.policies import OPEN

TWICE = "anna has already decided in this opening of the gate"


def test_a_good_approval_counts_and_the_ruling_says_everything(home: Path) -> None:
    token = signed(home, comment="seen the trail")

    expected = Ruling(
        accepted=True,
        person="anna",
        roles=("secops",),
        verb="approve",
        step="remediate/isolate",
        nonce="nonce-1",
        digest=subject().digest(),
        jti="decision-1",
        comment="seen the trail",
        received_at=NOW,
        token=token,
    )
    assert expected == judge(hearing(token), keys.registered(home))


def test_a_rejection_counts(home: Path) -> None:
    ruling = judge(hearing(signed(home, verb="reject", comment="not now")), keys.registered(home))

    assert (True, "reject", "not now") == (ruling.accepted, ruling.verb, ruling.comment)


def test_a_modification_carries_its_changes(home: Path) -> None:
    ruling = judge(hearing(signed(home, verb="modify", changes={"host": "web-02"})), keys.registered(home))

    assert (True, {"host": "web-02"}) == (ruling.accepted, ruling.changes)


def test_somebody_may_be_an_approver_by_name(home: Path) -> None:
    asked = subject(approvers=("carl",))

    assert "accepted" == told(home, keys.sign(home, "carl", claims(asked, iss="carl")), opening(asked))


BOUND = [
    ("another mission", {"mission": "mission-2"}, "the decision is for mission 'mission-2', not for this one"),
    ("another run", {"run": "run-0"}, "the decision is for another mission that had the same id before"),
    ("another gate", {"step": "report/send"}, "no gate is open at step 'report/send'"),
    ("another iteration", {"step": "remediate[2]/isolate"}, "no gate is open at step 'remediate[2]/isolate'"),
    (
        "another opening",
        {"nonce": "nonce-0"},
        "the decision is for another opening of this gate; look at the gate again",
    ),
    (
        "a payload that has changed",
        {"digest": subject(arguments={"host": "web-02"}).digest()},
        "what the decision was about has changed since; look at the gate again",
    ),
    ("expired", {"exp": SECONDS}, "the decision expired at 2026-03-01T12:00:00+00:00"),
    (
        "not yet valid",
        {"iat": SECONDS + 61, "exp": SECONDS + 300},
        "the decision is not yet valid: it was issued at 2026-03-01T12:01:01+00:00",
    ),
    ("times beyond all clocks", {"exp": 10**40}, "the statement's times are out of range"),
    ("times before all clocks", {"iat": -1}, "the statement's times are out of range"),
    ("without an id", {"jti": ""}, "the decision has no id of its own, so it cannot be counted once"),
    ("no approver", {"iss": "carl"}, "carl is none of the approvers: secops"),
    ("the requester", {"iss": "rita"}, "rita requested this mission and may not decide in it"),
    ("a long comment", {"comment": "x" * 4_001}, "the comment is longer than 4000 characters"),
    (
        "an approval with changes",
        {"changes": {"host": "web-02"}},
        "the decision is to approve and carries changes; only 'modify' may",
    ),
    (
        "a rejection with changes",
        {"verb": "reject", "changes": {}},
        "the decision is to reject and carries changes; only 'modify' may",
    ),
    ("a modification of nothing", {"verb": "modify"}, "the decision is to modify and carries no changes"),
    (
        "changes that do not fit",
        {"verb": "modify", "changes": {"host": 7}},
        'the changed arguments do not fit the tool: host: 7 is not of type "string"',
    ),
    ("a huge token", {"comment": "x" * 70_000}, "the decision is longer than 64 kB"),
]


@pytest.mark.parametrize(("fields", "reason"), [case[1:] for case in BOUND], ids=[case[0] for case in BOUND])
def test_an_authentic_decision_that_does_not_count_says_why(home: Path, fields: dict[str, Any], reason: str) -> None:
    assert reason == told(home, signed(home, **fields))


@pytest.mark.parametrize(
    "requester", ["rita", "RITA", " Rita ", "\uff32\uff29\uff34\uff21", "ri\u200bta", "\u00adrita"]
)
def test_the_requester_is_known_in_every_spelling(home: Path, requester: str) -> None:
    asked = subject(requested_by=requester)
    token = keys.sign(home, "rita", claims(asked, iss="rita"))

    assert "rita requested this mission and may not decide in it" == told(home, token, opening(asked))


def test_the_requester_is_known_by_their_full_name_too(home: Path) -> None:
    named = PeopleFile(people={"rita": Person(name="Rita Lind")}).merged(keys.registered(home))
    asked = subject(requested_by="rita lind")
    token = keys.sign(home, "rita", claims(asked, iss="rita"))

    assert "rita requested this mission and may not decide in it" == judge(hearing(token, opening(asked)), named).reason


def test_a_decision_at_the_deadline_is_late(home: Path) -> None:
    late = opening(deadline=NOW)

    assert "the decision is late: the gate closed at 2026-03-01T12:00:00+00:00" == told(home, signed(home), late)
    assert "accepted" == told(home, signed(home), opening(deadline=NOW + timedelta(seconds=1)))


def test_a_gate_without_a_deadline_is_never_late(home: Path) -> None:
    assert "accepted" == told(home, signed(home), opening(deadline=None))


def test_a_decision_counts_once(home: Path) -> None:
    assert "the decision has already been counted" == told(home, signed(home), used=("decision-1",))


def test_nobody_decides_twice_in_one_opening(home: Path) -> None:
    voted = opening(votes=(Ruling(accepted=True, person="Anna", jti="decision-0"),))

    assert TWICE == told(home, signed(home), voted)


def test_a_decision_that_an_opening_counted_is_not_counted_again(home: Path) -> None:
    voted = opening(votes=(Ruling(accepted=True, person="bert", jti="decision-1"),))

    assert "the decision has already been counted" == told(home, signed(home), voted)


def test_there_is_nothing_to_modify_where_no_tool_acts(home: Path) -> None:
    token = signed(home, verb="modify", changes={"host": "web-02"})

    assert "there is nothing to modify at this gate" == told(home, token, opening(input_schema=None))


def test_a_schema_that_cannot_be_used_refuses_the_changes(home: Path) -> None:
    token = signed(home, verb="modify", changes={"host": "web-02"})

    reason = told(home, token, opening(input_schema={"type": "nonsense"}))

    assert reason.startswith("the changed arguments cannot be checked: ")


def test_being_called_like_a_role_makes_nobody_an_approver() -> None:
    people = PeopleFile(people={"secops": Person(), "anna": Person(roles=("secops",)), "bert": Person()})

    assert [False, True] == [may_decide(name, ("secops",), people) for name in ("secops", "anna")]
    assert not may_decide("bert", ("nobody",), people)


def test_a_refused_ruling_keeps_what_was_said_and_not_the_token(home: Path) -> None:
    ruling = judge(hearing(signed(home, iss="carl", comment="let me")), keys.registered(home))

    assert ("carl", "approve", "remediate/isolate", "let me", "decision-1", "") == (
        ruling.person,
        ruling.verb,
        ruling.step,
        ruling.comment,
        ruling.jti,
        ruling.token,
    )


async def test_a_key_that_is_revoked_or_added_counts_at_once(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna", ("secops",))
    court = Judge(Directory(tmp_path / "workspace.yaml", tmp_path / "people.yaml"), policy=OPEN)
    old = hearing(signed(tmp_path))
    assert (await court.judge(old)).accepted

    keys.create(tmp_path, "anna", replace=True)

    assert "the token's key is registered to nobody: it is unknown or was revoked" == (await court.judge(old)).reason
    assert (await court.judge(hearing(signed(tmp_path)))).accepted


async def test_a_people_file_that_cannot_be_read_lets_nobody_decide(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna", ("secops",))
    court = Judge(Directory(tmp_path / "people.yaml"), policy=OPEN)
    token = signed(tmp_path)
    (tmp_path / "people.yaml").write_text("people: [")

    ruling = await court.judge(hearing(token))

    assert not ruling.accepted
    assert ruling.reason.startswith(f"nobody can decide now: {tmp_path / 'people.yaml'}:2:1: YAML_SYNTAX ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("people: {anna: {roles: [lead]}, anna: {roles: [secops]}}", "DUPLICATE_KEY the key 'anna' stands in line 1"),
        ("people: {anna: {roles: [no]}}", "YAML_AMBIGUOUS 'no' is a boolean or null to some readers"),
        ("people: {anna: {rolls: [secops]}}", "UNKNOWN_KEY unknown key 'rolls' (did you mean 'roles'?)"),
    ],
)
async def test_a_people_file_that_could_be_misread_lets_nobody_decide(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "people.yaml").write_text(text)

    assert said in (await Judge(Directory(tmp_path / "people.yaml"), policy=OPEN).judge(hearing(""))).reason


async def test_roles_of_the_workspace_and_keys_of_the_home_are_one_person(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna")
    (tmp_path / "workspace.yaml").write_text("people: {anna: {name: Anna Berg, roles: [secops]}}")
    court = Judge(Directory(tmp_path / "workspace.yaml", tmp_path / "people.yaml"), policy=OPEN)

    assert ("secops",) == (await court.judge(hearing(signed(tmp_path)))).roles
