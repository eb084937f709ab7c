"""The shipped missions' rehearsals: all as expected, quick, and strict enough to notice a mission that was changed."""

import shutil
import time
from pathlib import Path

import pytest

from language.workspace import load_workspace
from rehearsal.rehearse import Rehearser, find

MISSIONS = Path(__file__).parents[2] / "missions"
FILES = list(find(MISSIONS))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.parent.name}-{file.stem}")
def test_a_shipped_rehearsal_comes_out_as_expected(file):
    result = Rehearser(load_workspace(MISSIONS)).rehearse(file)

    assert ([], []) == (list(map(str, result.findings)), list(map(str, result.differences)))


def test_every_shipped_mission_has_rehearsals():
    assert {path.parent.name for path in MISSIONS.glob("*/mission.yaml")} == {file.parent.parent.name for file in FILES}


def test_fifty_rehearsals_take_less_than_five_seconds():
    rehearser, began = Rehearser(load_workspace(MISSIONS)), time.process_time()

    results = [rehearser.rehearse(FILES[number % len(FILES)]) for number in range(50)]

    assert all(result.passed for result in results)
    assert time.process_time() - began < 5


MISTAKES = {
    "the host is not released any more": (
        "          compensate: release_host\n", "", {"ticket_fails", "ticket_unknown"},
    ),
    "a rejection ends the mission": (
        "                remind: [15m]\n            on_reject: continue\n          output: isolation",
        "                remind: [15m]\n            on_reject: abort\n          output: isolation",
        {"rejected", "nobody_answers", "requester_approves"},
    ),
    "the lead is asked at once": ("approvers: [secops_oncall]", "approvers: [secops_lead]", {"approved", "rejected"}),
    "an unsure proposal is not reviewed": (
        "below_floor: review\n", "below_floor: continue\n", {"approved", "unsure_reviewed"},
    ),
    "the ticket is tried once": ("retry: {attempts: 4,", "retry: {attempts: 1,", {"ticket_at_last"}),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_mission_is_noticed(tmp_path, name):
    before, after, noticed = MISTAKES[name]
    root = tmp_path / "missions"
    shutil.copytree(MISSIONS, root)
    mission = root / "incident_triage" / "mission.yaml"
    text = mission.read_text()
    assert before in text
    mission.write_text(text.replace(before, after))
    rehearser = Rehearser(load_workspace(root))

    failed = {file.stem for file in find(root / "incident_triage") if not rehearser.rehearse(file).passed}

    assert noticed <= failed
