"""What a design does under load, and what findings leave of its score."""

from typing import Any

import pytest
from architecture_drafts import HUB, chain, proposals
from hypothesis import given, settings
from hypothesis import strategies as st

from missions.architecture_review.architect import first
from missions.architecture_review.finding import Finding, score
from missions.architecture_review.judge import score_of
from missions.architecture_review.system import (
    availability,
    busy,
    depth,
    loads,
    monthly,
    read_system,
    responses,
)


def test_load_runs_along_the_calls_and_a_cache_keeps_four_fifths_of_it():
    plain_loads = loads(read_system(HUB, []), 400)
    cached = loads(read_system(HUB, [{"kind": "cache", "component": "portal", "to": ""}]), 400)

    assert (400, 320, 80, 400) == tuple(
        plain_loads[name] for name in ("gateway", "readings", "portal", "probe-register")
    )
    assert 320 + 0.2 * 80 == pytest.approx(cached["probe-register"])


def test_a_request_takes_the_time_of_all_that_it_waits_for_and_more_when_they_are_busy():
    proposal = chain(10, 20, 30)
    system, counts = read_system(proposal, []), {"p0": 1, "p1": 1, "p2": 1}

    assert pytest.approx(60, rel=1e-6) == responses(system, counts, 1e-9)["p0"]
    assert pytest.approx(120) == responses(system, counts, 50)["p0"]
    deferred = read_system(proposal, [{"kind": "defer", "component": "p1", "to": "p2"}])
    assert pytest.approx(60) == responses(deferred, counts, 50)["p0"]
    assert pytest.approx(0.9**3) == availability(system, counts)
    assert pytest.approx(0.9**2) == availability(deferred, counts)
    assert pytest.approx(0.99 * 0.9**2) == availability(system, {**counts, "p1": 2})
    assert 40 == monthly(system, {**counts, "p1": 2})
    assert 3 == depth(system)


@settings(max_examples=40, deadline=None)
@given(proposals, st.data())
def test_one_instance_more_is_never_busier_slower_or_rarer_and_never_cheaper(proposal: dict[str, Any], data: Any):
    design = first(proposal)
    system, peak, counts = read_system(proposal, []), proposal["targets"]["peak_rps"], design["instances"]
    more = {**counts, (grown := data.draw(st.sampled_from(sorted(counts)))): counts[grown] + 1}

    assert busy(system, more, peak)[grown] <= busy(system, counts, peak)[grown]
    assert responses(system, more, peak)[proposal["entry"]] <= responses(system, counts, peak)[proposal["entry"]]
    assert availability(system, more) >= availability(system, counts)
    assert monthly(system, more) >= monthly(system, counts)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 5), max_size=8), st.integers(0, 7))
def test_a_finding_less_never_lowers_a_score(severities: list[int], gone: int):
    found = [Finding(str(number), "p", severity, "w") for number, severity in enumerate(severities)]

    assert score(found) <= score(found[:gone] + found[gone + 1 :]) <= 100
    assert 0 <= score(found)


@pytest.mark.parametrize(("severities", "left"), [([], 100), ([5], 50), ([5, 2], 40), ([1], 90)])
def test_a_finding_takes_its_share_of_what_is_left(severities: list[int], left: float):
    assert left == score([Finding("f", "p", severity, "w") for severity in severities])


@given(st.lists(st.floats(0, 100), min_size=3, max_size=3), st.integers(0, 2), st.floats(0, 100))
def test_a_better_review_never_lowers_the_score_and_a_bad_one_is_not_hidden(
    scores: list[float], place: int, new: float
):
    better = [max(new, one) if number == place else one for number, one in enumerate(scores)]

    assert score_of(scores) <= score_of(better)
    assert score_of(scores) <= (min(scores) + 100) / 2 + 0.1
