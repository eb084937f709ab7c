"""Policy at work: who acts asks it right before the effect, and it only ever narrows."""

from pathlib import Path
from typing import Any

import pytest

from activities import keys
from activities.actions import ActionExecutor
from activities.agents import AgentRunner
from activities.authority import Authority
from activities.identity import Judge
from activities.mcp_tools import ToolServers
from activities.people import Directory
from activities.policy import Policy
from contracts.call import AgentResult
from contracts.mind import CodeAgent
from tests.activities import office
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import call, lineage, undo
from tests.activities.service import HOST, Service, tools
from tests.activities.test_agent import MINDS
from tests.activities.test_agent import call as asked
from tests.activities.thinkers import asking, thinker

OPEN = '@id("open")\npermit(principal, action, resource);\n'


@pytest.fixture
def policy(tmp_path: Path, home: Path) -> Policy:
    return Policy(tmp_path, Directory(home / "people.yaml"), MINDS, tools())


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def policies(text: str) -> None:
        (tmp_path / "policies").mkdir(exist_ok=True)
        (tmp_path / "policies" / "p.cedar").write_text(text)

    return policies


@pytest.fixture
def executor(home: Path, servers: ToolServers, policy: Policy) -> ActionExecutor:
    authority = Authority(tools(), Directory(home / "people.yaml"), lineage, policy=policy)
    return ActionExecutor(tools(), servers, authority)


def act(condition: str, tail: str = "forbid") -> str:
    return f'{OPEN}@id("rule")\n{tail}(principal, action == Action::"act", resource) when {{ {condition} }};'


async def test_without_policies_no_action_runs_and_none_is_undone(
    home: Path, executor: ActionExecutor, service: Service
) -> None:
    granted = office.grant(home, office.subject(), "anna")
    for one in (call(grant=granted), undo(grant=granted), call("file_ticket", arguments={})):
        error = await failing(stage().run(executor.execute, one))
        assert ("refused", "no", False) == told(error)
        assert "policy does not allow it" in error.message
        assert "no policy can be read, so everything is denied: policies:1:1: NO_POLICY" in error.message
        assert "deny" == error.details[0]["policy"][0]["outcome"]
    assert [] == service.tools_called()


@pytest.mark.parametrize(
    "condition",
    [
        'principal == Mission::"test"',
        'resource == Tool::"isolate_host"',
        'resource.effect == "write" && resource.needs_approval && resource.server == "company"',
        'context.approvals < 2 && context.approved_as.contains("secops")',
        'context.step == "remediate/isolate" && !context.undoes',
        'context.data.contains("secret")',
    ],
)
async def test_an_approved_action_that_a_policy_forbids_is_not_sent(
    home: Path, executor: ActionExecutor, service: Service, write: Any, condition: str
) -> None:
    granted = call(grant=office.grant(home, office.subject(), "anna"), data=("secret",))
    write(act(condition))
    error = await failing(stage().run(executor.execute, granted))
    assert "test: act isolate_host: denied by rule (policies/p.cedar:3:1)" in error.message
    assert [] == service.tools_called()

    write(act(f"!({condition})"))
    result = await stage().run(executor.execute, granted)
    assert ["isolate_host"] == service.tools_called()
    assert [("allow", {"open": "policies/p.cedar:1:1"})] == [(one.outcome, one.policies) for one in result.policy]


async def test_policy_can_ask_for_more_people_and_never_for_fewer(
    home: Path, executor: ActionExecutor, service: Service, write: Any
) -> None:
    write(act("!context.undoes", '@approval("secops:2")\npermit'))
    one = call(grant=office.grant(home, office.subject(), "anna"))
    assert "needs approval by 2 secops by open" in (await failing(stage().run(executor.execute, one))).message
    write(OPEN)
    assert "needs an approval" in (await failing(stage().run(executor.execute, call()))).message
    assert [] == service.tools_called()

    write(act("!context.undoes", '@approval("secops:1")\npermit'))
    [answer] = (await stage().run(executor.execute, one)).policy
    assert ("allow", {"secops": 1}, {"open", "rule"}) == (answer.outcome, answer.approval, set(answer.policies))


