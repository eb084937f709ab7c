"""A remote agent over A2A: what it is sent, what comes back, and what becomes of what goes wrong on the way."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from activities.agents import AgentRunner
from activities.mcp_tools import ToolServers
from activities.runtimes.cast import Cast
from contracts.call import AgentCall, AgentResult
from contracts.mind import A2AAgent
from contracts.talk import Talk
from tests.activities.a2a_service import Remote, remote_serving
from tests.activities.activity_stage import failing, stage, told
from tests.activities.service import HERE, Service, tools
from tests.policies import OPEN

OUTPUT = {"type": "object", "required": ["verdict"], "properties": {"verdict": {"enum": ["dismiss", "escalate"]}}}


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[Remote]:
    async with remote_serving() as remote:
        yield remote


@pytest.fixture
def remote(running: Remote) -> Remote:
    for kept in (running.sent, running.headers, running.said, running.cancelled, running.statuses):
        kept.clear()
    running.working.clear()
    running.release.clear()
    return running


def call(url: str, task: str = "look at it", talk: Talk | None = None, **fields: Any) -> AgentCall:
    known = {"url": url, "output": OUTPUT, "poll": "50ms", **fields}
    return AgentCall(
        mission="mission-1",
        path="enrich",
        name="far",
        agent=A2AAgent(**known),
        task=task,
        context={"host": "web-01"},
        guidance=("be quick",),
        talk=talk,
    )


def runner(url: str, servers: ToolServers, **fields: Any) -> AgentRunner:
    return AgentRunner({"far": call(url, **fields).agent}, tools(), servers, cast=Cast(outward=HERE), policy=OPEN)


async def ask(remote: Remote, servers: ToolServers, task: str, talk: Talk | None = None, **fields: Any) -> AgentResult:
    work = call(remote.url, task, talk, **fields)
    result: AgentResult = await stage().run(runner(remote.url, servers, **fields).run, work)
    return result


async def test_it_is_sent_the_task_and_its_artifact_comes_back(
    remote: Remote, servers: ToolServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAR_KEY", "s3cret")

    result = await ask(remote, servers, "look at it", key_env="FAR_KEY")

    assert {"verdict": "dismiss", "n": 4, "said": "look at it", "share": 0.5} == result.output
    assert isinstance(result.output["n"], int)
    [sent] = remote.sent
    assert ({"host": "web-01"}, ["be quick"], OUTPUT) == (sent["context"], sent["guidance"], sent["schema"])
    assert {"Bearer s3cret"} == {one.get("authorization") for one in remote.headers}
    noted = [(one.kind, one.text, one.source) for one in result.observations]
    assert ("progress", "looking at it", "far") in noted
    assert ("progress", "artifact answer", "far") in noted
    assert (1, ()) == (result.usage.agent_runs, result.errors)


@pytest.mark.parametrize(("task", "verdict"), [("text", "escalate"), ("speak", "dismiss")])
async def test_an_answer_may_be_text_that_is_json(
    remote: Remote, servers: ToolServers, task: str, verdict: str
) -> None:
    assert {"verdict": verdict} == (await ask(remote, servers, task)).output


async def test_an_answer_that_does_not_fit_goes_back(remote: Remote, servers: ToolServers) -> None:
    result = await ask(remote, servers, "wrong")

    assert (None, 1) == (result.output, len(result.errors))


async def test_what_it_asks_ends_the_attempt_and_the_task_goes_on_with_the_answer(
    remote: Remote, servers: ToolServers
) -> None:
    asked = await ask(remote, servers, "ask something")

    assert asked.talk is not None
    assert ("which of the two hosts?", False, None) == (asked.talk.question, asked.talk.answered, asked.output)
    assert ("question", "which of the two hosts?") in [(one.kind, one.text) for one in asked.observations]
    again = asked.talk.model_copy(update={"answer": "ask-again about web-01", "answered": True})
    second = await ask(remote, servers, "ask something", again)
    assert second.talk is not None
    assert (asked.talk.task, asked.talk.context) == (second.talk.task, second.talk.context)
    last = second.talk.model_copy(update={"answer": "web-01 it is", "answered": True})
    result = await ask(remote, servers, "ask something", last)

    assert ("web-01 it is", None) == (result.output["said"], result.talk)
    assert ["ask something", "ask-again about web-01", "web-01 it is"] == remote.said
    assert 1 == len(remote.sent)


@pytest.mark.parametrize(
    ("task", "expected", "words"),
    [
        ("fail", ("tool_failed", "no", True), "far failed: out of ink"),
        ("reject", ("refused", "no", False), "far was rejected: not my trade"),
    ],
)
async def test_a_task_that_came_to_nothing_says_why(
    remote: Remote, servers: ToolServers, task: str, expected: Any, words: str
) -> None:
    error = await failing(ask(remote, servers, task))

    assert (expected, words) == (told(error), error.message)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (503, ("unavailable", "no", True)),
        (429, ("halted", "no", False)),
        (401, ("refused", "no", False)),
        (404, ("not_found", "no", False)),
    ],
)
@pytest.mark.parametrize("before", [[], [0]], ids=["the card", "the message"])
async def test_who_turns_it_away_is_asked_again_only_where_that_helps(
    remote: Remote, servers: ToolServers, status: int, expected: Any, before: list[int]
) -> None:
    remote.statuses.extend([*before, status])

    error = await failing(ask(remote, servers, "look"))

    assert expected == told(error), error.message
    assert "far cannot be asked at " in error.message
    assert (status == 429) == ("halts" in error.details[0])


async def test_an_address_where_nobody_answers_is_tried_again(servers: ToolServers) -> None:
    nobody = Remote(url="http://127.0.0.1:1")

    assert ("unavailable", "no", True) == told(await failing(ask(nobody, servers, "look")))


async def test_an_attempt_after_a_crash_follows_the_task_instead_of_sending_it_again(
    remote: Remote, servers: ToolServers
) -> None:
    first, kept = stage(), asyncio.get_running_loop().create_future()
    first.on_heartbeat = lambda *details: (
        kept.set_result(details) if details[0].get("kept") and not kept.done() else None
    )
    far = runner(remote.url, servers)
    attempt = asyncio.ensure_future(first.run(far.run, call(remote.url, "wait for it")))

    second = stage(attempt=2, heartbeat_details=await kept)
    following = asyncio.ensure_future(second.run(far.run, call(remote.url, "wait for it")))
    await asyncio.sleep(0)
    remote.release.set()

    assert ({"verdict": "dismiss", "n": 4}, 1) == ((await following).output, len(remote.sent))
    await attempt


async def test_who_is_cancelled_cancels_the_task_there(remote: Remote, servers: ToolServers) -> None:
    environment, known = stage(), asyncio.Event()
    environment.on_heartbeat = lambda *details: known.set() if details[0].get("kept") else None
    work = asyncio.ensure_future(environment.run(runner(remote.url, servers).run, call(remote.url, "wait for it")))
    await known.wait()
    environment.cancel()

    with pytest.raises(asyncio.CancelledError):
        await work
    assert 1 == len(remote.cancelled)


async def test_who_does_not_stream_is_looked_at_until_it_is_done(servers: ToolServers) -> None:
    async with remote_serving(streaming=False) as slow:
        work = asyncio.ensure_future(ask(slow, servers, "wait for it"))
        await slow.working.wait()
        slow.release.set()

        assert {"verdict": "dismiss", "n": 4} == (await work).output


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_question_that_was_just_answered_is_not_taken_for_the_next(
    servers: ToolServers, *, streaming: bool
) -> None:
    async with remote_serving(streaming=streaming) as slow:
        asked = await ask(slow, servers, "ask something")
        assert asked.talk is not None
        slow.slow = True
        again = asked.talk.model_copy(update={"answer": "web-01 it is", "answered": True})
        result = await ask(slow, servers, "ask something", again)

    assert ("web-01 it is", None) == (result.output["said"], result.talk)


async def test_a_card_that_leads_to_another_address_is_not_followed(servers: ToolServers) -> None:
    async with remote_serving(elsewhere=True) as other:
        error = await failing(ask(other, servers, "look"))

    assert (("refused", "no", False), f"far: the card at {other.url} leads to another address") == (
        told(error),
        error.message,
    )


async def test_a_worker_without_the_library_says_what_to_install(
    remote: Remote, servers: ToolServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "activities.runtimes.converse", None)

    error = await failing(ask(remote, servers, "look"))

    lacks = "far is asked over A2A, and this worker lacks what that takes: install 'gonogo[a2a]'"
    assert (("not_found", "no", False), lacks) == (told(error), error.message)


async def test_an_address_that_the_workspace_does_not_name_is_refused(
    remote: Remote, servers: ToolServers, service: Service
) -> None:
    del service
    planned = call("http://elsewhere.example/")

    assert ("refused", "no", False) == told(await failing(stage().run(runner(remote.url, servers).run, planned)))
