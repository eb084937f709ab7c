"""An approval of several actions as people see it: all of them, numbered, wherever a gate is told of."""

from datetime import UTC, datetime

import pytest
from stage import plan

from contracts.decision import Action, Opening, Subject
from contracts.definition import Definition
from contracts.record import Approved, Record
from contracts.view import GatesQuery, MissionState, MissionView
from starter import shown
from starter.problem import Refused
from starter.sign import Wish, prepare
from starter.timeline import Timeline
from starter.waiting import _what
from tests.starter.test_shown import on_screen
from workflows.interpreter.journal import Journal
from workflows.view import details, page_of_gates, waiting

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACTIONS = (
    Action(
        step="both/drain",
        tool="drain_host",
        arguments={"host": "web-01"},
        compensation="fill_host",
        undo={"host": "web-09"},
    ),
    Action(step="both/inner/patch", tool="patch_host", arguments={"host": "web-01", "version": "2"}),
)
HOST = {"type": "object", "properties": {"host": {"type": "string"}}, "required": ["host"]}


def gate(actions=ACTIONS) -> Opening:
    subject = Subject(
        mission="m", first_run_id="r", name="n", step="both", message="Both?", approvers=("ops",), actions=actions,
        context_digest="sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    )  # fmt: skip
    contracts = {"type": "object", "properties": {action.step: HOST for action in actions}}
    return Opening(subject=subject, digest=subject.digest(), nonce="x", opened_at=NOW, input_schema=contracts)


def test_all_actions_are_shown_in_order_with_their_arguments_and_what_undoes_them():
    lines = [line.strip("│ ") for line in on_screen(shown.opening(gate(), NOW)).splitlines()]
    first = next(number for number, line in enumerate(lines) if line.startswith("action 1"))

    assert [
        "action 1      drain_host  at both/drain",
        'host: "web-01"',
        "undone by",
        "fill_host",
        'host: "web-09"',
        "action 2      patch_host  at both/inner/patch",
        'host: "web-01"',
        'version: "2"',
    ] == lines[first : first + 8]


def test_what_is_cut_of_any_action_is_counted():
    long = Action(step="both/long", tool="t", arguments={"text": "x" * 1000})

    assert 0 == shown.cut(gate())
    assert shown.cut(gate((*ACTIONS, long)), room=900) > 700


def test_the_queue_and_the_web_ui_name_every_action():
    page = details(
        Definition.model_validate(
            {"mission": "n", "version": "1", "team": "t", "verdict": {"one_of": ["x"], "value": "'x'"}, "steps": []}
        ),
        MissionState.WAITING,
        Journal(),
        (gate(),),
    )

    assert "drain_host(host='web-01'); patch_host(host='web-01', version='2')" == _what(gate())
    assert "1. `drain_host` host: `web-01`\n2. `patch_host` host: `web-01`, version: `2`" in page


def test_the_timeline_says_what_is_waited_for_and_on_whose_word_an_action_runs():
    [open_] = waiting((gate(),))
    record = Record(
        path="both/drain",
        kind="action",
        status="running",
        actor="drain_host",
        started_at=NOW,
        approved=Approved(at="both", by=("lea", "lou")),
    )
    view = MissionView(
        id="m", name="n", version="1", state=MissionState.WAITING, records=(record,), waiting=(open_,), started_at=NOW
    )

    assert [("drain_host", "approved by lea, lou at both"), ("waits for ops", "to allow drain_host, patch_host")] == [
        (line.text, line.note) for line in Timeline().news(view)
    ]


def test_a_list_too_large_for_a_page_cannot_be_signed_by_its_shortened_form():
    huge = gate((Action(step="both/a", tool="t", arguments={"text": "x" * 300_000}),))
    [page] = page_of_gates((huge,), GatesQuery(), plan()).gates

    assert () == page.subject.actions
    assert huge.digest != page.subject.digest()


@pytest.mark.parametrize("name", ["drain", "both/drain"])
def test_changes_name_an_action_by_its_path_or_the_end_of_it(name):
    claims = prepare(gate(), Wish("modify", "", {name: {"host": "web-02"}}), "ann")

    assert {"both/drain": {"host": "web-02"}} == claims.changes


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rain": {"host": "x"}}, "'rain' and its value change no action here: write"),
        ({"drain": "x"}, "'drain' and its value change no action here: write"),
        ({"drain": {"host": "web-01"}}, "the changes change nothing: approve it instead"),
        ({"drain": {"host": 7}}, "the changed arguments do not fit the tools: both/drain: host: 7 is not of type"),
    ],
)
def test_changes_that_change_nothing_or_do_not_fit_are_not_signed(changes, reason):
    with pytest.raises(Refused) as refused:
        prepare(gate(), Wish("modify", "", changes), "ann")

    assert str(refused.value).startswith(reason)
