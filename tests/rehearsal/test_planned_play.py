"""A rehearsal says what a planner answers; what it planned is loaded, approved, run and expected like anything else."""

import pytest

from starter.cli import run
from tests.rehearsal.theatre_folder import told

STEPS = """
  - step: rollout
    plan:
      agent: ben
      task: Plan it
      allow: {kinds: [action, agent], agents: [ann], tools: [isolate, file], approvers: [lead]}
      revise: true
    approval: {approvers: lead, timeout: 1h}
"""
REFUSED = "{steps: [{step: x, action: once}]}"
GOOD = """
    steps:
      - {step: look, agent: ann, task: Look, output: seen}
      - {step: cut, action: isolate, with: {host: 'h-${{ seen.k }}'}, approval: {approvers: lead}, compensate: release}
"""


@pytest.fixture
def planned(theatre):
    agents = theatre.root / "agents.yaml"
    plan = "output: {type: object, properties: {steps: {type: array}}}"
    agents.write_text(agents.read_text().replace("{callable: 'a:b', timeout: 1m}", f"{{callable: 'a:b', {plan}}}"))
    theatre.mission(STEPS)
    return theatre


def test_a_plan_is_refused_then_rejected_then_carried_out(planned):
    result = planned.rehearse(f"""
agents:
  rollout/look: {{k: 7}}
  ben:
    - {REFUSED}
    - {{steps: [{{step: store, action: file}}]}}
    - {GOOD.strip()}
tools: {{isolate: {{done: true}}}}
people:
  - {{at: 'rollout/plan[2]', by: leo, decide: reject, comment: cut it off}}
  - {{at: 'rollout/plan[3]', by: lea, decide: approve}}
  - {{at: rollout/cut, by: leo, decide: approve}}
expect:
  verdict: done
  steps:
    'rollout/plan[1]': failed
    'rollout/plan[2]': failed
    'rollout/plan[3]': succeeded
    rollout/look: succeeded
    rollout/cut: succeeded
  ran: [isolate]
""")

    assert [] == told(result)
    [refused] = [record for record in result.came.view.records if record.path == "rollout/plan[1]"]
    assert "PLAN_NOT_ALLOWED" in refused.failure.cause


ASKING = """
@id("others") permit(principal, action, resource) unless { resource == Tool::"file" };
@id("files") @approval("lead:1") permit(principal, action, resource == Tool::"file");
"""
FILING = "agents: {ben: {steps: [{step: store, action: file}]}}\ntools: {file: {}}\n"
ASKED = "rollout/plan[1]/@admission"


def test_a_plan_that_policy_wants_approved_is_put_to_those_whom_it_names(planned, capsys):
    (planned.root / "policies" / "open.cedar").write_text(ASKING)
    planned.mission(STEPS.replace("approvers: lead,", "approvers: chief,"))
    said = "people:\n  - {at: 'rollout/plan[1]', by: cho, decide: approve}\n  - {at: '%s', by: lea, decide: %s}\n"
    done = "expect: {verdict: done, steps: {'%s': succeeded}, ran: [file]}\n"
    for decide, expect in (("approve", done % ASKED), ("reject", "expect: {state: refused, ran: []}\n")):
        file = planned.script(FILING + said % (ASKED, decide) + expect)

        assert 0 == run(["rehearse", str(file), "--show"]), capsys.readouterr().out
        assert ASKED in capsys.readouterr().out


def test_a_plan_that_is_never_right_fails_the_mission(planned):
    result = planned.rehearse(f"agents: {{ben: {REFUSED}}}\nexpect: {{state: failed, ran: []}}")

    assert [] == told(result)


def test_a_script_that_speaks_of_what_no_plan_could_bring_is_refused(planned):
    found = planned.findings(
        "agents: {ben: 1, rollot/look: {k: 1}}\nexpect: {verdict: done, steps: {other/look: failed}}"
    )

    assert ["BAD_ANSWER", "UNKNOWN_AGENT", "UNKNOWN_STEP"] == sorted(line.split(": ")[1].split()[0] for line in found)
