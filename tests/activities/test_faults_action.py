"""What one attempt cannot know of another: `no` stands for all of them, or it is not said."""

from pathlib import Path

from activities.actions import ActionExecutor
from activities.attempt import NOTHING_DONE
from activities.authority import Authority
from activities.mcp_tools import ToolServers
from activities.people import Directory
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import call, lineage
from tests.activities.service import HERE, serving, tools
from tests.activities.service import servers as at
from tests.policies import OPEN


async def test_a_refused_connection_says_nothing_of_an_earlier_attempt() -> None:
    async with serving() as gone:
        pass
    connections = ToolServers(at(gone.url), outward=HERE)
    executor = ActionExecutor(tools(), connections, Authority(tools(), Directory(), lineage, policy=OPEN))

    after_silence = await failing(stage(attempt=2).run(executor.execute, call("file_ticket")))
    said = [{NOTHING_DONE: 1}]
    after_nothing = await failing(stage(attempt=2, heartbeat_details=said).run(executor.execute, call("file_ticket")))
    long_ago = await failing(stage(attempt=3, heartbeat_details=said).run(executor.execute, call("file_ticket")))
    await connections.close()

    assert ("unavailable", "unknown", True) == told(after_silence)
    assert ("unavailable", "no", True) == told(after_nothing)
    assert ("unavailable", "unknown", True) == told(long_ago)


async def test_a_right_that_was_lost_between_two_attempts_leaves_the_first_ones_effect_unknown(
    home: Path, executor: ActionExecutor
) -> None:
    error = await failing(stage(attempt=2).run(executor.execute, call("isolate_host")))

    assert ("refused", "unknown", False) == told(error)


async def test_a_tool_that_says_no_says_it_of_this_attempt(executor: ActionExecutor) -> None:
    error = await failing(stage(attempt=2).run(executor.execute, call("reject")))

    assert ("bad_input", "unknown", False) == told(error)


async def test_an_attempt_that_did_nothing_tells_the_next_one(executor: ActionExecutor) -> None:
    told_next: list[object] = []
    environment = stage()
    environment.on_heartbeat = lambda *details: told_next.extend(details)

    await failing(environment.run(executor.execute, call("reject")))

    assert {NOTHING_DONE: 1} == told_next[-1]
