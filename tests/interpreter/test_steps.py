"""Each kind of step, its ways out and its failure, over fake ports."""

import pytest

from contracts.call import AgentResult
from contracts.mind import CodeAgent
from tests.interpreter.fakes import FakePorts, failing, plan_of, rehearse
from workflows.interpreter.ending import MissionEnded, StepFailed


def agent(name, **more):
    return {"kind": "agent", "step": name, "agent": "ann", "task": name, **more}


def gate(name, approvers=("lead",), **more):
    return {"kind": "gate", "step": name, "gate": {"approvers": list(approvers), **more}}


def isolate(name="isolate", **more):
    return {
        "kind": "action",
        "step": name,
        "action": "isolate",
        "with": {"host": "web-01"},
        "compensate": {"tool": "release"},
        **more,
    }


def saying(verb, person="lea"):
    return lambda opening: (person, verb)


async def test_an_agent_gets_its_task_and_context_and_its_answer_becomes_a_variable():
    calls = []
    ports = FakePorts(agents={"ann": lambda call: calls.append(call) or {"n": len(calls)}})
    plan = plan_of([agent("one", output="first"), agent("two", context=["first"], task="after ${{ first.n }}")])

    run = await rehearse(plan, ports)

    assert [{}, {"first": {"n": 1}}] == [call.context for call in calls]
    assert "after 1" == calls[1].task
    assert {"n": 1} == run.scope.variables.values["first"]
    assert {"one": "succeeded", "two": "succeeded"} == run.statuses()


async def test_an_answer_that_does_not_fit_goes_back_once_with_the_errors():
    calls = []

    def answer(call):
        calls.append(call.errors)
        return AgentResult(errors=("x is missing",)) if len(calls) == 1 else {"x": 1}

    run = await rehearse(plan_of([agent("one")]), FakePorts(agents={"ann": answer}))

    assert [(), ("x is missing",)] == calls
    assert "completed" == run.state


async def test_an_agent_that_was_told_already_as_often_as_it_may_is_not_asked_again():
    calls = []
    told = AgentResult(errors=("x is missing",), handed_back=2)
    run = await rehearse(plan_of([agent("one")]), FakePorts(agents={"ann": lambda call: calls.append(call) or told}))

    assert ["one"] == [call.path for call in calls]
    failure = run.scope.journal.get("one").failure
    assert ("output_invalid", "the errors were handed back to it 2 times") == (failure.code, failure.tried)


async def test_a_second_answer_that_does_not_fit_fails_the_step():
    ports = FakePorts(agents={"ann": AgentResult(errors=("x is missing",))})

    run = await rehearse(plan_of([agent("one")]), ports)

    assert ("failed", 2) == (run.state, len(ports.calls))
    assert isinstance(run.error, StepFailed)
    failure = run.error.failure
    assert ("output_invalid", "one", "ann", "x is missing") == (
        failure.code,
        failure.step,
        failure.actor,
        failure.cause,
    )


async def test_a_failed_agent_names_step_agent_operation_cause_and_what_was_tried():
    run = await rehearse(plan_of([agent("one")]), FakePorts(agents={"ann": failing()}))

    expected = (
        "tool_failed: step one (ann), run the agent: it would not; 3 attempts; "
        "start the mission again once the cause is gone"
    )
    assert expected == str(run.error)


@pytest.mark.parametrize(("confidence", "asked"), [(0.7, []), (0.69, ["one/escalate"]), (None, ["one/escalate"])])
async def test_an_answer_below_the_floor_goes_to_people(confidence, asked):
    unsure = {"ann": CodeAgent(callable="tests:none", confidence_floor=0.7)}
    ports = FakePorts(agents={"ann": {"confidence": confidence}}, people=saying("approve"))

    run = await rehearse(plan_of([agent("one"), agent("two", agent="ben")], agents=unsure), ports)

    assert asked == [opening.subject.step for opening in ports.openings]
    assert "completed" == run.state


async def test_a_way_below_the_floor_can_be_named_and_the_agent_is_not_asked_again():
    unsure = {"ann": CodeAgent(callable="tests:none", confidence_floor=0.7)}
    seen = []
    ports = FakePorts(agents={"ann": {"confidence": 0.1}, "ben": lambda call: seen.append(call.context) or {}})
    steps = [agent("one", below_floor="second", output="a"), agent("second", agent="ben", context=["a"])]

    await rehearse(plan_of(steps, agents=unsure), ports)

    assert ["one", "one/second"] == ports.calls
    assert [{"a": {"confidence": 0.1}}] == seen


async def test_parallel_branches_yield_one_result_each():
    ports = FakePorts(agents={"ann": {"a": 1}, "ben": {"b": 2}})
    both = [agent("x"), agent("y", agent="ben")]

    run = await rehearse(plan_of([{"kind": "parallel", "step": "p", "parallel": both, "output": "all"}]), ports)

    assert {"x": {"a": 1}, "y": {"b": 2}} == run.scope.variables.values["all"]


