"""The table of locks: rules that hold whatever is asked, released and lost, in whatever order."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.lock import Claim, Holder, LocksInput
from contracts.record import inside
from workflows.governance.lock import MOST_CLAIMS, Locktable

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATHS = ("a", "a/b", "a[1]/b", "c", "c#1/d")
HOLDERS = [Holder(mission=mission, first_run_id="r", path=path) for mission in "xyz" for path in PATHS]
NAMES = st.sets(st.sampled_from("klm"), min_size=1, max_size=3).map(lambda names: tuple(sorted(names)))
ASKS = st.tuples(st.just("ask"), st.sampled_from(HOLDERS), NAMES, st.booleans())
RELEASES = st.tuples(st.just("release"), st.sampled_from(HOLDERS))
LOSSES = st.tuples(st.just("gone"), st.sampled_from(HOLDERS))
SCENES = st.lists(st.one_of(ASKS, ASKS, ASKS, RELEASES, LOSSES), max_size=25)


def holder(mission, path="a", turn=1):
    return Holder(mission=mission, first_run_id="r", path=path, turn=turn)


def claim(mission, *names, path="a", turn=1, undoing=False):
    return Claim(holder=holder(mission, path, turn), names=names, undoing=undoing)


def table_after(*claims):
    table = Locktable()
    for one in claims:
        table.ask(one, NOW)
    return table


def states(table, *claims):
    return [table.standing(one.holder).state for one in claims]


def play(table, scene):
    for verb, who, *rest in scene:
        if verb == "ask":
            names, undoing = rest
            table.ask(Claim(holder=who, names=names, undoing=undoing), NOW)
        elif verb == "release":
            table.release(who, NOW)
        else:
            table.gone(who.mission, who.first_run_id, NOW)


def entries(table, state):
    return [entry for entry in table.carried().entries if entry.state == state]


def free_to_end(table):
    """Return a claim that is held and that nothing inside it keeps from its end."""
    waiting = [entry.claim.holder for entry in entries(table, "waiting")]
    for entry in entries(table, "held"):
        who = entry.claim.holder
        if not any(one.mission == who.mission and one.path.startswith(inside(who.path)) for one in waiting):
            return who
    return None


@given(SCENES)
def test_no_lock_has_two_holders(scene):
    table = Locktable()
    for number in range(len(scene)):
        play(table, scene[number : number + 1])
        held = [name for entry in entries(table, "held") for name in entry.claim.names]

        assert len(held) == len(set(held))


@settings(max_examples=300)
@given(SCENES)
def test_whoever_waits_is_served_once_the_others_are_done(scene):
    table = Locktable()
    play(table, scene)
    while entries(table, "waiting"):
        done = free_to_end(table)
        assert done is not None, table.carried()
        table.release(done, NOW)


@given(SCENES)
def test_nobody_waits_for_what_is_free_to_take(scene):
    table = Locktable()
    play(table, scene)

    assert all(table.standing(entry.claim.holder).behind for entry in entries(table, "waiting"))


@given(SCENES, SCENES)
def test_a_table_that_was_carried_goes_on_as_if_it_had_not_been(before, after):
    table = Locktable()
    play(table, before)
    carried = Locktable(LocksInput.model_validate_json(table.carried().model_dump_json()))
    play(table, after)
    play(carried, after)

    assert table.carried() == carried.carried()


@given(st.permutations("uvwxyz"))
def test_who_asked_first_is_served_first(missions):
    table = table_after(*(claim(mission, "k") for mission in missions))
    served = []
    while held := entries(table, "held"):
        served.append(held[0].claim.holder.mission)
        table.release(held[0].claim.holder, NOW)

    assert list(missions) == served


def test_a_claim_gets_all_its_locks_or_none():
    first, both, second = claim("x", "k"), claim("y", "k", "l"), claim("z", "m")
    table = table_after(first, both, second)

    assert ["held", "waiting", "held"] == states(table, first, both, second)
    assert ["k", "l", "m"] == [one.lock for one in table.locks()]


def test_a_claim_for_much_is_not_starved_by_claims_for_little():
    table = table_after(first := claim("x", "k"), both := claim("y", "k", "l"), late := claim("z", "l"))

    assert ["held", "waiting", "waiting"] == states(table, first, both, late)
    table.release(first.holder, NOW)
    assert ["held", "waiting"] == states(table, both, late)


def test_who_must_come_to_an_end_before_an_earlier_one_can_be_served_overtakes_it():
    outer, greedy, inner = claim("x", "k"), claim("y", "k", "l"), claim("x", "l", path="a/b")
    table = table_after(outer, greedy, inner)

    assert ["held", "waiting", "held"] == states(table, outer, greedy, inner)


def test_of_two_that_wait_for_each_other_the_younger_yields_at_once():
    one, other = claim("x", "k"), claim("y", "l")
    first, second = claim("x", "l", path="a/b"), claim("y", "k", path="a/b")
    table = table_after(one, other, first, second)

    assert ["waiting", "yielded"] == states(table, first, second)
    assert "waiting for k would never end: x waits for what is held here" == table.standing(second.holder).cause
    table.release(second.holder, NOW)
    table.release(other.holder, NOW)
    assert [first.holder] == table.moves


def test_an_undoing_does_not_yield():
    undo = claim("y", "k", path="a/b", undoing=True)
    table = table_after(claim("x", "k"), claim("y", "l"), first := claim("x", "l", path="a/b"), undo)

    assert ["yielded", "waiting"] == states(table, first, undo)
    assert [first.holder] == table.moves


def test_of_two_undoings_that_wait_for_each_other_one_yields():
    first, second = claim("x", "l", path="a/b", undoing=True), claim("y", "k", path="a/b", undoing=True)
    table = table_after(claim("x", "k"), claim("y", "l"), first, second)

    assert ["waiting", "yielded"] == states(table, first, second)


def test_branches_of_one_mission_keep_each_other_out_and_do_not_lock_each_other_for_ever():
    one, other = claim("x", "k", path="p/one"), claim("x", "k", path="p/two")
    table = table_after(one, other)

    assert ["held", "waiting"] == states(table, one, other)


def test_three_that_wait_in_a_circle_are_found():
    outers = [claim("x", "k"), claim("y", "l"), claim("z", "m")]
    inners = [claim("x", "l", path="a/b"), claim("y", "m", path="a/b"), claim("z", "k", path="a/b")]
    table = table_after(*outers, *inners)

    assert ["waiting", "waiting", "yielded"] == states(table, *inners)


def test_what_was_released_before_it_was_asked_for_is_never_held():
    table = Locktable()
    table.release(holder("x"), NOW)
    table.ask(claim("x", "k"), NOW)

    assert ([], "unknown") == (table.locks(), table.standing(holder("x")).state)
    table.ask(again := claim("x", "k", turn=2), NOW)
    assert ["held"] == states(table, again)


def test_asked_twice_a_claim_keeps_its_place():
    table = table_after(claim("x", "k"), second := claim("y", "k"), third := claim("z", "k"), second)
    table.release(holder("x"), NOW)

    assert ["held", "waiting"] == states(table, second, third)


def test_what_a_mission_held_that_is_gone_is_free():
    table = table_after(claim("x", "k"), claim("x", "l", path="c"), later := claim("y", "k", "l"))
    table.gone("x", "r", NOW)

    assert (["held"], [later.holder]) == (states(table, later), table.moves)


def test_a_full_table_takes_nothing_more():
    table = table_after(*(claim("x", f"host:{number}", path=f"each[{number}]") for number in range(MOST_CLAIMS)))
    table.ask(more := claim("y", "l"), NOW)

    assert (MOST_CLAIMS, ["unknown"]) == (len(entries(table, "held")), states(table, more))
