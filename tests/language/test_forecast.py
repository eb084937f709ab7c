"""What risk is foreseen before a run: every reading that the run may come to lies within."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from desk import load, workspace
from hypothesis import given
from hypothesis import strategies as st

from contracts.decision import Action
from contracts.plan import Plan
from contracts.risk import Facts, RiskFile
from language.difference import risks
from language.forecast import Forecast, brief, by_step, forecasts, told
from language.freeze import freeze
from language.loader import load_mission
from language.weigh import weigh
from language.workspace import load_workspace

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
TICKET = "steps: [{step: file, action: open_ticket, with: {to: a, much: '${{ requirements_document }}'}}]"
UNKNOWN = (0, 100, 0, 2)


def by(value: str, *others: str) -> RiskFile:
    """Return a file that weighs by an expression, and by others as much each."""
    factors = {f"f{number}": {"weight": 1, "value": one} for number, one in enumerate((value, *others))}
    levels = {"low": {"at": 0}, "high": {"at": 50, "people": 1}, "grave": {"at": 80, "people": 2}}
    return RiskFile.model_validate({"factors": factors, "levels": levels})


def plan(file: RiskFile, steps: str = TICKET) -> Plan:
    return freeze(load(steps), workspace(risk=file))


def foreseen(value: str, *others: str, steps: str = TICKET) -> Forecast:
    [found] = forecasts(plan(by(value, *others), steps))
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.5", (50, 50, 1, 1)),
        ("arguments.to == 'a' ? 1.0 : 0.0", (100, 100, 2, 2)),
        ("tool == 'open_ticket' ? 0.2 : double(arguments.much)", (20, 20, 0, 0)),
        ("double(arguments.much)", UNKNOWN),
        ("'much' in arguments ? 0.9 : 0.1", UNKNOWN),
        ("has(arguments.much) ? 0.9 : 0.1", UNKNOWN),
        ("'m' in arguments || has(arguments.m) ? 0.9 : 0.1", (10, 10, 0, 0)),
        ("size(arguments) == 2 ? 0.9 : 0.1", (90, 90, 2, 2)),
        ("arguments.exists(name, arguments[name] == 'b') ? 0.9 : 0.1", UNKNOWN),
        ("arguments['much'] == 'b' ? 0.9 : 0.1", UNKNOWN),
        ("mission.requested_by == 'ada' ? 0.9 : 0.1", UNKNOWN),
        ("mission.name == 'try_out' ? 0.9 : 0.1", (90, 90, 2, 2)),
        ("hour < 6 || weekday > 5 ? 0.6 : 0.2", (20, 60, 0, 1)),
        ("confidence == null ? 0.3 : 1.0 - confidence", (30, 30, 0, 0)),
        ("1.0 - confidence", (100, 100, 2, 2)),
        ("before == 0 ? 0.7 : 0.1", (10, 70, 0, 1)),
        ("stake == 'lasting' && effect == 'write' && actions == 1 && resource == null ? 0.9 : 0.1", (90, 90, 2, 2)),
    ],
)
def test_what_is_known_before_a_run_is_weighed_and_the_rest_may_be_anything(
    value: str, expected: tuple[int, int, int, int]
) -> None:
    found = foreseen(value)

    assert expected == (found.least, found.most, found.people_least, found.people_most)


def test_a_line_says_what_it_may_come_to_and_what_that_hangs_on() -> None:
    assert "open_ticket: 50 of 100 (high), 1 person must approve" == told(foreseen("0.5"))
    assert "open_ticket: 10 of 100 (low), nobody is asked" == told(foreseen("0.1"))
    line = told(foreseen("0.9", "double(arguments.much)"))
    assert "open_ticket: 45 to 95 of 100 (low or high or grave), nobody to 2 must approve; hangs on f1" == line


def test_people_whom_a_gate_asks_are_counted_and_what_only_reads_is_not_weighed() -> None:
    gated = "steps: [{step: go, action: write_file, with: {name: a}, approval: {approvers: tech_lead, timeout: 1h}}]"
    assert "write_file: 10 of 100 (low), 1 person must approve" == told(foreseen("0.1", steps=gated))
    assert () == forecasts(plan(by("0.1"), "steps: [{step: go, action: look_up, with: {folder: a}}]"))
    assert () == forecasts(freeze(load(TICKET), workspace()))


def test_a_group_is_as_risky_as_its_riskiest_action_and_says_so_once() -> None:
    group = """
    steps:
      - step: both
        steps:
          - {step: a, action: write_file, with: {name: a, size: 5}}
          - {step: b, action: delete_file, with: {name: b}}
        approval: {approvers: tech_lead, timeout: 1h}
    """
    found = foreseen("tool == 'delete_file' ? 0.9 : 0.1", steps=group)
    assert ("both", ("write_file", "delete_file"), 90, 90) == (found.step, found.tools, found.least, found.most)


def test_a_difference_tells_what_risk_changes_with_an_argument_or_with_the_file() -> None:
    old, new = by("arguments.to == 'a' ? 0.1 : 0.9"), by("0.6")
    here, there = load(TICKET), load(TICKET.replace("to: a", "to: b"))

    [argument] = risks(here, workspace(risk=old), there, workspace(risk=old))
    assert ("authority", "file", "risk") == (argument.about, argument.step, argument.key)
    assert "open_ticket: 10 of 100 (low), nobody is asked" == argument.before
    assert "open_ticket: 90 of 100 (grave), 2 must approve" == argument.after
    [file] = risks(here, workspace(risk=old), here, workspace(risk=new))
    assert "open_ticket: 60 of 100 (high), 1 person must approve" == file.after
    assert [] == list(risks(here, workspace(risk=old), here, workspace(risk=old)))


def test_a_step_of_several_actions_is_told_in_a_few_words_by_all_that_they_may_come_to() -> None:
    def may(step: str, least: int, most: int, people: int) -> Forecast:
        whole = {"levels": ("low",), "people_least": 0, "people_most": people}
        return Forecast(step=step, tools=("t",), least=least, most=most, **whole)

    found = by_step([may("go[1]/on", 10, 20, 1), may("go[50]/on", 5, 90, 3), may("pay", 7, 7, 0)], {"go", "pay", "on"})

    told_briefly = {name: brief(one) for name, one in found.items()}
    assert {"go": "risk 5 to 90, nobody to 3 must approve", "pay": "risk 7, nobody is asked"} == told_briefly


SHIPPED = load_workspace(Path("missions"))
PLANS = [freeze(load_mission(path, SHIPPED), SHIPPED) for path in sorted(Path("missions").glob("*/mission.yaml"))]
FORESEEN = {one.step: one for plan in PLANS for one in forecasts(plan)}
HOSTS = st.integers(1, 400).map(lambda number: {"hosts": [str(one) for one in range(number)]})
CASES: dict[str, tuple[str, str | None, st.SearchStrategy[dict[str, Any]]]] = {
    "isolate": ("isolate_host", "release_host", st.just({"host": "web-01"})),
    "schedule": ("schedule_change", "withdraw_change", HOSTS),
    "patch": ("patch_host", "unpatch_host", st.just({})),
    "publish": ("publish_document", "withdraw_document", st.just({})),
    "roll_out[1]/deploy_release": ("deploy_release", "rollback_release", st.just({"percent": 1})),
    "roll_out[50]/deploy_release": ("deploy_release", "rollback_release", st.just({"percent": 50})),
    "prepare/apply_migration": ("apply_migration", None, st.just({})),
}


@given(st.data())
def test_a_reading_of_a_shipped_mission_lies_within_what_was_foreseen(data: st.DataObject) -> None:
    step = data.draw(st.sampled_from(sorted(CASES)))
    tool, undo, arguments = CASES[step]
    facts = Facts(
        before={tool: data.draw(st.integers(0, 200))},
        confidence=data.draw(st.none() | st.floats(0, 1)),
        at=MONDAY + timedelta(hours=data.draw(st.integers(0, 24 * 7))),
    )
    assert SHIPPED.risk is not None
    act = Action(step=step, tool=tool, arguments=data.draw(arguments), compensation=undo)

    reading, found = weigh(SHIPPED.risk, [act], SHIPPED.tools, facts), FORESEEN[step]

    assert found.least <= reading.score <= found.most
    assert reading.level in found.levels
    assert reading.people <= found.people_most
