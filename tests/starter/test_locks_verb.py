"""What is locked, by whom, and who waits."""

import asyncio
import uuid

from stage import plan

from contracts.definition import WaitStep
from contracts.plan import MissionInput
from contracts.wait import Wait
from starter.launch import launch

LOCKED = WaitStep(step="restored", wait=Wait(event="restored"), timeout="1d", locks=("host:${{ host }}",))


async def begun(client, host):
    whole = plan()
    definition = whole.definition.model_copy(update={"steps": (LOCKED,)})
    sealed = whole.model_copy(update={"definition": definition}).sealed()
    mission = f"lock-{uuid.uuid4().hex[:8]}"
    await launch(client, MissionInput(plan=sealed, inputs={"host": host}, requested_by="otto"), mission)
    return mission


async def listed(gonogo, ready):
    """Ask until it is as it should be, and return the locks by name."""
    async with asyncio.timeout(20):
        while True:
            found = {one["lock"]: one for one in (await gonogo("locks", "--json")).json}
            if ready(found):
                return found
            await asyncio.sleep(0.05)


async def shown_behind(gonogo, mission, words):
    """Ask until the mission tells whom it waits for."""
    async with asyncio.timeout(20):
        while words not in " ".join((await gonogo("show", mission)).out.split()):
            await asyncio.sleep(0.05)


async def test_a_lock_is_listed_with_its_holder_and_who_waits(gonogo, client):
    host = uuid.uuid4().hex[:8]
    name = f"host:{host}"
    first = await begun(client, host)
    await listed(gonogo, lambda found: name in found)
    second = await begun(client, host)
    found = await listed(gonogo, lambda found: found[name]["waiting"])
    told = await gonogo("locks")
    await shown_behind(gonogo, second, f"{name} is held by {first}")
    audit = [entry for entry in (await gonogo("audit", second, "--json")).json if entry["what"].startswith("locks")]
    # Who waits would take the lock of one that is gone, as soon as it asks again.
    await client.get_workflow_handle(second).terminate()
    await client.get_workflow_handle(first).terminate()
    lost = await listed(gonogo, lambda found: not found[name]["holder_runs"])
    shown = await gonogo("locks")

    assert (first, "restored", True) == tuple(found[name][key] for key in ("holder", "step", "holder_runs"))
    assert [second] == [waiter["mission"] for waiter in found[name]["waiting"]]
    assert f"{second} (restored)" in told.out
    assert ("locks waited for", [name]) == (audit[0]["what"], audit[0]["detail"]["locks"])
    assert f"{name} is held by {first} (restored)" == audit[0]["detail"]["cause"]
    assert first == lost[name]["holder"]
    assert "(runs no more)" in shown.out
