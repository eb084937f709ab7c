"""The author's verbs: what they print, and how they leave."""

import json
import shutil
from pathlib import Path

import font_lato
import pytest
from resvg_py import svg_to_bytes

from language.codes import codes
from starter.cli import run
from starter.graph import rendered
from tests.policies import permit_all


def test_finding_without_a_code_lists_all(capsys):
    assert 0 == run(["finding"])
    assert list(codes()) == [line.split()[0] for line in capsys.readouterr().out.splitlines()]


def test_finding_prints_why_the_mend_and_both_examples(capsys):
    assert 0 == run(["finding", "loop_unbounded"])
    out = capsys.readouterr().out
    code = codes()["LOOP_UNBOUNDED"]
    assert all(part in out for part in (code.title, code.why, code.mend, "max_iterations: 5", "Refused:", "Mended:"))


def test_a_code_like_none_is_one_sentence_that_says_where_all_are(capsys):
    assert 2 == run(["finding", "quux"])
    assert "`gonogo finding` lists all" in capsys.readouterr().err


def test_lint_says_once_where_more_is_said_and_only_to_people(tmp_path, capsys):
    mission = tmp_path / "mission.yaml"
    mission.write_text("steps: []\n")

    assert 1 == run(["lint", str(mission)])
    told = capsys.readouterr()
    assert ("`gonogo finding CODE` says more\n", False) == (told.err, "gonogo finding" in told.out)
    assert 1 == run(["lint", str(mission), "--json"])
    assert "" == capsys.readouterr().err


def test_schema_prints_what_is_shipped(capsys):
    assert 0 == run(["schema"])
    shipped = Path(__file__).parents[2] / "docs" / "language" / "mission.schema.json"
    assert shipped.read_text() == capsys.readouterr().out


MISSION = "missions/incident_triage"


def test_graph_prints_mermaid(capfdbinary):
    assert 0 == run(["graph", MISSION])
    assert capfdbinary.readouterr().out.startswith(b"flowchart TD\n")


def test_graph_says_of_each_action_how_risky_it_may_come_to_be(capfdbinary):
    assert 0 == run(["graph", MISSION])
    lines = [line for line in capfdbinary.readouterr().out.decode().splitlines() if "risk" in line]
    said = [
        (line.partition("</b>")[0].rpartition(">")[2], line.rpartition("<br/>")[2].partition('"')[0]) for line in lines
    ]

    unasked = "risk 16 to 36, nobody is asked"
    assert [
        ("isolate", "risk 32 to 52, 1 must approve"),
        ("file_incident", unasked),
        ("file_for_people", unasked),
    ] == said


@pytest.mark.parametrize(("name", "start"), [("a.svg", b"<svg "), ("a.png", b"\x89PNG\r\n"), ("a.mmd", b"flowchart")])
def test_graph_writes_the_format_that_a_file_s_name_asks_for(name, start, tmp_path):
    assert 0 == run(["graph", MISSION, "--output", str(tmp_path / name)])
    assert (tmp_path / name).read_bytes().startswith(start)


def test_a_png_is_drawn_with_the_font_that_comes_with_us(tmp_path):
    """On a machine without fonts its words would be missing: with none but ours it is the same."""
    svg = tmp_path / "a.svg"
    run(["graph", MISSION, "--output", str(svg)])

    with_others = rendered(svg.read_text())

    fonts = [font_lato.font_files[name] for name in ("Lato", "LatoBold")]
    alone = svg_to_bytes(svg_string=svg.read_text(), zoom=2.0, font_files=fonts, skip_system_fonts=True)
    assert alone == with_others
    assert alone != svg_to_bytes(svg_string=svg.read_text(), zoom=2.0, skip_system_fonts=True)


