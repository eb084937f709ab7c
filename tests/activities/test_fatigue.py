"""In which order people look at what waits for them, and how much of it they are told one by one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.fatigue import Request, by_urgency, eased
from contracts.workspace import AtMost

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TWO_AN_HOUR = AtMost(requests=2, per=HOUR)


def request(what: str, left: timedelta | None = None, risk: str = "reversible", **more: object) -> Request[str]:
    asked = {"to": ("ops",), "opened_at": NOW, **more}
    return Request(what=what, deadline=NOW + left if left is not None else None, risk=risk, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (request("due soon", 10 * MINUTE), request("due later", 40 * MINUTE, "irreversible")),
        (request("the graver", 50 * MINUTE, "irreversible"), request("due sooner", 20 * MINUTE)),
        (request("due sooner", 20 * MINUTE), request("as grave", 50 * MINUTE)),
        (request("overdue", -HOUR, "question"), request("due within the hour", HOUR, "irreversible")),
        (request("has a deadline", 20 * HOUR, "question"), request("has none", None, "irreversible")),
        (request("nobody knows how grave", HOUR, ""), request("irreversible", HOUR, "irreversible")),
    ],
)
def test_what_is_due_soonest_comes_first_and_of_what_is_due_alike_soon_the_gravest(first, second):
    assert [first, second] == by_urgency([second, first], NOW)


def test_what_comes_too_thick_is_told_in_one_line_that_says_how_much_how_grave_and_until_when():
    many = [request(str(number), (20 + number) * MINUTE) for number in range(5)]
    many.append(request("grave", 55 * MINUTE, "irreversible"))

    single, [rest] = eased(many, TWO_AN_HOUR, NOW)

    assert ["grave", "0"] == [one.what for one in single]
    assert (4, {"reversible": 4}, NOW + 21 * MINUTE) == (len(rest.requests), rest.risks(), rest.deadline())


def test_each_hour_has_room_of_its_own_and_so_has_each_approver():
    older = [request(f"old {number}", opened_at=NOW - 90 * MINUTE) for number in range(2)]
    others = [request(f"other {number}", to=("lab",)) for number in range(2)]
    now = [request(f"new {number}") for number in range(2)]

    assert (6, []) == (len(eased([*older, *others, *now], TWO_AN_HOUR, NOW)[0]), [])
    assert [] == eased([*older, *others, *now], TWO_AN_HOUR, NOW)[1]


def test_what_waits_for_several_is_told_as_long_as_one_of_them_has_room():
    ops = [request(str(number)) for number in range(2)]

    single, rest = eased([*ops, request("both", to=("ops", "lab"))], TWO_AN_HOUR, NOW)

    assert (["0", "1", "both"], []) == ([one.what for one in single], rest)


REQUESTS = st.lists(
    st.builds(
        Request,
        what=st.integers(),
        to=st.sampled_from([("a",), ("b",), ("a", "b")]),
        opened_at=st.integers(0, 300).map(lambda ago: NOW - ago * MINUTE),
        deadline=st.none() | st.integers(-60, 3000).map(lambda left: NOW + left * MINUTE),
        risk=st.sampled_from(["irreversible", "lasting", "reversible", "question", "", "odd"]),
    )
)


@given(REQUESTS, st.integers(1, 4))
def test_nothing_is_ever_left_out_and_nobody_is_told_of_more_than_there_is_room_for(requests, most):
    single, rest = eased(requests, AtMost(requests=most, per=HOUR), NOW)

    told = [*single, *(one for summary in rest for one in summary.requests)]
    assert sorted(map(id, requests)) == sorted(map(id, told))
    for hour in range(6):
        alone = [one for one in single if one.to == ("a",) and (NOW - one.opened_at) // HOUR == hour]
        assert len(alone) <= most
