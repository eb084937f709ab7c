"""Forged, changed and unreadable tokens: each is a refusal with its exact reason, none makes the judge raise."""

import base64
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from activities import keys, public_key
from activities.identity import judge
from activities.statement import seal
from contracts.decision import Ruling
from contracts.workspace import PeopleFile, Person
from tests.activities.court import NOT_SIGNED, encoded, signed, told
from tests.activities.office import NOW, claims, forge, hearing

NONE_OF_THREE = "a decision is a signed token of three parts with dots between them; this is none"
HEADER = "the token's header cannot be read"


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
            "the statement cannot be read at 'verb': Input should be 'approve', 'reject', 'modify', ",
        ),
        (
            {"verb": "APPROVE"},
            "the statement cannot be read at 'verb': Input should be 'approve', 'reject', 'modify', ",
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


def test_a_forged_ruling_names_nobody(home: Path) -> None:
    head, body, _ = signed(home).split(".")

    ruling = judge(hearing(f"{head}.{body}.{encoded(bytes(64))}"), keys.registered(home))

    assert Ruling(accepted=False, reason=NOT_SIGNED, received_at=NOW) == ruling


@given(st.text(max_size=300))
def test_no_text_makes_the_judge_raise_or_accept(token: str) -> None:
    assert not judge(hearing(token), PeopleFile()).accepted
