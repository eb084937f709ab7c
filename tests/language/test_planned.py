"""A planner's answer becomes steps of its mission, or findings: whatever it is, it is refused and never breaks."""

import json
import time
from typing import Any

import pytest
from desk import load, workspace
from hypothesis import given
from hypothesis import strategies as st

from contracts.definition import ActionStep, AgentStep, PlanStep, Step
from contracts.planned import LoadedPlan, PlanOrder
from language.finding import Finding
from language.freeze import freeze
from language.planned import checked, digest_of, load_plan, written
from language.steps import every_step, gate_of, walk

STEPS = """
steps:
  - {step: find, agent: analyst, task: T, output: found}
  - step: perhaps
    when: found.complexity_score > 3
    agent: reviewer
    task: T
    output: extra
  - step: rollout
    plan:
      agent: planner
      task: Plan it
      allow:
        kinds: [agent, action, gate, condition, loop, parallel, steps, map, race, wait, review, party]
        agents: [reviewer]
        tools: [list_files, write_file, open_ticket]
      max_steps: 12
    approval: {approvers: [tech_lead], required: 2, timeout: 4h}
    output: done
  - {step: after, agent: reviewer, task: T, output: last}
"""
APPROVED = {"approvers": ["tech_lead"], "required": 2, "timeout": "1h"}
WRITE = {"step": "write", "action": "write_file", "with": {"name": "x"}, "approval": APPROVED}
LOOK = {"step": "look", "agent": "reviewer", "task": "Look"}


def order(answer: Any, steps: str = STEPS, **more: Any) -> PlanOrder:
    plan = freeze(load(steps), workspace())
    step = next(step for step in every_step(plan.definition) if isinstance(step, PlanStep))
    sent = PlanOrder(id="m/rollout/plan[1]", plan=plan, step=step, answer=answer, **more)
    return PlanOrder.model_validate_json(sent.model_dump_json())


def loaded(*steps: Any, inside: str = STEPS, **more: Any) -> LoadedPlan:
    return load_plan(order({"steps": list(steps)}, inside, **more))


def codes(*steps: Any, inside: str = STEPS) -> list[str]:
    """Where and what is found, as `[0].approval: CODE`."""
    return [" ".join(found.removeprefix("steps").split(" ")[:2]) for found in loaded(*steps, inside=inside).findings]


def test_what_an_author_could_write_a_planner_can():
    plan = loaded(
        {**LOOK, "output": "seen", "context": ["found"]},
        {"step": "check", "condition": {"if": "found.complexity_score > 3", "then": "more"}},
        {
            "step": "more",
            "parallel": [{"agent": "reviewer", "task": "A"}, {"action": "list_files", "with": {"folder": "x"}}],
        },
        {**WRITE, "compensate": {"tool": "delete_file", "with": {}}},
        {"step": "each", "map": {"over": "found.tags", "do": [{"agent": "reviewer", "task": "${{ item }}"}]}},
    )

    assert () == plan.findings
    assert ["look", "check", "more", "write", "each"] == [step.step for step in plan.steps]
    assert plan.digest.startswith("sha256:")


CANARY = {
    "step": "roll",
    "canary": {
        "stages": [1, 100],
        "do": {"action": "open_ticket", "with": {"n": "${{ stage }}"}, "compensate": "close_ticket"},
        "bake": "10m",
        "probe": {"agent": "reviewer", "task": "Look"},
        "healthy": "true",
        "incident": {"action": "open_ticket"},
    },
}


def test_a_canary_in_a_plan_is_held_to_its_parts():
    steps = STEPS.replace("kinds: [agent", "kinds: [canary, agent")
    acting = {**CANARY["canary"], "incident": {"action": "send_money"}}

    assert [] == codes(CANARY, inside=steps)
    assert "[0].canary.incident.action: PLAN_NOT_ALLOWED" in codes({**CANARY, "canary": acting}, inside=steps)
    assert "[0]: PLAN_NOT_ALLOWED" in codes(CANARY)


def test_a_digest_is_of_the_steps_alone():
    first, second, other = loaded(WRITE, LOOK), loaded(WRITE, LOOK), loaded(LOOK, WRITE)

    assert first.digest == second.digest != other.digest


