"""Receipts: what an executor vouches for, and everything that is none."""

import base64
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.service import RPCError, RPCStatusCode

from activities import public_key, statement
from activities.actions import ActionExecutor
from activities.attempt import NOTHING_DONE
from activities.authority import Authority
from activities.chain import spelt
from activities.envelope import NotSigned, seal
from activities.mcp_tools import ToolServers
from activities.people import Directory
from activities.receipt import Receipts, Vouched, differences, digests, read, words
from activities.verify import Suspect
from contracts.audit import HEAD_TYPE
from contracts.call import ToolCall
from contracts.decision import TOKEN_TYPE
from contracts.receipt import PAYLOAD_TYPE, RECEIPT, Deed, Envelope
from tests.activities import office
from tests.activities.activity_stage import POLICY, failing, stage, told
from tests.activities.service import HERE, Service, tools
from tests.activities.service import servers as at
from tests.policies import OPEN

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KEYS = (public_key.spell(KEY.public_key()),)


def executing(home: Path, servers: ToolServers, lineage: Any = office.lineage) -> ActionExecutor:
    directory = Directory(home / "people.yaml")
    authority = Authority(tools(), directory, office.lineage, policy=OPEN)
    return ActionExecutor(tools(), servers, authority, receipts=Receipts(KEY, directory, lineage))


@pytest.fixture
async def given(home: Path, servers: ToolServers) -> tuple[Envelope, ToolCall, Any]:
    """The receipt of an isolation that anna approved, its call and its result."""
    asked = office.subject()
    call = office.call("isolate_host", arguments={"host": "web-01"}, grant=office.grant(home, asked, "anna"))
    result = await stage().run(executing(home, servers).execute, call)
    assert result.receipt is not None
    return result.receipt, call, result.output


def payload(envelope: Envelope) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return value


async def test_a_receipt_tells_what_was_done_on_whose_word(given: tuple[Envelope, ToolCall, Any], home: Path) -> None:
    envelope, call, output = given
    said = read(envelope, KEYS)
    deed = said.predicate

    assert [] == list(differences(said, call, output))
    assert ("mission-1/remediate/isolate", digests(output)) == (said.subject[0].name, said.subject[0].digest)
    assert ("isolate_host", "write", call.key, "run-1", "run-9") == (
        deed.tool, deed.effect, deed.key, deed.first_run_id, deed.run_id,
    )  # fmt: skip
    assert call.grant is not None
    token = call.grant.tokens[0]
    assert [("anna", "by-anna", digests(token.encode()))] == [(one.who, one.jti, one.token) for one in deed.approvals]
    assert (call.grant.subject.digest(), OPEN.version()) == (deed.approved, deed.policy.version)
    assert isinstance(deed.started_at, datetime)
    assert deed.started_at <= deed.ended_at
    # What was said and answered is not in it: only digests are.
    assert "web-01" not in base64.b64decode(envelope["payload"]).decode()


async def test_the_statement_is_what_in_toto_says(given: tuple[Envelope, ToolCall, Any]) -> None:
    envelope, _, _ = given
    said = payload(envelope)
    assert {"_type", "subject", "predicateType", "predicate"} == said.keys()
    assert "application/vnd.in-toto+json" == envelope["payloadType"]
    assert ("https://in-toto.io/Statement/v1", "urn:gonogo:action-receipt:v1") == (said["_type"], said["predicateType"])
    assert [{"name", "digest"}] == [one.keys() for one in said["subject"]]
    assert 64 == len(said["subject"][0]["digest"]["sha256"])


async def test_a_free_tool_gets_a_receipt_without_approvals(home: Path, servers: ToolServers) -> None:
    result = await stage().run(executing(home, servers).execute, office.call("file_ticket"))
    assert result.receipt is not None
    assert ((), "") == (read(result.receipt, KEYS).predicate.approvals, read(result.receipt, KEYS).predicate.approved)


