"""Code that knows and a model that words: each gives its part of the answer."""

from activities.mcp_tools import ToolServers
from activities.runtimes.cast import Cast
from activities.runtimes.model import Provider
from contracts.call import AgentResult
from contracts.mind import CodeAgent
from tests.activities.service import Service
from tests.activities.thinkers import run
from tests.model_server import ModelServer, Reply

ANSWER = {
    "type": "object",
    "required": ["verdict", "host"],
    "properties": {"verdict": {"enum": ["dismiss"]}, "host": {"type": "string"}, "summary": {"minLength": 5}},
}
AGENT = CodeAgent(
    callable="tests.activities.minds:worded",
    instructions="Say it in a sentence.",
    output=ANSWER,
    words={"summary": ("host",)},
    tools=("look",),
    output_retries=1,
)


async def test_a_model_words_what_the_code_found_out_and_has_no_tools(
    models: ModelServer, cast: Cast, servers: ToolServers, service: Service
) -> None:
    models.begin(Reply(answer={"summary": "All is well there."}))

    result = await run(AGENT, cast, servers)

    assert {"verdict": "dismiss", "host": "web-01", "summary": "All is well there."} == result.output
    [asked] = models.asked
    assert ["summary"] == asked.schema()["required"]
    assert "web-01" in asked.said()
    assert "dismiss" not in asked.said()
    assert "tools" not in asked.body
    assert 1 == result.usage.model_calls


async def test_words_that_do_not_fit_leave_those_of_the_code_and_it_is_said(
    models: ModelServer, cast: Cast, servers: ToolServers
) -> None:
    models.begin(Reply(answer={"summary": "no"}), Reply(answer={"summary": "no", "host": "db-01"}))

    result = await run(AGENT, cast, servers)

    assert {"verdict": "dismiss", "host": "web-01", "summary": "The code says so."} == result.output
    assert "The code's own words stand, for the model gave none: what it wrote" in said(result)


async def test_a_model_that_is_not_there_leaves_the_words_of_the_code(servers: ToolServers) -> None:
    result = await run(AGENT, Cast(Provider(model="small", url="http://127.0.0.1:9/v1")), servers)

    assert "The code says so." == result.output["summary"]
    assert "The code's own words stand, for the model gave none: judge: small" in said(result)


def said(result: AgentResult) -> str:
    return " ".join(observation.text for observation in result.observations)


async def test_the_environment_says_which_agents_a_model_plays(models: ModelServer, servers: ToolServers) -> None:
    models.begin(Reply(answer={"summary": "All is well there."}))

    others = await run(AGENT, Cast(Provider(model="small", url=models.url, plays=frozenset({"scribe"}))), servers)
    itself = await run(AGENT, Cast(Provider(model="small", url=models.url, plays=frozenset({"judge"}))), servers)

    assert ["The code says so.", "All is well there."] == [one.output["summary"] for one in (others, itself)]
