"""What the checker reads of histories: what a reset copied or dropped counts once, a group is approved as a list."""

from dataclasses import replace

import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from contracts.call import Grant, ToolCall
from contracts.decision import Action, Subject
from proof.approved import covers
from proof.ledgers import RESET, read, standing
from tests.workflows.record_histories import FOLDER


def run(name: str, *resets: tuple[int, str], events: int = 12) -> WorkflowHistory:
    """A run of so many events, copied from others up to some of them."""
    made = [HistoryEvent(event_id=number) for number in range(1, events + 1)]
    made[0].workflow_execution_started_event_attributes.original_execution_run_id = "first"
    for at, base in resets:
        facts = made[at - 1].workflow_task_failed_event_attributes
        facts.cause, facts.base_run_id, facts.new_run_id = RESET, base, name
    return WorkflowHistory("m", made)


def left(*runs: WorkflowHistory) -> list[list[int]]:
    stands = standing(runs)
    return [[e.event_id for e in one.events if stands((n, e.event_id))] for n, one in enumerate(runs)]


def test_what_a_reset_copies_and_drops_counts_once():
    first, second = run("first"), run("second", (5, "first"))
    assert [[1, 2, 3, 4], [*range(5, 13)]] == left(first, second)

    further_back = run("third", (3, "second"))
    assert [[1, 2], [], [*range(3, 13)]] == left(first, second, further_back)
    later = run("third", (5, "first"), (8, "second"))
    assert [[1, 2, 3, 4], [5, 6, 7], [*range(8, 13)]] == left(first, second, later)


def test_a_run_whose_base_is_kept_no_longer_is_read_whole():
    [path] = FOLDER.glob("reset.1.json")
    told = read([WorkflowHistory.from_json("m", path.read_text())])

    assert [*range(1, 13)] == left(run("second", (5, "first")))[0]
    assert {"approve", "resume"} <= {ruling.verb for _, ruling in told.rulings}


LISTED = (Action(step="all/a", tool="isolate", arguments={"host": "a"}, compensation="release"),)
SUBJECT = Subject(mission="m", first_run_id="r", name="m", step="all", approvers=("lead",), actions=LISTED)
CALL = ToolCall(
    mission="m", path="all/a", tool="isolate", arguments={"host": "a"}, key="k", grant=Grant(subject=SUBJECT, nonce="n")
)
UNDO = CALL.model_copy(update={"path": "all/a/undo", "tool": "release", "undoes": "isolate"})


@pytest.mark.parametrize(
    ("call", "approved"),
    [
        (CALL, True),
        (UNDO, True),
        (CALL.model_copy(update={"path": "all/b"}), False),
        (CALL.model_copy(update={"tool": "release"}), False),
        (CALL.model_copy(update={"arguments": {"host": "b"}}), False),
        (CALL.model_copy(update={"grant": None}), False),
        (UNDO.model_copy(update={"tool": "file"}), False),
        (UNDO.model_copy(update={"undoes": "file"}), False),
    ],
)
def test_what_people_approved_together_is_each_of_its_actions_and_nothing_else(call, approved):
    golden = read([WorkflowHistory.from_json("m", (FOLDER / "agent.1.json").read_text())])

    assert approved == covers(call, replace(golden, id="m", first_run="r"))
    assert not covers(call, replace(golden, id="m", first_run="another"))