async def test_an_approval_that_nobody_gave_is_not_vouched_for(home: Path, servers: ToolServers) -> None:
    """The ticket needs none, so what comes along is not checked for acting: only what verifies is named."""
    asked = office.subject(tool="file_ticket", step="ticket")
    honest = office.approve(home, "bert", asked)
    forged = statement.seal(OTHER, "nobody", office.claims(asked))
    elsewhere = office.approve(home, "anna", office.subject())
    no = office.approve(home, "carl", asked, verb="reject")
    grant = office.grant(home, asked).model_copy(update={"tokens": (forged, elsewhere, no, honest, "nonsense")})
    result = await stage().run(executing(home, servers).execute, office.call("file_ticket", grant=grant))
    assert result.receipt is not None
    assert ["bert"] == [one.who for one in read(result.receipt, KEYS).predicate.approvals]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("predicate", "tool"), "release_host"),
        (("predicate", "key"), "another"),
        (("predicate", "mission"), "mission-2"),
        (("predicate", "first_run_id"), "run-2"),
        (("predicate", "step"), "other"),
        (("predicate", "generation"), 1),
        (("predicate", "arguments", "sha256"), "0" * 64),
        (("predicate", "approvals"), []),
        (("predicate", "policy", "version"), "sha256:0"),
        (("predicate", "ended_at"), "2020-01-01T00:00:00Z"),
        (("subject", 0, "digest", "sha256"), "0" * 64),
        (("predicateType",), "urn:gonogo:action-receipt:v2"),
    ],
)
async def test_a_receipt_that_was_changed_is_none(
    given: tuple[Envelope, ToolCall, Any], place: tuple[Any, ...], value: Any
) -> None:
    envelope, _, _ = given
    said: Any = payload(envelope)
    inner = said
    for name in place[:-1]:
        inner = inner[name]
    assert inner[place[-1]] != value
    inner[place[-1]] = value
    changed = {**envelope, "payload": base64.b64encode(spelt(said)).decode()}
    with pytest.raises(NotSigned, match="the signature does not fit"):
        read(changed, KEYS)


async def test_who_else_signs_gives_no_receipt(given: tuple[Envelope, ToolCall, Any]) -> None:
    envelope, _, _ = given
    text = base64.b64decode(envelope["payload"])
    with pytest.raises(NotSigned, match="not among those which count"):
        read(seal(text, PAYLOAD_TYPE, OTHER), KEYS)
    claimed = seal(text, PAYLOAD_TYPE, OTHER)
    claimed["signatures"][0]["keyid"] = envelope["signatures"][0]["keyid"]
    with pytest.raises(NotSigned, match="does not fit"):
        read(claimed, KEYS)
    with pytest.raises(NotSigned, match="not one signature"):
        read({**envelope, "signatures": []}, KEYS)
    with pytest.raises(NotSigned, match="not among those which count"):
        read(envelope, ())


@pytest.mark.parametrize("kind", [HEAD_TYPE, "application/json", TOKEN_TYPE, ""])
async def test_what_was_signed_as_something_else_is_no_receipt(
    given: tuple[Envelope, ToolCall, Any], kind: str
) -> None:
    envelope, _, _ = given
    text = base64.b64decode(envelope["payload"])
    for other in (seal(text, kind, KEY), {**envelope, "payloadType": kind}):
        with pytest.raises(NotSigned, match="another kind"):
            read(other, KEYS)
    with pytest.raises(NotSigned, match="does not fit"):
        read({**seal(text, kind, KEY), "payloadType": PAYLOAD_TYPE}, KEYS)


async def test_what_is_spelt_otherwise_or_says_more_is_no_receipt(given: tuple[Envelope, ToolCall, Any]) -> None:
    """Even under the right key: whoever reads it must not read something else than who checks it."""
    envelope, _, _ = given
    said = payload(envelope)
    for text in (
        json.dumps(said).encode(),
        spelt({**said, "more": 1}),
        spelt({**said, "subject": said["subject"] * 2}),
        spelt({**said, "_type": "https://in-toto.io/Statement/v0.1"}),
        spelt([said]),
        b"\xff",
        b"[" * 100_000,
    ):
        with pytest.raises(NotSigned, match="what was signed"):
            read(seal(text, PAYLOAD_TYPE, KEY), KEYS)


