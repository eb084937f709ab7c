"""The codec server: it answers people with a key of their own, on the pages of these origins, for one mission each."""

import json
import time

import httpx
import jwt
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import WorkflowSerializationContext

from activities import keys, public_key, reader_token
from activities.payload_keys import Keys, rotate
from activities.people import Directory
from activities.reader_token import AUDIENCE, LONGEST, TYPE
from activities.seal import Sealed
from runtime.codec_server import COOKIE, Access, application
from runtime.payloads import data_converter

SECRET = "canary-93d1"
UI = "http://127.0.0.1:8233"
PAGES = "pages-key"


@pytest.fixture
def home(tmp_path):
    keys.create(tmp_path, "robin", ("lead",))
    rotate(tmp_path / "keys.yaml")
    return tmp_path


@pytest.fixture
def mine(home):
    converter = data_converter(str(home / "payloads"), Sealed(Keys(home / "keys.yaml")))
    return converter.with_context(WorkflowSerializationContext("default", "m/child"))


@pytest.fixture
def denied():
    """Who may not read what."""
    return set()


@pytest.fixture
async def ask(home, denied):
    access = Access(Directory(home / "people.yaml"), (UI,), PAGES, "at-the-desk")

    async def why_not(person, mission, namespace):
        return f'{person} may not read {mission} of {namespace} by "p"' if (person, mission) in denied else ""

    app = application(Sealed(Keys(home / "keys.yaml")), access, "default", why_not)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://codec") as client:
        yield client


def body(*payloads):
    return MessageToDict(Payloads(payloads=payloads))


def read(answer):
    assert 200 == answer.status_code, answer.text
    return [payload.data.decode() for payload in ParseDict(answer.json(), Payloads()).payloads]


async def test_a_person_reads_what_is_encrypted_and_sees_why_something_is_refused(ask, mine, home):
    [good] = await mine.encode([SECRET])
    changed = Payload(metadata=good.metadata, data=good.data[:-1] + b"!")
    clear = Payload(metadata={"encoding": b"json/plain"}, data=b'"hello"')
    headers = {"authorization": f"Bearer {reader_token.sign(home, 'robin')}"}
    answer = await ask.post("/decode", json=body(good, changed, clear), headers=headers)

    assert [f'"{SECRET}"', '"refused: it was encrypted for something else, or it was changed"', '"hello"'] == read(
        answer
    )
    other = {**headers, "x-namespace": "prod"}
    assert ["refused" in text for text in read(await ask.post("/decode", json=body(good), headers=other))] == [True]


async def test_what_is_encoded_is_for_the_mission_in_the_path_and_for_no_other(ask, mine):
    [plain] = mine.payload_converter.to_payloads([SECRET])
    answer = await ask.post(f"/pages/{PAGES}/missions/m/child/encode", json=body(plain))
    payloads = ParseDict(answer.json(), Payloads()).payloads

    assert [SECRET] == await mine.decode(payloads)
    nowhere = await ask.post(f"/pages/{PAGES}/encode", json=body(plain))
    assert (400, True) == (nowhere.status_code, "missions/ID" in nowhere.text)


async def test_whoever_does_not_say_who_they_are_is_not_answered(ask, mine, home):
    [good] = await mine.encode([SECRET])
    key = keys.private(home, "robin")
    kid = public_key.kid(public_key.spell(key.public_key()))
    now = int(time.time())
    claims = {"iss": "robin", "aud": AUDIENCE, "iat": now, "exp": now + 60}

    def token(typ=TYPE, kid=kid, algorithm="EdDSA", signer=key, **changed):
        return jwt.encode({**claims, **changed}, signer, algorithm=algorithm, headers={"typ": typ, "kid": kid})

    assert [f'"{SECRET}"'] == read(
        await ask.post("/decode", json=body(good), headers={"authorization": f"Bearer {token()}"})
    )
    keys.create(home, "eve")
    bad = [
        "", "x", token(typ="gonogo-decision+jwt"), token(kid="nobody"), token(aud="else"), token(exp=now - 1),
        token(exp=now + LONGEST + 60), token(iss="eve"), token(signer=keys.private(home, "eve")),
        token(algorithm="HS256", signer="x" * 32), token()[:-4] + "AAAA", "a" * 5_000,
    ]  # fmt: skip
    for one in bad:
        answer = await ask.post("/decode", json=body(good), headers={"authorization": f"Bearer {one}"})
        assert (401, False) == (answer.status_code, SECRET in answer.text), one
    assert 401 == (await ask.post("/pages/other/decode", json=body(good))).status_code
    keys.remove(home, "robin")
    revoked = await ask.post("/decode", json=body(good), headers={"authorization": f"Bearer {token()}"})
    assert 401 == revoked.status_code


async def test_browsers_are_answered_on_the_pages_of_the_web_ui_alone_and_may_keep_a_token(ask, mine, home):
    [good] = await mine.encode([SECRET])
    path = f"/pages/{PAGES}/decode"
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": "x-namespace"}
    allowed = await ask.options(path, headers={"origin": UI, **preflight})
    elsewhere = await ask.options(path, headers={"origin": "http://127.0.0.1:8234", **preflight})
    there = await ask.post(path, json=body(good), headers={"origin": "https://evil.example"})
    here = await ask.post(path, json=body(good), headers={"origin": UI})

    assert (UI, 400, 401) == (
        allowed.headers["access-control-allow-origin"], elsewhere.status_code, there.status_code,
    )  # fmt: skip
    assert (UI, "true") == tuple(here.headers[f"access-control-allow-{name}"] for name in ("origin", "credentials"))
    login = await ask.get("/login", params={"token": reader_token.sign(home, "robin")})
    kept = login.headers["set-cookie"].lower()
    assert all(word in kept for word in (COOKIE, "httponly", "samesite=strict"))
    assert [f'"{SECRET}"'] == read(await ask.post("/decode", json=body(good), headers={"origin": UI}))
    assert 401 == (await ask.get("/login", params={"token": "x"})).status_code


async def test_whoever_may_not_read_a_mission_sees_why_in_the_place_of_what_it_made(ask, mine, home, denied):
    [good] = await mine.encode([SECRET])
    clear = Payload(metadata={"encoding": b"json/plain"}, data=b'"hello"')
    nobody_s = Payload(metadata={**good.metadata, "gonogo-mission": b""}, data=good.data)
    mine_too = {"authorization": f"Bearer {reader_token.sign(home, 'robin')}", "x-namespace": "default"}
    denied.add(("robin", "m/child"))
    by_token = read(await ask.post("/decode", json=body(good, clear, nobody_s), headers=mine_too))

    refused = 'refused: robin may not read m/child of default by "p"'
    unknown = "refused: it is not known which mission it belongs to"
    assert [refused, "hello", unknown] == [json.loads(text) for text in by_token]
    pages = f"/pages/{PAGES}/decode"
    assert [f'"{SECRET}"'] == read(await ask.post(pages, json=body(good)))
    denied.add(("at-the-desk", "m/child"))
    assert "at-the-desk may not" in json.loads(read(await ask.post(pages, json=body(good)))[0])


async def test_what_is_no_payload_is_refused(ask):
    for content in (b"", b"{", b"[]", json.dumps({"payloads": 7}).encode(), b"9" * 9_000_000):
        assert 400 == (await ask.post(f"/pages/{PAGES}/decode", content=content)).status_code
