"""The executor's own check of actions that people approved together: each at its path, and nothing beside them."""

from pathlib import Path
from typing import Any

import pytest

from activities.actions import ActionExecutor
from contracts.base import digest
from contracts.call import Grant, ToolCall, idempotency_key
from contracts.decision import Action, Subject
from tests.activities import office
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import call, undo
from tests.activities.service import Service

FIRST = Action(step="remediate/first", tool="isolate_host", arguments={"host": "web-01"}, compensation="release_host")
SECOND = FIRST.model_copy(update={"step": "remediate/second", "arguments": {"host": "web-02"}})


def asked(**fields: Any) -> Subject:
    """What people are asked: to isolate two hosts, one after the other."""
    known = {"step": "remediate", "tool": None, "arguments": None, "compensation": None, "actions": (FIRST, SECOND)}
    return office.subject(**{**known, **fields})


def granted(home: Path, **fields: Any) -> Grant:
    return office.grant(home, asked(**fields), "anna")


def dressed(home: Path, *actions: Action, **fields: Any) -> Grant:
    """Anna's approval of both, under a list that she never saw."""
    return granted(home).model_copy(update={"subject": asked(actions=actions, **fields)})


def the(action: Action, grant: Grant, **fields: Any) -> ToolCall:
    known = {"path": action.step, "arguments": dict(action.arguments), "grant": grant}
    return call(fields.pop("tool", action.tool), **{**known, **fields})


NOT_LISTED = "{} is none of the actions that people approved together at 'remediate'"
UNSEEN = "what the decision was about has changed since; look at the gate again"


async def test_each_of_the_actions_runs_on_the_one_approval(
    home: Path, executor: ActionExecutor, service: Service
) -> None:
    grant = granted(home)

    for action in (FIRST, SECOND):
        await stage().run(executor.execute, the(action, grant))

    assert ["web-01", "web-02"] == [one.arguments["host"] for one in service.calls]


async def test_each_of_them_is_undone_on_it_too(home: Path, executor: ActionExecutor, service: Service) -> None:
    await stage().run(executor.execute, undo(path="remediate/second/undo", grant=granted(home)))

    assert ["release_host"] == service.tools_called()


ATTACKS = {
    "two entries in another order": (lambda home: the(FIRST, dressed(home, SECOND, FIRST)), UNSEEN),
    "one entry more": (
        lambda home: the(
            FIRST.model_copy(update={"step": "remediate/third"}),
            dressed(home, FIRST, SECOND, FIRST.model_copy(update={"step": "remediate/third"})),
        ),
        UNSEEN,
    ),
    "one entry less": (lambda home: the(FIRST, dressed(home, FIRST)), UNSEEN),
    "an entry's arguments changed": (
        lambda home: the(
            FIRST.model_copy(update={"arguments": {"host": "db-01"}}),
            dressed(home, FIRST.model_copy(update={"arguments": {"host": "db-01"}}), SECOND),
        ),
        UNSEEN,
    ),
    "an action that is not in the list": (
        lambda home: the(FIRST, granted(home), path="remediate/third"),
        NOT_LISTED.format("'remediate/third'"),
    ),
    "the group's own path": (
        lambda home: the(FIRST, granted(home), path="remediate"),
        NOT_LISTED.format("'remediate'"),
    ),
    "arguments of the other entry": (
        lambda home: the(FIRST, granted(home), arguments={"host": "web-02"}),
        "the arguments are not those that people approved",
    ),
    "changed arguments": (
        lambda home: the(FIRST, granted(home), arguments={"host": "web-03"}),
        "the arguments are not those that people approved",
    ),
    "another tool": (
        lambda home: the(FIRST, granted(home), tool="release_host"),
        "the approval is for tool 'isolate_host', not for 'release_host'",
    ),
    "another round of a loop": (
        lambda home: the(FIRST, granted(home), path="remediate[2]/first"),
        NOT_LISTED.format("'remediate[2]/first'"),
    ),
    "another attempt": (
        lambda home: the(FIRST, granted(home), path="remediate#2/first"),
        NOT_LISTED.format("'remediate#2/first'"),
    ),
    "the key of another entry": (
        lambda home: the(
            FIRST,
            granted(home),
            key=idempotency_key("default", "mission-1", "run-1", SECOND.step, digest(FIRST.arguments)),
        ),
        "the idempotency key is not the one of this step: an approval is good for one effect",
    ),
    "one path twice": (
        lambda home: the(FIRST, granted(home, actions=(FIRST, SECOND.model_copy(update={"step": FIRST.step})))),
        NOT_LISTED.format("'remediate/first'"),
    ),
    "a gate's question and no list": (
        lambda home: the(FIRST, granted(home, actions=())),
        "the approval is for tool None, not for 'isolate_host'",
    ),
    "an escalation with a list": (
        lambda home: the(FIRST, granted(home, kind="escalation")),
        "people decided on an escalation, not on an approval of this action",
    ),
    "fewer than the quorum": (lambda home: the(FIRST, granted(home, required=2)), "1 of 2 approvals are there"),
    "a compensation that is not the one shown": (
        lambda home: undo(
            path="remediate/first/undo",
            grant=granted(home, actions=(FIRST.model_copy(update={"compensation": None}), SECOND)),
        ),
        "the approval is for compensation None, not for 'release_host'",
    ),
    "a compensation of an action that is not in the list": (
        lambda home: undo(path="remediate/third/undo", grant=granted(home)),
        NOT_LISTED.format("'remediate/third'"),
    ),
    "a compensation at the action's own path": (
        lambda home: undo(path="remediate/first", grant=granted(home)),
        "the approval is for step 'remediate/first/undo', not for 'remediate/first'",
    ),
}


@pytest.mark.parametrize(("attack", "reason"), ATTACKS.values(), ids=ATTACKS)
async def test_what_people_did_not_approve_together_is_refused_and_never_sent(
    home: Path, executor: ActionExecutor, service: Service, attack: Any, reason: str
) -> None:
    sent = attack(home)

    error = await failing(stage().run(executor.execute, sent))

    assert f"{sent.tool} was refused: {reason}" == error.message
    assert ("refused", "no", False) == told(error)
    assert [] == service.calls
