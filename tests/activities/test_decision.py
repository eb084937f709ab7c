"""The judgement on decisions: what counts, and every attack with the exact reason that its sender is told."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from activities import keys, public_key
from activities.identity import Judge, judge, may_decide
from activities.people import Directory
from activities.statement import seal
from contracts.decision import Ruling
from contracts.workspace import PeopleFile, Person
from tests.activities.office import NOW, SECONDS, claims, forge, hearing, opening, subject

NONE_OF_THREE = "a decision is a signed token of three parts with dots between them; this is none"
NOT_SIGNED = "the signature does not fit: the token was forged, changed or cut short"
TWICE = "anna has already decided in this opening of the gate"
HEADER = "the token's header cannot be read"


def told(home: Path, token: str, *openings: Any, **fields: Any) -> str:
    """Return the reason of a refusal; of an accepted decision, that it was accepted."""
    ruling = judge(hearing(token, *openings, **fields), keys.registered(home))
    return "accepted" if ruling.accepted else ruling.reason


def signed(home: Path, **fields: Any) -> str:
    said = claims(**fields)
    return keys.sign(home, said.iss, said)


def encoded(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


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


def test_another_verb_under_the_same_signature_is_a_forgery(home: Path) -> None:
    head, _, tail = signed(home, verb="reject").split(".")

    assert NOT_SIGNED == told(home, f"{head}.{encoded(claims().model_dump(mode='json'))}.{tail}")


def test_every_truncation_is_refused(home: Path) -> None:
    token = signed(home)

    reasons = {told(home, token[:length]) for length in range(0, len(token) - 1, 7)}

    assert {NONE_OF_THREE, NOT_SIGNED} == reasons


def test_every_changed_letter_of_the_statement_is_refused(home: Path) -> None:
    token = signed(home)
    start, end = token.index(".") + 1, token.rindex(".")
    changed = (token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(start, end, 5))

    assert {NOT_SIGNED} == {told(home, other) for other in changed}


def test_a_stranger_who_names_annas_key_is_a_forger(home: Path) -> None:
    kid = keys.kid(keys.registered(home).people["anna"].keys[0])

    assert NOT_SIGNED == told(home, seal(Ed25519PrivateKey.generate(), kid, claims()))


def test_a_key_in_the_header_is_no_key_in_the_directory(home: Path) -> None:
    stranger = Ed25519PrivateKey.generate()
    text = public_key.spell(stranger.public_key())
    token = jwt.api_jws.encode(
        claims().model_dump_json().encode(),
        stranger,
        algorithm="EdDSA",
        headers={
            "typ": "gonogo-decision+jwt",
            "kid": keys.kid(text),
            "jwk": {"kty": "OKP", "crv": "Ed25519", "x": text},
        },
    )

    assert "the token's key is registered to nobody: it is unknown or was revoked" == told(home, token)


HEADERS = [
    ("no algorithm", {"alg": "none"}, "the token says it is signed with 'none'; only 'EdDSA' is accepted"),
    ("no algorithm at all", {"alg": None}, "the token says it is signed with None; only 'EdDSA' is accepted"),
    ("a shared secret", {"alg": "HS256"}, "the token says it is signed with 'HS256'; only 'EdDSA' is accepted"),
    ("another curve's name", {"alg": "ES256"}, "the token says it is signed with 'ES256'; only 'EdDSA' is accepted"),
    ("another kind", {"typ": "JWT"}, "the token is a 'JWT', not a 'gonogo-decision+jwt'"),
    ("no kind", {"typ": None}, "the token is a None, not a 'gonogo-decision+jwt'"),
    (
        "an operator's command",
        {"typ": "gonogo-command+jwt"},
        "the token is a 'gonogo-command+jwt', not a 'gonogo-decision+jwt'",
    ),
    ("an extension", {"crit": ["exp"]}, "the token's header has 'crit', which no decision needs"),
    ("an unencoded payload", {"b64": False}, "the token's header has 'b64', which no decision needs"),
    ("no key", {"kid": None}, "the token's key is registered to nobody: it is unknown or was revoked"),
    ("a number for a key", {"kid": 7}, "the token's key is registered to nobody: it is unknown or was revoked"),
    ("a list for a key", {"kid": ["x"]}, "the token's key is registered to nobody: it is unknown or was revoked"),
    ("markup", {"alg": "<b>\x1b[31m"}, "the token says it is signed with '<b>\\x1b[31m'; only 'EdDSA' is accepted"),
]


@pytest.mark.parametrize(("fields", "reason"), [case[1:] for case in HEADERS], ids=[case[0] for case in HEADERS])
def test_a_header_chooses_nothing(home: Path, fields: dict[str, Any], reason: str) -> None:
    assert reason == told(home, forge(home, lambda header: {**header, **fields}, claims()))


def test_the_key_of_one_person_does_not_speak_for_another(home: Path) -> None:
    token = forge(home, lambda header: header, claims(iss="anna"), signer="carl")

    assert "the decision is by 'anna', but its key is registered to 'carl'" == told(home, token)


def test_a_public_key_used_as_a_shared_secret_is_refused(home: Path) -> None:
    text = keys.registered(home).people["anna"].keys[0]
    head = {"alg": "HS256", "typ": "gonogo-decision+jwt", "kid": keys.kid(text)}
    token = jwt.api_jws.encode(claims().model_dump_json().encode(), text.encode(), algorithm="HS256", headers=head)

    assert "the token says it is signed with 'HS256'; only 'EdDSA' is accepted" == told(home, token)


GARBAGE = [
    ("", NONE_OF_THREE),
    ("a.b", NONE_OF_THREE),
    ("a.b.c.d", NONE_OF_THREE),
    ("ä.ö.ü", NONE_OF_THREE),
    ("..", HEADER),
    ("a.b.c", HEADER),
    (f"{encoded(b'not json')}.a.b", HEADER),
    (f"{encoded([])}.a.b", HEADER),
    (f"{encoded(b'[' * 20_000)}.a.b", HEADER),
    (encoded(b'{"alg":"none","alg":"EdDSA"}') + ".a.b", HEADER),
    (encoded(b'{"alg":NaN}') + ".a.b", HEADER),
    (f"{encoded({})}.a.b", "the token says it is signed with None; only 'EdDSA' is accepted"),
    ("x" * 5_000_000, "the decision is longer than 64 kB"),
]


@pytest.mark.parametrize(("token", "reason"), GARBAGE, ids=range(len(GARBAGE)))
def test_what_is_no_token_is_refused(home: Path, token: str, reason: str) -> None:
    assert reason == told(home, token)


def authentic(home: Path, payload: bytes) -> str:
    """Sign any bytes with anna's key."""
    key = keys.private(home, "anna")
    kid = keys.kid(keys.registered(home).people["anna"].keys[0])
    return jwt.api_jws.encode(payload, key, algorithm="EdDSA", headers={"typ": "gonogo-decision+jwt", "kid": kid})


