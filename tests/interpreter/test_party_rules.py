"""What turns come to, whatever order they came back in: stances, agreement, a stall."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.party import Party
from workflows.governance.party import VOTE, Word, agreement, stalled, stances

NAMES = ("ann", "ben", "cid", "dot")


def party(**more):
    return Party(**{"topic": "t", "members": NAMES, "rounds": 9, "tokens": 1, **more})


def turn(by, number, position, order, confidence=0.5, **more):
    said = {"position": position, "reasons": ["r"], "confidence": confidence, **more}
    return Word("turn", by, number, said, order)


@pytest.mark.parametrize(("number", "turns"), [(2, "all"), (VOTE, "round_robin")])
def test_those_who_answer_at_once_agree_with_what_was_said_before(number, turns):
    before = [turn("ann", 1, "old", 1), turn("ben", 1, "mine", 2)]
    held = []
    for order in permutations((3, 4)):
        at_once = [
            turn("ann", number, "new", order[0]),
            turn("ben", number, "as ann", order[1], answers="ann", stand="agree"),
        ]
        held.append(stances(party(turns=turns), before + at_once)["ben"]["holds"])

    assert ["old", "old"] == held


def test_those_who_answer_in_turn_agree_with_what_was_said_last():
    words = [turn("ann", 1, "new", 1), turn("ben", 1, "as ann", 2, answers="ann", stand="agree")]

    assert "new" == stances(party(), words)["ben"]["holds"]


def test_who_agrees_with_one_who_has_said_nothing_holds_their_own():
    assert "mine" == stances(party(), [turn("ben", 1, "mine", 1, answers="ann", stand="agree")])["ben"]["holds"]


def test_an_objection_joins_nobody():
    words = [turn("ann", 1, "a", 1), turn("ben", 1, "b", 2, answers="ann", stand="object")]

    assert "b" == stances(party(), words)["ben"]["holds"]


@pytest.mark.parametrize(
    ("share", "agreeing", "enough"),
    [(0.75, 3, True), (0.76, 3, False), (0.5, 2, True), (0.01, 1, True), (1.0, 3, False), (1.0, 4, True)],
)
def test_a_threshold_is_a_share_of_all_members(share, agreeing, enough):
    words = [turn(name, 1, "a" if number < agreeing else f"b{number}", number + 1) for number, name in enumerate(NAMES)]
    rule = party(consensus="threshold", threshold=share)

    # One of four who all differ is no largest group.
    assert (enough and agreeing > 1) == (agreement(rule, stances(rule, words)) is not None)


def test_two_groups_of_one_size_agree_on_nothing():
    words = [turn(name, 1, position, number) for number, (name, position) in enumerate(zip(NAMES, "aabb", strict=True))]
    rule = party(consensus="threshold", threshold=0.5)

    assert agreement(rule, stances(rule, words)) is None


def test_who_has_not_spoken_agrees_with_nobody():
    words = [turn(name, number, "a", number) for number, name in enumerate(NAMES[:2], start=1)]

    assert agreement(party(consensus="majority"), stances(party(), words)) is None
    assert agreement(party(), stances(party(), words)) is None


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["a", "b", "A "])), min_size=1, max_size=24))
def test_a_majority_is_found_exactly_where_one_is(turns):
    words = [turn(name, 1 + order // 4, position, order) for order, (name, position) in enumerate(turns)]
    rule = party(consensus="majority")
    last = {name: position.strip().lower() for name, position in turns}
    counts = {position: sum(one == position for one in last.values()) for position in last.values()}
    found = agreement(rule, stances(rule, words))

    assert (max(counts.values()) > 2) == (found is not None)
    if found is not None:
        assert sorted(found[1]) == sorted(name for name, position in last.items() if counts[position] > 2)


def test_nobody_has_stalled_before_there_were_enough_rounds():
    words = [turn(name, number, "a", 4 * number + at) for number in (1, 2) for at, name in enumerate(NAMES)]

    assert [False, False] == [stalled(party(stall=2), words, last) for last in (1, 2)]
    assert stalled(party(stall=1), words, 2)
    assert not stalled(party(), words, 2)


@pytest.mark.parametrize(("confidence", "moved"), [(0.55, False), (0.6, True), (0.4, True)])
def test_a_confidence_moves_a_stance_by_a_tenth(confidence, moved):
    words = [turn("ann", 1, "a", 1), turn("ann", 2, "a", 2, confidence)]

    assert moved != stalled(party(stall=1), words, 2)
