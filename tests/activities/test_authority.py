"""The executor's own check: only what people approved is sent, whatever a mission says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.service import RPCError, RPCStatusCode

from activities import keys
from activities.actions import ActionExecutor
from activities.authority import Authority
from activities.mcp_tools import KEY, ToolServers
from activities.people import Directory
from contracts.call import Grant
from tests.activities import office
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import call, lineage, undo
from tests.activities.service import Service, tools
from tests.policies import OPEN

SUBJECT = office.subject()


def by(*names: str, **fields: Any) -> Callable[[Path], Grant]:
    return lambda home: office.grant(home, office.subject(**fields), *names)


def tokens(**fields: Any) -> Callable[[Path], Grant]:
    """Grant the plain subject with anna's token over changed claims."""
    return lambda home: Grant(
        subject=SUBJECT, nonce="nonce-1", tokens=(office.approve(home, "anna", SUBJECT, **fields),)
    )


UNAPPROVED: list[tuple[str, Callable[[Path], Grant | None], dict[str, Any], str]] = [
    ("no grant", lambda _: None, {}, "isolate_host needs an approval, and none came with the call"),
    ("nobody's token", by(), {}, "0 of 1 approvals are there"),
    ("fewer than the quorum", by("anna", required=2), {}, "1 of 2 approvals are there"),
    ("a quorum of none", by(required=0), {}, "0 of 1 approvals are there"),
    (
        "one person twice",
        by("anna", "anna", required=2),
        {},
        "anna has already decided in this opening of the gate",
    ),
    ("nobody of the approvers", by("carl"), {}, "carl is none of the approvers: secops"),
    ("the requester", by("rita"), {}, "rita requested this mission and may not decide in it"),
    ("another tool", by("anna", tool="wipe_host"), {}, "the approval is for tool 'wipe_host', not for 'isolate_host'"),
    (
        "another step",
        by("anna"),
        {"path": "remediate[2]/isolate"},
        "the approval is for step 'remediate/isolate', not for 'remediate[2]/isolate'",
    ),
    (
        "other arguments",
        by("anna"),
        {"arguments": {"host": "db-01"}},
        "the arguments are not those that people approved",
    ),
    (
        "another mission",
        by("anna", mission="mission-2"),
        {},
        "the approval is for mission 'mission-2', not for 'mission-1'",
    ),
    (
        "another chain of runs",
        by("anna", first_run_id="run-0"),
        {},
        "the approval was given to another mission that had the same id before",
    ),
    (
        "a facilitation",
        by("anna", kind="facilitation"),
        {},
        "people decided on a facilitation, not on an approval of this action",
    ),
    (
        "a word in a party",
        tokens(verb="call_vote"),
        {},
        "the decision of anna is to call_vote, not to approve",
    ),
    (
        "an escalation",
        by("anna", kind="escalation"),
        {},
        "people decided on an escalation, not on an approval of this action",
    ),
    (
        "another key",
        by("anna"),
        {"key": "sha256:1"},
        "the idempotency key is not the one of this step: an approval is good for one effect",
    ),
    ("a rejection", tokens(verb="reject"), {}, "the decision of anna is to reject, not to approve"),
    (
        "a modification",
        tokens(verb="modify", changes={"host": "web-01"}),
        {},
        "the decision of anna is to modify, not to approve",
    ),
    (
        "another opening",
        tokens(nonce="nonce-0"),
        {},
        "the decision is for another opening of this gate; look at the gate again",
    ),
    (
        "a subject that nobody saw",
        tokens(digest=office.subject(message="harmless").digest()),
        {},
        "what the decision was about has changed since; look at the gate again",
    ),
    (
        "a forged token",
        lambda home: Grant(
            subject=SUBJECT, nonce="nonce-1", tokens=(office.approve(home, "anna", SUBJECT)[:-8] + "AAAAAAAA",)
        ),
        {},
        "the signature does not fit: the token was forged, changed or cut short",
    ),
]


@pytest.mark.parametrize(
    ("granted", "fields", "reason"), [case[1:] for case in UNAPPROVED], ids=[case[0] for case in UNAPPROVED]
)
async def test_what_people_did_not_approve_is_refused_and_never_sent(
    home: Path,
    executor: ActionExecutor,
    service: Service,
    granted: Callable[[Path], Grant | None],
    fields: dict[str, Any],
    reason: str,
) -> None:
    error = await failing(stage().run(executor.execute, call(grant=granted(home), **fields)))

    assert f"isolate_host was refused: {reason}" == error.message
    assert ("refused", "no", False) == told(error)
    assert [] == service.calls


async def test_an_approval_from_the_future_is_refused(home: Path, executor: ActionExecutor) -> None:
    token = office.approve(home, "anna", SUBJECT, iat=9_999_999_999)
    grant = Grant(subject=SUBJECT, nonce="nonce-1", tokens=(token,))

    error = await failing(stage().run(executor.execute, call(grant=grant)))

    assert (
        "isolate_host was refused: the decision of anna is not yet valid: it was issued at 2286-11-20T17:46:39+00:00"
        == (error.message)
    )


async def test_two_people_make_a_quorum_of_two(home: Path, executor: ActionExecutor) -> None:
    asked = office.subject(required=2)

    result = await stage().run(executor.execute, call(grant=office.grant(home, asked, "anna", "bert")))

    assert {"isolated": "web-01"} == result.output


