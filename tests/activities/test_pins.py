"""A tool that is described differently than when it was admitted is refused before anything is sent."""

import pytest

from activities.mcp_tools import ToolFailed, ToolServers
from activities.pins import FRESH, Changed, Pins, fingerprint
from contracts.workspace import Tool
from tests.activities.service import Service, tools
from tests.activities.service import servers as at

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


async def test_a_server_that_does_not_answer_lets_no_pinned_tool_be_called() -> None:
    nowhere = ToolServers(at("http://127.0.0.1:9/mcp"))

    with pytest.raises(ToolFailed, match="the list of company cannot be reached") as failed:
        await nowhere.call("look", LOOK, {})
    await nowhere.close()

    assert ("unavailable", "no") == (failed.value.code, failed.value.applied)
