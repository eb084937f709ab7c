"""What a watcher's looks are paid for: each is a run of its own, though one activity makes them all."""

from activities.purse import NO_MODEL, _run
from activities.watcher import _asked
from contracts.call import AgentCall
from contracts.mind import CodeAgent
from tests.activities.activity_stage import stage


async def test_each_look_is_a_run_of_its_own():
    call = AgentCall(mission="m", path="a/watch", name="ben", agent=CodeAgent(callable="m:f"), task="t", watches="a")

    async def keys():
        return [_run(_asked(call, (), look), NO_MODEL).work for look in (1, 2, 2)]

    first, second, again = await stage().run(keys)
    assert (True, True) == (first != second, second == again)
