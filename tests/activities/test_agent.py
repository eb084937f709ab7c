"""The runner of agents: what it lets run, what it hands them, and what it does with what they answer."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.agents import AgentRunner
from activities.mcp_tools import ToolServers
from contracts.call import AgentCall, AgentResult
from contracts.mind import Agent, CodeAgent
from contracts.observation import Observation, observed
from tests.activities import minds
from tests.activities.activity_stage import failing, stage, told
from tests.activities.service import HERE, Service, tools
from tests.activities.service import servers as at
from tests.policies import OPEN

OUTPUT = {"type": "object", "required": ["verdict"], "properties": {"verdict": {"enum": ["dismiss", "escalate"]}}}


def agent(name: str, **fields: Any) -> Agent:
    known = {"callable": f"tests.activities.minds:{name}", "tools": ("look", "isolate_host"), "output": OUTPUT}
    return CodeAgent(**{**known, **fields})


MINDS = {name: agent(name) for name, mind in vars(minds).items() if getattr(mind, "__module__", "").endswith("minds")}


def call(name: str = "answer", **fields: Any) -> AgentCall:
    known = {
        "mission": "mission-1",
        "path": "enrich",
        "name": name,
        "agent": MINDS.get(name, agent(name)),
        "task": "look at the host",
        "context": {"host": "web-01"},
    }
    return AgentCall(**{**known, **fields})


@pytest.fixture
def runner(servers: ToolServers) -> AgentRunner:
    return AgentRunner(MINDS, tools(), servers, policy=OPEN)


async def test_an_agent_works_with_its_tools_and_its_answer_comes_back(runner: AgentRunner, service: Service) -> None:
    result: AgentResult = await stage().run(runner.run, call(errors=("verdict: missing",)))

    assert {"verdict": "dismiss", "seen": {"ok": True}, "asked_again_for": ["verdict: missing"]} == result.output
    assert () == result.errors
    assert (1, 1) == (result.usage.agent_runs, result.usage.tool_calls)
    assert result.usage.seconds > 0
    assert [
        (1, "progress", "looking", "look"),
        (2, "call", '{"host":"web-01"}', "look"),
        (3, "answer", '{"ok":true}', "look"),
        (4, "finding", "it is fine", "look"),
    ] == [(one.number, one.kind, one.text, one.source) for one in result.observations]
    assert ["look"] == service.tools_called()


async def test_a_plain_function_works_in_a_thread(runner: AgentRunner) -> None:
    result = await stage().run(runner.run, call("plain"))

    assert {"ok": True} == result.output["seen"]
    assert result.output["thread"].startswith("agent")
    assert ["from a thread"] == [one.text for one in result.observations if one.kind == "finding"]
    assert 1 == result.usage.tool_calls


async def test_observations_are_streamed_while_the_agent_works(runner: AgentRunner) -> None:
    environment = stage()
    beats: list[list[str]] = []
    environment.on_heartbeat = lambda *details: beats.append([one["text"] for one in details[0]["observations"]])

    await environment.run(runner.run, call())

    assert ["looking"] in beats
    assert ("looking", "it is fine") == (beats[-1][0], beats[-1][-1])


async def test_a_failure_takes_along_what_was_noticed_in_this_attempt_and_those_before(runner: AgentRunner) -> None:
    before = Observation(number=1, at=datetime.now(UTC), text="it was slow", attempt=1)
    details = ({"observations": [before.model_dump(mode="json"), "no observation"]},)
    error = await failing(stage(attempt=2, heartbeat_details=details).run(runner.run, call("doubting")))

    assert ("tool_failed", "no", True) == told(error)
    assert [(1, 1, "finding", "it was slow", None), (2, 2, "thought", "is that so?", 0.4)] == [
        (one.number, one.attempt, one.kind, one.text, one.confidence) for one in observed(error.details)
    ]


async def test_an_agent_that_says_how_sure_it_is_is_noted(runner: AgentRunner) -> None:
    result = await stage().run(runner.run, call("sure"))

    assert [("confidence", "70% sure of the answer", 0.7)] == [
        (one.kind, one.text, one.confidence) for one in result.observations
    ]


@pytest.mark.parametrize(("so_far", "kept"), [({"verdict": "dismiss"}, {"verdict": "dismiss"}), ({"verdict": 7}, None)])
async def test_an_agent_that_asks_for_people_says_why_and_what_it_has(
    runner: AgentRunner, so_far: Any, kept: Any
) -> None:
    result = await stage().run(runner.run, call("asking", context={"so_far": so_far}))

    assert ("two hosts have this name", kept, ()) == (result.escalated, result.output, result.errors)


async def test_a_cancellation_reaches_an_agent_that_waits(runner: AgentRunner) -> None:
    minds.entered.clear()
    environment = stage()
    working = asyncio.create_task(environment.run(runner.run, call("waiting")))
    await minds.entered.wait()
    environment.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working


async def test_an_answer_that_does_not_fit_is_handed_back_with_the_errors(runner: AgentRunner) -> None:
    result = await stage().run(runner.run, call("wrong"))

    assert None is result.output
    assert ('verdict: "shrug" is not one of "dismiss" or "escalate"',) == result.errors
    assert 1 == result.usage.agent_runs


async def test_an_answer_that_is_no_json_is_handed_back(runner: AgentRunner) -> None:
    result = await stage().run(runner.run, call("unwritable"))

    assert ("the answer is no JSON: TypeError: Object of type set is not JSON serializable",) == result.errors


async def test_an_answer_too_long_for_a_history_is_handed_back(runner: AgentRunner) -> None:
    result = await stage().run(runner.run, call("endless"))

    assert None is result.output
    assert ("the answer has 500031 bytes; at most 300000 are taken",) == result.errors


async def test_a_chatty_agent_fills_neither_history_nor_heartbeats(runner: AgentRunner) -> None:
    environment = stage()
    sizes: list[int] = []
    environment.on_heartbeat = lambda *details: sizes.append(len(str(details)))

    result = await environment.run(runner.run, call("chatty"))

    assert len(result.model_dump_json()) < 150_000
    assert max(sizes) < 150_000
    assert ["more observations than can be kept: the rest is left out"] == [
        one.text for one in result.observations if "left out" in one.text
    ]


@pytest.mark.parametrize(
    ("name", "sentence", "outcome"),
    [
        (
            "acting",
            "acting was refused: 'isolate_host' changes the world; only an action of the mission may use it",
            ("refused", "no", False),
        ),
        (
            "reaching",
            "reaching was refused: 'file_ticket' is not among the agent's tools: isolate_host, look",
            ("refused", "no", False),
        ),
        (
            "misusing",
            'misusing: look: the arguments do not fit its contract: host: 7 is not of type "string"',
            ("bad_input", "no", False),
        ),
        ("falling", "falling failed: KeyError: 'host'", ("tool_failed", "no", True)),
        ("leaving", "leaving failed: SystemExit: 3", ("tool_failed", "no", True)),
        (
            "babbling",
            (
                "babbling failed: ValueError: an observation is a thought, finding, progress, question, call, answer, "
                "confidence, citation or artifact, not a 'shout'"
            ),
            ("tool_failed", "no", True),
        ),
    ],
)
async def test_what_an_agent_does_wrong_is_one_sentence(
    runner: AgentRunner, service: Service, name: str, sentence: str, outcome: Any
) -> None:
    error = await failing(stage().run(runner.run, call(name)))

    assert sentence == error.message
    assert outcome == told(error)
    assert [] == service.calls


async def test_an_agent_unknown_to_the_workspace_is_refused(runner: AgentRunner) -> None:
    error = await failing(stage().run(runner.run, call("stranger")))

    assert "'stranger' is no agent that this worker serves" == error.message
    assert ("refused", "no", False) == told(error)


async def test_a_plan_cannot_name_other_code_for_an_agent(runner: AgentRunner) -> None:
    hijacked = call("answer", agent=agent("answer", callable="os:system"))

    error = await failing(stage().run(runner.run, hijacked))

    assert "answer is 'tests.activities.minds:answer' here, not 'os:system'" == error.message
    assert ("refused", "no", False) == told(error)


async def test_a_plan_cannot_give_an_agent_more_tools(servers: ToolServers) -> None:
    runner = AgentRunner({"answer": agent("answer", tools=())}, tools(), servers, policy=OPEN)

    error = await failing(stage().run(runner.run, call("answer")))

    assert "answer was refused: 'look' is not among the agent's tools: none" == error.message


async def test_a_plan_may_give_an_agent_fewer_tools(runner: AgentRunner) -> None:
    error = await failing(stage().run(runner.run, call("answer", agent=agent("answer", tools=()))))

    assert "answer was refused: 'look' is not among the agent's tools: none" == error.message


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("no_such_module:work", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("tests.activities.minds:nobody", "AttributeError: module 'tests.activities.minds' has no attribute 'nobody'"),
    ],
)
async def test_code_that_cannot_be_loaded_is_not_found(servers: ToolServers, place: str, sentence: str) -> None:
    broken = agent("answer", callable=place)
    runner = AgentRunner({"answer": broken}, tools(), servers, policy=OPEN)

    error = await failing(stage().run(runner.run, call("answer", agent=broken)))

    assert f"answer: {place} cannot be loaded: {sentence}" == error.message
    assert ("not_found", "no", False) == told(error)


async def test_what_cannot_be_called_is_not_found(servers: ToolServers) -> None:
    broken = agent("not_callable")
    runner = AgentRunner({"not_callable": broken}, tools(), servers, policy=OPEN)

    error = await failing(stage().run(runner.run, call("not_callable", agent=broken)))

    assert "not_callable: tests.activities.minds:not_callable cannot be called" == error.message


async def test_a_tool_that_cannot_be_reached_is_worth_another_try(service: Service) -> None:
    nowhere = ToolServers(at("http://127.0.0.1:9/mcp"), outward=HERE)
    runner = AgentRunner(MINDS, tools(), nowhere, policy=OPEN)

    error = await failing(stage().run(runner.run, call()))
    await nowhere.close()

    assert error.message.startswith("answer: look cannot be reached at http://127.0.0.1:9/mcp: ConnectError")
    assert ("unavailable", "no", True) == told(error)