async def test_a_failure_inside_parallel_undoes_the_effects_of_the_others():
    branches = [
        {
            "kind": "action",
            "step": "done",
            "action": "isolate",
            "with": {"host": "a"},
            "compensate": {"tool": "release"},
        },
        {"kind": "group", "step": "late", "steps": [agent("think"), agent("break", agent="ben")]},
    ]
    ports = FakePorts(agents={"ben": failing()})

    run = await rehearse(plan_of([{"kind": "parallel", "step": "p", "parallel": branches}]), ports)

    assert "failed" == run.state
    assert ["isolate", "release"] == [tool for tool, _, _ in ports.world]
    assert "done" == run.journal.get("p/done").effect.undo_status


@pytest.mark.parametrize(("score", "way"), [(9, "detailed"), (8, "standard")])
async def test_a_condition_takes_one_way_and_called_steps_do_not_run_in_sequence(score, way):
    steps = [
        {
            "kind": "condition",
            "step": "check",
            "condition": {"if": "score > 8", "then": "detailed", "else": "standard"},
        },
        agent("detailed"),
        agent("standard"),
    ]
    ports = FakePorts()

    await rehearse(plan_of(steps), ports, {"score": score})

    assert [f"check/{way}"] == ports.calls


@pytest.mark.parametrize("source", ["draft.score > 8", "nothing > 1", "draft.name > 8", "draft"])
async def test_an_expression_that_errs_is_never_true_and_fails_its_step(source):
    steps = [
        {
            "kind": "condition",
            "step": "check",
            "condition": {"if": source, "then": [agent("yes")], "else": [agent("no")]},
        }
    ]
    ports = FakePorts()

    run = await rehearse(plan_of(steps), ports, {"draft": {"name": "x"}})

    assert ([], "failed") == (ports.calls, run.state)
    assert ("expression_error", "check") == (run.error.failure.code, run.error.failure.step)


async def test_a_loop_runs_until_it_is_good_enough():
    ports = FakePorts(agents={"ann": [{"ok": False}, {"ok": False}, {"ok": True}]})
    steps = [
        {
            "kind": "loop",
            "step": "refine",
            "loop": {
                "do": [agent("draft", output="r", task="round ${{ iteration }}")],
                "until": "r.ok",
                "max_iterations": 5,
            },
        }
    ]

    run = await rehearse(plan_of(steps), ports)

    assert ["refine[1]/draft", "refine[2]/draft", "refine[3]/draft"] == ports.calls
    assert "completed" == run.state


@pytest.mark.parametrize(
    ("on_max", "state"), [("abort", "aborted"), ("continue", "completed"), ("escalate", "refused")]
)
async def test_a_loop_that_never_is_good_enough_goes_where_on_max_says(on_max, state):
    loop = {"do": [agent("draft", output="r")], "until": "r.ok", "max_iterations": 2, "on_max": on_max}
    ports = FakePorts(agents={"ann": {"ok": False}}, people=saying("reject"))

    run = await rehearse(plan_of([{"kind": "loop", "step": "refine", "loop": loop}]), ports)

    assert (2, state) == (len(ports.calls), run.state)


async def test_needs_make_a_task_graph_that_runs_at_once_what_can():
    order = []
    ports = FakePorts(agents={"ann": lambda call: order.append(call.path) or {}})
    steps = [agent("d", needs=["b", "c"]), agent("b", needs=["a"]), agent("c", needs=["a"]), agent("a"), agent("e")]

    run = await rehearse(plan_of(steps), ports)

    assert {"a", "e"} == set(order[:2])
    assert {"b", "c"} == set(order[2:4])
    assert ("d", "completed") == (order[4], run.state)


async def test_a_group_runs_its_steps_in_order():
    ports = FakePorts()
    steps = [{"kind": "group", "step": "g", "steps": [agent("a"), agent("b")], "output": "both"}]

    run = await rehearse(plan_of(steps), ports)

    assert ["g/a", "g/b"] == ports.calls
    assert {"a", "b"} == set(run.scope.variables.values["both"])


async def test_an_action_runs_exactly_what_was_shown_and_hands_on_the_grant():
    seen = []
    ports = FakePorts(tools={"isolate": lambda call: seen.append(call) or {"ok": True}}, people=saying("approve"))

    run = await rehearse(plan_of([isolate(approval={"approvers": ["lead"]})]), ports)

    shown = ports.openings[0].subject
    assert ({"host": "web-01"}, "isolate", "release") == (shown.arguments, shown.tool, shown.compensation)
    assert ({"host": "web-01"}, ("signed by lea",)) == (seen[0].arguments, seen[0].grant.tokens)
    assert shown.digest() == seen[0].grant.subject.digest()
    assert ("yes", "armed") == (
        run.journal.get("isolate").effect.applied,
        run.journal.get("isolate").effect.undo_status,
    )