def test_a_digest_tells_apart_what_stands_under_the_name_of_a_place():
    put: list[Any] = [
        {**WRITE, "with": {"name": "x", "place": "here"}},
        {**WRITE, "compensate": {"tool": "delete_file", "with": {"place": "here"}}},
        {**LOOK, "output": "seen", "default": {"place": "here"}},
        {"step": "each", "map": {"over": "found.tags", "do": [{**WRITE, "with": {"at": [{"place": "here"}]}}]}},
    ]
    for step in put:
        other = json.loads(json.dumps(step).replace('"here"', '{"file": "plan", "line": 1, "column": 1}'))
        digests = {
            digest_of([one.model_dump(mode="json") for one in read], read)
            for read in (loaded_alone(step), loaded_alone(other))
        }
        assert 2 == len(digests), step


def loaded_alone(step: Any) -> tuple[Step, ...]:
    """Return a step as it is read, whatever its tools make of it."""
    findings: list[Finding] = []
    tree = written({"steps": [step]}, findings)
    assert tree is not None
    return checked(order({"steps": [step]}), tree, findings)


def test_a_plan_asks_as_strictly_as_it_is_itself_approved():
    """Its own gate takes one of each role, and excludes who wrote the mission."""
    strict = "approval: {from: {tech_lead: 1, director: 1}, exclude: author, timeout: 4h}"
    inside = STEPS.replace("approval: {approvers: [tech_lead], required: 2, timeout: 4h}", strict) + "author: bob\n"
    alike = {"from": {"tech_lead": 1, "director": 1}, "exclude": "author", "timeout": "1h"}

    assert [] == codes({**WRITE, "approval": alike}, inside=inside)
    assert ["[0].approval.from: PLAN_NOT_ALLOWED"] == codes(
        {
            **WRITE,
            "approval": {**alike, "from": {"tech_lead": 1}, "approvers": ["tech_lead", "director"], "required": 2},
        },
        inside=inside,
    )
    assert ["[0].approval.exclude: PLAN_NOT_ALLOWED"] == codes(
        {**WRITE, "approval": {**alike, "exclude": "requester"}}, inside=inside
    )


def test_a_plan_differs_from_nothing_or_from_the_one_before():
    first = loaded(WRITE)
    second = loaded({**WRITE, "with": {"name": "y"}}, before=first.steps)

    assert [("added", "write")] == [(change["happened"], change["step"]) for change in first.changes]
    assert [("changed", "write", "with")] == [(c["happened"], c["step"], c["key"]) for c in second.changes]


def test_text_of_any_kind_reaches_the_steps_as_it_was():
    task = "quotes ' \" \\ \n tab\t \u2028 \x85 \ufeff é 😀 yes no 1:30 # - : {"
    plan = loaded({**LOOK, "task": task})

    assert ((), task) == (plan.findings, plan.steps[0].task)