async def test_a_receipt_of_another_call_is_told_from_this_ones(given: tuple[Envelope, ToolCall, Any]) -> None:
    envelope, call, output = given
    other = call.model_copy(update={"arguments": {"host": "web-02"}, "path": "elsewhere", "key": "k"})
    assert ["step", "key", "arguments", "result"] == list(differences(read(envelope, KEYS), other, {"no": 1}))
    assert [] == list(differences(read(envelope, KEYS), call, output))


async def test_nothing_is_done_where_no_receipt_could_be_given(
    home: Path, servers: ToolServers, service: Service
) -> None:
    async def unknown(mission: str, run: str) -> str:
        raise RPCError(f"{mission} {run}", RPCStatusCode.UNAVAILABLE, b"")

    error = await failing(stage().run(executing(home, servers, unknown).execute, office.call("file_ticket")))
    assert ("unavailable", "no", True) == told(error)
    assert [] == service.calls


@pytest.mark.parametrize(
    ("tool", "attempt", "code", "applied"),
    [("reject", 1, "bad_input", "no"), ("fail", 3, "tool_failed", "unknown"), ("misreport", 1, "tool_failed", "yes")],
)
async def test_what_was_tried_and_failed_is_signed_for_as_well(
    home: Path, servers: ToolServers, service: Service, tool: str, attempt: int, code: str, applied: str
) -> None:
    call = office.call(tool)
    error = await failing(stage(attempt=attempt).run(executing(home, servers).execute, call))
    said = read(error.details[0][RECEIPT], KEYS)
    deed, cause = said.predicate, words(error.type, error.message)

    assert ("failed", code, applied) == (deed.outcome, deed.code, deed.applied)
    assert (code, applied) == told(error)[:2]
    assert (tool, call.key, attempt, [tool]) == (deed.tool, deed.key, deed.attempt, service.tools_called())
    assert [] == list(differences(said, call, cause, applied))
    assert ["outcome"] == list(differences(said, call, cause, "yes" if applied == "no" else "no"))
    assert ["outcome", "result"] == list(differences(said, call, {"ok": True}))


async def test_a_failure_that_is_tried_again_has_no_receipt_yet(home: Path, servers: ToolServers) -> None:
    """Between two attempts the server keeps little of a failure, and its words are needed more."""
    error = await failing(stage(attempt=2).run(executing(home, servers).execute, office.call("fail")))

    assert ("tool_failed", "unknown", True, False) == (*told(error), RECEIPT in error.details[0])


async def test_what_was_never_tried_is_not_signed_for(home: Path, servers: ToolServers, service: Service) -> None:
    error = await failing(stage(attempt=3).run(executing(home, servers).execute, office.call("isolate_host")))

    assert ("refused", False, []) == (error.type, RECEIPT in error.details[0], service.calls)


async def test_a_receipt_of_before_outcomes_were_told_still_counts(given: tuple[Envelope, ToolCall, Any]) -> None:
    envelope, call, output = given
    said = payload(envelope)
    assert "executed" == said["predicate"].pop("outcome")
    old = read(seal(spelt(said), PAYLOAD_TYPE, KEY), KEYS)

    assert [] == list(differences(old, call, output))


async def test_a_record_is_checked_for_the_receipts_in_it(given: tuple[Envelope, ToolCall, Any]) -> None:
    envelope, call, _ = given
    known = {"tool": call.tool, "key": call.key, "receipt": envelope}
    entry = {"who": "executor", "step": call.path, "detail": known}
    check = Vouched(KEYS)
    check(entry)
    check({"what": "something else"})
    assert 1 == check.count
    for wrong in ({"detail": {**known, "tool": "other"}}, {"step": "other"}, {"detail": {**known, "key": "other"}}):
        with pytest.raises(Suspect, match="the receipt is of another"):
            check({**entry, **wrong})
    for wrong in ({}, {**envelope, "signatures": []}):
        with pytest.raises(Suspect, match="does not count"):
            check({**entry, "detail": {**known, "receipt": wrong}})


async def test_without_a_key_there_is_none(executor: ActionExecutor) -> None:
    assert (await stage().run(executor.execute, office.call("file_ticket"))).receipt is None


