"""What people are told beside a question, from the plan alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.decision import Action, Opening, Subject
from contracts.definition import (
    ActionStep,
    AgentStep,
    DeadLetterBox,
    Definition,
    GateStep,
    GroupStep,
    MapStep,
    PlanStep,
    ReviewStep,
)
from contracts.gate import Gate, Review, Rung
from contracts.mind import A2AAgent, CodeAgent, PeopleAgent
from contracts.plan import Plan
from contracts.planning import Allow, Planning
from contracts.step import Fallback
from contracts.workspace import Escalation, Tool
from language.briefing import UNDONE, brief
from language.risk import risk, step_at
from language.source import sources

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def tool(**more: Any) -> Tool:
    return Tool(**{"server": "company", "effect": "write", **more})


TOOLS = {
    "write": tool(compensated_by=("erase",), manual="not this one"),
    "erase": tool(manual="ask the archive"),
    "wipe": tool(effect="irreversible", manual="buy a new disk"),
    "stamp": tool(),
}


def plan(*steps: Any) -> Plan:
    definition = Definition(
        mission="m",
        version="1",
        team="t",
        inputs={"properties": {"order": {"type": "string"}}},
        verdict={"one_of": ("done",), "value": "'done'"},
        steps=steps,
    )
    agents = {"thinker": CodeAgent(callable="a:b"), "planner": CodeAgent(callable="a:b")}
    return Plan(definition=definition, agents=agents, tools=TOOLS, escalation=Escalation(role="chief", timeout=HOUR))


def asked(step: str, rung: int = 0, **subject: Any) -> Opening:
    known = {"mission": "m", "first_run_id": "r", "name": "m", "approvers": ("lead",), **subject}
    made = Subject(step=step, **known)
    context = {"thought": 1, "order": 2, "other": 3}
    return Opening(subject=made, digest="d", nonce="n", opened_at=NOW, deadline=NOW + HOUR, rung=rung, context=context)


def gate(**more: Any) -> Gate:
    return Gate(**{"approvers": ("lead",), "timeout": HOUR, **more})


THINK = AgentStep(step="think", agent="thinker", task="Think", output="thought")
ACT = ActionStep(
    step="act", action="write", with_={"text": "${{ thought.text }}", "to": "${{ order }}", "size": 1}, approval=gate()
)


def test_each_part_is_said_to_hold_the_words_of_those_who_may_have_written_it():
    told = brief(plan(THINK, ACT), asked("act", tool="write", arguments={}))

    assert {"text": ("agent thinker",), "to": ("who asked for it",)} == told.words
    assert {"thought": ("agent thinker",), "order": ("who asked for it",), "other": ()} == told.context


def test_a_question_with_an_agent_s_words_in_it_says_so():
    question = GateStep(step="ask", gate=gate(message="Really ${{ thought.text }}?"))

    assert {"": ("agent thinker",)} == brief(plan(THINK, question), asked("ask")).words


def test_what_comes_out_of_a_map_holds_the_words_of_all_inside_it_and_its_item_those_of_its_list():
    inner = AgentStep(step="inner", agent="planner", task="Plan")
    many = MapStep(step="many", map={"over": "thought.parts", "as": "part", "do": (inner,)}, output="made")

    found = sources(plan(THINK, many).definition)

    assert (("agent planner",), ("agent thinker",)) == (found["made"], found["part"])


@pytest.mark.parametrize(
    ("subject", "at_stake"),
    [
        ({"tool": "write", "compensation": "erase"}, "reversible"),
        ({"tool": "write"}, "lasting"),
        ({"tool": "wipe", "compensation": "erase"}, "irreversible"),
        ({"tool": "nobody_knows_it", "compensation": "erase"}, "irreversible"),
        ({}, "question"),
        ({"kind": "compensation"}, "lasting"),
        (
            {"actions": (Action(step="a", tool="write", compensation="erase"), Action(step="b", tool="wipe"))},
            "irreversible",
        ),
    ],
)
def test_the_risk_is_that_of_the_gravest_tool(subject, at_stake):
    assert at_stake == risk(plan(ACT), asked("act", **subject).subject)


@pytest.mark.parametrize(
    ("tools", "at_stake"), [(("write",), "reversible"), (("write", "stamp"), "lasting"), (("wipe",), "irreversible")]
)
def test_a_plan_is_as_grave_as_what_it_may_use(tools, at_stake):
    assert at_stake == risk(plan(planned(tools)), asked("work/plan[1]").subject)


def planned(tools: tuple[str, ...], **more: Any) -> PlanStep:
    planning = Planning(agent="planner", task="Plan", allow=Allow(kinds=("action",), tools=tools), **more)
    return PlanStep(step="work", plan=planning, approval=gate(on_reject="continue"))


def test_a_rejected_plan_goes_back_to_its_planner_until_the_last_one():
    steps = plan(planned(("write",), revise=True, attempts=2))

    assert "planner plans again, with your words" == brief(steps, asked("work/plan[1]")).reject
    assert "the mission goes on without it" == brief(steps, asked("work/plan[2]")).reject
    assert "the plan is carried out" == brief(steps, asked("work/plan[1]")).approve


def test_those_whom_policy_asks_about_a_plan_are_told_what_their_answer_leads_to():
    steps = plan(planned(("wipe",), revise=True, attempts=2))
    first, last = brief(steps, asked("work/plan[1]/@admission")), brief(steps, asked("work/plan[2]/@admission[2]"))

    assert ("irreversible", "the plan is carried out") == (first.risk, first.approve)
    assert ("planner plans again, with your words", UNDONE) == (first.reject, last.reject)


@pytest.mark.parametrize(
    ("more", "rung", "told"),
    [
        ({}, 0, f"it counts as rejected: {UNDONE}"),
        ({"on_timeout": "escalate"}, 0, "chief may decide instead, for 1h"),
        ({"on_timeout": "escalate"}, 1, f"it counts as rejected: {UNDONE}"),
        (
            {"on_timeout": "escalate", "escalation": (Rung(approvers=("cto", "ceo"), timeout=2 * HOUR),)},
            0,
            "cto or ceo may decide instead, for 2h",
        ),
        ({"on_timeout": "abort"}, 0, "the mission is aborted, and what it did is undone"),
        ({"on_timeout": "act"}, 0, "act follows, and the mission goes on"),
        ({"on_timeout": (THINK,)}, 0, "think follows, and the mission goes on"),
        ({"on_reject": "continue"}, 0, "it counts as rejected: the mission goes on, and knows that it was rejected"),
        ({"on_timeout": "dead_letter"}, 0, "the step fails, since nobody answered"),
        (
            {
                "on_timeout": "escalate",
                "escalation": (Rung(approvers=("cto",), timeout=HOUR, on_timeout="dead_letter"),),
            },
            1,
            "the step fails, since nobody answered",
        ),
    ],
)
def test_what_happens_at_the_deadline_is_told(more, rung, told):
    assert told == brief(plan(GateStep(step="ask", gate=gate(**more)), ACT), asked("ask", rung)).deadline


def test_what_several_must_reject_and_who_makes_changes_is_told():
    told = brief(plan(GateStep(step="ask", gate=gate(reject_quorum=2, on_changes=(THINK,))), ACT), asked("ask"))

    assert f"once 2 have rejected, {UNDONE}" == told.reject
    assert "think follows, and people are asked anew" == told.changes


def test_a_review_goes_on_by_itself_and_an_objection_goes_where_it_points():
    review = ReviewStep(step="look", review=Review(reviewers=("lead",), timeout=HOUR, on_object="continue"))
    told = brief(plan(review), asked("look", kind="review"))

    assert "the mission goes on, unless somebody has objected" == told.deadline
    assert ("the review ends early, and the mission goes on", "the mission goes on without it") == (
        told.approve,
        told.reject,
    )


def test_what_asks_apart_from_its_step_tells_its_own_ways():
    failed, stuck = asked("act/undo[1]", kind="compensation"), asked("act/escalate", kind="escalation")

    assert "what undoes it is tried again" == brief(plan(ACT), failed).approve
    assert ("the mission goes on from here", UNDONE) == (
        brief(plan(ACT), stuck).approve,
        brief(plan(ACT), stuck).reject,
    )
    lettered = plan(ACT).definition.model_copy(update={"dead_letter": DeadLetterBox()})
    assert ("it counts as rejected", "the step fails, since nobody answered") == (
        brief(plan(ACT), stuck).deadline,
        brief(plan(ACT).model_copy(update={"definition": lettered}), stuck).deadline,
    )


def test_the_way_back_is_the_compensation_and_what_a_person_does_should_it_fail():
    one = brief(plan(ACT), asked("act", tool="write", compensation="erase")).back
    none = brief(plan(ACT), asked("act", tool="wipe")).back

    assert (
        "erase undoes write, should the mission come to nothing later",
        "by hand, should that fail: ask the archive",
    ) == one
    assert ("nothing undoes wipe here", "by hand: buy a new disk") == none


def test_several_must_approve_and_several_actions_run_in_their_order():
    group = GroupStep(step="both", steps=(ACT, ActionStep(step="more", action="stamp")), approval=gate(required=2))
    actions = (Action(step="both/act", tool="write"), Action(step="both/more", tool="stamp"))
    told = brief(plan(THINK, group), asked("both", required=2, actions=actions))

    assert "once 2 have approved, all 2 actions, in this order, run with exactly these arguments" == told.approve
    assert {"both/act text", "both/act to"} == set(told.words)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("act", "act"),
        ("many[web-01]/act", "act"),
        ("loop[2]/act#3", "act"),
        ("work/plan[1]", "work"),
        ("work/plan[1]/@admission", "work"),
        ("loop[2]/work#3/plan[1]/@admission[2]", "work"),
        ("@admission", None),
        ("act/undo[1]", None),
    ],
)
def test_a_path_leads_to_its_step(path, name):
    step = step_at(plan(ACT, planned(("write",))), path)

    assert name == (step.step if step else None)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (None, ""),
        ("mend", "mend follows, and people are asked anew"),
        ((THINK,), "think follows, and people are asked anew"),
        ((THINK, THINK.model_copy(update={"step": "again"})), "think, again follow, and people are asked anew"),
    ],
)
def test_what_asking_for_changes_leads_to_is_told_where_it_is_no_rejection(target: Any, said: str):
    question = GateStep(step="ask", gate=gate(on_changes=target))

    assert said == brief(plan(question, THINK.model_copy(update={"step": "mend"})), asked("ask")).changes


def test_a_task_says_what_an_answer_and_silence_lead_to_and_whose_words_it_holds():
    people = PeopleAgent(by=("lead",), output={"type": "object"})
    far = A2AAgent(url="http://far")
    rate = AgentStep(
        step="rate", agent="raters", task="Rate ${{ thought.text }}", on_failure={"any": Fallback(agent="far")}
    )
    known = plan(THINK, rate)
    known = known.model_copy(update={"agents": {**known.agents, "raters": people, "far": far}})
    told = brief(known, asked("rate", kind="task"))

    assert ("the step goes on with that answer", "the step fails, since nobody answered", "question") == (
        told.approve,
        told.deadline,
        told.risk,
    )
    assert {"": ("agent thinker", "agent far")} == told.words
    assert told.words == brief(known, asked("rate/on_failure", kind="task")).words
