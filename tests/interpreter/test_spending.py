"""What a mission may spend goes along with each call of an agent, as operators left it; a step goes where it can."""

from dataclasses import replace

import pytest

from contracts.call import AgentCall, AgentResult
from contracts.decision import Ruling
from contracts.money import Budget, Spending
from contracts.usage import Usage
from tests.interpreter.fakes import START, FakePorts, plan_of, scope_of
from workflows.interpreter.amend import amend, why_not_amend
from workflows.interpreter.ending import EffectFailed
from workflows.interpreter.journal import Journal
from workflows.interpreter.walk import run_steps
from workflows.view import spent

SPENT = EffectFailed("over_budget", "nothing is left", applied="no", over="mission m-1")


def agent(name: str, who: str = "ann", **more):
    return {"kind": "agent", "step": name, "agent": who, "task": name, **more}


class Asked:
    """An agent that keeps what it was asked."""

    def __init__(self, answer=None) -> None:
        self.calls: list[AgentCall] = []
        self.answer = answer

    def __call__(self, call: AgentCall):
        self.calls.append(call)
        return self.answer or {}


def scope(steps, ports, **more):
    return scope_of(plan_of(steps, **more), ports, {})


async def test_each_call_knows_the_budget_the_cache_and_whether_there_is_another_way():
    asked = Asked()
    steps = [
        agent("a", cache="1h"),
        agent("b", on_failure={"unavailable": "continue"}),
        agent("c", on_failure={"any": {"agent": "ben"}}),
        agent("d", on_failure={"any": "continue"}),
    ]
    here = scope(steps, FakePorts(agents={"ann": asked}), budget={"usd": 5})
    await run_steps(here.plan.definition.steps, "", here)

    assert [Budget(usd=5)] * 4 == [call.budget for call in asked.calls]
    assert [True, False, False, False] == [call.cache is not None for call in asked.calls]
    assert [False] * 4 == [call.fresh for call in asked.calls]
    assert [False, True, True, False] == [call.elsewhere for call in asked.calls]


async def test_an_amended_budget_is_laid_over_the_one_before():
    asked = Asked()
    here = scope([agent("a")], FakePorts(agents={"ann": asked}), budget={"usd": 5, "tokens": 100})
    changes = {"name": "mission.budget", "value": {"tokens": 300, "time": "2h"}}
    ruling = Ruling(accepted=True, reason="", verb="amend", person="cleo", changes=changes)

    assert "" == why_not_amend(changes, here)
    assert "the mission's budget is amended" == amend(ruling, here)
    await run_steps(here.plan.definition.steps, "", here)
    assert Budget(usd=5, tokens=300, time="2h") == asked.calls[0].budget


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"tokens": 0}, "tokens of mission.budget: input should be greater than 0"),
        ({}, "mission.budget needs at least one of usd, tokens, agent_runs, time"),
        (7, "mission.budget: input should be a valid dictionary or instance of budget"),
    ],
)
def test_a_budget_that_is_none_is_not_amended(value, said):
    here = scope([agent("a")], FakePorts())

    assert said == why_not_amend({"name": "mission.budget", "value": value}, here)


async def test_a_soft_bound_is_noted_at_its_step_and_told_to_operators_where_there_are_channels():
    news = (Spending(account="team ops in 2026-11", measure="usd", spent=8.5, limit=10),)
    ports = FakePorts(agents={"ann": AgentResult(output={}, news=news)})
    here = scope_of(plan_of([agent("a")]).model_copy(update={"notify": True}), ports, {})
    await run_steps(here.plan.definition.steps, "", here)

    [note] = here.journal.get("a").notices
    assert ("budget", "team ops in 2026-11 has spent $8.50 of $10.00") == (note.about, note.text)
    assert [("budget", "a", ("chief",))] == [(one.about, one.step, one.to) for one in ports.notices]


async def test_what_nobody_reaches_is_put_before_people_where_the_agent_degrades_to_them():
    gone = EffectFailed("unavailable", "503", applied="no")
    ports = FakePorts(agents={"ann": gone}, people=lambda _: ("cleo", "approve"))
    plan = plan_of([agent("a"), agent("b", "ben")])
    ann = plan.agents["ann"].model_copy(update={"degrade": ("people",)})
    here = scope_of(plan.model_copy(update={"agents": {**plan.agents, "ann": ann}}), ports, {})
    await run_steps(here.plan.definition.steps, "", here)

    assert ("recovered", "succeeded") == (here.journal.get("a").status, here.journal.get("b").status)
    assert 1 == len(ports.openings)


async def test_a_mission_that_was_started_fresh_asks_everyone_anew():
    asked = Asked()
    here = scope([agent("a", cache="1h")], FakePorts(agents={"ann": asked}))
    here.mission = replace(here.mission, fresh=True)
    await run_steps(here.plan.definition.steps, "", here)

    assert [True] == [call.fresh for call in asked.calls]


def used(tokens: int) -> Usage:
    return Usage(agent_runs=1, tokens=tokens)


async def test_what_failed_has_cost_what_it_has_cost_and_so_has_an_answer_that_did_not_fit():
    misfit = AgentResult(errors=("verdict is missing",), usage=used(10))
    gone = EffectFailed("unavailable", "503", applied="no", usage=used(5))
    answers = [gone, misfit, gone, misfit, misfit, misfit, AgentResult(output={})]
    steps = [agent(name, on_failure={"any": "continue"}) for name in ("gone", "then gone", "twice", "once")]
    here = scope(steps, FakePorts(agents={"ann": answers}))
    await run_steps(here.plan.definition.steps, "", here)

    assert [5, 15, 20, 10] == [record.usage.tokens for record in here.journal.records()]
    assert 50 == spent(here.journal.records()).tokens


def test_a_step_that_is_walked_again_has_cost_what_it_did_before():
    journal = Journal()
    for tokens in (10, 5, 0):
        journal.start("all", "parallel", "", START)
        journal.start("all/a", "agent", "ann", START)
        journal.finish("all/a", "failed", START, usage=used(tokens))
    journal.finish("all", "failed", START)

    assert (15, 3) == (journal.get("all/a").cost().tokens, spent(journal.records()).agent_runs)
    journal.fold("all", "all")
    assert 15 == spent(journal.records()).tokens
    journal.start("all", "parallel", "", START)
    assert 15 == spent(journal.records()).tokens
