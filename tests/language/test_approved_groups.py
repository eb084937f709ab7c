"""A group that people approve as a whole, wherever the language speaks of it."""

import pytest
from desk import findings, load, mission, workspace
from test_planned import APPROVED, codes

from contracts.definition import GroupStep
from language.diagram import diagram
from language.difference import difference
from language.estimate import Span, estimate
from language.freeze import freeze
from language.steps import every_step

STORE = """
steps:
  - step: store
    steps:
      - {step: first, action: write_file, with: {name: '${{ alert.name }}'}, compensate: delete_file, locks: [disk]}
      - {step: look, action: list_files, with: {folder: f}, retry: {attempts: 2}, output: listed}
      - step: inner
        steps: [{step: second, action: write_file, with: {name: b}, timeout: 1m}]
    approval: {approvers: [tech_lead, director], message: 'All of ${{ alert.name }}?', timeout: 1h}
    retry: {attempts: 2}
    output: stored
"""
APART = "\n".join(line for line in STORE.splitlines() if "approval" not in line)


def test_it_loads_with_its_approval():
    [store, *_] = every_step(load(STORE))

    assert isinstance(store, GroupStep)
    assert ("tech_lead", "director") == store.approval.approvers


def test_without_it_each_action_asks_for_its_own():
    found = [line.split()[1] for line in findings(mission(APART))]

    assert ["APPROVAL_UNGATED", "COMPENSATION_UNGATED", "APPROVAL_UNGATED"] == found


def test_it_is_one_gate_for_all_its_actions():
    found = estimate(freeze(load(STORE), workspace()))

    assert (Span(least=1, most=1), Span(least=3, most=3)) == (found.gates, found.actions)


def test_refused_and_gone_on_from_it_runs_none_of_them():
    steps = STORE.replace("timeout: 1h}", "timeout: 1h, on_reject: continue}")

    assert Span(least=0, most=3) == estimate(freeze(load(steps), workspace())).actions


def test_its_picture_says_who_is_asked():
    [[block]] = diagram(load(STORE)).rows

    assert ("asks tech_lead, director within 1h",) == block.lines
    assert ["first", "look", "inner"] == [inner.name for [inner] in block.inside.rows]


def test_who_approves_a_group_is_a_matter_of_authority():
    weaker = STORE.replace("[tech_lead, director]", "[tech_lead]")
    [change] = difference(load(STORE), load(weaker))
    [new, *_] = [one for one in difference(None, load(STORE)) if one.step == "store"]

    assert ("authority", "approval.approvers") == (change.about, change.key)
    assert "authority" == new.about


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("[{step: a, review: {reviewers: tech_lead, timeout: 1h}}, {step: b, steps: [%s], approval: %s}]", []),
        ("[{step: a, race: [{agent: architect, task: T}, {step: b, steps: [%s], approval: %s}]}]", ["RACE_ACTS"]),
        ("[{step: a, loop: {until: 'true', max_iterations: 2, do: [{step: b, steps: [%s], approval: %s}]}}]", []),
        ("[{step: a, map: {over: alert.x, do: [{step: b, steps: [%s], approval: %s}]}}]", []),
        ("[{step: b, steps: [{step: c, steps: [%s]}], approval: %s, when: alert.x, on_failure: continue}]", []),
    ],
    ids=["behind a review", "in a race", "in a loop", "in a map", "around a group"],
)
def test_it_may_stand_wherever_an_action_with_an_approval_may(steps: str, expected: list[str]):
    text = f"steps: {steps % ('{step: w, action: write_file, with: {name: x}}', '{approvers: [tech_lead]}')}"

    assert expected == [line.split()[1] for line in findings(mission(text))]


def test_an_item_of_a_map_outside_may_be_read_inside():
    text = (
        "steps: [{step: a, map: {over: alert.x, as: host, do: [{step: b, approval: {approvers: [tech_lead]},"
        " steps: [{step: w, action: write_file, with: {name: '${{ host }}-${{ index }}'}}]}]}}]"
    )

    assert [] == findings(mission(text))


def test_a_plan_may_ask_for_its_actions_at_once_within_its_bounds():
    write = {"step": "write", "action": "write_file", "with": {"name": "x"}}
    group = {"step": "all", "steps": [write]}

    assert [] == codes({**group, "approval": APPROVED})
    assert ["[0].approval.required: PLAN_NOT_ALLOWED"] == codes({**group, "approval": {**APPROVED, "required": 1}})
    assert ["[0].approval: PLAN_NOT_ALLOWED"] == codes(
        {**group, "approval": {**APPROVED, "approvers": ["tech_lead", "bob"]}}
    )
    assert ["[0].steps[0].action: APPROVAL_UNGATED"] == codes(group)
