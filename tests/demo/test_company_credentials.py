"""What the company wants to see before anything changes: a credential for this very call, and none of another."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
import yaml
from company_program import KEY, Program
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

from activities import public_key
from demo.ledger import payload_digest

BROKER, OLD, STRANGER = (Ed25519PrivateKey.generate() for _ in range(3))
ARGUMENTS = {"host": "fin-ws-07", "reason": "it beacons", "case": "case-1"}


def spelt(key: Ed25519PrivateKey) -> str:
    return public_key.spell(key.public_key())


@pytest.fixture(scope="module")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("trust") / "services.yaml"
    file.write_text(
        yaml.safe_dump({"services": {"broker": [spelt(OLD), spelt(BROKER)], "executor": [spelt(STRANGER)]}})
    )
    return file


@pytest.fixture(scope="module")
def program(keys_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    program = Program(tmp_path_factory.mktemp("company") / "company.db", "--credentials", str(keys_file))
    yield program
    program.stop()


def credential(
    key: str,
    signer: Ed25519PrivateKey = BROKER,
    arguments: dict[str, Any] = ARGUMENTS,
    typ: str = "gonogo-step+jwt",
    **more: Any,
) -> str:
    now = int(time.time())
    claims = {
        "iss": "gonogo/broker",
        "aud": "company",
        "sub": "noor",
        "iat": now,
        "exp": now + 120,
        "jti": f"jti-{key}",
        "mission": "m",
        "step": "isolate",
        "tool": "isolate_host",
        "arguments": payload_digest(arguments),
        "key": key,
        **more,
    }
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None}, signer, "EdDSA", {"typ": typ}
    )


async def isolate(program: Program, key: str, bearer: str = "", **arguments: Any) -> CallToolResult:
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(program.url, http_client=http), mode="auto", cache=None) as client,
    ):
        return await client.call_tool("isolate_host", {**ARGUMENTS, **arguments}, meta={KEY: key})


def reason(result: CallToolResult) -> str:
    assert result.is_error
    assert result.structured_content is not None
    assert ("no", False) == (result.structured_content["applied"], result.structured_content["retry"])
    return str(result.structured_content["reason"])


async def test_what_has_a_credential_for_this_call_is_done_under_an_older_key_too(program: Program) -> None:
    assert not (await isolate(program, "k-1", credential("k-1"))).is_error
    assert not (await isolate(program, "k-1", credential("k-1", OLD, jti="another"))).is_error, "an answer told again"
    assert 1 == len([effect for effect in program.get("/effects")["effects"] if effect["key"] == "k-1"])


REFUSED = "the credential does not count: "
OTHER = "the credential is for another call: its "
WRONG: dict[str, tuple[Callable[[], str], str]] = {
    "none": (str, "isolate_host changes the world: it takes a credential for this call, and none came"),
    "no token": (lambda: "abc", f"{REFUSED}Not enough segments"),
    "a stranger's": (lambda: credential("k-2", STRANGER), f"{REFUSED}nobody whom the company trusts has signed it"),
    "run out": (lambda: credential("k-2", iat=1_700_000_000, exp=1_700_000_120), f"{REFUSED}Signature has expired"),
    "too long": (
        lambda: credential("k-2", exp=int(time.time()) + 9_000),
        f"{REFUSED}it is good for more than 600 seconds",
    ),
    "elsewhere": (lambda: credential("k-2", aud="bank"), f"{REFUSED}Audience doesn't match"),
    "issued by another": (lambda: credential("k-2", iss="me"), f"{REFUSED}Invalid issuer"),
    "a decision": (lambda: credential("k-2", typ="gonogo-decision+jwt"), f"{REFUSED}it is of another kind"),
    "for nobody": (lambda: credential("k-2", sub=None), f'{REFUSED}Token is missing the "sub" claim'),
    "another tool": (lambda: credential("k-2", tool="open_ticket"), f"{OTHER}tool differ"),
    "other arguments": (
        lambda: credential("k-2", arguments={**ARGUMENTS, "host": "dc-01"}),
        f"{OTHER}arguments differ",
    ),
    "another key": (lambda: credential("k-3"), f"{OTHER}key differ"),
    "spent": (lambda: credential("k-2", jti="jti-k-1"), "this credential was used already: each is good for one call"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_has_none_or_another_changes_nothing(program: Program, name: str) -> None:
    bearer, why = WRONG[name]  # Made now: it is good for two minutes.
    assert not (await isolate(program, "k-1", credential("k-1", jti=f"before {name}"))).is_error
    if name == "spent":
        await isolate(program, "k-1", credential("k-1"))

    assert why == reason(await isolate(program, "k-2", bearer()))
    assert [] == [effect for effect in program.get("/effects")["effects"] if effect["key"] == "k-2"]


async def test_reading_takes_none(program: Program) -> None:
    async with Client(streamable_http_client(program.url), mode="auto", cache=None) as client:
        assert not (await client.call_tool("host_status", {"host": "fin-ws-07"})).is_error


async def test_where_the_keys_cannot_be_read_nobody_changes_anything(program: Program, keys_file: Path) -> None:
    known = keys_file.read_text()
    for broken in ("services: [", "services: {executor: []}", ""):
        keys_file.write_text(broken)
        said = reason(await isolate(program, "k-9", credential("k-9")))
        assert "no credential can be checked now: the keys that sign them cannot be read" == said
    keys_file.write_text(known)

    assert not (await isolate(program, "k-9", credential("k-9"))).is_error