def test_graph_refuses_a_format_that_it_does_not_know_and_a_mission_with_findings(tmp_path, capsys):
    assert 2 == run(["graph", MISSION, "--format", "gif"])
    assert "choose one of: mermaid, svg, png" in capsys.readouterr().err
    (tmp_path / "mission.yaml").write_text("steps: []\n")
    assert 1 == run(["graph", str(tmp_path)])
    assert "gonogo lint" in capsys.readouterr().err
    assert 1 == run(["graph", MISSION, "--output", str(tmp_path / "none" / "a.svg")])
    assert "cannot write" in capsys.readouterr().err


def changed_copy(folder: Path) -> Path:
    """A copy of the shipped workspace in which one approver is another."""
    copy = folder / "missions"
    shutil.copytree("missions", copy)
    mission = copy / "incident_triage" / "mission.yaml"
    mission.write_text(mission.read_text().replace("approvers: [secops_oncall]", "approvers: [secops_lead]"))
    return mission


def test_diff_of_one_mission_with_itself_is_nothing(capsys):
    assert 0 == run(["diff", MISSION, MISSION])
    assert "no difference in meaning\n" == capsys.readouterr().out


def test_diff_tells_who_is_asked_first_and_ends_with_1(tmp_path, capsys):
    other = changed_copy(tmp_path)

    assert 1 == run(["diff", MISSION, str(other)])
    assert [
        "Who is asked",
        '  ~ step isolate: approval.approvers: ["secops_oncall"] → ["secops_lead"]',
    ] == capsys.readouterr().out.splitlines()
    assert 1 == run(["diff", MISSION, str(other), "--json"])
    assert [
        {
            "happened": "changed",
            "about": "authority",
            "step": "isolate",
            "key": "approval.approvers",
            "before": ["secops_oncall"],
            "after": ["secops_lead"],
        }
    ] == json.loads(capsys.readouterr().out)


@pytest.fixture
def own_workspace(tmp_path, monkeypatch):
    """A workspace of one's own, with what the shipped one may name and no mission."""
    root = tmp_path / "own"
    root.mkdir()
    for file in Path("missions").glob("*.yaml"):
        shutil.copy(file, root)
    permit_all(root)
    monkeypatch.setenv("GONOGO_WORKSPACE", str(root))
    return root


def test_a_new_mission_lints_clean_and_its_editor_finds_the_schema(own_workspace, capsys):
    assert 0 == run(["new", "refund"])
    files = capsys.readouterr().out.splitlines()
    mission = own_workspace / "refund" / "mission.yaml"
    schema = mission.read_text().splitlines()[0].partition("$schema=")[2]

    assert [str(mission), str(mission.parent / "README.md")] == files
    assert 0 == run(["lint", str(own_workspace)])
    assert json.loads((mission.parent / schema).read_text())["title"]
    assert "```mermaid\nflowchart TD" in (mission.parent / "README.md").read_text()


def test_a_workspace_without_policies_gets_its_first_ones_with_its_first_mission(own_workspace, capsys):
    shutil.rmtree(own_workspace / "policies")
    assert 1 == run(["lint", str(own_workspace)])
    assert "NO_POLICY there is no folder 'policies', so everything is denied" in capsys.readouterr().out

    assert 0 == run(["new", "refund"])
    assert str(own_workspace / "policies" / "base.cedar") == capsys.readouterr().out.splitlines()[0]
    assert 0 == run(["lint", str(own_workspace)])
    (own_workspace / "policies" / "cases.yaml").write_text(
        "cases:\n"
        "  - {who: noor, may: start, what: refund, expect: allow}\n"
        "  - {who: noor, may: start, what: refund, with: {signed: false}, expect: allow}\n"
        "  - {who: refund, may: act, what: isolate_host, expect: deny}\n"
    )
    capsys.readouterr()
    assert 1 == run(["policy", "test"])
    told = capsys.readouterr().out
    assert "policies/cases.yaml:3:5: expected allow; noor: start refund: denied: no policy permits it" in told
    assert "1 of 3 cases not as expected" in told


