"""`gonogo rehearse`: one line where all is well, the story and the differences where it is not, and the exit code."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from starter.cli import run

ROOT = Path(__file__).parents[2]
RIGHT = "agents: {ann: {after: 3s, answer: {k: 1}}}\nexpect: {verdict: done}\n"
WRONG = "agents: {ann: {after: 3s, answer: {k: 1}}}\nexpect: {verdict: other}\n"


def command(capsys, *arguments):
    code = run(["rehearse", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def test_what_comes_out_as_expected_is_one_line(theatre, capsys):
    file = theatre.script(RIGHT)

    code, out, err = command(capsys, file)

    assert (0, [f"● {file}  a trial", "1 rehearsal, as expected"], "") == (code, out.splitlines(), err)


def test_what_does_not_tells_its_story_and_the_differences(theatre, capsys):
    file = theatre.script(WRONG)

    code, out, _ = command(capsys, file)

    assert 1 == code
    assert f"✖ {file}  a trial" in out
    assert "+3.0s ● work ann done 3.0s" in " ".join(out.split())
    assert "  verdict: expected other, came done" in out.splitlines()


def test_the_story_is_told_in_its_order_when_asked_for(theatre, capsys):
    theatre.mission("""
  - {step: ask, gate: {approvers: lead, timeout: 1h}}
  - {step: work, agent: ann, task: work}
""")
    script = theatre.script(f"people: [{{at: ask, by: lea, decide: approve, after: 5m}}]\n{RIGHT}")

    code, out, _ = command(capsys, script, "--show")

    told = [" ".join(line.split()) for line in out.splitlines() if line.startswith(" ")]
    assert 0 == code
    assert [
        "+0.0s ◆ ask waits for lead",
        "+5m00s ◆ ask approved by lea",
        "+5m00s ○ work ann",
        "+5m03s ● work ann done 3.0s",
    ] == told


def test_a_deadline_is_told_when_it_passed(theatre, capsys):
    theatre.mission("  - {step: ask, gate: {approvers: lead, timeout: 1h, on_reject: continue}}\n")

    _, out, _ = command(capsys, theatre.script("expect: {verdict: done}\n"), "--show")

    told = [" ".join(line.split()) for line in out.splitlines() if line.startswith(" ")]
    assert ["+0.0s ◆ ask waits for lead", "+1h00m ✖ ask timed out"] == told


@pytest.mark.parametrize("place", ["", "trial", "trial/mission.yaml", "trial/rehearsals", "trial/rehearsals/one.yaml"])
def test_a_workspace_a_mission_a_folder_and_a_file_are_all_understood(theatre, capsys, place):
    theatre.script(RIGHT)

    code, out, _ = command(capsys, theatre.root / place)

    assert (0, "1 rehearsal, as expected") == (code, out.splitlines()[-1])


def test_a_file_named_twice_is_rehearsed_once(theatre, capsys):
    file = theatre.script(RIGHT)

    _, out, _ = command(capsys, file, theatre.root, file)

    assert "1 rehearsal, as expected" == out.splitlines()[-1]


def test_a_finding_counts_as_a_difference(theatre, capsys):
    file = theatre.script("agents: {anne: {k: 1}}\nexpect: {verdict: done}\n")

    code, out, _ = command(capsys, file)

    assert (1, True) == (code, "UNKNOWN_AGENT" in out)


def test_a_missing_answer_is_invented_only_when_asked(theatre, capsys):
    file = theatre.script("expect: {verdict: done}\n")

    assert [1, 0] == [command(capsys, file)[0], command(capsys, file, "--invent")[0]]


def test_json_is_one_document_with_what_came(theatre, capsys):
    theatre.script(WRONG)

    code, out, _ = command(capsys, theatre.root, "--json")

    (told,) = json.loads(out)
    (difference,) = told["differences"]
    assert (1, False, "completed", {"work": "succeeded"}) == (
        code, told["passed"], told["came"]["state"], told["came"]["steps"],
    )  # fmt: skip
    assert ("verdict", "other", "done") == (difference["what"], difference["expected"], difference["came"])


def test_misuse_is_one_sentence_and_2(theatre, capsys):
    (theatre.root / "empty").mkdir()
    cases = ([theatre.root / "nowhere"], [theatre.root / "empty"], [], [theatre.root, "--sow"])

    said = [command(capsys, *case) for case in cases]

    assert [2, 2, 2, 2] == [code for code, _, _ in said]
    assert [1, 1, 1, 1] == [len(err.splitlines()) for _, _, err in said]


def test_a_rehearsal_that_lies_nowhere_near_a_mission_is_a_finding(theatre, capsys):
    file = theatre.root / "lonely.yaml"
    file.write_text(theatre.script(RIGHT).read_text())

    code, out, _ = command(capsys, file)

    assert (1, True) == (code, "this rehearsal belongs to no mission" in out)


def test_hidden_characters_are_spelt_out(theatre, capsys):
    theatre.script('expect: {verdict: other}\nagents: {ann: {fails: refused, cause: "\\u001b[31mred"}}\n')

    _, out, _ = command(capsys, theatre.root)

    assert "\x1b" not in out


def test_nothing_slow_is_loaded_and_it_is_there_at_once():
    """Measured in processor time, which a busy machine does not stretch as it does the clock's."""
    probe = (
        "import sys; from starter.cli import run;"
        "code = run(['rehearse', 'missions/incident_triage/rehearsals/approved.yaml']);"
        "print(code, [m for m in ('temporalio', 'opentelemetry', 'mcp', 'httpx', 'jwt') if m in sys.modules])"
    )

    def spent():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = spent()
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)

    assert "0 []" == done.stdout.splitlines()[-1]
    assert spent() - before < 2
