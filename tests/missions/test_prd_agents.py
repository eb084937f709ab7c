"""What the analysts of `create_prd` compute, and what must hold of it whatever they are given."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prd_request import (
    COMPONENTS,
    GRAVITY,
    INTERVIEWS,
    NEEDS,
    REGISTRY,
    TICKETS,
    USAGE,
    YEAR,
    changed,
    of,
    seeds,
    shuffled,
    tickets,
)

from missions.create_prd.effort import dependents, estimated
from missions.create_prd.interview import about, graded
from missions.create_prd.market import sized
from missions.create_prd.needs import find_needs, ranked


def test_tickets_that_tell_of_the_same_are_one_need():
    gathered = {ticket for need in NEEDS for ticket in need["tickets"]}

    assert [7, 5, 5, 6, 4] == [len(need["tickets"]) for need in NEEDS]
    assert ["T-328", "T-329"] == sorted({ticket["id"] for ticket in TICKETS} - gathered)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_the_order_of_the_tickets_changes_nothing(seed: int):
    assert NEEDS == ranked(find_needs(shuffled(TICKETS, seed)), shuffled(USAGE, seed))


@settings(max_examples=30, deadline=None)
@given(tickets, st.sampled_from(GRAVITY))
def test_a_graver_ticket_never_lowers_its_needs_score_or_rank(place: int, severity: str):
    ticket = TICKETS[place]
    graver = max(severity, ticket["severity"], key=GRAVITY.index)
    after = ranked(find_needs(changed(TICKETS, place, severity=graver)), USAGE)
    ranks = [(number, need) for number, need in enumerate(NEEDS) if ticket["id"] in need["tickets"]]

    for number, need in ranks:
        [(new, same)] = [(at, one) for at, one in enumerate(after) if ticket["id"] in one["tickets"]]
        assert need["tickets"] == same["tickets"]
        assert need["score"] <= same["score"]
        assert new <= number


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_where_everything_ties_the_order_changes_nothing_either(order: tuple[int, ...]):
    words = ("pump valve", "valve meter", "meter hose", "hose pump")
    tied = [{"id": f"T{place}", "customer": f"c{place}", "severity": "low"} for place in range(4)]
    tied = [{**one, "title": text, "text": ""} for one, text in zip(tied, words, strict=True)]

    assert ranked(find_needs(tied), []) == ranked(find_needs([tied[place] for place in order]), [])


def test_the_same_customer_twice_reaches_no_further():
    reach = of("CSV export")["reach"]
    twice = changed(TICKETS, 7, customer="Ardlow Pharma")
    after = next(need for need in ranked(find_needs(twice), USAGE) if "T-308" in need["tickets"])

    assert reach - 1 == after["reach"]


def test_features_that_fail_make_a_need_surer():
    calm = [{**row, "failed": 0} for row in USAGE]
    before = next(need for need in ranked(find_needs(TICKETS), calm) if need["title"] == NEEDS[0]["title"])

    assert before["confidence"] < NEEDS[0]["confidence"]
    assert pytest.approx(1640 / 18200, abs=0.001) == NEEDS[0]["failing"]


@given(seeds)
def test_the_market_is_the_sum_of_its_segments_in_any_order(seed: int):
    answer = sized(REGISTRY, YEAR)

    assert answer == sized({**REGISTRY, "segments": shuffled(REGISTRY["segments"], seed)}, YEAR)
    assert answer["total"] == sum(segment["worth"] for segment in answer["segments"])
    assert answer["ours"] <= answer["reachable"] <= answer["total"]


@given(st.floats(0.8, 1.5))
def test_growth_is_the_rate_by_which_spending_grows(rate: float):
    spend = {str(2020 + year): 1000 * rate**year for year in range(5)}
    segment = {"name": "s", "accounts": 10, "served": True, "share": 0.1, "spend": spend}
    answer = sized({"source": "s", "as_of": 2024, "segments": [segment]}, 2024)

    assert pytest.approx(rate - 1, abs=1e-3) == answer["growth"]
    assert pytest.approx(1.0, abs=1e-6) == answer["confidence"]


def test_two_years_lie_on_a_line_which_makes_nobody_sure():
    def known(*years: int) -> dict[str, Any]:
        spend = {str(year): 1000 * 1.1 ** (year - 2020) for year in years}
        segment = {"name": "s", "accounts": 10, "served": True, "share": 0.1, "spend": spend}
        return sized({"source": "s", "as_of": 2024, "segments": [segment]}, 2024)

    assert (0.1, 0.7) == (known(2023, 2024)["growth"], known(2023, 2024)["confidence"])
    assert (0.1, 1.0) == (known(2022, 2023, 2024)["growth"], known(2022, 2023, 2024)["confidence"])
    assert (0.0, 0.7) == (known(2024)["growth"], known(2024)["confidence"])


def test_figures_that_are_old_thin_or_missing_make_less_sure():
    full = sized(REGISTRY, YEAR)["confidence"]
    old = sized(REGISTRY, YEAR + 2)["confidence"]
    gone = sized({**REGISTRY, "segments": changed(REGISTRY["segments"], 0, spend={})}, YEAR)["confidence"]
    none = sized({**REGISTRY, "segments": []}, YEAR)

    assert max(old, gone) < full
    assert (0, 0, 0.0) == (none["confidence"], none["reachable"], none["growth"])


@pytest.mark.parametrize("title", [need["title"] for need in NEEDS])
def test_a_dependency_less_or_more_tests_never_cost_more(title: str):
    need = of(title)
    before = estimated(need, COMPONENTS)
    freer = [{**one, "depends_on": one["depends_on"][1:]} for one in COMPONENTS]
    tested = [{**one, "coverage": 1.0} for one in COMPONENTS]

    for after in (estimated(need, freer), estimated(need, tested)):
        assert after["weeks"] <= before["weeks"]
        assert after["risk"] <= before["risk"]
    assert before == estimated(need, COMPONENTS[::-1])


def test_who_would_notice_a_change_is_found_through_others_and_in_circles():
    circle = [
        {"name": "a", "depends_on": ["c"]},
        {"name": "b", "depends_on": ["a"]},
        {"name": "c", "depends_on": ["b"]},
    ]

    assert {"b", "c"} == dependents("a", circle)
    assert set() == dependents("d", circle)


def test_what_no_component_does_is_a_new_one():
    answer = estimated(of("Group alarms"), [one for one in COMPONENTS if one["name"] != "alarm-desk"])

    assert ([], 6.0) == (answer["components"], answer["weeks"])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5), st.integers(0, 1), seeds)
def test_a_finding_taken_away_never_raises_a_severity(person: int, place: int, seed: int):
    fewer = [dict(interview) for interview in INTERVIEWS]
    found = fewer[person]["findings"]
    fewer[person] = {**fewer[person], "findings": found[:place] + found[place + 1 :]}

    for before, after in zip(graded(NEEDS, INTERVIEWS)[0], graded(NEEDS, fewer)[0], strict=True):
        assert after["severity"] <= before["severity"] <= 4
    assert graded(NEEDS, INTERVIEWS) == graded(NEEDS, shuffled(INTERVIEWS, seed))


def test_a_milder_word_of_the_same_person_changes_no_severity():
    milder = {"said": "The readings were lost for a moment", "outcome": "done", "lost_minutes": 0}
    more = [
        {**one, "findings": [*one["findings"], milder]} if one["participant"] == "P1" else one for one in INTERVIEWS
    ]
    before, after = (graded(NEEDS, told)[0][0] for told in (INTERVIEWS, more))

    assert (before["severity"], before["people"]) == (after["severity"], after["people"])


def test_a_finding_is_about_the_need_that_it_shares_words_with_or_about_none():
    assert NEEDS[0]["id"] == about("Without a signal the readings were lost", NEEDS)
    assert about("The buttons are too small with gloves on", NEEDS) is None
