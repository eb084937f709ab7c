"""Operators in a rehearsal: what they say comes at its moment, and does what it would do in a mission that runs."""

import pytest
from theatre_folder import ends, told

STEPS = """
  - {step: look, agent: ann, task: a, output: seen, default: {k: 0}}
  - {step: file, action: file, compensate: unfile}
  - {step: last, agent: ben, task: b}
"""
SAID = """
agents: {ann: [{after: 10s, answer: {k: 1}}, {after: 10s, answer: {k: 2}}], ben: {after: 30s, answer: 1}}
tools: {file: {}, unfile: {}}
operators: [COMMANDS]
expect: {EXPECT}
"""


@pytest.fixture
def steered(theatre):
    """Play a small mission under commands; return what came of it, without a difference."""
    theatre.mission(STEPS)

    def rehearse(commands, expect):
        return theatre.rehearse(SAID.replace("COMMANDS", commands).replace("EXPECT", expect))

    return rehearse


def said(verb, **more):
    fields = {"command": verb, "by": "cho", "comment": "why", **more}
    return "{" + ", ".join(f"{key}: {value}" for key, value in fields.items()) + "}"


def test_a_pause_lets_what_runs_end_and_begins_nothing_until_it_is_over(steered):
    result = steered(f"{said('pause', after='5s')}, {said('resume', after='1h')}", "verdict: done, refused: []")

    assert [] == told(result)
    assert {"look": (10, "succeeded"), "file": (3605, "succeeded"), "last": (3635, "succeeded")} == ends(result)


@pytest.mark.parametrize(
    ("command", "expect"),
    [
        (
            said("rollback", at="look", once="last"),
            "ran: [file, file], compensations: [unfile], usage: {agent_runs: 3}",
        ),
        (said("retry", at="last", once="last", after="5s"), "ran: [file], compensations: [], usage: {seconds: 40}"),
        (said("skip", at="last", once="look"), "ran: [file], steps: {last: skipped}"),
        (said("interrupt", at="look", after="5s"), "state: failed, reason: cho interrupted it, ran: []"),
        (said("abort", once="last"), "state: aborted, reason: why, compensations: [unfile]"),
        (said("redirect", at="last", once="look"), "ran: [], steps: {file: skipped, last: succeeded}"),
        (said("amend", changes="{name: k, value: 7}", once="look"), "verdict: done, refused: []"),
        (said("retry", at="last", after="5s"), "verdict: done, refused: [cho]"),
        (said("pause", by="lea"), "verdict: done, refused: [lea]"),
    ],
    ids=lambda text: text.split(",", 1)[0].removeprefix("{command: "),
)
def test_a_command_does_what_it_does_in_a_mission_that_runs(steered, command, expect):
    assert [] == told(steered(command, expect))


def test_a_command_whose_moment_never_came_is_a_difference(steered):
    result = steered(said("resume", once="dead_letter"), "verdict: done")

    [difference] = told(result)
    assert difference.endswith("cho's resume: expected to be said, came no moment for it")


def test_what_failed_waits_for_its_operators_who_try_it_again(theatre):
    theatre.mission(STEPS)
    mission = theatre.root / "trial" / "mission.yaml"
    mission.write_text(mission.read_text().replace("steps:", "dead_letter: {timeout: 1h}\nsteps:", 1))
    script = """
agents: {ann: {k: 1}, ben: 1}
tools: {file: [{fails: refused, applied: 'no'}, {answer: {}}], unfile: {}}
"""
    left = theatre.rehearse(f"{script}expect: {{state: failed, reason: no operator said in time}}")
    mended = f"operators: [{said('retry', at='file', once='dead_letter', after='10m')}]\nexpect: {{verdict: done}}"

    again = theatre.rehearse(script + mended)

    assert ([], []) == (told(left), told(again))
    assert (600, "succeeded") == ends(again)["file"]


def test_a_command_of_nobody_at_nothing_is_a_mistake_in_the_file(theatre):
    theatre.mission(STEPS)
    command = said("retry", by="chu", at="lst", once="latst")

    codes = [finding.split()[1] for finding in theatre.findings(f"operators: [{command}]\nexpect: {{verdict: done}}")]

    assert ["UNKNOWN_PERSON", "UNKNOWN_STEP", "UNKNOWN_STEP"] == codes
