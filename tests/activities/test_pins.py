"""A tool that is described differently than when it was admitted is refused before anything is sent."""

import pytest

from activities.actions import ActionExecutor
from activities.agents import AgentRunner
from activities.mcp_tools import ToolFailed, ToolServers
from activities.pins import FRESH, Changed, Pins, fingerprint, pinned
from contracts.workspace import Tool
from tests.activities import test_agent
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import call
from tests.activities.service import HERE, Service, tools
from tests.activities.service import servers as at
from tests.policies import OPEN

LOOK = Tool(server="company", effect="read", pin="sha256:1")


async def test_a_list_is_read_again_once_it_is_old_and_a_changed_tool_is_refused() -> None:
    lists: list[dict[str, str]] = [{"look": "sha256:1"}, {"look": "sha256:2"}, {}]
    read, now = [], [0.0]

    async def listing(server: str) -> dict[str, str]:
        read.append(server)
        return lists.pop(0)

    pins = Pins(listing, lambda: now[0])
    await pins.demand("look", LOOK.model_copy(update={"pin": ""}))
    await pins.demand("look", LOOK)
    now[0] = FRESH - 1
    await pins.demand("look", LOOK)
    assert ["company"] == read

    now[0] = FRESH
    with pytest.raises(Changed, match="its server describes it differently now; look at it, then `gonogo admit look`"):
        await pins.demand("look", LOOK)
    now[0] = 2 * FRESH
    with pytest.raises(Changed, match="its server lists it no more"):
        await pins.demand("look", LOOK)


def test_all_that_says_what_a_tool_does_is_in_its_digest() -> None:
    one = fingerprint("look", "Look.", {"type": "object"})
    others = [("peek", "Look.", {"type": "object"}), ("look", "Act.", {"type": "object"}), ("look", "Look.", {})]

    assert one == fingerprint("look", "Look.", {"type": "object"})
    assert one not in [fingerprint(*other) for other in others]


async def test_what_a_server_lists_is_held_against_what_was_admitted(service: Service, servers: ToolServers) -> None:
    listed = await servers.definitions("company")
    admitted = tools()["look"].model_copy(update={"pin": listed["look"]})
    changed = admitted.model_copy(update={"pin": fingerprint("look", "Look harmless.", {})})

    await servers.call("look", admitted, {"host": "web-01"})
    with pytest.raises(ToolFailed, match="look is not what was admitted") as refused:
        await servers.call("look", changed, {"host": "web-01"})

    assert ("refused", "no") == (refused.value.code, refused.value.applied)
    assert 1 == len(service.calls)


def test_what_the_workspace_admits_counts_before_what_the_mission_started_with() -> None:
    unpinned = LOOK.model_copy(update={"pin": ""})

    assert "sha256:1" == pinned("look", LOOK, {"look": "sha256:9"}).pin
    assert "sha256:9" == pinned("look", unpinned, {"look": "sha256:9"}).pin
    assert "" == pinned("look", unpinned, {"peek": "sha256:9"}).pin


async def test_a_worker_that_pins_nothing_refuses_what_changed_since_the_mission_started(
    executor: ActionExecutor, servers: ToolServers, service: Service
) -> None:
    runner = AgentRunner(test_agent.MINDS, tools(), servers, policy=OPEN)
    listed = await servers.definitions("company")
    changed = {"look": "sha256:1", "file_ticket": "sha256:1"}

    refused = [
        await failing(stage().run(executor.execute, call("file_ticket", arguments={"title": "x"}, pins=changed))),
        await failing(stage().run(runner.run, test_agent.call(pins=changed))),
    ]

    assert [("refused", "no", False)] * 2 == [told(error) for error in refused]
    assert ["file_ticket", "answer: look"] == [error.message.partition(" is not what")[0] for error in refused]
    assert [] == service.calls
    await stage().run(executor.execute, call("file_ticket", arguments={"title": "x"}, pins=listed))
    await stage().run(runner.run, test_agent.call(pins=listed))
    assert ["file_ticket", "look"] == service.tools_called()


async def test_a_server_that_does_not_answer_lets_no_pinned_tool_be_called() -> None:
    nowhere = ToolServers(at("http://127.0.0.1:9/mcp"), outward=HERE)

    with pytest.raises(ToolFailed, match="the list of company cannot be reached") as failed:
        await nowhere.call("look", LOOK, {})
    await nowhere.close()

    assert ("unavailable", "no") == (failed.value.code, failed.value.applied)