async def test_a_key_revoked_after_the_approval_counts_no_more(tmp_path: Path, servers: ToolServers) -> None:
    keys.create(tmp_path, "anna", ("secops",))
    executor = ActionExecutor(
        tools(), servers, Authority(tools(), Directory(tmp_path / "people.yaml"), lineage, policy=OPEN)
    )
    approved = call(grant=office.grant(tmp_path, SUBJECT, "anna"))
    keys.remove(tmp_path, "anna")

    error = await failing(stage().run(executor.execute, approved))

    assert "isolate_host was refused: the token's key is registered to nobody: it is unknown or was revoked" == (
        error.message
    )


async def test_an_approval_lent_to_another_run_is_refused_by_the_server_s_word(
    home: Path, executor: ActionExecutor
) -> None:
    approved = call(grant=office.grant(home, SUBJECT, "anna"))

    error = await failing(stage(workflow_run_id="run-of-another-chain").run(executor.execute, approved))

    assert "another mission that had the same id before" in error.message


async def test_a_call_in_another_mission_s_name_is_refused(home: Path, executor: ActionExecutor) -> None:
    error = await failing(stage(workflow_id="mission-2").run(executor.execute, call("file_ticket")))

    assert (
        "file_ticket was refused: the call says it is of mission 'mission-1', but another one sends it" == error.message
    )


async def test_a_server_that_cannot_be_asked_for_the_lineage_is_worth_another_try(
    home: Path, servers: ToolServers
) -> None:
    async def down(workflow_id: str, run_id: str) -> str:
        raise RPCError("connection lost", RPCStatusCode.UNAVAILABLE, b"")

    executor = ActionExecutor(tools(), servers, Authority(tools(), Directory(home / "people.yaml"), down, policy=OPEN))

    error = await failing(stage().run(executor.execute, call(grant=office.grant(home, SUBJECT, "anna"))))

    assert ("unavailable", "no", True) == told(error)


async def test_people_files_that_cannot_be_read_let_nothing_through(tmp_path: Path, home: Path, servers: Any) -> None:
    (tmp_path / "people.yaml").write_text("people: [")
    executor = ActionExecutor(
        tools(), servers, Authority(tools(), Directory(tmp_path / "people.yaml"), lineage, policy=OPEN)
    )

    error = await failing(stage().run(executor.execute, call(grant=office.grant(home, SUBJECT, "anna"))))

    assert error.message.startswith("isolate_host was refused: nobody's approval can be checked now: ")


async def test_a_compensation_runs_on_the_approval_of_what_it_undoes(
    home: Path, executor: ActionExecutor, service: Service
) -> None:
    result = await stage().run(executor.execute, undo(grant=office.grant(home, SUBJECT, "anna")))

    assert {"ok": True} == result.output
    assert ["release_host"] == service.tools_called()


@pytest.mark.parametrize("known", [None, {}, {"host": "web-01"}])
async def test_a_compensation_runs_with_what_was_signed_of_it(
    home: Path, executor: ActionExecutor, service: Service, known: Any
) -> None:
    await stage().run(executor.execute, undo(grant=office.grant(home, office.subject(undo=known), "anna")))

    assert [{"host": "web-01"}] == [one.arguments for one in service.calls]


async def test_a_free_compensation_needs_no_approval(home: Path, servers: ToolServers) -> None:
    contracts = tools()
    contracts["file_ticket"] = contracts["file_ticket"].model_copy(update={"compensated_by": ("close_ticket",)})
    executor = ActionExecutor(contracts, servers, Authority(contracts, Directory(), lineage, policy=OPEN))

    result = await stage().run(executor.execute, undo("close_ticket", undoes="file_ticket"))

    assert {"ok": True} == result.output


@pytest.mark.parametrize(
    ("tool", "fields", "granted", "reason"),
    [
        ("release_host", {}, None, "isolate_host needs an approval, and none came with the call"),
        (
            "close_ticket",
            {},
            by("anna"),
            "close_ticket is not among the tools that may undo 'isolate_host'",
        ),
        (
            "release_host",
            {"undoes": "wipe_host"},
            by("anna"),
            "release_host is not among the tools that may undo 'wipe_host'",
        ),
        (
            "release_host",
            {},
            by("anna", compensation=None),
            "the approval is for compensation None, not for 'release_host'",
        ),
        (
            "release_host",
            {"path": "other/undo"},
            by("anna"),
            "the approval is for step 'remediate/isolate/undo', not for 'other/undo'",
        ),
        (
            "release_host",
            {},
            by("anna", tool="wipe_host"),
            "the approval is for tool 'wipe_host', not for 'isolate_host'",
        ),
        ("release_host", {}, by("carl"), "carl is none of the approvers: secops"),
        (
            "release_host",
            {"arguments": {"host": "db-01"}},
            by("anna", undo={"host": "web-01"}),
            "the compensation's arguments are not those that people approved",
        ),
        (
            "release_host",
            {},
            by("anna", undo={"host": "web-01", "case": "c"}),
            "the compensation's arguments are not those that people approved",
        ),
    ],
)
async def test_a_compensation_that_people_did_not_foresee_is_refused(
    home: Path, executor: ActionExecutor, service: Service, tool: str, fields: Any, granted: Any, reason: str
) -> None:
    error = await failing(stage().run(executor.execute, undo(tool, grant=granted and granted(home), **fields)))

    assert f"{tool} was refused: {reason}" == error.message
    assert [] == service.calls


async def test_an_approved_action_runs_and_its_key_and_arguments_reach_the_tool(
    home: Path, executor: ActionExecutor, service: Service
) -> None:
    approved = call(grant=office.grant(home, office.subject(), "anna"))

    result = await stage().run(executor.execute, approved)

    assert {"isolated": "web-01"} == result.output
    assert 1 == result.usage.tool_calls
    assert [("isolate_host", {"host": "web-01"}, approved.key)] == [
        (one.tool, one.arguments, one.meta[KEY]) for one in service.calls
    ]
