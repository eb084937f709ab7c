"""The executor of actions: what reaches the tool, and how every failure is told."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from activities.actions import ActionExecutor
from activities.authority import Authority
from activities.failure import failure
from activities.mcp_tools import ToolServers
from activities.people import Directory
from contracts.call import ToolResult
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import call, lineage
from tests.activities.service import HERE, Service, serving, severing, tools
from tests.activities.service import servers as at
from tests.policies import OPEN


async def test_a_free_tool_needs_no_approval(executor: ActionExecutor) -> None:
    result: ToolResult = await stage().run(executor.execute, call("file_ticket", arguments={"title": "x"}))

    assert {"ok": True} == result.output


async def test_a_reading_tool_may_be_repeated_without_a_key(executor: ActionExecutor) -> None:
    result = await stage(attempt=2).run(executor.execute, call("look", key=""))

    assert {"ok": True} == result.output


async def test_an_unknown_tool_is_refused(executor: ActionExecutor) -> None:
    error = await failing(stage().run(executor.execute, call("wipe_host")))

    assert "'wipe_host' is no tool that this worker serves" == error.message
    assert ("refused", "no", False) == told(error)


async def test_arguments_that_do_not_fit_the_contract_are_never_sent(
    home: Path, executor: ActionExecutor, service: Service
) -> None:
    error = await failing(stage().run(executor.execute, call(arguments={"host": 7})))

    assert 'isolate_host: the arguments do not fit its contract: host: 7 is not of type "string"' == error.message
    assert ("bad_input", "no", False) == told(error)
    assert [] == service.calls


async def test_an_answer_that_does_not_fit_the_contract_was_applied_all_the_same(executor: ActionExecutor) -> None:
    error = await failing(stage().run(executor.execute, call("misreport")))

    assert (
        'misreport acted, but its answer does not fit its contract: "isolated" is a required property' == error.message
    )
    assert ("tool_failed", "yes", False) == told(error)


async def test_what_was_asked_for_before_a_reset_may_have_reached_the_tool(
    executor: ActionExecutor, service: Service
) -> None:
    error = await failing(stage().run(executor.execute, call("ring_once", again=True)))
    refused = await failing(stage().run(executor.execute, call("no_such_tool", again=True)))

    assert (("refused", "unknown"), []) == (told(error)[:2], service.calls)
    assert ("refused", "unknown") == told(refused)[:2]


async def test_what_cannot_be_repeated_gets_one_attempt(executor: ActionExecutor, service: Service) -> None:
    assert {"ok": True} == (await stage().run(executor.execute, call("ring_once"))).output
    service.calls.clear()

    error = await failing(stage(attempt=2).run(executor.execute, call("ring_once")))

    assert ("refused", "unknown", False) == told(error)
    assert [] == service.calls


async def test_a_tool_that_rejects_its_input_did_nothing_and_is_not_asked_again(executor: ActionExecutor) -> None:
    error = await failing(stage().run(executor.execute, call("reject")))

    assert "reject failed: no such ticket" == error.message
    assert ("bad_input", "no", False) == told(error)


async def test_a_tool_that_failed_may_have_acted_and_is_asked_again(executor: ActionExecutor) -> None:
    error = await failing(stage().run(executor.execute, call("fail")))

    assert "fail failed: lost track of it" == error.message
    assert ("tool_failed", "unknown", True) == told(error)


async def test_an_error_without_a_word_on_what_was_applied_is_unknown(executor: ActionExecutor) -> None:
    error = await failing(stage().run(executor.execute, call("unheard_of")))

    assert "unheard_of failed: Unknown tool: unheard_of" == error.message
    assert ("tool_failed", "unknown", True) == told(error)


async def test_a_tool_without_a_server_is_not_found(executor: ActionExecutor) -> None:
    error = await failing(stage().run(executor.execute, call("homeless")))

    assert "homeless: no server is named 'nowhere' in this workspace" == error.message
    assert ("not_found", "no", False) == told(error)


async def test_silence_after_sending_is_unknown(executor: ActionExecutor, service: Service) -> None:
    await stage().run(executor.execute, call("file_ticket"))

    error = await failing(stage().run(executor.execute, call("wait_briefly")))

    assert "wait_briefly gave no answer within 1s" == error.message
    assert ("timed_out", "unknown", True) == told(error)
    assert ["file_ticket", "wait"] == service.tools_called()


async def test_a_refused_connection_did_nothing(home: Path) -> None:
    async with serving() as gone:
        pass
    connections = ToolServers(at(gone.url), outward=HERE)
    executor = ActionExecutor(tools(), connections, Authority(tools(), Directory(), lineage, policy=OPEN))

    error = await failing(stage().run(executor.execute, call("file_ticket")))
    await connections.close()

    assert f"file_ticket cannot be reached at {gone.url}: ConnectError: All connection attempts failed" == error.message
    assert ("unavailable", "no", True) == told(error)


async def test_a_server_that_was_restarted_is_reached_again() -> None:
    async with serving() as first:
        connections = ToolServers(at(first.url), outward=HERE)
        executor = ActionExecutor(tools(), connections, Authority(tools(), Directory(), lineage, policy=OPEN))
        await stage().run(executor.execute, call("file_ticket"))

    between = await failing(stage().run(executor.execute, call("file_ticket")))
    async with serving(port=int(first.url.split(":")[2].split("/")[0])) as second:
        after = await stage().run(executor.execute, call("file_ticket"))
        await connections.close()

    assert ("unavailable", "no", True) == told(between)
    assert {"ok": True} == after.output
    assert ["file_ticket"] == second.tools_called()


async def test_a_line_that_breaks_after_the_call_leaves_it_unknown(service: Service) -> None:
    async with severing(service) as url:
        connections = ToolServers(at(url), outward=HERE)
        executor = ActionExecutor(tools(), connections, Authority(tools(), Directory(), lineage, policy=OPEN))

        error = await failing(stage().run(executor.execute, call("file_ticket")))
        await connections.close()

    assert ("unavailable", "unknown", True) == told(error)
    assert ["file_ticket"] == service.tools_called()


async def test_one_broken_call_takes_no_other_with_it(executor: ActionExecutor, service: Service) -> None:
    slow = call("wait", arguments={})
    waiting = asyncio.create_task(stage().run(executor.execute, slow))
    await service.call_arrived()

    await failing(stage().run(executor.execute, call("unheard_of")))
    service.release.set()

    assert {"ok": True} == (await waiting).output


async def test_a_cancelled_action_stops_waiting(executor: ActionExecutor, service: Service) -> None:
    environment = stage()
    waiting = asyncio.create_task(environment.run(executor.execute, call("wait")))
    await service.call_arrived()
    environment.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_an_action_beats_while_it_waits(executor: ActionExecutor, service: Service) -> None:
    environment = stage()
    beats: list[Any] = []
    environment.on_heartbeat = lambda *details: beats.append(details)
    waiting = asyncio.create_task(environment.run(executor.execute, call("wait")))
    await service.call_arrived()
    service.release.set()
    await waiting

    assert [()] == beats


async def test_the_trace_goes_on_in_the_headers_of_the_call(executor: ActionExecutor, service: Service) -> None:
    span = SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=False, trace_flags=TraceFlags(1))
    token = otel.attach(trace.set_span_in_context(NonRecordingSpan(span)))
    try:
        await stage().run(executor.execute, call("look"))
    finally:
        otel.detach(token)

    assert ["00-00000000000000000000000000000abc"] == [
        one.headers["traceparent"].rsplit("-", 2)[0] for one in service.calls
    ]


async def test_a_known_server_is_asked_once_per_call(executor: ActionExecutor, service: Service) -> None:
    await stage().run(executor.execute, call("look"))
    before = service.requests
    await stage().run(executor.execute, call("look"))

    assert 1 == service.requests - before


async def test_a_warm_call_costs_little(executor: ActionExecutor) -> None:
    """Both ends run in this thread, whose work is counted: waiting for a busy machine is none. Measured 5 ms."""

    async def work() -> float:
        began = time.thread_time()
        await stage().run(executor.execute, call("look"))
        return time.thread_time() - began

    await work()

    assert min([await work() for _ in range(20)]) < 0.02


async def test_waits_between_attempts_grow_and_vary() -> None:
    def delays(attempt: int) -> set[float]:
        environment = stage(attempt=attempt)
        made = [environment.run(failure, "unavailable", "x").next_retry_delay for _ in range(50)]
        return {delay.total_seconds() for delay in made if delay}

    first, third, late = delays(1), delays(3), delays(60)

    assert 0.5 <= min(first) < max(first) <= 1
    assert 2 <= min(third) < max(third) <= 4
    assert 30 <= min(late) < max(late) <= 60
    assert len(third) > 10


async def test_what_trying_again_cannot_mend_has_no_next_attempt() -> None:
    error = stage(attempt=2).run(failure, "over_budget", "x")

    assert (True, None, "attempt 2 of 3") == (
        error.non_retryable,
        error.next_retry_delay,
        error.details[0]["tried"],
    )
