"""What a language model's provider does wrong, and what it costs: nothing is paid for twice that need not be."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic_ai.exceptions import ModelAPIError, ModelConnectionError, ModelHTTPError

from activities.bench import Stores
from activities.content import ContentStore
from activities.mcp_tools import ToolServers
from activities.runtimes.cast import Cast
from activities.runtimes.fault import free
from activities.runtimes.model import Provider
from activities.tally import Reported, Tally
from contracts.mind import ModelAgent
from contracts.usage import Usage
from tests.activities.activity_stage import failing, stage, told
from tests.activities.service import Service
from tests.activities.thinkers import GOOD, asking, judging, run, thinker
from tests.model_server import SILENT, ModelServer, Reply

ONCE_MORE = Reply(calls=(("look", {"host": "web-01"}),))


async def test_who_wants_to_be_asked_later_is_asked_later_and_it_is_no_failure(
    models: ModelServer, cast: Cast, servers: ToolServers
) -> None:
    later = Reply(status=429, retry_after="0")
    models.begin(later, later, ONCE_MORE, later, Reply(answer=GOOD))

    result = await run(thinker(tools=("look",)), cast, servers)

    assert GOOD == result.output
    assert 5 == len(models.asked)
    assert 2 == result.usage.model_calls
    assert 3 == sum("wants to be asked again in 0s" in one.text for one in result.observations)


async def test_who_wants_to_be_asked_much_later_is_waited_for_and_takes_no_attempt(
    models: ModelServer, cast: Cast, servers: ToolServers
) -> None:
    models.begin(Reply(status=429, retry_after="900"))

    error = await failing(run(thinker(), cast, servers))

    assert "judge: small wants to be asked later" == error.message
    assert ("halted", "no", False) == told(error)
    assert ["rate_limit"] == [halt["target"].partition(":")[0] for halt in error.details[0]["halts"]]


async def test_a_conversation_that_is_to_go_on_much_later_goes_on_there_and_takes_no_attempt(
    models: ModelServer, cast: Cast, servers: ToolServers, tmp_path: Path
) -> None:
    models.begin(ONCE_MORE, Reply(status=429, retry_after="900"), Reply(answer=GOOD))
    agent = thinker(tools=("look",))
    stores = Stores(ContentStore(str(tmp_path)))
    runner = judging(agent, cast, servers, stores=stores)

    error = await failing(stage().run(runner.run, asking(agent)))
    assert ("halted", "no", False) == told(error)
    result = await stage().run(runner.run, asking(agent, resume=error.details[0]["resume"]))

    assert (GOOD, 3, 2) == (result.output, len(models.asked), result.usage.model_calls)
    assert models.asked[1].body["messages"] == models.asked[2].body["messages"]
    assert ["call", "answer"] == [one.kind for one in result.observations]


async def test_a_conversation_that_nothing_can_keep_goes_on_with_the_next_attempt(
    models: ModelServer, cast: Cast, servers: ToolServers
) -> None:
    models.begin(ONCE_MORE, Reply(status=429, retry_after="900"))

    error = await failing(run(thinker(tools=("look",)), cast, servers))

    assert ("rate_limited", "no", True) == told(error)
    assert error.next_retry_delay is not None
    assert error.next_retry_delay >= timedelta(seconds=900)


FAULTS: dict[str, tuple[Reply, str, tuple[str, str, bool]]] = {
    "an error of its own": (Reply(status=500), "judge: small: status 500: no", ("unavailable", "no", True)),
    "a wrong key": (Reply(status=401), "judge: small: status 401: no", ("refused", "no", False)),
    "no such model": (Reply(status=404), "judge: small: status 404: no", ("not_found", "no", False)),
    "a request that it does not take": (Reply(status=400), "judge: small: status 400: no", ("bad_input", "no", False)),
    "a line that is cut": (Reply(answer=GOOD, breaks=True), "judge: small: ", ("unavailable", "no", True)),
    "silence": (
        Reply(answer=GOOD, waits=True),
        "judge: small: Request to model 'small' timed out after 0.2 seconds without producing any output",
        ("timed_out", "no", True),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_what_a_provider_does_wrong_is_one_sentence(
    models: ModelServer, cast: Cast, servers: ToolServers, name: str
) -> None:
    reply, sentence, outcome = FAULTS[name]
    models.begin(reply)

    error = await failing(run(thinker(first_token="200ms"), cast, servers))

    assert error.message.startswith(sentence)
    assert outcome == told(error)
    assert 1 == len(models.asked)


async def test_nobody_at_the_address_is_worth_another_try(servers: ToolServers) -> None:
    error = await failing(run(thinker(), Cast(Provider(model="small", url="http://127.0.0.1:9/v1")), servers))

    assert ("unavailable", "no", True) == told(error)


async def test_a_provider_that_nobody_knows_or_that_has_no_key_is_not_found(
    servers: ToolServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for name, words in (("nobody:small", "Unknown model: nobody:small"), ("openai:gpt-4o", "OPENAI_API_KEY")):
        error = await failing(run(thinker(model=name), Cast(), servers))

        assert words in error.message
        assert ("not_found", "no", False) == told(error)


async def test_an_attempt_says_itself_that_its_time_is_over(
    models: ModelServer, cast: Cast, servers: ToolServers
) -> None:
    models.begin(Reply(answer=GOOD, stalls=True))
    environment = stage(start_to_close_timeout=timedelta(milliseconds=500))

    error = await failing(environment.run(judging(thinker(), cast, servers).run, asking(thinker())))

    assert "judge: small did not come to an answer in the time that there was" == error.message
    assert ("timed_out", "no", True) == told(error)


async def test_a_cancelled_agent_hangs_up_at_once(models: ModelServer, cast: Cast, servers: ToolServers) -> None:
    models.begin(Reply(answer=GOOD, stalls=True))
    environment = stage()
    working = asyncio.create_task(environment.run(judging(thinker(), cast, servers).run, asking(thinker())))
    await models.has(models.arrived)
    environment.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working
    async with asyncio.timeout(5):
        await models.has(models.left)
    assert 1 == models.gone


async def crashing(agent: ModelAgent, cast: Cast, servers: ToolServers, when: Callable[[], bool]) -> tuple[Any, ...]:
    """Run until a moment comes, and return what the last heartbeat carried."""
    environment, beats = stage(), [()]
    environment.on_heartbeat = lambda *details: beats.append(details)
    working = asyncio.create_task(environment.run(judging(agent, cast, servers).run, asking(agent)))
    async with asyncio.timeout(20):
        while not when():
            await asyncio.sleep(0.01)
    last = beats[-1]
    working.cancel()
    await asyncio.wait([working])
    return last


async def test_a_crash_in_the_middle_of_a_call_repeats_no_call_that_was_answered(
    models: ModelServer, cast: Cast, servers: ToolServers, service: Service
) -> None:
    models.begin(ONCE_MORE, Reply(answer=GOOD, waits=True), Reply(answer=GOOD))
    agent = thinker(tools=("look",))

    left = await crashing(agent, cast, servers, lambda: len(models.asked) == 2)
    again = stage(attempt=2, heartbeat_details=left)
    result = await again.run(judging(agent, cast, servers).run, asking(agent))

    assert GOOD == result.output
    assert models.asked[1].body["messages"] == models.asked[2].body["messages"]
    assert ["look"] == service.tools_called()
    assert 3 == result.usage.model_calls
    counted = Tally.after(left[0]["tally"]).total()
    assert counted.model_calls == 2
    assert counted.tokens > 0
    assert result.usage.tokens > counted.tokens


async def test_an_attempt_after_one_whose_tool_failed_begins_with_the_tool(
    models: ModelServer, cast: Cast, servers: ToolServers, service: Service
) -> None:
    models.begin(ONCE_MORE, Reply(answer=GOOD))
    agent = thinker(tools=("look",))
    environment, beats = stage(), [()]
    environment.on_heartbeat = lambda *details: beats.append(details)
    service.throttled = "7"

    error = await failing(environment.run(judging(agent, cast, servers).run, asking(agent)))
    service.throttled = ""
    again = stage(attempt=2, heartbeat_details=beats[-1])
    result = await again.run(judging(agent, cast, servers).run, asking(agent))

    assert ("rate_limited", "no", True) == told(error)
    assert GOOD == result.output
    assert 2 == len(models.asked)
    assert ["look"] == service.tools_called()


@pytest.mark.parametrize("kept", [None, 7, {"messages": "no base64!", "found": 3}, {"messages": "AAAA"}])
async def test_what_cannot_be_read_of_an_attempt_before_lets_this_one_begin_anew(
    models: ModelServer, cast: Cast, servers: ToolServers, kept: Any
) -> None:
    models.begin(Reply(answer=GOOD))
    agent = thinker()
    again = stage(attempt=2, heartbeat_details=({"kept": kept, "tally": "none"},))

    assert GOOD == (await again.run(judging(agent, cast, servers).run, asking(agent))).output


LIES = {
    "nothing": (SILENT, True),
    "next to nothing": ({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}, True),
    "less than nothing": ({"prompt_tokens": -500, "completion_tokens": -1, "total_tokens": -501}, True),
    "more than it was": ({"prompt_tokens": 90_000, "completion_tokens": 9_000, "total_tokens": 99_000}, False),
}


@pytest.mark.filterwarnings("ignore:Failed to extract usage")
@pytest.mark.parametrize("name", LIES)
async def test_who_says_too_little_of_what_was_used_is_counted_at_the_most(
    models: ModelServer, cast: Cast, servers: ToolServers, name: str
) -> None:
    usage, at_most = LIES[name]
    models.begin(Reply(answer={**GOOD, "why": "x" * 400}, usage=usage))

    used = (await run(thinker(), cast, servers)).usage

    told_words = len(models.asked[0].said())
    if at_most:
        assert told_words // 2 < used.input_tokens < 20_000
        assert used.output_tokens >= 400
    else:
        assert (90_000, 9_000, 99_000) == (used.input_tokens, used.output_tokens, used.tokens)


def test_only_what_was_turned_away_or_reached_nobody_is_free() -> None:
    def refused_by_nobody() -> ModelConnectionError:
        error = ModelConnectionError("m", "no")
        error.__cause__ = httpx2.ConnectError("nobody")
        return error

    turned_away = [ModelHTTPError(429, "m"), ModelHTTPError(500, "m"), refused_by_nobody()]
    paid = [ModelHTTPError(500, "m", in_stream=True), ModelConnectionError("m", "cut"), ModelAPIError("m", "odd")]

    assert [True] * 3 + [False] * 3 == [free(error) for error in (*turned_away, *paid)]


def test_a_call_that_was_turned_away_costs_nothing_and_one_that_broke_off_what_was_sent() -> None:
    tally = Tally()
    tally.begin("a", 100)
    tally.refused()
    tally.begin("b", 100)
    tally.hear(50)
    assert 150 == tally.total().tokens
    tally.broken()
    tally.begin("b", 100)
    tally.settle(Reported(40, 30, cached=90, reasoning=10))

    expected = Usage(
        tokens=220, input_tokens=140, output_tokens=80, cached_tokens=40, reasoning_tokens=10, model_calls=2
    )
    assert {"b": expected} == tally.by_model