def test_beside_the_shipped_schema_none_is_copied(own_workspace, capsys):
    shipped = own_workspace.parent / "docs" / "language" / "mission.schema.json"
    shipped.parent.mkdir(parents=True)
    shipped.write_text("{}")

    assert 0 == run(["new", "refund"])
    first = (own_workspace / "refund" / "mission.yaml").read_text().splitlines()[0]
    assert "# yaml-language-server: $schema=../../docs/language/mission.schema.json" == first
    assert not (own_workspace / "mission.schema.json").exists()


@pytest.mark.parametrize("name", ["Refund", "../refund", "a b", "", "1st", "x" * 65])
def test_a_name_that_cannot_be_is_refused_and_nothing_is_written(name, own_workspace, capsys):
    before = sorted(own_workspace.rglob("*"))

    assert 2 == run(["new", name])
    assert 1 == len(capsys.readouterr().err.splitlines())
    assert before == sorted(own_workspace.rglob("*"))


def test_a_name_that_is_taken_is_refused_and_what_is_there_stays(own_workspace, capsys):
    run(["new", "refund"])
    (own_workspace / "refund" / "mission.yaml").write_text("mine")

    assert 1 == run(["new", "refund"])
    assert "already; choose another name" in capsys.readouterr().err
    assert "mine" == (own_workspace / "refund" / "mission.yaml").read_text()


def test_a_workspace_without_agents_is_told_so(own_workspace, capsys):
    (own_workspace / "agents.yaml").write_text("agents: {}\n")

    assert 1 == run(["new", "refund"])
    assert "names no agent" in capsys.readouterr().err


def test_estimate_says_what_the_shipped_mission_may_take(capsys):
    assert 0 == run(["estimate", MISSION])
    told = capsys.readouterr().out
    assert 0 == run(["estimate", MISSION, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert f"history events  {found['events']['least']} to {found['events']['most']}\n" in told
    assert "time at gates   0s to " in told
    risk = "isolate_host: 32 to 52 of 100 (usual or raised), 1 person must approve; hangs on novelty, confidence, time"
    assert f"risk of isolate  {risk}\n" in told
    assert (32, 52) == ((isolate := found["risks"][0])["least"], isolate["most"])


def test_lint_points_at_what_nobody_has_signed_where_the_workspace_wants_it_signed(
    own_workspace, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("GONOGO_HOME", str(tmp_path / "home"))
    assert 0 == run(["new", "refund"])
    mission = own_workspace / "refund" / "mission.yaml"
    line = next(n for n, text in enumerate(mission.read_text().splitlines(), 1) if text.startswith("mission:"))
    security = own_workspace / "security.yaml"
    security.write_text((security.read_text() if security.exists() else "") + "require_signed: [secops_lead]\n")

    def found():
        capsys.readouterr()
        code = run(["lint", str(own_workspace), "--json"])
        return code, [
            (one["file"], one["line"], one["code"], one["message"]) for one in json.loads(capsys.readouterr().out)
        ]

    code, [policies, unsigned, *_] = found()
    assert 1 == code
    assert (True, "UNSIGNED") == (policies[0].endswith(".cedar"), policies[2])
    assert "policies has to be signed by secops_lead: nobody has signed it" == policies[3]
    assert [str(mission), line, "UNSIGNED"] == list(unsigned[:3])

    assert 0 == run(["people", "add", "salma", "--role", "secops_lead"])
    assert 0 == run(["sign", "refund", "--as", "salma"])
    assert ["policies has to be signed by secops_lead: nobody has signed it"] == [one[3] for one in found()[1]]
    assert 0 == run(["sign", "policies", "--as", "salma"])
    assert (0, []) == found()

    mission.write_text(mission.read_text().replace("version: ", "version: 9.", 1))
    assert ["known" not in one[3] and "what is signed is something else" in one[3] for one in found()[1]] == [True]