async def test_changed_arguments_are_a_new_opening_and_void_the_approvals_before():
    verbs = iter([("ann", "approve"), ("lea", "modify"), ("ann", "approve"), ("bob", "approve")])
    ports = FakePorts(changes={"host": "web-02"})
    votes = []

    def people(opening):
        votes.append(opening.nonce)
        return next(verbs)

    ports.people = people
    plan = plan_of([isolate(approval={"approvers": ["lead"], "required": 2, "timeout": "30m", "on_timeout": "refuse"})])

    original_wait = ports.wait

    async def wait(ready, until, summary):
        ports.openings.clear()  # each wait lets one person speak, so that a quorum of two takes two waits
        before = ports.clock
        result = await original_wait(ready, until, summary)
        if not result:
            ports.clock = before
        return result

    ports.wait = wait
    run = await rehearse(plan, ports)

    assert "completed" == run.state
    assert [("isolate", {"host": "web-02"})] == [(tool, arguments) for tool, _, arguments in ports.world]
    assert 2 == len(set(votes))


@pytest.mark.parametrize(
    ("on_reject", "state", "status"), [("abort", "refused", "cancelled"), ("continue", "completed", "skipped")]
)
async def test_a_refused_action_never_runs(on_reject, state, status):
    ports = FakePorts(people=saying("reject"))

    run = await rehearse(plan_of([isolate(approval={"approvers": ["lead"], "on_reject": on_reject})]), ports)

    assert ([], state, status) == (ports.world, run.state, run.journal.get("isolate").status)


async def test_silence_never_approves():
    ports = FakePorts()
    approval = {
        "approvers": ["lead"],
        "timeout": "30m",
        "on_timeout": "escalate",
        "escalation": [{"approvers": ["boss"], "timeout": "10m"}],
    }

    run = await rehearse(plan_of([isolate(approval=approval)]), ports)

    assert [("lead",), ("boss",)] == [opening.subject.approvers for opening in ports.openings]
    assert ([], "refused") == (ports.world, run.state)
    assert 40 == (ports.clock - ports.openings[0].opened_at).total_seconds() / 60
    assert 2 == len({opening.nonce for opening in ports.openings})


async def test_the_next_rung_can_approve():
    ports = FakePorts(people=lambda opening: ("bo", "approve") if "chief" in opening.subject.approvers else None)

    run = await rehearse(plan_of([gate("ask", timeout="1h", on_timeout="escalate")]), ports)

    assert "completed" == run.state
    assert {"approved": True, "decision": "approved", "by": ["bo"], "comment": "bo says approve"} == run.journal.get(
        "ask"
    ).output


@pytest.mark.parametrize(
    ("people", "more", "state", "calls"),
    [
        (saying("reject"), {}, "refused", []),
        (saying("reject"), {"on_reject": "continue"}, "completed", ["mend", "after"]),
        (saying("reject"), {"on_reject": "mend"}, "completed", ["ask/mend", "after"]),
        (lambda _: None, {"timeout": "1h"}, "refused", []),
        (lambda _: None, {"timeout": "1h", "on_timeout": "abort"}, "aborted", []),
        (lambda _: None, {"timeout": "1h", "on_timeout": "mend"}, "completed", ["ask/mend", "after"]),
        (saying("approve"), {}, "completed", ["mend", "after"]),
    ],
)
async def test_what_follows_a_gate_is_what_the_definition_says(people, more, state, calls):
    ports = FakePorts(people=people)

    run = await rehearse(plan_of([gate("ask", **more), agent("mend"), agent("after")]), ports)

    assert (state, calls) == (run.state, ports.calls)


async def test_steps_tell_how_they_stand():
    steps = [
        isolate(approval={"approvers": ["lead"], "on_reject": "continue"}),
        agent("tell", task="${{ steps.isolate.status }} ${{ steps.never.status }} ${{ mission.requested_by }}"),
        {"kind": "condition", "step": "c", "condition": {"if": "false", "then": "never"}},
        agent("never"),
    ]
    tasks = []
    ports = FakePorts(agents={"ann": lambda call: tasks.append(call.task) or {}}, people=saying("reject"))

    await rehearse(plan_of(steps), ports)

    assert ["skipped not_run rita"] == tasks


async def test_abort_ends_the_mission():
    steps = [{"kind": "condition", "step": "c", "condition": {"if": "true", "then": "abort"}}]

    run = await rehearse(plan_of(steps), FakePorts())

    assert "aborted" == run.state
    assert isinstance(run.error, MissionEnded)


async def test_context_that_no_step_has_set_fails_the_step():
    steps = [
        {"kind": "condition", "step": "c", "condition": {"if": "false", "then": [agent("a", output="x")]}},
        agent("b", context=["x"]),
    ]

    run = await rehearse(plan_of(steps), FakePorts())

    assert ("context_missing", "b") == (run.error.failure.code, run.error.failure.step)


async def test_a_task_that_is_one_expression_is_still_a_text():
    tasks = []
    ports = FakePorts(agents={"ann": lambda call: tasks.append(call.task) or {"n": 1}})
    await rehearse(
        plan_of([agent("one", output="a"), agent("two", task="${{ a }}"), agent("three", task="${{ a.n }}")]), ports
    )

    assert ['{"n":1}', "1"] == tasks[1:]
