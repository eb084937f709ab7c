"""A mission's budget holds in rehearsals too: what has nothing left does not begin, and people say how it goes on."""

import pytest
from theatre_folder import ends, told

STEPS = """
  - {step: first, agent: ben, task: a}
  - {step: second, agent: ben, task: b}
"""
MORE = """
operators:
  - {command: amend, by: cho, comment: more, changes: {name: mission.budget, value: AMENDED}, once: dead_letter}
  - {command: retry, by: cho, comment: more, at: second}
"""


@pytest.mark.parametrize(
    ("budget", "answer", "cause"),
    [
        ("usd: 1", "usd: 1", "has spent $1.00 of $1.00"),
        ("tokens: 50", "tokens: 60", "has spent 60 tokens of 50 tokens"),
        ("agent_runs: 1", "tool_calls: 1", "has spent 1 agent runs of 1 agent runs"),
        ("time: 1m", "after: 1m", "the mission has taken 1m of 1m"),
    ],
)
def test_an_agent_for_whom_nothing_is_left_is_not_begun_until_operators_raise_it(theatre, budget, answer, cause):
    theatre.mission(f"{STEPS}budget: {{{budget}}}\n")
    script = f"agents: {{ben: {{answer: x, {answer}}}}}\n"

    stands = theatre.rehearse(script + "expect: {state: dead_letter, usage: {agent_runs: 1}}\n")
    assert [] == told(stands)
    assert cause in stands.came.view.letter.failure.cause
    measure = budget.partition(":")[0]
    more = MORE.replace("AMENDED", "{time: 1h}" if measure == "time" else f"{{{measure}: 1000}}")
    goes_on = theatre.rehearse(f"{script}{more}expect: {{verdict: done, usage: {{agent_runs: 2}}}}\n")
    assert [] == told(goes_on)
    assert "succeeded" == ends(goes_on)["second"][1]


def test_half_of_a_budget_is_told_once_and_stops_nobody(theatre):
    theatre.mission(f"{STEPS}  - {{step: third, agent: ben, task: c}}\nbudget: {{usd: 4, soft: 0.5}}\n")

    played = theatre.rehearse("agents: {ben: {answer: x, usd: 1.2}}\nexpect: {verdict: done, usage: {usd: 3.6}}\n")

    assert [] == told(played)
    notes = [(one.path, note.text) for one in played.came.view.records for note in one.notices]
    assert [("third", "mission rehearsal has spent $2.40 of $4.00")] == notes
