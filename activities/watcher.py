"""Watch an agent at work: read what it notices as it comes, and let another agent say whether to stop it.

It reads the heartbeats of the watched activity from the server, as followers do, so watching writes nothing into the
history. The law: at most so many looks, for each is a run of an agent. The other half is
`workflows/interpreter/watch.py`.
"""

import asyncio

from temporalio import activity
from temporalio.client import Client

from activities.agents import AgentRunner
from activities.mission_payloads import converter
from activities.pulse import beating
from contracts.call import WATCH_AGENT, AgentCall, AgentResult
from contracts.observation import Observation, observed

PERIOD = 0.5
"""Seconds between two readings of the heartbeats."""
LOOKS = 40
"""How often the watcher is asked while one agent works; what comes after is left to its look at the answer."""


class Watcher:
    """The activity that watches."""

    def __init__(self, client: Client, runner: AgentRunner) -> None:
        self._client = client
        self._runner = runner

    @activity.defn(name=WATCH_AGENT)
    async def watch(self, call: AgentCall) -> AgentResult:
        """Return the watcher's answer once it objects, with what it had read; an empty one after enough looks."""
        seen: tuple[Observation, ...] = ()
        looks = 0
        async with beating():
            while looks < LOOKS:
                noticed = await self._noticed(call.watches)
                if noticed[-1:] != seen[-1:]:
                    seen, looks = noticed, looks + 1
                    answer = await self._runner.run(_asked(call, seen, looks))
                    if isinstance(answer.output, dict) and answer.output.get("objection"):
                        return answer.model_copy(update={"observations": seen})
                await asyncio.sleep(PERIOD)
        return AgentResult()

    async def _noticed(self, watched: str) -> tuple[Observation, ...]:
        """Return what the watched agent has noticed, as far as its heartbeats have come."""
        info = activity.info()
        handle = self._client.get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
        for pending in (await handle.describe()).raw_description.pending_activities:
            name = pending.activity_id
            if (name == watched or name.startswith(f"{watched}~again")) and pending.heartbeat_details.payloads:
                payloads = converter(self._client, info.workflow_id or "")
                return observed(await payloads.decode(pending.heartbeat_details.payloads))
        return ()


def _asked(call: AgentCall, seen: tuple[Observation, ...], look: int) -> AgentCall:
    read = [one.model_dump(mode="json", exclude_defaults=True) for one in seen]
    context = {**call.context, "observations": read}
    return call.model_copy(update={"context": context, "path": f"{call.path}[{look}]"})
