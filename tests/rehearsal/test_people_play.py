"""Tasks for people in a rehearsal: they answer by the script, and only as they could."""

import pytest
from theatre_folder import AGENTS, ends, told

CAY = """
  cay:
    runtime: people
    by: [lead]
    timeout: 2h
    output: {type: object, required: [k], properties: {k: {type: integer}}}
"""
RATE = """
  - {step: rate, agent: cay, task: Rate it, output: rated, on_failure: {unanswered: {agent: ann}}}
  - {step: look, agent: ben, task: "Look at ${{ rated.k }}"}
"""


@pytest.fixture
def asking(theatre):
    (theatre.root / "agents.yaml").write_text(AGENTS + CAY)
    theatre.mission(RATE)
    return theatre


def test_people_answer_and_the_mission_goes_on_with_that(asking):
    result = asking.rehearse("""
agents: {ben: fine}
people: [{at: rate, by: lea, decide: answer, answer: {k: 4}, after: 10m}]
expect: {verdict: done, steps: {rate: succeeded}, waits: [{at: rate, asked: [lead]}], usage: {agent_runs: 1}}
""")

    assert [] == told(result)
    assert 600 == ends(result)["rate"][0]
    assert "task" == result.came.asked[0].subject.kind


def test_silence_leads_to_who_stands_in(asking):
    result = asking.rehearse("agents: {ann: {k: 1}, ben: fine}\nexpect: {verdict: done, steps: {rate: recovered}}\n")

    assert [] == told(result)
    assert 7200 == ends(result)["rate"][0]


def test_an_answer_that_does_not_fit_is_refused_as_it_would_be(asking):
    result = asking.rehearse("""
agents: {ben: fine}
people:
  - {at: rate, by: cho, decide: answer, answer: {k: 4}}
  - {at: rate, by: lea, decide: answer, answer: {k: four}}
  - {at: rate, by: lea, decide: approve}
  - {at: rate, by: lea, decide: answer, answer: {k: 4}}
expect: {verdict: done, refused: [cho, lea, lea]}
""")

    assert [] == told(result)
