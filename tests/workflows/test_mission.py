"""A mission on a real server: what people decide, what the world saw, how it ends, and that it replays."""

import asyncio

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import Replayer

from contracts.decision import DECIDE
from tests.payloads import DATA_CONVERTER
from tests.workflows.house import Activities, broken, house
from workflows.halts import Halts
from workflows.locks import Locks
from workflows.mission import Mission
from workflows.runner import runner

pytestmark = pytest.mark.usefixtures("cached")


def agent(name, **more):
    return {"kind": "agent", "step": name, "agent": "ann", "task": name, **more}


def isolate(name="isolate", **more):
    return {
        "kind": "action",
        "step": name,
        "action": "isolate",
        "with": {"host": "web-01"},
        "compensate": {"tool": "release"},
        "approval": {"approvers": ["lead"], "timeout": "30m", "on_timeout": "refuse"},
        **more,
    }


async def replays(handle):
    """Replay every run of a mission, from the last back to the first."""
    history = await handle.fetch_history()
    replayer = Replayer(workflows=[Mission, Locks, Halts], workflow_runner=runner(), data_converter=DATA_CONVERTER)
    await replayer.replay_workflow(history)
    return history


async def test_a_mission_reaches_its_verdict(client, home):
    async with house(client, home) as h:
        started = await h.start([agent("one", output="a"), agent("two", context=["a"])])
        result = await started.result()
        view = await started.state()

        assert ("completed", "done") == (result.state, result.verdict)
        assert ["one", "two"] == h.activities.asked
        assert {"one": "succeeded", "two": "succeeded"} == {r.path: r.status for r in view.records}
        await replays(started.handle)


async def test_an_approved_action_runs_once_with_exactly_what_was_shown(client, home):
    async with house(client, home) as h:
        started = await h.start([isolate()])
        opening = await started.until()
        receipt = await started.decide(opening, "lea")
        result = await started.result()

        assert (True, "approved") == (receipt.accepted, receipt.state)
        assert [("isolate", {"host": "web-01"})] == [(tool, arguments) for tool, _, arguments in h.activities.world]
        assert "completed" == result.state
        await replays(started.handle)


async def test_who_is_asked_is_told_what_was_admitted_of_its_own_tools_when_the_mission_started(client, home):
    pins, told = {"look": "sha256:1", "file": "sha256:2", "isolate": "sha256:3"}, {}

    def work(call):
        told[call.path] = call.pins
        return {}

    def pinned(argument):
        ann = argument.plan.agents["ann"].model_copy(update={"tools": ("look", "peek")})
        plan = argument.plan.model_copy(update={"pins": pins, "agents": {**argument.plan.agents, "ann": ann}})
        return argument.model_copy(update={"plan": plan.sealed()})

    steps = [agent("one"), {"kind": "action", "step": "two", "action": "file", "with": {"n": 1}}]
    async with house(client, home, Activities(agents={"ann": work}, tools={"file": work})) as h:
        result = await (await h.start(steps, change=pinned)).result()

        assert "completed" == result.state
        assert {"one": {"look": "sha256:1"}, "two": {"file": "sha256:2"}} == told


async def test_a_decision_by_plain_signal_counts_as_well(client, home):
    async with house(client, home) as h:
        started = await h.start([isolate()])
        await started.handle.signal(DECIDE, started.token(await started.until(), "lea"))

        assert "completed" == (await started.result()).state


