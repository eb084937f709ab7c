"""Secrets: found where they are named, shown to whom they are for, and nowhere in what comes back."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.actions import ActionExecutor
from activities.authority import Authority
from activities.mcp_tools import ToolFailed, ToolServers
from activities.people import Directory
from activities.strongbox import HIDDEN, NoSecret, Strongbox
from contracts.secret import reference, wrong
from contracts.workspace import Server
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import call, lineage
from tests.activities.service import Service, tools
from tests.activities.vault_server import VaultServer, vault_serving
from tests.policies import OPEN

VALUE = "canary-9f2c4471"


@pytest.fixture
async def vault() -> AsyncIterator[VaultServer]:
    async with vault_serving() as server:
        server.secrets["kv/teams/edr"] = {"token": VALUE}
        yield server


async def why_not(box: Strongbox, text: str) -> tuple[str, str]:
    with pytest.raises(NoSecret) as caught:
        await box.filled(text)
    assert VALUE not in str(caught.value)
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("secret://EDR_TOKEN", True),
        ("secret://env/EDR_TOKEN", True),
        ("secret://file/edr/token#field", True),
        ("secret://vault/kv/teams/edr#token", True),
        ("secret://", False),
        ("secret://aws/name", False),
        ("secret://file/../../etc/passwd", False),
        ("secret://file//etc/passwd", False),
        ("secret://NAME?x", False),
        ("plain", False),
    ],
)
def test_a_secret_has_one_form(text: str, known: bool) -> None:
    assert known == (reference(text) is not None)
    assert wrong(f"Bearer {text}") == (not known and text.startswith("secret://"))


async def test_secrets_come_from_the_environment_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "edr").write_text(json.dumps({"token": VALUE}))
    (tmp_path / "plain").write_text("line-of-text\n")
    box = Strongbox(
        {"EDR": "from-variable", "SHORT": "abc", "TWO": "line one\nline two", "GONOGO_SECRETS": str(tmp_path)}
    )

    assert "Bearer from-variable" == await box.filled("Bearer secret://EDR")
    assert f"{VALUE}, line-of-text" == await box.filled("secret://file/edr#token, secret://file/plain")
    cannot = "the secret secret://{} cannot be had: "
    assert ("refused", cannot.format("env/NONE") + "that variable is not set") == await why_not(box, "secret://NONE")
    assert ("refused", cannot.format("file/edr#other") + "it has no field 'other'") == await why_not(
        box, "secret://file/edr#other"
    )
    assert ("unavailable", cannot.format("file/none") + "No such file or directory") == await why_not(
        box, "secret://file/none"
    )
    for name in ("SHORT", "TWO"):
        code, said = await why_not(box, f"secret://{name}")
        assert ("refused", True) == (code, "is none: it takes 6 characters of one line" in said)


async def test_vault_is_entered_by_a_token(vault: VaultServer) -> None:
    box = Strongbox({"VAULT_ADDR": vault.url, "VAULT_TOKEN": "root-token"})
    name = "secret://vault/kv/teams/edr#token"

    assert VALUE == await box.filled(name)
    assert (["kv/teams/edr"], 0) == (vault.asked, vault.logins)
    code, said = await why_not(box, "secret://vault/kv/teams/none#token")
    assert ("refused", True) == (code, said.endswith("Vault has no such secret or field (status 404)"))
    vault.tokens.clear()
    assert ("refused", f"the secret {name} cannot be had: Vault does not allow it (status 403)") == await why_not(
        box, name
    )
    vault.sealed = True
    assert ("unavailable", f"the secret {name} cannot be had: Vault cannot say (status 503)") == await why_not(
        box, name
    )


async def test_vault_is_entered_as_a_role_and_entered_again_when_its_token_has_run_out(vault: VaultServer) -> None:
    role = {"VAULT_ROLE_ID": "executor", "VAULT_SECRET_ID": "approle-secret"}
    box, name = Strongbox({"VAULT_ADDR": vault.url, **role}), "secret://vault/kv/teams/edr#token"

    assert [VALUE, VALUE] == [await box.filled(name), await box.filled(name)]
    assert 1 == vault.logins, "a token is kept"
    vault.tokens = {"nobody's any more"}
    assert VALUE == await box.filled(name)
    assert 2 == vault.logins
    other = Strongbox({"VAULT_ADDR": vault.url, **role, "VAULT_SECRET_ID": "wrong"})
    assert "Vault does not let this role in (status 400)" in (await why_not(other, name))[1]
    assert "set VAULT_TOKEN, or VAULT_ROLE_ID" in (await why_not(Strongbox({"VAULT_ADDR": vault.url}), name))[1]
    assert "VAULT_ADDR does not say where Vault is" in (await why_not(Strongbox({}), name))[1]
    away = Strongbox({"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": "root-token"})
    assert ("unavailable", f"the secret {name} cannot be had: Vault does not answer: ConnectError") == await why_not(
        away, name
    )


async def test_what_was_used_is_taken_out_of_whatever_comes_back() -> None:
    box = Strongbox({"EDR": VALUE, "QUOTED": 'say "friend"'})
    await box.filled("secret://EDR secret://QUOTED")
    details: dict[str, Any] = {"why": [{"header": f"Bearer {VALUE}"}], "raw": '{"t": "say \\"friend\\""}'}
    given = ApplicationError(f"bad token {VALUE}", details, type="refused", non_retryable=True)
    error = box.cleaned_error(given)

    assert f"bad token {HIDDEN}" == error.message
    assert VALUE not in str(error.details)
    assert {"t": HIDDEN} == json.loads(error.details[0]["raw"])
    assert [{"header": f"Bearer {HIDDEN}"}] == error.details[0]["why"]
    assert ("refused", True, None) == (error.type, error.non_retryable, error.__cause__)


def executor(home: Path, servers: ToolServers) -> ActionExecutor:
    return ActionExecutor(tools(), servers, Authority(tools(), Directory(home / "people.yaml"), lineage, policy=OPEN))


async def test_a_server_gets_its_secret_and_whatever_it_says_of_it_is_hidden(
    home: Path, service: Service, servers: ToolServers
) -> None:
    """A tool that answers with what it was shown tells the history nothing."""
    headers = {"Authorization": "Bearer secret://EDR", "X-Team": "blue"}
    box = Strongbox({"EDR": VALUE})
    place = {"company": Server(url=service.url, headers=headers)}
    shown = ToolServers(place, {}, strongbox=box, outward=servers._outward)
    service.seen = lambda _: {"token": f"got {VALUE}", "list": [VALUE]}
    try:
        answer = await shown.call("look", tools()["look"], {"host": "web-01"})
        result = await stage().run(executor(home, shown).execute, call("file_ticket", arguments={}))
    finally:
        await shown.close()
        service.seen = lambda _: {"ok": True}

    assert {"token": f"got {HIDDEN}", "list": [HIDDEN]} == answer
    assert [(f"Bearer {VALUE}", "blue")] * 2 == [
        (one.headers["authorization"], one.headers["x-team"]) for one in service.calls
    ]
    assert VALUE not in result.model_dump_json()


async def test_a_secret_that_cannot_be_had_sends_nothing(home: Path, service: Service, servers: ToolServers) -> None:
    place = {"company": Server(url=service.url, headers={"X-Api-Key": "secret://NOWHERE"})}
    bare = ToolServers(place, {}, outward=servers._outward)
    error = await failing(stage().run(executor(home, bare).execute, call("file_ticket", arguments={})))
    await bare.close()

    assert "file_ticket: the secret secret://env/NOWHERE cannot be had: that variable is not set" == error.message
    assert ("refused", "no", False) == told(error)
    assert [] == service.calls


async def test_an_error_that_repeats_a_secret_is_told_without_it(servers: ToolServers) -> None:
    box = Strongbox({"EDR": VALUE})
    place = {"company": Server(url=f"http://127.0.0.1:1/{VALUE}", headers={"Authorization": "secret://EDR"})}
    away = ToolServers(place, {}, strongbox=box, outward=servers._outward)
    with pytest.raises(ToolFailed) as caught:
        await away.call("look", tools()["look"], {"host": "web-01"})
    await away.close()

    assert f"look cannot be reached at http://127.0.0.1:1/{HIDDEN}" in str(caught.value)
    assert VALUE not in str(caught.value)
