"""A remote agent asks people while it works: they are asked once, and it goes on with what they answer."""

import pytest

from contracts.call import AgentResult, Usage
from contracts.mind import A2AAgent
from contracts.observation import Observation
from contracts.plan import CURRENT
from contracts.talk import MOST_QUESTIONS, Talk
from tests.interpreter.fakes import START, FakePorts, carry, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps

FAR = {"far": A2AAgent(url="http://far", ask=("lead",), ask_timeout="2h", output={"type": "object"})}
STEP = {**agent("look", agent="far", output="r"), "task": "Look at it"}


class Asking:
    """An agent elsewhere that asks so many questions before it answers with what it was told."""

    def __init__(self, questions=2):
        self.questions = questions
        self.heard = []

    def __call__(self, call):
        self.heard.append((call.talk.task, call.talk.answer) if call.talk else None)
        number = len(self.heard)
        noted = Observation(number=number, at=START, text=f"look {number}")
        usage = Usage(agent_runs=1, tokens=10)
        if number <= self.questions:
            asked = Talk(task="t-1", context="c-1", question=f"question {number}?")
            return AgentResult(talk=asked, observations=(noted,), usage=usage)
        return AgentResult(output={"said": call.talk.answer if call.talk else ""}, observations=(noted,), usage=usage)


def answering(opening):
    if opening.subject.kind == "escalation":
        return ("cleo", "approve")
    return ("lea", "answer", f"answer to {opening.subject.message}")


async def test_people_answer_and_it_goes_on_with_that():
    far = Asking()
    ports = FakePorts(agents={"far": far}, people=answering)
    run = await rehearse(plan_of([STEP, agent("after")], FAR), ports)

    assert [None, ("t-1", "answer to question 1?"), ("t-1", "answer to question 2?")] == far.heard
    assert ("completed", {"said": "answer to question 2?"}) == (run.state, run.scope.variables.values["r"])
    assert [("task", "question 1?", ("lead",)), ("task", "question 2?", ("lead",))] == [
        (one.subject.kind, one.subject.message, one.subject.approvers) for one in ports.openings
    ]
    assert ({"task": "Look at it"}, 7200) == (
        ports.openings[0].context,
        (ports.openings[0].deadline - ports.openings[0].opened_at).total_seconds(),
    )
    record = run.journal.get("look")
    assert (30, ["look 1", "look 2", "look 3"]) == (record.usage.tokens, [one.text for one in record.observations])


async def test_without_names_the_escalation_is_asked():
    nobody = {"far": FAR["far"].model_copy(update={"ask": ()})}
    ports = FakePorts(agents={"far": Asking(1)}, people=answering)
    await rehearse(plan_of([STEP], nobody), ports)

    assert [("chief",)] == [one.subject.approvers for one in ports.openings]


@pytest.mark.parametrize(
    ("people", "code"),
    [(lambda _: None, "unanswered"), (lambda _: ("lea", "reject"), "refused")],
    ids=["silence", "declined"],
)
async def test_who_has_no_answer_fails_the_step(people, code):
    run = await rehearse(plan_of([STEP], FAR), FakePorts(agents={"far": Asking()}, people=people))

    assert ("failed", code, 10) == (run.state, run.error.failure.code, run.journal.get("look").usage.tokens)


async def test_it_does_not_ask_without_end():
    far = Asking(99)
    ports = FakePorts(agents={"far": far}, people=answering)
    run = await rehearse(plan_of([STEP], FAR), ports, limits=CURRENT)

    record = run.journal.get("look")
    assert ("completed", "recovered", MOST_QUESTIONS + 1) == (run.state, record.status, len(far.heard))
    assert [("people", "escalated")] == [(one.rung, one.code) for one in record.rungs]


@pytest.mark.parametrize("stop_after", [1, 2])
async def test_a_run_that_takes_over_neither_sends_the_work_nor_asks_again(stop_after):
    plan, far = plan_of([STEP, agent("after")], FAR), Asking(2)
    first = FakePorts(
        agents={"far": far}, people=answering if stop_after > 1 else lambda _: None, stop_after=stop_after
    )
    scope = scope_of(plan, first, {})
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    heard = len(far.heard)

    ports = FakePorts(agents={"far": far}, people=answering, clock=first.clock)
    run = await rehearse(plan, ports, carried=carry(scope))

    assert (stop_after, "completed") == (heard, run.state)
    assert [None, ("t-1", "answer to question 1?"), ("t-1", "answer to question 2?")] == far.heard
    assert 30 == run.journal.get("look").usage.tokens
