"""The computation behind a verdict: links by what is shared and by time, weights that add up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missions.incident_triage.alert import Alert, moment, read_alert, short
from missions.incident_triage.evidence import Evidence, balance, weigh
from missions.incident_triage.link import HALF_LIFE, link_events

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALERT = Alert("t", 4, AT, "h", "u", ("T1",), ("Impact",), ("203.0.113.1",), ("d.example",), ("f" * 64,))
NOTHING = {"asset": None, "changes": [], "indicators": [], "knowledge": []}
weights = st.lists(st.floats(-5, 5, allow_nan=False), max_size=12)


def event(number: int = 1, *, gap: timedelta = timedelta(0), **fields: object) -> dict[str, object]:
    at = (AT + gap).strftime("%Y-%m-%dT%H:%M:%SZ")
    empty = {
        "host": "",
        "user": "",
        "address": "",
        "tactic": "Impact",
        "severity_id": 3,
        "kind": "file",
        "message": "m",
    }
    return {"id": f"e{number}", "at": at, **empty, **fields}


def pieces(values: list[float]) -> list[Evidence]:
    return [Evidence("t", "s", value) for value in values]


@pytest.mark.parametrize(
    ("fields", "strength"),
    [
        ({"host": "h"}, 0.6),
        ({"user": "u"}, 0.5),
        ({"address": "203.0.113.1"}, 0.7),
        ({"host": "h", "user": "u"}, 0.8),
        ({"host": "h", "user": "u", "address": "203.0.113.1"}, 0.94),
    ],
)
def test_attributes_that_are_shared_confirm_each_other(fields: dict[str, str], strength: float):
    (link,) = link_events(ALERT, [event(**fields)])

    assert pytest.approx(strength) == link.strength
    assert tuple(sorted(fields)) == tuple(sorted(link.shared))


def test_a_link_fades_by_half_in_each_half_life_on_either_side():
    before, after = link_events(ALERT, [event(1, gap=-HALF_LIFE, host="h"), event(2, gap=HALF_LIFE, host="h")])

    assert pytest.approx(0.3) == before.strength == after.strength


def test_nothing_shared_is_no_link_and_an_event_found_twice_is_one():
    assert [] == link_events(ALERT, [event(host="other")])
    assert 1 == len(link_events(ALERT, [event(host="h"), event(host="h")]))


def test_an_empty_field_is_not_shared():
    nameless = Alert("t", 4, AT, "", "", (), (), (), (), ())

    assert [] == link_events(nameless, [event()])


def test_a_chain_of_tactics_weighs_more_than_one_repeated():
    chain = [event(number, host="h", tactic=tactic) for number, tactic in enumerate(("A", "B", "C"))]
    repeated = [event(number, host="h", tactic="A") for number in range(3)]

    def total(events: list[dict[str, object]]) -> float:
        return sum(piece.weight for piece in weigh(ALERT, NOTHING, link_events(ALERT, events), []))

    assert pytest.approx(3 * total(repeated)) == total(chain)


def test_intelligence_fades_and_further_indicators_count_by_half():
    def known(value: str, seen: str) -> dict[str, object]:
        return {
            "value": value,
            "reputation": "malicious",
            "confidence": 100,
            "last_seen": seen,
            "source": "s",
            "description": "d",
        }

    found = weigh(ALERT, NOTHING | {"indicators": [known("a", "2026-03-01"), known("b", "2025-12-01")]}, [], [])

    assert [pytest.approx(2.5), pytest.approx(2.5 / 2 / 2)] == [piece.weight for piece in found]


@pytest.mark.parametrize(
    ("gap", "counted"),
    [(timedelta(days=-7), 1), (timedelta(days=-7, hours=1), 1), (timedelta(days=-7, hours=3), 0)],
)
def test_a_habit_is_the_same_thing_at_the_same_hour(gap: timedelta, counted: int):
    links = link_events(ALERT, [event(1, host="h")])
    found = weigh(ALERT, NOTHING, links, [event(2, gap=gap, host="h"), event(3, gap=gap, host="h", tactic="Other")])

    assert [-0.7] * counted == [piece.weight for piece in found if piece.source == "earlier events"]


SCAN = {"id": "C1", "kind": "scan", "status": "approved", "summary": "s"} | {
    "starts": "2026-03-01T11:00:00Z",
    "ends": "2026-03-01T12:00:00Z",
}
ADVICE = {"id": "K1", "title": "t", "advice": "expected", "techniques": ["T1"], "expects": ["scan"]}


@pytest.mark.parametrize(
    ("change", "advice", "expected"),
    [
        pytest.param({}, {}, [-2.0], id="the change that a document names"),
        pytest.param({"kind": "patching"}, {}, [0.8, -0.6], id="another change"),
        pytest.param({"status": "planned"}, {}, [0.8], id="a change that nobody approved"),
        pytest.param({"ends": "2026-03-01T11:59:59Z"}, {}, [0.8], id="a change that is over"),
        pytest.param({}, {"techniques": ["T2"]}, [-0.6], id="a document about something else"),
        pytest.param({}, {"advice": "contain", "expects": []}, [-0.6, 0.4], id="a runbook beside a change"),
        pytest.param({"status": "planned"}, {"advice": "verify"}, [], id="a guide that only says what to look at"),
    ],
)
def test_changes_and_documents_explain_each_other(change: dict, advice: dict, expected: list[float]):
    found = weigh(ALERT, NOTHING | {"changes": [SCAN | change], "knowledge": [ADVICE | advice]}, [], [])

    assert expected == [piece.weight for piece in found]


@given(weights, st.floats(0.01, 5))
def test_more_reason_for_harm_never_makes_it_less_likely(values: list[float], more: float):
    before = balance(ALERT, pieces(values), sources=1)

    assert before.probability <= balance(ALERT, pieces([*values, more]), sources=1).probability


@given(weights, st.sampled_from([0.0, 0.4, 1.0]))
def test_probability_and_confidence_stay_between_nothing_and_certainty(values: list[float], sources: float):
    result = balance(ALERT, pieces(values), sources=sources)

    assert 0.01 <= round(result.probability, 3) <= 0.99
    assert 0 < result.confidence <= 0.99 + 1e-3
    assert 0 <= result.agreement <= 1 + 1e-9


@given(weights)
def test_fewer_sources_never_make_it_surer(values: list[float]):
    assert (
        balance(ALERT, pieces(values), sources=0.2).confidence <= balance(ALERT, pieces(values), sources=1).confidence
    )


@given(st.permutations([0.4, -2.0, 1.1, 0.3, -0.7]))
def test_the_order_of_evidence_does_not_matter(values: list[float]):
    expected = balance(ALERT, pieces(sorted(values)), sources=1)

    assert pytest.approx(expected.probability) == balance(ALERT, pieces(values), sources=1).probability


def test_an_alert_s_own_host_and_address_are_no_indicators():
    seen = [
        {"type_id": 1, "value": "web-01"},
        {"type_id": 1, "value": "far.example"},
        {"type_id": 2, "value": "10.0.0.1"},
        {"type_id": 2, "value": "203.0.113.9"},
        {"type_id": 8, "value": "ab"},
        {"type_id": 4, "value": "somebody"},
    ]
    alert = read_alert({"time": 0, "device": {"hostname": "web-01", "ip": "10.0.0.1"}, "observables": seen})

    assert ("203.0.113.9", "far.example", "ab") == alert.indicators


def test_times_are_told_in_utc_and_hashes_in_short():
    assert "2026-03-01T12:00:00Z" == moment(AT)
    assert ("203.0.113.9", "ffffffffffff…") == (short("203.0.113.9"), short("f" * 64))