STATEMENTS = [
    (b"", "the token's statement cannot be read"),
    (b"[]", "the token's statement cannot be read"),
    (b"\xff", "the token's statement cannot be read"),
    (b"[" * 30_000, "the token's statement cannot be read"),
    (b'{"iss":"anna","iss":"bert"}', "the token's statement cannot be read"),
    (b'{"exp":Infinity}', "the token's statement cannot be read"),
    (b"{}", "the statement cannot be read at 'iss': Field required"),
]


@pytest.mark.parametrize(("payload", "reason"), STATEMENTS, ids=range(len(STATEMENTS)))
def test_a_signed_statement_that_cannot_be_read_is_refused(home: Path, payload: bytes, reason: str) -> None:
    assert reason == told(home, authentic(home, payload))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"verb": "release"},
            "the statement cannot be read at 'verb': Input should be 'approve', 'reject' or 'modify'",
        ),
        (
            {"verb": "APPROVE"},
            "the statement cannot be read at 'verb': Input should be 'approve', 'reject' or 'modify'",
        ),
        ({"exp": "1"}, "the statement cannot be read at 'exp': Input should be a valid integer"),
        ({"exp": True}, "the statement cannot be read at 'exp': Input should be a valid integer"),
        ({"iat": 1.5}, "the statement cannot be read at 'iat': Input should be a valid integer"),
        ({"step": "\ud800"}, "the token's statement cannot be read"),
    ],
)
def test_a_statement_with_a_wrong_claim_names_it(home: Path, fields: dict[str, Any], reason: str) -> None:
    payload = json.dumps({**claims().model_dump(mode="json"), **fields}).encode()

    assert told(home, authentic(home, payload)).startswith(reason)


