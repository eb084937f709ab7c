"""`gonogo sign`: a mission and the policies are signed where they lie, and start only then, where that is demanded."""

import shutil
from pathlib import Path

import pytest

from activities import keys
from runtime.settings import Settings
from starter.launch import prepare
from starter.people import directory
from starter.problem import Refused

MISSIONS = Path(__file__).parents[2] / "missions"


@pytest.fixture
def place(tmp_path, gonogo, monkeypatch):
    """The shipped workspace, whose missions somebody has to sign."""
    copy, home = tmp_path / "missions", tmp_path / "home"
    shutil.copytree(MISSIONS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "security.yaml").open("a") as file:
        file.write("require_signed: [cto]\n")
    for name in ("sanna", "noor"):
        keys.create(home, name)
    monkeypatch.setenv("GONOGO_HOME", str(home))
    monkeypatch.setenv("GONOGO_WORKSPACE", str(copy))
    return Settings(workspace=copy, home=home)


def why(place):
    try:
        prepare(place, directory(), "incident_triage", {"alert": {}}, "noor")
    except Refused as refused:
        return str(refused)
    except Exception as later:
        return f"later: {type(later).__name__}"
    return ""


async def test_a_mission_starts_once_the_right_person_has_signed_it(gonogo, place):
    unsigned = "has to be signed by cto: nobody has signed it; `gonogo sign incident_triage --as PERSON` signs it"
    assert unsigned in why(place)

    by_noor = await gonogo("sign", "incident_triage", "--as", "noor")
    assert 0 == by_noor.code, by_noor.err
    assert "is signed by noor, and has to be by cto" in why(place)

    by_sanna = await gonogo("sign", "incident_triage", "--as", "sanna")
    assert "is signed by sanna: sha256:" in by_sanna.out
    assert "later: Usage" == why(place), "its inputs are looked at next"

    mission = place.workspace / "incident_triage" / "mission.yaml"
    mission.write_text(mission.read_text().replace("timeout: 30m", "timeout: 31m"))
    assert "what is signed is something else" in why(place)


async def test_policies_are_signed_in_their_folder(gonogo, place):
    told = await gonogo("sign", "policies", "--as", "sanna")
    assert (0, True) == (told.code, (place.workspace / "policies" / "signatures.json").is_file())
    assert "policies is signed by sanna" in told.out


async def test_what_cannot_be_signed_is_told(gonogo, place):
    assert (2, 2, 1) == (
        (await gonogo("sign", "incident_triage")).code,
        (await gonogo("sign", "nothing", "--as", "sanna")).code,
        (await gonogo("sign", "incident_triage", "--as", "otis")).code,
    )
