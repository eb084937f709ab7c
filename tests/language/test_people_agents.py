"""Agents that are people: what their entry needs, and where they may stand."""

from pathlib import Path

import pytest
from desk import findings, mission, workspace
from test_workspace import folder, refused

from contracts.mind import PeopleAgent
from language.freeze import freeze
from language.loader import load_text
from language.workspace import load_workspace

ENTRY = "agents: {board: {runtime: people, by: [tech_lead, cy], output: {type: string}%s}}\n"
BOARD = {"board": PeopleAgent(by=("tech_lead",), output={"type": "object", "properties": {"n": {"type": "integer"}}})}


def test_an_entry_says_who_answers_and_how_long_they_have(tmp_path: Path):
    board = load_workspace(folder(tmp_path, agents=ENTRY % "")).agents["board"]

    assert (("tech_lead", "cy"), {"type": "string"}, 86_400) == (board.by, board.output, board.timeout.total_seconds())


@pytest.mark.parametrize(
    ("entry", "finding"),
    [
        ("{runtime: people, by: [tech_lead]}", "'output'"),
        ("{runtime: people, output: {type: string}}", "'by'"),
        ("{runtime: people, by: [], output: {type: string}}", "by"),
        ("{runtime: people, by: [teck_lead], output: {type: string}}", "UNKNOWN_PERSON unknown role or person"),
        ("{runtime: people, by: [cy], output: {type: string}, tools: [look_up]}", "people have no use for 'tools'"),
        ("{runtime: people, by: [cy], output: {type: string}, queue: q}", "people have no use for 'queue'"),
        ("{runtime: people, by: [cy], output: {type: strong}}", "BAD_SCHEMA"),
        ("{runtime: a2a, url: 'ftp://far', ask: [cy]}", "'ftp://far' is no address"),
        ("{runtime: a2a, url: 'http://far', ask: [cyan]}", "UNKNOWN_PERSON unknown role or person 'cyan'"),
        ("{runtime: a2a, url: 'http://far', ask_timeout: 0s}", "TIMEOUT_NOT_POSITIVE"),
        ("{runtime: people, by: [cy], output: {type: string}, timeout: 0s}", "TIMEOUT_NOT_POSITIVE"),
        ("{runtime: people, by: [cy], output: {type: string}, callable: 'a:b'}", "callable"),
    ],
)
def test_each_thing_that_is_wrong_with_an_entry_is_one_finding(tmp_path: Path, entry: str, finding: str):
    found = refused(folder(tmp_path, agents=f"agents: {{board: {entry}}}\n"))

    assert (1, True) == (len(found), finding in found[0]), found


def told(steps: str) -> list[str]:
    known = workspace()
    return findings(mission(steps), agents={**known.agents, **BOARD})


def loaded(steps: str):
    known = workspace()
    there = workspace(agents={**known.agents, **BOARD})
    return freeze(load_text(mission(steps), "m.yaml", there), there)


def test_people_do_a_step_and_stand_in_for_an_agent():
    plan = loaded("""
        steps:
          - {step: rate, agent: board, task: Rate it, output: rated, timeout: 2h}
          - {step: look, agent: analyst, task: "Look at ${{ rated.n }}", on_failure: {any: {agent: board}}}
        """)

    assert ("people", ("tech_lead",)) == (plan.agents["board"].runtime, plan.agents["board"].by)


ASKED_ONCE = "'board' is people, who are asked once"
NOWHERE_ELSE = "'board' is people, who neither plan nor talk in a party"


@pytest.mark.parametrize(
    ("step", "finding"),
    [
        ("{step: rate, agent: board, task: Rate it, retry: {attempts: 2}}", ASKED_ONCE),
        ("{step: talk, party: {topic: So?, members: [architect, board], rounds: 2, tokens: 90000}}", NOWHERE_ELSE),
        ("{step: roll, plan: {agent: board, task: Plan, allow: {agents: [architect]}}}", NOWHERE_ELSE),
    ],
)
def test_where_people_cannot_stand_is_said(step: str, finding: str):
    found = told(f"steps:\n  - {step}\n")

    assert 1 == sum(finding in one for one in found), found
