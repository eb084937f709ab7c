"""Looks whether the rules have changed, and tells the missions that wait for people under other ones.

The law: it decides nothing. A mission that is told asks its own judge, and asks people again only where that says so.
So any number of workers may tell it, and one that reads other files than the judge changes nothing. While nothing
changes it looks at files alone; it asks the server when it begins, for what changed while nobody looked.
"""

import asyncio
import logging
import time
from contextlib import suppress
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from activities.governance import Governance
from activities.people import Unreadable
from contracts.attributes import ASKED_UNDER
from contracts.decision import RULES

PERIOD = 2.0
"""Seconds between two looks at the files."""
LAG = 45.0
"""Seconds after which it looks once more: what is listed lags behind what waits, and a mission that has just heard
which rules are in force does not ask again before it asks people (`workflows/interpreter/stakes.py`)."""
PATIENCE = timedelta(seconds=10)
AT_ONCE = 10
ASKING = ASKED_UNDER + " != '{version}' AND ExecutionStatus = 'Running'"
"""Missions that wait under other rules. One that takes in no change shows no rules, and is not among them."""


class Vigil:
    """One worker's eye on the rules."""

    def __init__(self, client: Client, governance: Governance, period: float = PERIOD) -> None:
        self._client = client
        self._governance = governance
        self._period = period
        self._told = ""
        """The version that all missions which wait have been told of."""
        self._again: float | None = None
        """When to look once more."""

    async def keep(self) -> None:
        """Look for as long as the worker serves."""
        while True:
            with suppress(Unreadable):
                await self.look(self._governance.version())
            await asyncio.sleep(self._period)

    async def look(self, version: str) -> None:
        """Tell whoever waits under other rules than these; what could not be told is told at the next look."""
        now = time.monotonic()
        if version == self._told and (self._again is None or now < self._again):
            return
        few = asyncio.Semaphore(AT_ONCE)
        try:
            asked = self._client.list_workflows(ASKING.format(version=version), rpc_timeout=PATIENCE)
            missions = [one.id async for one in asked]
        except RPCError:
            return
        heard = await asyncio.gather(*(self._tell(mission, version, few) for mission in missions))
        if all(heard):
            self._again = now + LAG if version != self._told else None
            self._told = version

    async def _tell(self, mission: str, version: str, few: asyncio.Semaphore) -> bool:
        async with few:
            try:
                await self._client.get_workflow_handle(mission).signal(RULES, version, rpc_timeout=PATIENCE)
            except RPCError as error:
                logging.getLogger(__name__).debug("%s was not told of the rules in force: %s", mission, error)
                return False
        return True
