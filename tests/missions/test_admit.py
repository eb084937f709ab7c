"""`gonogo admit` against the company: what its server lists is pinned, and a change is seen."""

import shutil
from pathlib import Path

import pytest
from live_mission import MISSIONS

from language.finding import Rejected
from language.workspace import load_workspace
from starter.cli import run

PINS = "tools:\n  {name}: {pin}\n"


@pytest.fixture
def workspace(tmp_path: Path, company_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("agents", "tools", "people", "security"):
        shutil.copy(MISSIONS / f"{name}.yaml", tmp_path)
    shutil.copytree(MISSIONS / "policies", tmp_path / "policies")
    monkeypatch.setenv("GONOGO_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GONOGO_COMPANY_URL", company_url)
    return tmp_path


def test_what_servers_list_is_pinned_and_what_changed_is_told(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [run(["admit", "--check"]), run(["admit", "get_asset"]), run(["admit", "get_asset", "--check"])]

    assert [1, 0, 0] == codes
    said = capsys.readouterr().out
    assert "get_asset: new\n" in said
    assert said.endswith(f"{workspace / 'pins.yaml'}\nget_asset: as admitted\n")
    tools = load_workspace(workspace).tools
    assert {"get_asset"} == {name for name, tool in tools.items() if tool.pin}

    (workspace / "pins.yaml").write_text(PINS.format(name="get_asset", pin=f"sha256:{'0' * 64}"))
    assert 1 == run(["admit", "get_asset", "--check"])
    assert "get_asset: changed\n" == capsys.readouterr().out
    assert 0 == run(["admit"])
    assert all(tool.pin.startswith("sha256:") for tool in load_workspace(workspace).tools.values())


def test_what_ships_is_admitted_as_the_company_describes_it(
    company_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who changes a tool of the company runs `gonogo admit` against it, and has `missions/pins.yaml` reviewed."""
    monkeypatch.setenv("GONOGO_WORKSPACE", str(MISSIONS))
    monkeypatch.setenv("GONOGO_COMPANY_URL", company_url)

    code = run(["admit", "--check"])

    stale = [line for line in capsys.readouterr().out.splitlines() if not line.endswith(": as admitted")]
    assert (0, []) == (code, stale)


@pytest.mark.parametrize(
    ("name", "pin", "finding"),
    [
        ("get_asset", "sha256:1", "2:14: BAD_VALUE the pin of 'get_asset' is no digest (let `gonogo admit` write it)"),
        ("get_aset", f"sha256:{'0' * 64}", "2:3: UNKNOWN_TOOL unknown tool 'get_aset' (did you mean 'get_asset'?)"),
    ],
)
def test_a_pin_of_nothing_is_found_at_its_place(workspace: Path, name: str, pin: str, finding: str) -> None:
    (workspace / "pins.yaml").write_text(PINS.format(name=name, pin=pin))

    with pytest.raises(Rejected) as caught:
        load_workspace(workspace)

    assert [f"{workspace}/pins.yaml:{finding}"] == [str(one) for one in caught.value.findings]
