"""What was expected against what came: every key differs on its own, in one line that says both."""

import pytest
from theatre_folder import told

MISSION = """
  - step: rounds
    loop:
      do: [{step: look, agent: ann, task: look, output: seen}]
      until: seen.k == 2
      max_iterations: 3
  - {step: file, action: file, compensate: unfile}
  - {step: ask, gate: {approvers: [lead], timeout: 1h, on_reject: continue}}
"""
SCRIPT = """
agents: {ann: [{k: 1}, {answer: {k: 2}, usd: 0.5}]}
tools: {file: filed}
people: [{at: ask, by: lea, decide: reject, comment: 'no', after: 1m}]
"""


@pytest.mark.parametrize(
    ("expected", "difference"),
    [
        ("{verdict: other}", "verdict: expected other, came done"),
        ("{state: failed}", "state: expected failed, came completed"),
        ("{reason: too late}", "reason: expected 'too late' in it, came nothing"),
        ("{steps: {ask: failed}}", "step ask: expected failed, came succeeded"),
        ("{steps: {'rounds[3]/look': succeeded}}", "step rounds[3]/look: expected succeeded, came not_run"),
        ("{steps: {look: failed}}", "step look: expected failed, came succeeded"),
        ("{ran: []}", "ran: expected nothing, came file"),
        ("{ran: [file, file]}", "ran: expected file, file, came file"),
        ("{compensations: [unfile]}", "compensations: expected unfile, came nothing"),
        ("{waits: []}", "waits: expected nothing, came ask (lead)"),
        ("{waits: [{at: ask}, {at: ask}]}", "waits: expected ask, ask, came ask (lead)"),
        ("{waits: [{at: ask, asked: chief}]}", "waits: expected ask (chief), came ask (lead)"),
        ("{refused: [lea]}", "refused: expected lea, came nothing"),
        ("{usage: {agent_runs: 3}}", "usage agent_runs: expected 3, came 2"),
        ("{usage: {usd: 0.4}}", "usage usd: expected 0.4, came 0.5"),
    ],
)
def test_a_difference_says_both(theatre, expected, difference):
    theatre.mission(MISSION)

    assert [difference] == told(theatre.rehearse(f"{SCRIPT}expect: {expected}"))


def test_what_came_as_expected_differs_in_nothing(theatre):
    theatre.mission(MISSION)

    result = theatre.rehearse(f"""{SCRIPT}
expect:
  verdict: done
  state: completed
  steps: {{look: succeeded, 'rounds[3]/look': not_run, file: succeeded}}
  ran: file
  compensations: []
  waits: [{{at: ask, asked: lead}}]
  usage: {{agent_runs: 2, usd: 0.5, seconds: 0}}
""")

    assert [] == told(result)


RISK = """
factors: {night: {weight: 1, value: "hour < 6 ? 0.9 : 0.1"}}
levels: {low: {at: 0}, high: {at: 50, people: 1, approvers: [lead], timeout: 1h}}
"""


@pytest.mark.parametrize(
    ("starts", "expected", "differences"),
    [
        ("", "{file: {score: 90, level: high, people: 1}}", []),
        ("starts: '2026-03-02T10:00:00Z'", "{file: {score: 10, level: low, people: 0}}", []),
        ("starts: '2026-03-02T10:00:00+06:00'", "{file: {score: 90}}", []),
        ("starts: '2026-03-02T10:00:00Z'", "{file: {people: 1}}", ["risk file: people: expected 1, came 0"]),
        ("", "{file: {level: low}}", ["risk file: level: expected low, came high"]),
        ("", "{ask: {score: 1}}", ["risk ask: score: expected 1, came nothing"]),
    ],
)
def test_a_risk_is_weighed_by_the_time_that_the_rehearsal_begins_at(theatre, starts, expected, differences):
    theatre.mission(MISSION)
    (theatre.root / "risk.yaml").write_text(RISK)
    people = "" if "Z" in starts else "people: [{at: file, by: lea, decide: approve}]"

    result = theatre.rehearse(f"{SCRIPT.partition('people')[0]}{people}\n{starts}\nexpect: {{risk: {expected}}}")

    assert differences == told(result)
