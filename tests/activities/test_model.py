"""Agents that are language models: what they are told, what they may use, and what becomes of what they say."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from activities.agents import AgentRunner
from activities.mcp_tools import ToolServers
from activities.runtimes.cast import Cast
from activities.runtimes.model import Provider
from contracts.call import AgentCall
from contracts.mind import Agent, CodeAgent, ModelAgent
from tests.activities.activity_stage import failing, stage, told
from tests.activities.service import Service, tools
from tests.model_server import ModelServer, Reply, model_serving

OUTPUT = {"type": "object", "required": ["verdict"], "properties": {"verdict": {"enum": ["dismiss", "escalate"]}}}
GOOD = {"verdict": "dismiss"}


@pytest.fixture(scope="session")
async def running_models() -> AsyncIterator[ModelServer]:
    async with model_serving() as server:
        yield server


@pytest.fixture
def models(running_models: ModelServer) -> ModelServer:
    return running_models.begin()


@pytest.fixture
def cast(models: ModelServer) -> Cast:
    return Cast(Provider(model="small", url=models.url))


def thinker(**fields: Any) -> ModelAgent:
    return ModelAgent(**{"instructions": "Judge the host.", "output": OUTPUT, **fields})


def asking(agent: Agent, **fields: Any) -> AgentCall:
    known = {"mission": "mission-1", "path": "judge", "name": "judge", "agent": agent, "task": "look at the host"}
    return AgentCall(**{**known, "context": {"host": "web-01"}, **fields})


async def run(agent: Agent, cast: Cast, servers: ToolServers, **fields: Any) -> Any:
    runner = AgentRunner({"judge": agent}, tools(), servers, cast=cast)
    return await stage().run(runner.run, asking(agent, **fields))


async def test_a_model_is_told_its_instructions_the_task_and_the_context_and_answers_by_the_schema(
    models: ModelServer, cast: Cast, servers: ToolServers
) -> None:
    models.begin(Reply(answer=GOOD))

    result = await run(thinker(), cast, servers, guidance=("mind the logs",), errors=("verdict: missing",))

    assert GOOD == result.output
    [asked] = models.asked
    assert "small" == asked.body["model"]
    assert OUTPUT["required"] == asked.schema()["required"]
    for words in ("Judge the host.", "look at the host", "web-01", "mind the logs", "verdict: missing"):
        assert words in asked.said()
    usage = result.usage
    assert (1, 1, 0) == (usage.agent_runs, usage.model_calls, usage.tool_calls)
    assert usage.tokens == usage.input_tokens + usage.output_tokens > 0


async def test_code_with_instructions_is_played_by_the_model_that_the_environment_names(
    models: ModelServer, cast: Cast, servers: ToolServers
) -> None:
    models.begin(Reply(answer={"verdict": "escalate"}))
    agent = CodeAgent(callable="tests.activities.minds:answer", instructions="Judge.", output=OUTPUT, tools=("look",))

    by_model = await run(agent, cast, servers)
    by_code = await run(agent, Cast(), servers)
    silent = agent.model_copy(update={"instructions": ""})
    without = await run(silent, cast, servers)

    assert ["escalate", "dismiss", "dismiss"] == [one.output["verdict"] for one in (by_model, by_code, without)]
    assert 1 == len(models.asked)


async def test_an_answer_of_any_schema_comes_back_as_it_is(
    models: ModelServer, cast: Cast, servers: ToolServers
) -> None:
    models.begin(Reply(answer={"value": [1, 2]}))

    result = await run(thinker(output={"type": "array", "items": {"type": "integer"}}), cast, servers)

    assert [1, 2] == result.output


async def test_what_does_not_fit_is_handed_back_with_what_is_wrong(
    models: ModelServer, cast: Cast, servers: ToolServers
) -> None:
    models.begin(Reply(answer={"verdict": "shrug"}), Reply(answer=GOOD))

    result = await run(thinker(), cast, servers)

    assert GOOD == result.output
    assert "the answer does not fit: verdict: " in models.asked[1].said()
    assert 2 == result.usage.model_calls


async def test_a_model_uses_the_tools_that_read_and_never_hears_of_those_that_act(
    models: ModelServer, cast: Cast, servers: ToolServers, service: Service
) -> None:
    models.begin(Reply(calls=(("look", {"host": "web-01"}),)), Reply(answer=GOOD))

    result = await run(thinker(tools=("look", "isolate_host")), cast, servers)

    assert GOOD == result.output
    assert ["look"] == service.tools_called()
    assert ["look"] == list(models.asked[0].tools())
    assert {"host": {"type": "string"}} == models.asked[0].tools()["look"]["properties"]
    assert 1 == result.usage.tool_calls


REFUSED = {
    "another runtime": (
        CodeAgent(callable="m:f"),
        thinker(model="p:n"),
        "judge is an agent of code here, not of model",
    ),
    "another model": (thinker(model="p:own"), thinker(model="p:n"), "judge is 'p:own' here, not 'p:n'"),
    "no model": (thinker(), thinker(), "judge thinks with a model, and nothing names one for it: set GONOGO_MODEL"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_plan_cannot_let_an_agent_think_with_something_else(servers: ToolServers, name: str) -> None:
    known, planned, sentence = REFUSED[name]
    runner = AgentRunner({"judge": known}, tools(), servers)

    error = await failing(stage().run(runner.run, asking(planned)))

    assert sentence == error.message
    assert ("refused", "no", False) == told(error)
