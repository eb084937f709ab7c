"""`gonogo receipt`: what executors vouch for, at the command line; `tests/activities/test_receipt.py` has the rest."""

import base64
import json
from datetime import UTC, datetime

import pytest

from activities import service_keys
from activities.chain import spelt
from activities.envelope import seal
from activities.receipt import digests, text
from contracts.receipt import PAYLOAD_TYPE, Approval, Attempt, Deed, Named, Permission, Statement

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DEED = Deed(
    tool="release_host", effect="write", undoes="isolate_host", namespace="default", mission="first", name="triage",
    first_run_id="run-1", run_id="run-2", step="isolate/undo", key="sha256:k", arguments=digests({}), started_at=AT,
    ended_at=AT, executor="gonogo-tools", approved="sha256:s", policy=Permission(version="sha256:p", outcome="allow"),
    approvals=(Approval(who="lea", jti="j-1", token=digests(b"t")),),
)  # fmt: skip


@pytest.fixture
def signed(tmp_path):
    service_keys.make(tmp_path, "executor")
    statement = Statement(subject=(Named(name="first/isolate/undo", digest=digests(1)),), predicate=DEED)
    return seal(text(statement), PAYLOAD_TYPE, service_keys.private(tmp_path, "executor"))


async def test_a_receipt_on_file_is_checked_without_a_server(gonogo, tmp_path, signed, monkeypatch):
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    (tmp_path / "r.json").write_text(json.dumps([signed]))
    arguments = ("receipt", "--file", str(tmp_path / "r.json"), "--services", str(tmp_path / "services.yaml"))

    told = await gonogo(*arguments)

    assert (0, "") == (told.code, told.err)
    for line in (
        "       did  release_host (write), to undo isolate_host",
        "        at  isolate/undo of first, first run run-1",
        "  approved  by lea (j-1), as sha256:s",
        "    policy  allow, sha256:p",
        " signature  verified: signed by an executor",
    ):
        assert line in told.out.splitlines()
    assert "lea" == (await gonogo(*arguments, "--json")).json[0]["predicate"]["approvals"][0]["who"]


async def test_a_receipt_that_was_changed_is_refused(gonogo, tmp_path, signed):
    changed = spelt({**json.loads(base64.b64decode(signed["payload"])), "subject": []})
    (tmp_path / "r.json").write_text(json.dumps({**signed, "payload": base64.b64encode(changed).decode()}))
    services = ("--services", str(tmp_path / "services.yaml"))

    told = await gonogo("receipt", "--file", str(tmp_path / "r.json"), *services)

    assert 1 == told.code
    assert "the receipt does not count: the signature does not fit" in told.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a mission and a step, or a receipt with --file"),
        (("first",), "name a mission and a step, or a receipt with --file"),
        (("--file", "nowhere.json"), "nowhere.json cannot be read as a receipt"),
    ],
)
async def test_what_cannot_be_meant_is_said_so(gonogo, arguments, said):
    told = await gonogo("receipt", *arguments)
    assert (2, f"gonogo: {said}\n") == (told.code, told.err)


async def test_without_public_keys_nothing_is_believed(gonogo, tmp_path, signed):
    (tmp_path / "r.json").write_text(json.dumps(signed))
    told = await gonogo("receipt", "--file", str(tmp_path / "r.json"), "--services", str(tmp_path / "none.yaml"))
    assert 2 == told.code
    assert "has no public key of the executor: name its file with --services" in told.err


async def test_a_step_without_a_receipt_is_told(gonogo, waiting):
    told = await gonogo("receipt", waiting, "elsewhere")
    assert 1 == told.code
    assert f"no executor has signed a receipt for elsewhere of {waiting}" in told.err


async def test_an_attempt_that_left_no_word_is_told_as_one_that_may_have_acted(gonogo, tmp_path, signed):
    tried = Attempt(attempt=1, started_at=AT, ended_at=AT, code="tool_failed", applied="unknown")
    deed = DEED.model_copy(update={"attempt": 3, "before": (tried,)})
    statement = Statement(subject=(Named(name="first/isolate/undo", digest=digests(1)),), predicate=deed)
    envelope = seal(text(statement), PAYLOAD_TYPE, service_keys.private(tmp_path, "executor"))
    (tmp_path / "r.json").write_text(json.dumps(envelope))
    arguments = ("receipt", "--file", str(tmp_path / "r.json"), "--services", str(tmp_path / "services.yaml"))

    told = await gonogo(*arguments)

    said = "attempt 1 failed at 2026-03-01T12:00:00.000+00:00, tool_failed; it may have been done"
    assert f"    before  {said}; attempt 2 left no word; it may have been done" in told.out.splitlines(), told.err
