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
