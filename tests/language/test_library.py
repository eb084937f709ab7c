"""Missions that missions start: found in the workspace, checked with their parent, frozen into its plan."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from desk import HEAD, findings, load, mission, workspace, written

from contracts.definition import MissionStep
from language.finding import Rejected
from language.freeze import freeze
from language.loader import load_mission

LAST = "{step: think, agent: architect, task: Think}"
CHILD = "{step: go, mission: %s, accept: good, on_parent_close: undo%s}"
BARE = HEAD.replace("required: [requirements_document, existing_system_overview, alert]", "required: []")


def folder(root: Path, **missions: str) -> Any:
    """Write missions of one step each and return their workspace."""
    for name, step in missions.items():
        written(root, f"{name}/mission.yaml", f"steps: [{step}]\n" + BARE.replace("try_out", name))
    return workspace(root=str(root))


def start(name: str, allow: str = ", allow: {agents: architect}") -> str:
    return CHILD % (name, allow)


def loaded(root: Path, place: Any, name: str = "top") -> Any:
    return load_mission(root / name / "mission.yaml", place)


def told(root: Path, place: Any, name: str = "top") -> list[str]:
    with pytest.raises(Rejected) as rejected:
        loaded(root, place, name)
    return [finding.message for finding in rejected.value.findings]


def test_a_family_may_be_five_missions_deep_below_the_first_and_no_deeper(tmp_path: Path) -> None:
    names = ["top", "b", "c", "d", "e", "f"]
    steps = {name: start(below) for name, below in pairwise(names)}
    place = folder(tmp_path, **steps, f=LAST)

    assert "top" == loaded(tmp_path, place).mission
    folder(tmp_path, f=start("g"), g=LAST)
    [message] = told(tmp_path, place)
    assert "more than 5 missions start each other: top → b → c → d → e → f" in message


def test_a_mission_that_many_start_is_read_once_and_is_none_the_worse_for_it(tmp_path: Path) -> None:
    both = "{step: both, steps: [" + start("left") + ", " + start("right").replace("step: go", "step: too") + "]}"
    place = folder(tmp_path, top=both, left=start("last"), right=start("last"), last=LAST)
    plan = freeze(loaded(tmp_path, place), place)

    assert ["left", "right"] == sorted(plan.missions)
    assert plan.missions["left"].missions["last"].digest == plan.missions["right"].missions["last"].digest
    assert 5 == len(plan.family())


def test_what_grandchildren_use_counts_as_the_childs(tmp_path: Path) -> None:
    ticket = "{step: file, action: open_ticket}"
    place = folder(tmp_path, top=start("child"), child=start("last", ", allow: {tools: open_ticket}"), last=ticket)

    assert ["'child' uses the tool open_ticket, which this mission does not allow it"] == told(tmp_path, place)


def test_without_a_word_a_child_may_use_what_its_parents_own_steps_use(tmp_path: Path) -> None:
    both = "{step: both, steps: [" + LAST + ", " + start("child", "") + "]}"
    place = folder(tmp_path, top=both, child=LAST.replace("think", "other"))

    assert "child" in freeze(loaded(tmp_path, place), place).missions


def test_the_plan_of_a_child_is_frozen_and_counts_in_the_parents_digest(tmp_path: Path) -> None:
    place = folder(tmp_path, top=start("child"), child=LAST)
    definition = loaded(tmp_path, place)
    before = freeze(definition, place)
    folder(tmp_path, child=LAST.replace("Think", "Think again"))
    after = freeze(definition, place)

    assert before.digest != after.digest
    assert before == before.sealed()
    assert "Think" == before.missions["child"].definition.steps[0].task


@pytest.mark.parametrize(
    ("step", "code"),
    [("{step: file, action: open_ticket}", "CHILD_EXCEEDS"), ("{step: x, agent: none, task: T}", "MISSION_REFUSED")],
)
def test_a_child_that_was_changed_meanwhile_is_looked_at_again_before_it_is_frozen(
    tmp_path: Path, step: str, code: str
) -> None:
    place = folder(tmp_path, top=start("child"), child=LAST)
    definition = loaded(tmp_path, place)
    folder(tmp_path, child=step)
    with pytest.raises(Rejected) as rejected:
        freeze(definition, place)

    assert [code] == [finding.code for finding in rejected.value.findings]


@pytest.mark.parametrize("name", ["../top", "/etc", "top/../top", "TOP", "a b", "x" * 10_000])
def test_a_name_leads_nowhere_but_to_a_folder_of_the_workspace(name: str) -> None:
    [finding] = findings(mission(f"steps: [{{step: go, mission: '{name}', accept: good, on_parent_close: undo}}]"))

    assert "UNKNOWN_MISSION unknown mission" in finding
    assert len(finding) < 500


def test_the_step_is_read_whole() -> None:
    steps = """
    steps:
      - step: look
        mission: look_around
        with: {host: web-01, depth: '${{ 1 + 1 }}'}
        accept: [calm, alarm]
        on_parent_close: abandon
        allow: {agents: [architect]}
    """
    [step] = load(steps).steps

    assert isinstance(step, MissionStep)
    assert ("look_around", ("calm", "alarm"), "abandon") == (step.mission, step.accept, step.on_parent_close)
    assert ({"host": "web-01", "depth": "${{ 1 + 1 }}"}, ("architect",), ()) == (
        step.with_,
        step.allow.agents if step.allow else None,
        step.allow.tools if step.allow else None,
    )