@pytest.mark.parametrize(
    ("person", "fields", "reason"),
    [
        ("eve", {}, "eve is none of the approvers: lead"),
        ("rita", {}, "rita requested this mission and may not decide in it"),
        ("lea", {"nonce": "x"}, "the decision is for another opening of this gate; look at the gate again"),
        ("lea", {"digest": "sha256:0"}, "what the decision was about has changed since; look at the gate again"),
        ("lea", {"mission": "m-2"}, "the decision is for mission 'm-2', not for this one"),
        ("lea", {"step": "other"}, "no gate is open at step 'other'"),
        ("lea", {"exp": 1}, None),
    ],
)
async def test_a_refusal_goes_to_the_sender_and_into_the_record_and_the_gate_stays(
    client, home, person, fields, reason
):
    async with house(client, home) as h:
        started = await h.start([isolate()])
        opening = await started.until()
        receipt = await started.decide(opening, person, **fields)
        view = await started.state()

        assert not receipt.accepted
        assert reason is None or reason == receipt.reason
        assert [receipt.reason] == [refusal.reason for refusal in view.refusals]
        assert (opening,) == await started.gates()
        await started.handle.terminate()


async def test_signals_that_nobody_knows_or_can_read_are_recorded_and_freeze_nothing(client, home):
    async with house(client, home) as h:
        started = await h.start([isolate()])
        opening = await started.until()
        await started.handle.signal("hurry", args=[1, 2])
        await started.handle.signal(DECIDE, {"not": "a token"})
        await started.handle.signal(DECIDE)
        await started.handle.signal(DECIDE, args=["a", "b"])
        await started.decide(opening, "lea", "reject")
        view = await started.state()
        with_reason = [refusal.reason for refusal in view.refusals]

        assert "refused" == (await started.result()).state
        expected = [
            "a mission knows no 'hurry'; decisions are sent as 'decide', events as 'event'",
            "a decision is one JSON string, a compact JWS; this could not be read",
            "a decision is one JSON string, a compact JWS; 0 arguments came",
            "a decision is one JSON string, a compact JWS; 2 arguments came",
        ]
        assert expected == with_reason


async def test_modified_arguments_need_approval_of_their_own(client, home):
    async with house(client, home) as h:
        started = await h.start([isolate()])
        first = await started.until()
        modified = await started.decide(first, "lea", "modify", changes={"host": "web-02"})
        second = await started.until(lambda openings: bool(openings) and openings[0].nonce != first.nonce)
        stale = await started.decide(first, "lou")
        fresh = await started.decide(second, "lou")
        await started.result()

        assert ("modified", False, "approved") == (modified.state, stale.accepted, fresh.state)
        assert {"host": "web-02"} == second.subject.arguments
        assert [("isolate", {"host": "web-02"})] == [(tool, arguments) for tool, _, arguments in h.activities.world]


async def test_silence_escalates_and_then_refuses(skipping, home):
    ladder = {"on_timeout": "escalate", "escalation": [{"approvers": ["chief"], "timeout": "48h"}]}
    async with house(skipping, home) as h:
        started = await h.start([isolate(approval={"approvers": ["lead"], "timeout": "30m", **ladder})])
        result = await started.result()

        assert ("refused", []) == (result.state, h.activities.world)
        await replays(started.handle)


async def test_a_failure_undoes_what_was_done_in_reverse(client, home):
    fakes = Activities(agents={"ann": broken()})
    free = {"approval": None, "action": "file", "compensate": {"tool": "unfile"}}
    steps = [isolate("a", **free, **{"with": {"n": 1}}), isolate("b", **free, **{"with": {"n": 2}}), agent("breaks")]
    async with house(client, home, fakes) as h:
        started = await h.start(steps)
        with pytest.raises(WorkflowFailureError) as failed:
            await started.result()

        assert [("file", 1), ("file", 2), ("unfile", 2), ("unfile", 1)] == [(t, a["n"]) for t, _, a in fakes.world]
        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.message.startswith("refused: step breaks (ann), run the agent: it would not")
        await replays(started.handle)