REFUSED: dict[str, tuple[list[Any], list[str]]] = {
    "a tool that is not allowed": (
        [{"step": "a", "action": "send_money", "approval": APPROVED}],
        ["[0].action: UNKNOWN_TOOL", "[0].action: PLAN_NOT_ALLOWED"],
    ),
    "a tool that may only undo": ([{"step": "a", "action": "close_ticket"}], ["[0].action: PLAN_NOT_ALLOWED"]),
    "an agent that is not allowed": ([{**LOOK, "agent": "analyst"}], ["[0].agent: PLAN_NOT_ALLOWED"]),
    "a fallback that is not allowed": (
        [{**LOOK, "on_failure": {"any": {"agent": "analyst"}}}],
        ["[0].on_failure: PLAN_NOT_ALLOWED"],
    ),
    "an action without approval": (
        [{"step": "a", "action": "write_file", "with": {"name": "x"}}],
        ["[0].action: APPROVAL_UNGATED"],
    ),
    "approvers that are not allowed": (
        [{**WRITE, "approval": {**APPROVED, "approvers": ["director", "ada"], "required": 2}}],
        ["[0].approval: PLAN_NOT_ALLOWED", "[0].approval: PLAN_NOT_ALLOWED"],
    ),
    "a party of others, with a facilitator of its own": (
        [
            {
                "step": "a",
                "party": {
                    "topic": "T",
                    "members": ["reviewer", "analyst"],
                    "rounds": 2,
                    "tokens": 900,
                    "facilitator": "director",
                },
            }
        ],
        ["[0].party: PLAN_NOT_ALLOWED", "[0].party: PLAN_NOT_ALLOWED"],
    ),
    "a ladder to others": (
        [
            {
                **WRITE,
                "approval": {
                    **APPROVED,
                    "on_timeout": "escalate",
                    "escalation": [{"approvers": "director", "timeout": "1h"}],
                },
            }
        ],
        ["[0].approval: PLAN_NOT_ALLOWED", "[0].approval.escalation[0]: GATE_UNSATISFIABLE"],
    ),
    "fewer approvals": ([{**WRITE, "approval": {"approvers": ["tech_lead"]}}], ["[0].approval: PLAN_NOT_ALLOWED"]),
    "harder to reject": (
        [{**WRITE, "approval": {**APPROVED, "reject_quorum": 2}}],
        ["[0].approval.reject_quorum: PLAN_NOT_ALLOWED"],
    ),
    "a question that the requester answers": (
        [{"step": "ask", "gate": {**APPROVED, "exclude": "nobody"}}],
        ["[0].gate.exclude: PLAN_NOT_ALLOWED"],
    ),
    "an approver that there is not": (
        [{**WRITE, "approval": {**APPROVED, "approvers": ["nobody"]}}],
        ["[0].approval: PLAN_NOT_ALLOWED", "[0].approval.approvers[0]: UNKNOWN_PERSON"],
    ),
    "silence that approves": (
        [{**WRITE, "approval": {**APPROVED, "on_timeout": "approve"}}],
        ["[0].approval.on_timeout: SILENCE_APPROVES"],
    ),
    "a nested plan": (
        [{"step": "a", "plan": {"agent": "planner", "task": "T", "allow": {"kinds": ["agent"]}}}],
        ["[0]: PLAN_NOT_ALLOWED", "[0].plan: PLAN_NOT_ALLOWED"],
    ),
    "a plan inside a loop": (
        [
            {
                "step": "a",
                "loop": {
                    "do": [{"plan": {"agent": "planner", "task": "T", "allow": {"kinds": ["agent"]}}}],
                    "until": "true",
                    "max_iterations": 2,
                },
            }
        ],
        ["[0].loop.do[0]: PLAN_NOT_ALLOWED", "[0].loop.do[0].plan: PLAN_NOT_ALLOWED"],
    ),
    "too many steps": ([{**LOOK, "step": f"s{n}"} for n in range(13)], [": TOO_MANY_STEPS"]),
    "a step of the mission": ([{**LOOK, "step": "after"}], ["[0].step: DUPLICATE_STEP"]),
    "its own step's name": ([{**LOOK, "step": "rollout"}], ["[0].step: DUPLICATE_STEP"]),
    "a name that leads elsewhere": ([{**LOOK, "step": "../after"}], ["[0].step: BAD_NAME"]),
    "a name of a plan's record": ([{**LOOK, "step": "plan[1]"}], ["[0].step: BAD_NAME"]),
    "a name twice": ([LOOK, LOOK], ["[1].step: DUPLICATE_STEP"]),
    "no name": ([{"agent": "reviewer", "task": "T"}], ["[0]: MISSING_KEY"]),
    "a variable of the mission": ([{**LOOK, "output": "found"}], ["[0].output: NAME_CLASH"]),
    "an input of the mission": ([{**LOOK, "output": "alert"}], ["[0].output: NAME_CLASH", "[0].output: NAME_CLASH"]),
    "a variable that is not set yet": ([{**LOOK, "context": ["last"]}], ["[0].context[0]: READ_BEFORE_SET"]),
    "its own result": ([{**LOOK, "context": ["done"]}], ["[0].context[0]: READ_BEFORE_SET"]),
    "a variable that may not be set": ([{**LOOK, "task": "${{ extra }}"}], ["[0].task: MAYBE_UNSET"]),
    "a variable that there is not": ([{**LOOK, "task": "${{ fuond }}"}], ["[0].task: UNKNOWN_VARIABLE"]),
    "a field that there is not": ([{**LOOK, "task": "${{ found.scoer }}"}], ["[0].task: UNKNOWN_FIELD"]),
    "a way out to the mission": (
        [{"step": "a", "condition": {"if": "true", "then": "after"}}],
        ["[0]: UNKNOWN_STEP"],
    ),
    "needs of the mission": ([{**LOOK, "needs": ["find"]}], ["[0].needs[0]: UNKNOWN_STEP"]),
    "a review before an effect": (
        [
            {"step": "r", "review": {"reviewers": ["tech_lead"], "timeout": "1h"}},
            {"step": "t", "action": "open_ticket"},
        ],
        ["[1].action: SILENCE_APPROVES"],
    ),
    "a race that acts": (
        [{"step": "r", "race": [{"action": "open_ticket"}, {"agent": "reviewer", "task": "T"}]}],
        ["[0].race[0].action: RACE_ACTS"],
    ),
    "a step that is a text": (["look"], ["[0]: WRONG_TYPE"]),
    "no steps": ([], [": BAD_VALUE"]),
    "nothing": ([None], ["[0]: WRONG_TYPE"]),
    "a cycle": (
        [
            {"step": "a", "condition": {"if": "true", "then": "b"}},
            {"step": "b", "condition": {"if": "true", "then": "a"}},
        ],
        [],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_plan_may_not_have_is_refused_at_its_place(case: str):
    steps, expected = REFUSED[case]
    found = codes(*steps)

    assert found
    assert loaded(*steps).steps == ()
    assert not expected or sorted(expected) == sorted(found)


def test_without_people_of_its_own_a_plan_asks_nobody():
    steps = STEPS.replace("    approval: {approvers: [tech_lead], required: 2, timeout: 4h}\n", "")
    steps = steps.replace("tools: [list_files, write_file, open_ticket]", "tools: [open_ticket]")

    assert ["[0].gate: PLAN_NOT_ALLOWED"] == codes({"step": "g", "gate": {"approvers": ["tech_lead"]}}, inside=steps)


IN_A_MAP = """
steps:
  - step: each
    map:
      over: alert.hosts
      as: host
      do:
        - step: rollout
          plan:
            agent: planner
            task: Plan for ${{ host.name }}
            allow: {kinds: [agent, action], agents: [reviewer], tools: [open_ticket]}
  - {step: find, agent: analyst, task: T, output: found}
"""


def test_a_plan_is_checked_where_it_stands():
    assert [] == codes({**LOOK, "task": "${{ host.name }} ${{ index }}"}, inside=IN_A_MAP)
    assert ["[0].task: READ_BEFORE_SET"] == codes({**LOOK, "task": "${{ found.title }}"}, inside=IN_A_MAP)
    assert ["[0].task: READ_BEFORE_SET"] == codes({**LOOK, "task": "${{ index }}"})


BESIDE = """
steps:
  - step: both
    parallel:
      - step: one
        plan:
          agent: planner
          task: T
          allow: {kinds: [agent], agents: [reviewer]}
      - step: two
        plan:
          agent: planner
          task: T
          allow: {kinds: [agent], agents: [reviewer]}
"""


def test_plans_side_by_side_may_call_their_steps_alike():
    assert [] == codes({**LOOK, "output": "seen"}, inside=BESIDE)


def test_an_answer_that_is_no_plan_is_refused():
    deep: Any = "x"
    for _ in range(900):
        deep = [deep]
    answers = [None, "steps", [], {}, {"steps": None}, {"steps": "look"}, {"steps": {"a": 1}}, {"steps": [deep]}]
    answers += [{"steps": [{**LOOK, "task": "x" * 300_000}]}, {"steps": [{"\ud800": 1}]}, {"steps": [float("nan")]}]
    base = order({})

    for answer in answers:
        plan = load_plan(base.model_copy(update={"answer": answer}))
        assert plan.findings
        assert () == plan.steps


def test_the_largest_plan_is_judged_within_seconds():
    steps = [{**LOOK, "step": f"s{n}", "parallel": [LOOK] * 50} for n in range(1000)]
    started = time.monotonic()

    assert loaded(*steps).findings
    assert 5 > time.monotonic() - started


WORDS = st.sampled_from(
    [
        "look",
        "write",
        "a",
        "b",
        "after",
        "find",
        "rollout",
        "reviewer",
        "analyst",
        "planner",
        "write_file",
        "send_money",
        "close_ticket",
        "delete_file",
        "tech_lead",
        "director",
        "ada",
        "found",
        "extra",
        "last",
        "${{found}}",
        "${{steps.after.output}}",
        "abort",
        "continue",
        "escalate",
        "approve",
        "1h",
        "-1h",
        "true",
        "../x",
        "plan[1]",
        "found.complexity_score>1",
    ]
) | st.text(max_size=8)
SCALARS = WORDS | st.none() | st.booleans() | st.integers(-5, 2000) | st.floats(allow_nan=False)
KEYS = st.sampled_from(
    [
        "step",
        "agent",
        "task",
        "context",
        "action",
        "with",
        "approval",
        "approvers",
        "required",
        "on_timeout",
        "on_reject",
        "escalation",
        "timeout",
        "tool",
        "compensate",
        "plan",
        "allow",
        "kinds",
        "agents",
        "tools",
        "steps",
        "parallel",
        "race",
        "map",
        "over",
        "do",
        "as",
        "loop",
        "until",
        "max_iterations",
        "then",
        "if",
        "condition",
        "else",
        "gate",
        "review",
        "reviewers",
        "wait",
        "for",
        "event",
        "needs",
        "when",
        "output",
        "default",
        "on_failure",
        "any",
        "retry",
        "place",
    ]
) | st.text(max_size=4)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)
NAMED = st.fixed_dictionaries({"step": WORDS}, optional={"approval": st.just(APPROVED) | ANYTHING})
ACTING = st.builds(
    lambda named, tool, given: {**named, "action": tool, "with": given},
    *(NAMED, st.sampled_from(("list_files", "write_file", "open_ticket", "send_money", "close_ticket"))),
    st.just({"name": "x"}) | st.just({"folder": "x"}) | st.just({}) | ANYTHING,
)
ASKING = st.builds(lambda named, agent: {**named, "agent": agent, "task": "T"}, NAMED, WORDS)
HOLDING = st.builds(
    lambda named, key, inner: {**named, key: inner},
    *(NAMED, st.sampled_from(("steps", "parallel", "race"))),
    st.lists(ACTING | ASKING, max_size=3),
)
LEADING = st.builds(
    lambda named, to: {**named, "condition": {"if": "true", "then": to}}, NAMED, WORDS | st.lists(ACTING)
)
PLANS = st.lists(ACTING | ASKING | HOLDING | LEADING | ANYTHING, max_size=5)


@given(PLANS)
def test_whatever_a_planner_answers_loads_within_its_bounds_or_is_refused(steps):
    sent = order({"steps": steps})
    plan = load_plan(sent)

    assert bool(plan.findings) != bool(plan.steps)
    assert plan == LoadedPlan.model_validate_json(plan.model_dump_json())
    allow = sent.step.plan.allow
    for step in (step for top in plan.steps for step in walk([top])):
        assert step.kind.replace("group", "steps") in allow.kinds
        assert not isinstance(step, AgentStep) or step.agent in allow.agents
        if isinstance(step, ActionStep):
            assert step.action in allow.tools
            assert step.approval is not None or not sent.plan.tools[step.action].needs_approval()
        gate = gate_of(step)
        assert gate is None or (set(gate.approvers) <= {"tech_lead"} and gate.required >= 2)


FILE = {"mission": "file_report", "accept": "filed", "on_parent_close": "undo"}
THEN_FILED = """
steps:
  - step: rollout
    plan: {agent: planner, task: T, allow: {kinds: [agent, review], agents: [reviewer], approvers: [tech_lead]}}
  - step: file
    mission: file_report
    accept: filed
    on_parent_close: undo
    allow: {tools: [open_ticket, close_ticket]}
"""


def test_no_plan_starts_a_mission():
    assert ["[0]: PLAN_NOT_ALLOWED"] == codes({"step": "a", **FILE})
    assert "[0]: PLAN_NOT_ALLOWED" in codes({"step": "a", **FILE}, inside=THEN_FILED)


def test_a_planned_review_before_a_mission_that_acts_would_let_silence_approve():
    told = {"step": "r", "review": {"reviewers": ["tech_lead"], "timeout": "1h"}}

    assert [] == codes(LOOK, inside=THEN_FILED)
    assert ["SILENCE_APPROVES"] == [found.split(" ")[-1] for found in codes(told, inside=THEN_FILED)]