async def tried(home: Path, servers: ToolServers, attempt: int, left: list[Any], **fields: Any) -> list[Any]:
    """Run an attempt that fails, and return what it leaves to the next one."""
    said: list[list[Any]] = [left]
    environment = stage(attempt=attempt, heartbeat_details=left)
    environment.on_heartbeat = lambda *details: said.append(list(details))
    await failing(environment.run(executing(home, servers).execute, office.call("fail", **fields)))
    return said[-1]


async def last(home: Path, servers: ToolServers, left: list[Any]) -> Deed:
    """Return what the last attempt signs."""
    error = await failing(
        stage(attempt=3, heartbeat_details=left).run(executing(home, servers).execute, office.call("fail"))
    )
    return read(error.details[0][RECEIPT], KEYS).predicate


async def test_the_last_receipt_names_what_was_tried_before(home: Path, servers: ToolServers) -> None:
    left = await tried(home, servers, 2, await tried(home, servers, 1, []))
    deed = await last(home, servers, left)

    assert [(1, "tool_failed", "unknown"), (2, "tool_failed", "unknown")] == [
        (one.attempt, one.code, one.applied) for one in deed.before
    ]
    assert deed.before[0].ended_at <= deed.before[1].started_at <= deed.before[1].ended_at <= deed.started_at


async def test_an_attempt_that_left_no_word_is_not_named(home: Path, servers: ToolServers) -> None:
    """It was killed, and its heartbeats told what the one before it had left."""
    deed = await last(home, servers, await tried(home, servers, 1, []))

    assert (3, [1]) == (deed.attempt, [one.attempt for one in deed.before])
    assert () == (await last(home, servers, [])).before


async def test_what_was_left_by_nobody_who_signs_or_of_something_else_is_not_named(
    home: Path, servers: ToolServers
) -> None:
    """The server hands it on: who holds it can drop what was left, and cannot make it up."""
    [left] = await tried(home, servers, 1, [])
    forged = seal(base64.b64decode(left[RECEIPT]["payload"]), PAYLOAD_TYPE, OTHER)
    [of_another] = await tried(home, servers, 1, [], path="elsewhere")
    [late] = await tried(home, servers, 2, [])

    for wrong in ({RECEIPT: forged}, of_another, {RECEIPT: "nonsense"}, {RECEIPT: {}}, "nonsense"):
        assert () == (await last(home, servers, [wrong])).before
    twice = replace(POLICY, maximum_attempts=2)
    again = stage(attempt=2, retry_policy=twice, heartbeat_details=[late])
    error = await failing(again.run(executing(home, servers).execute, office.call("fail")))
    assert () == read(error.details[0][RECEIPT], KEYS).predicate.before


async def test_an_attempt_that_surely_did_nothing_says_so_beside_its_receipt(home: Path) -> None:
    nobody = ToolServers(at("http://127.0.0.1:9/mcp"), outward=HERE)
    [left] = await tried(home, nobody, 1, [])
    await nobody.close()

    assert {NOTHING_DONE, RECEIPT} == left.keys()


async def test_an_attempt_that_is_killed_hands_on_what_was_left(home: Path, servers: ToolServers) -> None:
    left, said = await tried(home, servers, 1, []), []
    environment = stage(attempt=2, heartbeat_details=left)
    environment.on_heartbeat = lambda *details: said.append(list(details))
    await failing(environment.run(executing(home, servers).execute, office.call("fail")))

    assert left == said[0]


async def test_an_attempt_that_does_not_begin_hands_on_what_was_left(home: Path, servers: ToolServers) -> None:
    async def unknown(mission: str, run: str) -> str:
        raise RPCError(f"{mission} {run}", RPCStatusCode.UNAVAILABLE, b"")

    [left] = await tried(home, servers, 1, [])
    said: list[Any] = []
    environment = stage(attempt=2, heartbeat_details=[{**left, NOTHING_DONE: 1}])
    environment.on_heartbeat = said.append
    await failing(environment.run(executing(home, servers, unknown).execute, office.call("fail")))

    assert [{**left, NOTHING_DONE: 2}] == said
    assert [1] == [one.attempt for one in (await last(home, servers, said)).before]


async def test_a_first_attempt_s_receipt_is_spelt_as_before(given: tuple[Envelope, ToolCall, Any]) -> None:
    assert "before" not in payload(given[0])["predicate"]
