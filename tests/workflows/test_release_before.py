"""What missions leave today replays on the release before: a worker can be rolled back while they run.

Fresh histories, of what the release before has golden histories of as well: what it never knew it cannot replay.
"""

import asyncio
import subprocess

import pytest

from proof.before import ROOT, Unknown, before, main, replayed, unpacked
from tests.payloads import PLACE_OF_ALL
from tests.workflows.record_histories import FOLDER, record

AGAIN = (
    "agent",
    "parallel",
    "condition",
    "loop",
    "map",
    "gate_approved",
    "action_modified",
    "action_undone",
    "group_approved",
    "continued",
    "child",
    "steered",
)
"""Missions that are quickly played, one for each way in which a history is made."""


@pytest.fixture(scope="module")
def release():
    try:
        return before()
    except Unknown as unknown:
        pytest.skip(f"{unknown}; here nobody can say whether a worker could be rolled back")


def taken_out(release, tmp_path):
    folder = tmp_path / "before"
    folder.mkdir()
    return unpacked(release, folder)


def known(release: str) -> set[str]:
    """Return the golden histories that a release had."""
    listed = ["git", "-C", str(ROOT), "ls-tree", "-r", "--name-only", release, "tests/histories/"]
    found = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
    return {line.removeprefix("tests/histories/") for line in found.splitlines()}


@pytest.mark.slow
async def test_what_missions_leave_today_replays_on_the_release_before(client, home, release, tmp_path):
    old = taken_out(release, tmp_path)
    fresh, names = tmp_path / "fresh", [name for name in AGAIN if f"{name}.1.json" in known(release)]
    fresh.mkdir()
    await asyncio.gather(*(record(client, home, name, fresh) for name in names))
    golden = [FOLDER / name for name in sorted(known(release)) if (FOLDER / name).is_file()]
    files = [*sorted(fresh.glob("*.json")), *golden]
    found = await asyncio.to_thread(replayed, old, files, PLACE_OF_ALL)

    assert [] == [line for line in found if not line.endswith(": replays")]
    assert len(files) == len(found) > len(names) > 0


def test_what_another_release_does_not_know_is_found(tmp_path):
    """Here it lacks what the history was made by; for the rest it is what was committed last."""
    old = taken_out("HEAD", tmp_path)
    loop = old / "workflows/interpreter/steps/loop.py"
    source = loop.read_text()
    assert 1 == source.count("if enough:")
    loop.write_text(source.replace("if enough:", "if enough and number > 3:"))

    [agent, looped] = replayed(old, [FOLDER / "agent.1.json", FOLDER / "loop.1.json"], str(tmp_path))
    assert ("agent.1.json: replays", False) == (agent, looped.endswith(": replays"))
    assert "Nondeterminism" in looped


def test_without_the_release_before_nothing_is_taken_for_granted(monkeypatch, capsys):
    monkeypatch.setenv("GONOGO_BEFORE", "no-such-release")

    assert 2 == main([str(FOLDER / "tables")])
    assert "git does not know the release before" in capsys.readouterr().err
    assert 2 == main([])
