"""The executor's own check of actions that people approved together: each at its path, and nothing beside them."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.actions import ActionExecutor
from activities.authority import Authority
from activities.people import Directory
from activities.statement import Refusal
from contracts.base import digest
from contracts.call import Grant, ToolCall, idempotency_key
from contracts.decision import Action, Subject
from tests.activities import office
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import call, undo
from tests.activities.service import Service, tools
from tests.policies import OPEN

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
    "a compensation with other arguments": (
        lambda home: undo(
            path="remediate/first/undo",
            arguments={"host": "web-02"},
            grant=granted(home, actions=(FIRST.model_copy(update={"undo": {"host": "web-01"}}), SECOND)),
        ),
        "the compensation's arguments are not those that people approved",
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


PATHS = st.sampled_from(["remediate/first", "remediate/second", "remediate#2/first"])
HOSTS = st.sampled_from(["web-01", "web-02"])
LINES = st.builds(
    Action,
    step=PATHS,
    tool=st.sampled_from(["isolate_host", "release_host"]),
    arguments=st.fixed_dictionaries({"host": HOSTS}),
    compensation=st.sampled_from([None, "release_host"]),
)


@given(
    lines=st.lists(LINES, min_size=1, max_size=3).map(tuple),
    line=LINES,
    undoes=st.sampled_from(["", "", "isolate_host"]),
    suffix=st.sampled_from(["", "/undo"]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_sent_runs_only_if_the_signed_list_says_exactly_that_once(
    home: Path, lines: tuple[Action, ...], line: Action, undoes: str, suffix: str
) -> None:
    authority = Authority(tools(), Directory(home / "people.yaml"), office.lineage, policy=OPEN)
    sent = the(line, granted(home, actions=lines), path=f"{line.step}{suffix}", undoes=undoes)
    here = [one for one in lines if one.step == line.step]
    if undoes:
        good = suffix and line.tool == "release_host"
        fits = [(one.tool, one.compensation) == (undoes, line.tool) for one in here]
    else:
        good = not suffix
        fits = [(one.tool, one.arguments) == (line.tool, line.arguments) for one in here]

    async def let_pass() -> bool:
        try:
            await authority.check(sent)
        except Refusal:
            return False
        return True

    assert bool(good and fits == [True]) == await stage().run(let_pass)
