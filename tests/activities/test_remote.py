"""Agents elsewhere: one tool as an agent, and remote agents over HTTP, whose work may take long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from activities.agents import AgentRunner
from activities.mcp_tools import ToolServers
from activities.runtimes.cast import Cast
from contracts.mind import Agent, HttpAgent, McpAgent
from tests.activities.activity_stage import failing, stage, told
from tests.activities.service import HERE, Service, free_port, tools
from tests.activities.thinkers import GOOD, OUTPUT, asking
from tests.policies import OPEN

LOCATION = {"location": "/jobs/1"}
Heard = tuple[str, str, dict[str, str], Any]


@dataclass
class Elsewhere:
    """A remote agent: what it says in turn, and what it heard."""

    url: str
    script: list[Response] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    deleted: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def respond(self, request: Request) -> Response:
        body = await request.json() if request.method == "POST" else None
        self.heard.append((request.method, request.url.path, dict(request.headers), body))
        self.arrived.set()
        if request.method == "DELETE":
            self.deleted.set()
            return Response(status_code=204)
        return self.script.pop(0)

    def said(self) -> list[str]:
        return [f"{method} {path}" for method, path, *_ in self.heard]


@asynccontextmanager
async def listening() -> AsyncIterator[Elsewhere]:
    port = free_port()
    there = Elsewhere(f"http://127.0.0.1:{port}/agent")
    route = Route("/{path:path}", there.respond, methods=["GET", "POST", "DELETE"])
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=[route]), port=port, log_level="critical", lifespan="off"))
    server.install_signal_handlers = lambda: None
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.005)
        yield there
    finally:
        server.should_exit = server.force_exit = True
        await task


@pytest.fixture(scope="session")
async def open_elsewhere() -> AsyncIterator[Elsewhere]:
    async with listening() as there:
        yield there


@pytest.fixture
def there(open_elsewhere: Elsewhere) -> Elsewhere:
    open_elsewhere.script.clear()
    open_elsewhere.heard.clear()
    open_elsewhere.deleted.clear()
    open_elsewhere.arrived.clear()
    return open_elsewhere


def remote(there: Elsewhere, **fields: Any) -> HttpAgent:
    return HttpAgent(**{"url": there.url, "poll": "10ms", "output": OUTPUT, **fields})


async def run(agent: Agent, servers: ToolServers, environment: Any = None, **fields: Any) -> Any:
    runner = AgentRunner({"judge": agent}, tools(), servers, cast=Cast(outward=HERE), policy=OPEN)
    return await (environment or stage()).run(runner.run, asking(agent, **fields))


async def test_a_remote_agent_is_asked_once_with_all_that_it_needs(
    there: Elsewhere, servers: ToolServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THEIR_KEY", "secret")
    there.script = [JSONResponse(GOOD)]

    result = await run(remote(there, key_env="THEIR_KEY"), servers, guidance=("be quick",))

    assert (GOOD, ()) == (result.output, result.errors)
    [(method, path, headers, body)] = there.heard
    assert ("POST", "/agent", "Bearer secret") == (method, path, headers["authorization"])
    assert headers["idempotency-key"].startswith("sha256:")
    assert body == {
        "mission": "mission-1",
        "step": "judge",
        "agent": "judge",
        "task": "look at the host",
        "context": {"host": "web-01"},
        "guidance": ["be quick"],
        "errors": [],
        "schema": OUTPUT,
    }


async def test_the_same_work_has_the_same_key_and_other_work_another(there: Elsewhere, servers: ToolServers) -> None:
    there.script = [JSONResponse(GOOD) for _ in range(4)]
    agent = remote(there)

    await run(agent, servers)
    await run(agent, servers, stage(attempt=2))
    await run(agent, servers, errors=("verdict: missing",))
    await run(agent, servers, generation=1)

    keys = [headers["idempotency-key"] for *_, headers, _ in there.heard]
    assert keys[0] == keys[1]
    assert 3 == len(set(keys))


async def test_long_work_is_polled_where_it_says_and_an_attempt_after_a_crash_goes_on_there(
    there: Elsewhere, servers: ToolServers
) -> None:
    later = [JSONResponse({}, 202, LOCATION), JSONResponse({}, 202, {"location": "/jobs/2", "retry-after": "0"})]
    there.script = [*later, JSONResponse(GOOD), JSONResponse(GOOD)]
    environment, beats = stage(), [()]
    environment.on_heartbeat = lambda *details: beats.append(details)

    result = await run(remote(there), servers, environment)
    again = await run(remote(there), servers, stage(attempt=2, heartbeat_details=beats[-1]))

    assert [GOOD, GOOD] == [result.output, again.output]
    assert ["POST /agent", "GET /jobs/1", "GET /jobs/2", "GET /jobs/2"] == there.said()


async def test_whoever_is_cancelled_tells_the_remote_agent(there: Elsewhere, servers: ToolServers) -> None:
    there.script = [JSONResponse({}, 202, {**LOCATION, "retry-after": "60"})]
    environment, beaten = stage(), asyncio.Event()
    environment.on_heartbeat = lambda *details: beaten.set() if details[0]["kept"] else None
    working = asyncio.create_task(run(remote(there), servers, environment))
    async with asyncio.timeout(20):
        await beaten.wait()
    environment.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working
    assert ["POST /agent", "DELETE /jobs/1"] == there.said()


async def test_an_answer_that_does_not_fit_is_handed_back(there: Elsewhere, servers: ToolServers) -> None:
    there.script = [JSONResponse({"verdict": "shrug"})]

    result = await run(remote(there), servers)

    assert (None, None) == (result.output, result.handed_back)
    assert ('verdict: "shrug" is not one of "dismiss" or "escalate"',) == result.errors


WRONG: dict[str, tuple[Response, str, tuple[str, str, bool]]] = {
    "it wants to be asked later": (
        JSONResponse("busy", 429, {"retry-after": "60"}),
        'judge answered 429: "busy"',
        ("halted", "no", False),
    ),
    "it is down": (Response(status_code=503), "judge answered 503: no reason given", ("unavailable", "no", True)),
    "it does not take the work": (Response("x" * 9, 422), "judge answered 422: xxxxxxxxx", ("bad_input", "no", False)),
    "the key is wrong": (Response(status_code=401), "judge answered 401: no reason given", ("refused", "no", False)),
    "it is elsewhere": (
        Response(status_code=302, headers={"location": "http://169.254.169.254/"}),
        "judge answered 302: no reason given",
        ("bad_input", "no", False),
    ),
    "it points elsewhere": (
        JSONResponse({}, 202, {"location": "http://169.254.169.254/latest"}),
        "judge wants to be asked again at 'http://169.254.169.254/latest', which is not its own address",
        ("tool_failed", "no", False),
    ),
    "it points nowhere": (
        JSONResponse({}, 202),
        "judge wants to be asked again and does not say where",
        ("tool_failed", "no", False),
    ),
    "no JSON": (Response("<html>"), "judge answered with something that is no JSON", ("tool_failed", "no", True)),
    "too much": (
        Response("[" + "1," * 200_000 + "1]"),
        "judge answered with more than 300000 bytes",
        ("tool_failed", "no", False),
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_a_remote_agent_does_wrong_is_one_sentence(
    there: Elsewhere, servers: ToolServers, name: str
) -> None:
    response, sentence, outcome = WRONG[name]
    there.script = [response]

    error = await failing(run(remote(there), servers))

    assert sentence == error.message
    assert outcome == told(error)
    assert ("429" in sentence) == ("halts" in error.details[0])


async def test_nobody_at_the_address_is_worth_another_try(servers: ToolServers) -> None:
    error = await failing(run(HttpAgent(url="http://127.0.0.1:9/agent"), servers))

    assert error.message.startswith("judge cannot be asked at http://127.0.0.1:9/agent: ConnectError")
    assert ("unavailable", "no", True) == told(error)


async def test_a_tool_is_an_agent_and_takes_its_arguments_from_the_context(
    servers: ToolServers, service: Service
) -> None:
    agent = McpAgent(tool="look")

    plain = await run(agent, servers, context={"host": "web-01", "note": "x"})
    inside = await run(agent, servers, context={"alert": {"host": "web-02"}})

    assert [{"ok": True}, {"ok": True}] == [plain.output, inside.output]
    assert [{"host": "web-01"}, {"host": "web-02"}] == [call.arguments for call in service.calls]
    assert 1 == plain.usage.tool_calls


@pytest.mark.parametrize(
    ("agent", "context", "sentence"),
    [
        (
            McpAgent(tool="look"),
            {},
            'judge: look: the arguments do not fit its contract: "host" is a required property',
        ),
        (
            McpAgent(tool="look"),
            {"a": {"host": "x"}, "b": {"host": "y"}},
            'judge: look: the arguments do not fit its contract: "host" is a required property',
        ),
        (
            McpAgent(tool="isolate_host"),
            {"host": "x"},
            "judge: 'isolate_host' is no tool that reads, here and in its plan",
        ),
        (McpAgent(tool="nothing"), {}, "judge: 'nothing' is no tool that reads, here and in its plan"),
    ],
)
async def test_a_tool_that_acts_or_cannot_be_asked_is_no_agent(
    servers: ToolServers, service: Service, agent: McpAgent, context: dict[str, Any], sentence: str
) -> None:
    error = await failing(run(agent, servers, context=context))

    assert sentence == error.message
    assert not told(error)[2]
    assert [] == service.calls


async def test_a_key_that_is_named_is_looked_up_and_hidden_in_what_comes_back(
    there: Elsewhere, servers: ToolServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANN_KEY", "canary-5512aa77")
    ann = remote(there, key="secret://ANN_KEY")
    there.script = [
        JSONResponse({**GOOD, "reason": "you are canary-5512aa77"}),
        JSONResponse({"error": "no canary-5512aa77"}, 400),
    ]

    result = await run(ann, servers)
    error = await failing(run(ann, servers))
    missing = await failing(run(remote(there, key="secret://NOWHERE"), servers))

    assert ["Bearer canary-5512aa77"] * 2 == [headers["authorization"] for _, _, headers, _ in there.heard]
    assert "canary" not in result.model_dump_json()
    assert "canary" not in f"{error.message} {error.details} {error.__cause__}"
    assert "judge is not asked: the secret secret://env/NOWHERE cannot be had" in missing.message
