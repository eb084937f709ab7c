"""What a mission may take: bounds that the recorded histories keep."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from desk import load, workspace
from good_missions import good_steps
from hypothesis import given

from contracts.mind import CodeAgent, PeopleAgent
from contracts.plan import MissionInput
from language.bounds import Span
from language.estimate import Estimate, estimate
from language.freeze import freeze

HISTORIES = Path(__file__).parents[1] / "histories"
FAILED_OR_CHANGED = ("action_modified", "action_undone", "cancelled", "continued", "dead_letter", "map", "recovered")
FAILED_OR_CHANGED += ("handed_over", "retried", "canary_breached", "child_undone", "locked_undone", "group_asked_again")
FAILED_OR_CHANGED += ("gate_seated", "climbed", "halted", "letter", "redirected", "steered", "reset")
FAILED_OR_CHANGED += ("answered", "asked_back", "agent_asks", "agent_watched", "spent")
FAILED_OR_CHANGED += ("rules_changed", "rules_heeded", "rules_recalled", "start_approved", "plan_consented")
FAILED_OR_CHANGED += ("plan_deferred",)
BESIDE = {
    "gate_heard_late.1": 9,
    "gate_approved.1": 5,
    "gate_ruled.1": 10,
    "gate_quorum.1": 10,
    "agent_mended.1": 6,
    "child_inside.1": 7,
}
"""Events that no estimate knows of: of a decision that was refused or fills no seat, of a fake that breaks a schema it
has not, and of a parent that is looked at."""
KEPT = [path for path in sorted(HISTORIES.glob("*.json")) if not path.name.startswith(FAILED_OR_CHANGED)]


def test_a_child_is_reckoned_with_but_for_its_events():
    step = "{step: file, mission: %s, accept: %s, on_parent_close: undo, allow: {tools: [%s]}}"
    alone = reckoned("steps: [{step: look, action: look_up}]")
    quick = reckoned("steps: [" + step % ("file_report", "filed", "open_ticket, close_ticket") + "]")
    asked = reckoned("steps: [" + step % ("file_carefully", "written", "write_file, delete_file") + "]")

    assert Span(least=1, most=1) == alone.actions == quick.actions == asked.actions
    assert (Span(least=0, most=0), Span(least=1, most=1)) == (quick.gates, asked.gates)
    assert (0.0, None) == (quick.waiting_most, asked.waiting_most)
    assert quick.events == asked.events


def reckoned(steps: str, **more: Any) -> Estimate:
    return estimate(freeze(load(steps, **more), workspace(**more)))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_recorded_history_lies_within_what_was_reckoned(path: Path):
    events = json.loads(path.read_text())["events"]
    payload = events[0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"][0]["data"]
    plan = MissionInput.model_validate_json(base64.b64decode(payload)).plan
    own = sum("TIME_SKIPPING" not in event["eventType"] for event in events) - BESIDE.get(path.stem, 0)
    found = estimate(plan)

    assert found.events.least <= own <= (found.events.most or own)


def test_steps_in_order_add_up_exactly():
    found = reckoned(
        "steps: [{step: a, agent: architect, task: T}, {step: b, action: look_up}, {step: c, action: open_ticket}]"
    )

    assert found == Estimate(
        agents=Span(least=1, most=1),
        actions=Span(least=2, most=2),
        gates=Span(least=0, most=0),
        events=Span(least=6 + 3 * 6, most=6 + 3 * 6),
        waiting_least=0,
        waiting_most=0,
    )


def test_branches_share_workflow_tasks_and_wait_together():
    branch = "{gate: {approvers: ada, timeout: %s}}"
    found = reckoned(f"steps: [{{step: p, parallel: [{branch % '1h'}, {branch % '2h'}]}}]")

    assert (found.gates, found.waiting_most) == (Span(least=2, most=2), 7200)
    assert found.events == Span(least=6 + 3 + 4 + 4, most=6 + 20 + 20)


def test_a_graph_waits_for_its_longest_way():
    gate = "gate: {approvers: ada, timeout: %s}"
    steps = f"""
    steps:
    - {{step: a, {gate % "1h"}}}
    - {{step: b, needs: a, {gate % "2h"}}}
    - {{step: c, needs: a, {gate % "5h"}}}
    - {{step: d, needs: b, {gate % "1h"}}}
    """

    assert reckoned(steps).waiting_most == 6 * 3600


def test_one_way_of_a_condition_is_the_least_and_the_other_the_most():
    found = reckoned("""
    steps:
    - step: a
      condition: {if: alert.bad, then: [{agent: architect, task: T}, {agent: reviewer, task: T}], else: c}
    - {step: c, gate: {approvers: ada, timeout: 1h}}
    """)

    assert (found.agents, found.gates) == (Span(least=0, most=2), Span(least=0, most=1))
    assert (found.waiting_least, found.waiting_most) == (0, 3600)


def test_a_loop_runs_once_at_least_and_to_its_bound_at_most():
    found = reckoned("""
    steps:
    - step: a
      loop: {do: [{agent: architect, task: T, output: x}], until: x.ok, max_iterations: 7, on_max: [{action: look_up}]}
    """)

    assert (found.agents, found.actions) == (Span(least=1, most=7), Span(least=0, most=1))


def test_a_ladder_adds_its_times_and_a_gate_without_a_deadline_waits_for_ever():
    ladder = "escalation: [{approvers: cy, timeout: 2h}]"
    found = reckoned(f"steps: [{{step: a, gate: {{approvers: ada, timeout: 1h, on_timeout: escalate, {ladder}}}}}]")

    assert found.waiting_most == 3 * 3600
    assert reckoned("steps: [{step: a, gate: {approvers: ada}}]").waiting_most is None


def test_a_refused_action_does_not_run_where_the_mission_goes_on():
    gate = "approval: {approvers: ada, timeout: 1h, on_reject: %s}"
    approval = f"steps: [{{step: a, action: write_file, with: {{name: x}}, {gate}}}]"

    assert reckoned(approval % "abort").actions == Span(least=1, most=1)
    assert reckoned(approval % "continue").actions == Span(least=0, most=1)


def test_an_agent_may_be_asked_again_and_may_be_unsure():
    agents = {"architect": CodeAgent(callable="a:b", output={"type": "object"}, confidence_floor=0.5)}
    found = reckoned("steps: [{step: a, agent: architect, task: T}]", agents=agents)

    assert (found.agents, found.gates) == (Span(least=1, most=2), Span(least=0, most=1))
    assert found.waiting_most is None


def test_people_who_do_a_step_are_a_question_and_no_run_of_an_agent():
    agents = {"architect": PeopleAgent(by=("ada",), output={"type": "object"}, timeout="2h")}
    found = reckoned("steps: [{step: a, agent: architect, task: T}]", agents=agents)
    sooner = reckoned("steps: [{step: a, agent: architect, task: T, timeout: 1h}]", agents=agents)

    assert (found.agents, found.gates) == (Span(least=0, most=0), Span(least=1, most=1))
    assert (found.waiting_most, sooner.waiting_most) == (7200, 3600)


def test_a_chain_of_500_calls_is_reckoned():
    steps = [f"- {{step: s{n}, condition: {{if: 'true', then: s{n + 1}}}}}" for n in range(499)]
    found = reckoned("\n".join(["steps:", *steps, "- {step: s499, agent: architect, task: T}"]))

    assert found.agents == Span(least=0, most=1)


def test_a_canary_takes_every_stage_or_ends_at_the_first_that_is_refused():
    canary = """
    steps:
    - step: a
      canary:
        stages: [1, 10, 100]
        do: {action: open_ticket, compensate: close_ticket}
        last: {approvers: ada, timeout: 1h, on_reject: %s}
        bake: 10m
        probe: {agent: architect, task: T}
        healthy: result.good
        incident: {action: open_ticket}
    """
    all_, refused = reckoned(canary % "abort"), reckoned(canary % "continue")

    assert (all_.agents, all_.actions, all_.gates) == (
        Span(least=3, most=3),
        Span(least=3, most=3),
        Span(least=1, most=1),
    )
    assert (refused.agents, refused.actions) == (Span(least=2, most=3), Span(least=2, most=3))
    assert all_.waiting_most == 3600


@given(good_steps())
def test_every_mission_that_loads_has_a_least_that_is_no_more_than_its_most(steps: str):
    found = reckoned(steps)

    assert all(
        span.most is None or span.least <= span.most
        for span in (found.agents, found.actions, found.gates, found.events)
    )
    assert found.waiting_most is None or found.waiting_least <= found.waiting_most


def test_of_a_plan_only_the_planning_is_known():
    found = reckoned("""
    steps:
      - step: work
        plan: {agent: planner, task: T, attempts: 2, allow: {kinds: [agent], agents: [reviewer]}}
    """)

    assert (Span(least=1, most=None), Span(least=0, most=0), Span(least=0, most=0)) == (
        found.agents,
        found.actions,
        found.gates,
    )
    assert (18, None) == (found.events.least, found.events.most)
