"""The rehearsals of `release_rollout` notice what would be a mistake in it."""

import shutil
from pathlib import Path

import pytest
from triage_desk import MISSIONS

from language.workspace import load_workspace
from rehearsal.rehearse import Rehearser, find

BOTH = "from: {sre: 1, release_manager: 1}"
MISTAKES = {
    "one person is enough for everybody": (BOTH, "from: {sre: 1}", {"last_stage_rejected"}),
    "two engineers are enough for everybody": (
        BOTH,
        "approvers: [sre, release_manager]\n              required: 2",
        {"two_engineers"},
    ),
    "nothing is taken back": ("              compensate: rollback_release\n", "", None),
    "a tenth of the requests may fail": ("* 2.0 + 0.002", "* 2.0 + 0.1", {"breach_at_ten"}),
    "slow is healthy": ("* 1.25", "* 2.0", {"slow_at_fifty"}),
    "what the policy stops goes on": ('checked.verdict == "go"', "checked.risk < 0.9", {"held"}),
    "a rejected plan ends it": ("revise: true", "revise: false", {"plan_revised"}),
    "a plan may release": ("tools: [apply_migration, open_ticket]", "tools: [deploy_release, open_ticket]", None),
}
"""What is written instead, and which rehearsals must notice; None where the mission no longer loads, so that all do."""


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_mission_is_noticed(tmp_path: Path, name: str):
    before, after, noticed = MISTAKES[name]
    root = tmp_path / "missions"
    shutil.copytree(MISSIONS, root)
    mission = root / "release_rollout" / "mission.yaml"
    text = mission.read_text()
    assert before in text
    mission.write_text(text.replace(before, after))

    rehearser = Rehearser(load_workspace(root))
    results = [rehearser.rehearse(file) for file in find(root / "release_rollout")]
    failed = {result.file.stem for result in results if not result.passed}

    assert (noticed or {result.file.stem for result in results}) <= failed