@pytest.mark.parametrize("where", ["gate", "escalate", "agent"])
async def test_a_cancelled_mission_is_undone_wherever_it_stood(client, home, where):
    reached = asyncio.Event()

    async def hang(call):
        del call
        reached.set()
        await asyncio.Event().wait()

    fakes = Activities(agents={"ann": hang})
    done = isolate("a", action="file", approval=None, compensate={"tool": "unfile"})
    escalate = {"kind": "condition", "step": "if", "condition": {"if": "true", "then": "escalate", "else": "continue"}}
    steps = [done, {"gate": isolate(), "escalate": escalate, "agent": agent("think", timeout="60s")}[where]]
    async with house(client, home, fakes) as h:
        started = await h.start(steps)
        await (reached.wait() if where == "agent" else started.until())
        await started.handle.cancel(reason="no longer needed")
        with pytest.raises(WorkflowFailureError) as failed:
            await started.result()

        assert isinstance(failed.value.cause, CancelledError)
        assert ["file", "unfile"] == [tool for tool, _, _ in fakes.world]
        view = await started.state()
        assert ("cancelled", "no longer needed", ()) == (view.state, view.reason, view.waiting)
        assert [] == [one.path for one in view.records if one.status in {"running", "waiting"}]
        await replays(started.handle)


async def test_a_compensation_that_fails_is_a_dead_letter_until_people_say(client, home):
    fakes = Activities(agents={"ann": broken()}, tools={"unfile": [broken(), {"ok": True}]})
    async with house(client, home, fakes) as h:
        started = await h.start(
            [isolate("a", action="file", approval=None, compensate={"tool": "unfile"}), agent("breaks")]
        )
        opening = await started.until()
        view = await started.state()
        receipt = await started.decide(opening, "cleo")
        with pytest.raises(WorkflowFailureError):
            await started.result()
        after = await started.state()

        assert ("dead_letter", "a/undo[1]", "compensation") == (view.state, opening.subject.step, opening.subject.kind)
        assert receipt.accepted
        assert "done" == next(r for r in after.records if r.path == "a").effect.undo_status


@pytest.mark.parametrize("argument", [None, {"plan": 1}, "x"])
async def test_what_is_no_plan_fails_and_never_freezes(client, home, argument):
    async with house(client, home) as h:
        handle = await client.start_workflow("rehearsal", argument, id=f"bad-{h.queue}", task_queue=h.queue)
        with pytest.raises(WorkflowFailureError) as failed:
            await asyncio.wait_for(handle.result(), 10)

        assert "bad_input" == failed.value.cause.type


async def test_inputs_that_do_not_fit_fail_the_mission(client, home):
    schema = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    async with house(client, home) as h:
        started = await h.start([agent("one")], given={"n": "x"}, inputs=schema)
        with pytest.raises(WorkflowFailureError) as failed:
            await started.result()

        assert ("bad_input", []) == (failed.value.cause.type, h.activities.asked)


async def test_a_verdict_that_was_not_declared_fails_and_undoes(client, home):
    async with house(client, home) as h:
        steps = [isolate("a", action="file", approval=None, compensate={"tool": "unfile"})]
        started = await h.start(steps, verdict={"one_of": ["done"], "value": "'maybe'"})
        with pytest.raises(WorkflowFailureError) as failed:
            await started.result()

        assert "verdict_undeclared" == failed.value.cause.type
        assert ["file", "unfile"] == [tool for tool, _, _ in h.activities.world]


async def test_a_bug_in_the_interpreter_names_its_step_and_is_undone(client, home):
    """No checked plan lacks an agent that its steps name; the handler trips over it, and the mission never freezes."""
    async with house(client, home) as h:
        act = isolate("a", action="file", approval=None, compensate={"tool": "unfile"})
        started = await h.start([act, {"kind": "group", "step": "g", "steps": [agent("one", agent="nobody")]}])
        with pytest.raises(WorkflowFailureError) as failed:
            await started.result()

        assert "internal" == failed.value.cause.type
        assert "internal: step g/one, interpret the mission: KeyError('nobody')" == failed.value.cause.message
        assert ["file", "unfile"] == [tool for tool, _, _ in h.activities.world]
        await replays(started.handle)