def test_deep_changes_are_refused_and_break_nothing(home: Path) -> None:
    deep = b'{"host":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    payload = claims(verb="modify").model_dump_json().replace('"changes":null', '"changes":DEEP').encode()

    assert "accepted" != told(home, authentic(home, payload.replace(b"DEEP", deep)))


def test_a_weak_key_in_the_directory_speaks_for_nobody() -> None:
    neutral = bytes([1]) + bytes(31)
    text = base64.urlsafe_b64encode(neutral).rstrip(b"=").decode()
    people = PeopleFile(people={"anna": Person(roles=("secops",), keys=(text,))})
    head = encoded({"alg": "EdDSA", "typ": "gonogo-decision+jwt", "kid": keys.kid(text)})
    token = f"{head}.{encoded(claims().model_dump(mode='json'))}.{encoded(neutral + bytes(32))}"

    expected = (
        "the key registered to 'anna' does not count: "
        "it is weak: its point has a small order, so anyone could sign for it"
    )
    assert expected == judge(hearing(token), people).reason


def test_a_key_of_two_people_speaks_for_neither(home: Path) -> None:
    people = keys.registered(home)
    shared = people.people["anna"].keys
    both = people.merged(PeopleFile(people={"bert": Person(keys=shared)}))

    expected = "the token's key is registered to several people (anna, bert), so it speaks for nobody"
    assert expected == judge(hearing(signed(home)), both).reason


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


def test_a_forged_ruling_names_nobody(home: Path) -> None:
    head, body, _ = signed(home).split(".")

    ruling = judge(hearing(f"{head}.{body}.{encoded(bytes(64))}"), keys.registered(home))

    assert Ruling(accepted=False, reason=NOT_SIGNED, received_at=NOW) == ruling


@given(st.text(max_size=300))
def test_no_text_makes_the_judge_raise_or_accept(token: str) -> None:
    assert not judge(hearing(token), PeopleFile()).accepted


async def test_a_key_that_is_revoked_or_added_counts_at_once(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna", ("secops",))
    court = Judge(Directory(tmp_path / "workspace.yaml", tmp_path / "people.yaml"))
    old = hearing(signed(tmp_path))
    assert (await court.judge(old)).accepted

    keys.create(tmp_path, "anna", replace=True)

    assert "the token's key is registered to nobody: it is unknown or was revoked" == (await court.judge(old)).reason
    assert (await court.judge(hearing(signed(tmp_path)))).accepted


async def test_a_people_file_that_cannot_be_read_lets_nobody_decide(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna", ("secops",))
    court = Judge(Directory(tmp_path / "people.yaml"))
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

    assert said in (await Judge(Directory(tmp_path / "people.yaml")).judge(hearing(""))).reason


async def test_roles_of_the_workspace_and_keys_of_the_home_are_one_person(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna")
    (tmp_path / "workspace.yaml").write_text("people: {anna: {name: Anna Berg, roles: [secops]}}")
    court = Judge(Directory(tmp_path / "workspace.yaml", tmp_path / "people.yaml"))

    assert ("secops",) == (await court.judge(hearing(signed(tmp_path)))).roles
