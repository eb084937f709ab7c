"""Who may decide here: made, listed, refused."""

import stat

import pytest


@pytest.fixture
def own_home(tmp_path, monkeypatch, gonogo):
    monkeypatch.setenv("GONOGO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GONOGO_WORKSPACE", str(tmp_path))
    return tmp_path / "home"


async def test_a_person_gets_a_key_that_only_they_can_read(own_home, gonogo):
    told = await gonogo("people", "add", "ana", "--role", "lead", "--role", "dba")

    assert (0, True) == (told.code, "ana (lead, dba)" in told.out)
    assert 0o600 == stat.S_IMODE((own_home / "keys" / "ana.pem").stat().st_mode)
    (listed,) = (await gonogo("people", "list", "--json")).json
    assert ("ana", ["lead", "dba"], 1, True) == tuple(listed[n] for n in ("person", "roles", "keys", "can_sign_here"))


async def test_a_service_is_given_no_key_that_a_person_has(own_home, gonogo):
    await gonogo("people", "add", "ana", "--role", "lead")
    (own_home / "services").mkdir()
    (own_home / "services" / "executor.pem").write_bytes((own_home / "keys" / "ana.pem").read_bytes())
    (own_home / "services" / "executor.pem").chmod(0o600)

    told = await gonogo("keys", "make", "executor")

    assert (1, True) == (told.code, "the service executor and ana have the same key" in told.err)
    assert not (own_home / "services.yaml").exists()
    assert 0 == (await gonogo("keys", "make", "executor", "--replace")).code


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ana",), 2, "no role yet"),
        (("../ana", "--role", "lead"), 1, "no name for a person"),
        (("ana", "--role", "lead lead"), 1, "no name for a role"),
    ],
)
async def test_what_cannot_be_a_person_is_said(own_home, gonogo, arguments, code, said):
    told = await gonogo("people", "add", *arguments)

    assert (code, True) == (told.code, said in told.err), told.err


async def test_a_key_is_not_replaced_by_accident(own_home, gonogo):
    await gonogo("people", "add", "ana", "--role", "lead")

    assert 1 == (await gonogo("people", "add", "ana", "--role", "lead")).code
    assert 0 == (await gonogo("people", "add", "ana", "--replace")).code
