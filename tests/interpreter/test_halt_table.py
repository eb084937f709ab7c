"""The table of halts: one halt a target, each statement once, and only for the target as it stood."""

from datetime import UTC, datetime

import pytest

from contracts.decision import Ruling
from contracts.halt import MOST_TARGETS, HaltTable, is_target
from workflows.governance.halt import Haltbook

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Book(Haltbook):
    """A table that keeps what it published."""

    def __init__(self, table=None):
        self.published = []
        super().__init__(table or HaltTable(), ("halts", "run-1"), self.published.append, lambda: NOW)

    def say(self, verb, target, turn=None, **more):
        nonce = str(self.table.turns.get(target, 0) if turn is None else turn)
        known = {"accepted": True, "person": "cleo", "jti": f"{verb}-{target}-{nonce}", "comment": "it does harm"}
        return self.count(Ruling(**known, verb=verb, step=target, nonce=nonce, received_at=NOW, token="t", **more))


def halted(book):
    return [(halt.target, halt.by, halt.reason, halt.since) for halt in book.table.halts]


def test_a_halt_stands_until_it_is_lifted_and_each_is_published():
    book = Book()
    first = book.say("halt", "tool:file")
    during = halted(book)
    second = book.say("lift", "tool:file")

    assert ("halted", "lifted") == (first.state, second.state)
    assert [("tool:file", "cleo", "it does harm", NOW)] == during
    assert [] == halted(book)
    assert [1, 0] == [len(table.halts) for table in book.published]


def test_halts_of_different_targets_stand_beside_each_other():
    book = Book()
    for target in ("tool:file", "agent:file", "team:file"):
        book.say("halt", target)
    book.say("lift", "agent:file")

    assert ["tool:file", "team:file"] == [halt.target for halt in book.table.halts]


@pytest.mark.parametrize(
    ("verb", "target", "turn", "reason"),
    [
        ("halt", "tool:file", None, "tool file is halted already, by cleo"),
        ("lift", "tool:other", None, "tool other is not halted"),
        ("lift", "tool:file", 0, "tool file has been halted or lifted meanwhile; look again"),
    ],
)
def test_what_would_change_nothing_or_was_meant_for_before_is_refused_and_kept(verb, target, turn, reason):
    book = Book()
    book.say("halt", "tool:file")
    receipt = book.say(verb, target, turn)

    assert (False, reason) == (receipt.accepted, receipt.reason)
    assert [(reason, "")] == [(ruling.reason, ruling.token) for ruling in book.refusals]
    assert (1, ["tool:file"]) == (len(book.published), [halt.target for halt in book.table.halts])


def test_a_statement_that_was_lifted_once_halts_nothing_when_it_comes_again():
    book = Book()
    for verb in ("halt", "lift"):
        book.say(verb, "tool:file")
    again = book.say("halt", "tool:file", turn=0)

    assert (False, []) == (again.accepted, halted(book))


def test_what_the_judge_refused_changes_nothing():
    book = Book()
    receipt = book.count(Ruling(accepted=False, verb="halt", step="tool:file", nonce="0", reason="forged"))

    assert (False, "forged", []) == (receipt.accepted, receipt.reason, book.published)


def test_a_refusal_without_a_reason_changes_nothing_either():
    book = Book()
    receipt = book.count(Ruling(accepted=False, verb="halt", step="tool:file", nonce="0"))

    assert (False, []) == (receipt.accepted, book.published)


def test_a_full_table_takes_no_new_target_and_still_lifts_the_old_ones():
    book = Book(HaltTable(turns={f"tool:{number}": 0 for number in range(MOST_TARGETS)}))
    new, known = book.say("halt", "tool:new"), book.say("halt", "tool:7")

    assert (False, f"the table knows {MOST_TARGETS} targets already", True) == (
        new.accepted,
        new.reason,
        known.accepted,
    )


def test_a_target_is_signed_for_as_it_stands():
    book = Book()
    before = book.get("tool:file")
    book.say("halt", "tool:file")
    after = book.get("tool:file")

    assert ("0", "1", "halt") == (before.nonce, after.nonce, after.subject.kind)
    assert ("halts", "run-1", "tool:file") == (after.subject.mission, after.subject.first_run_id, after.subject.step)


@pytest.mark.parametrize("text", ["tool:", "tool: ", "file", "server:x", "None", "tool:" + "x" * 200])
def test_what_is_no_target_has_no_gate(text):
    assert (False, None) == (is_target(text), Book().get(text))