async def test_an_approval_by_somebody_whom_policy_lets_decide_no_more_counts_no_more(
    home: Path, executor: ActionExecutor, service: Service, write: Any
) -> None:
    write(f'{OPEN}@id("not_anna")\nforbid(principal == Person::"anna", action == Action::"decide", resource);')
    granted = call(grant=office.grant(home, office.subject(), "anna"))

    assert (
        "anna: decide test/remediate/isolate: denied by not_anna"
        in (await failing(stage().run(executor.execute, granted))).message
    )
    assert [] == service.tools_called()


async def test_policy_narrows_who_decides_and_who_steers(home: Path, policy: Policy, write: Any) -> None:
    judge = Judge(Directory(home / "people.yaml"), policy=policy)
    hearing = office.hearing(keys.sign(home, "anna", office.claims()), name="triage", team="t")
    refused = await judge.judge(hearing)
    assert (False, "anna", "") == (refused.accepted, refused.person, refused.token)
    assert "no policy can be read" in refused.reason

    write(OPEN)
    accepted = await judge.judge(hearing)
    assert (True, "allow") == (accepted.accepted, accepted.policy.outcome if accepted.policy else "")
    for who in (
        'resource in Team::"t"',
        'resource == Step::"triage/remediate/isolate"',
        'context.tool == "isolate_host"',
    ):
        guard = who if "context" not in who else f"context has tool && {who}"
        write(f'{OPEN}@id("rule")\nforbid(principal, action == Action::"decide", resource) when {{ {guard} }};')
        assert "denied by rule" in (await judge.judge(hearing)).reason


@pytest.fixture
def runner(servers: ToolServers, policy: Policy) -> AgentRunner:
    return AgentRunner(MINDS, tools(), servers, policy=policy)


async def test_an_agent_runs_and_reads_only_as_policy_permits(
    runner: AgentRunner, service: Service, write: Any
) -> None:
    assert "no policy can be read" in (await failing(stage().run(runner.run, asked()))).message
    write(OPEN)
    result: AgentResult = await stage().run(runner.run, asked())
    assert [("run_agent", "test", "answer"), ("use_tool", "answer", "look")] == [
        (one.verb, one.who, one.what) for one in result.policy
    ]
    service.calls.clear()

    write(f'{OPEN}@id("rule")\nforbid(principal == Agent::"answer", action == Action::"use_tool", resource);')
    error = await failing(stage().run(runner.run, asked()))
    assert ("refused", False) == (error.type, not error.non_retryable)
    assert "answer: use tool look: denied by rule" in error.message
    assert ["allow", "deny"] == [one["outcome"] for one in error.details[0]["policy"]]
    assert [] == service.tools_called()


async def test_data_of_a_class_reaches_only_the_models_that_policy_names(
    models: Any, cast: Any, servers: ToolServers, policy: Policy, write: Any
) -> None:
    rule = '@id("think")\npermit(principal, action == Action::"think", resource) when {'
    run = '@id("run")\npermit(principal, action == Action::"run_agent", resource);\n'
    write(f'{run}{rule} ["public"].containsAll(context.data) || resource.provider == "ours" }};')
    for declared in ({"data": ("secret",)}, {"agent": thinker(output={"type": "object", "data": "secret"})}):
        agent = declared.pop("agent", thinker())
        runner = AgentRunner({"judge": agent}, tools(), servers, cast=cast, policy=policy)
        error = await failing(stage().run(runner.run, asking(agent, **declared)))
        assert ("refused", "judge: think small: denied: no policy permits it") == (error.type, error.message[-48:])
    assert [] == models.asked


async def test_what_a_tool_is_used_on_is_asked_where_its_contract_names_it(
    servers: ToolServers, service: Service, policy: Policy, write: Any
) -> None:
    look = tools()["look"].model_copy(update={"resource": "host", "input": HOST})
    runner = AgentRunner(MINDS, {**tools(), "look": look}, servers, policy=policy)
    write(
        f'{OPEN}@id("rule")\nforbid(principal, action == Action::"use_tool", resource)\n'
        'when { context has resource && context.resource like "pay-*" };'
    )

    await stage().run(runner.run, asked())
    assert "denied by rule" in (await failing(stage().run(runner.run, asked(context={"host": "pay-01"})))).message
    assert ["look"] == service.tools_called()
    assert isinstance(MINDS["answer"], CodeAgent)
