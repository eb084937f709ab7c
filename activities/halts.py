"""Refuse to begin what is halted: every worker reads the table, and nothing begins without having been looked up.

The law: what was halted `FRESH` seconds ago is known. A table that was never made halts nothing; one that is there and
cannot be read halts everything, after `TRUSTED` seconds, since a halt may have been made. A call that undoes is stopped
by nothing but a halt of the very tool that it uses. `workflows/interpreter/halted.py` waits for the lifting.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.failure import explained
from activities.kin import unfinished
from contracts.halt import HALTS, SHOWN_REASON, TABLE, WATCH_HALT, Halt, HaltTable, HaltWatch

FRESH = 2.0
"""Seconds for which a look at the table is good."""
TRUSTED = 6.0
"""Seconds for which the last look still counts where the table cannot be read."""
PATIENCE = timedelta(seconds=2)

Brake = Callable[..., Awaitable[tuple[Halt, ...]]]
"""`brake(agent=..., tool=..., teams=...)`: the halts that stand in the way of what is about to begin."""

Stands = Callable[[str], Awaitable[Halt | None]]
"""What keeps a step waiting that nobody halted, such as a budget that others hold the last of: by the target's kind."""


async def nothing_halted(*, agent: str = "", tool: str = "", teams: Iterable[str] = ()) -> tuple[Halt, ...]:
    """Return no halts: where there is no table to look at."""
    del agent, tool, teams
    return ()


class Unread(Exception):
    """The table is there, or may be, and cannot be read."""


class Lookout:
    """Reads the table, at most once in `FRESH` seconds, for all that a worker is about to begin."""

    def __init__(
        self,
        client: Client,
        *,
        id: str = HALTS,  # noqa: A002 (Temporal's word)
        fresh: float = FRESH,
        clock: Callable[[], float] = time.monotonic,
        beside: Mapping[str, Stands] | None = None,
    ) -> None:
        self._client = client
        self._id = id
        self._fresh = fresh
        self._clock = clock
        self._beside = beside or {}
        self._reading = asyncio.Lock()
        self._table = HaltTable()
        self._read_at = self._tried_at = float("-inf")
        self._cause = ""

    async def __call__(self, *, agent: str = "", tool: str = "", teams: Iterable[str] = ()) -> tuple[Halt, ...]:
        """Return the halts that stand in the way of what is about to begin."""
        wanted = {f"team:{team}" for team in teams if team}
        wanted |= {f"agent:{agent}"} if agent else set()
        wanted |= {f"tool:{tool}"} if tool else set()
        return await self._standing(wanted)

    @activity.defn(name=WATCH_HALT)
    async def watch(self, watch: HaltWatch) -> bool:
        """Return true once none of the targets is halted; fail until then, to be tried again later."""
        halts = [*await self._standing(set(watch.targets)), *[halt async for halt in self._others(watch.targets)]]
        if halts:
            raise unfinished("; ".join(map(str, halts)))
        return True

    async def _others(self, targets: Iterable[str]) -> AsyncIterator[Halt]:
        for target in targets:
            look = self._beside.get(target.partition(":")[0])
            if look is not None and (halt := await look(target)) is not None:
                yield halt

    async def _standing(self, targets: set[str]) -> tuple[Halt, ...]:
        try:
            table = await self._known()
        except Unread as error:
            return (Halt(target=HALTS, reason=f"what is halted cannot be read, so nothing begins: {error}"),)
        return tuple(halt for halt in table.halts if halt.target in targets)

    async def _known(self) -> HaltTable:
        """Return the table as it was a moment ago. Who asks while it is read waits for that."""
        async with self._reading:
            if self._clock() - max(self._read_at, self._tried_at) >= self._fresh:
                await self._refresh()
        if self._clock() - self._read_at > TRUSTED:
            raise Unread(self._cause)
        return self._table

    async def _refresh(self) -> None:
        began = self._clock()
        try:
            self._table = _no_older(await read_table(self._client, self._id), self._table)
            self._read_at = began
        except Unread as error:
            self._cause = str(error)
            logging.getLogger(__name__).warning("what is halted cannot be read: %s", error)
        self._tried_at = self._clock()


def _no_older(found: HaltTable, known: HaltTable) -> HaltTable:
    """Return a table that was read, unless this worker knows more: what was put in its place lifts nothing."""
    behind = sorted(target for target, turns in known.turns.items() if found.turns.get(target, 0) < turns)
    if behind:
        raise Unread(f"the table there is older than what it was, at {', '.join(behind)[:SHOWN_REASON]}")
    return found


async def read_table(client: Client, table: str = HALTS) -> HaltTable:
    """Return the table as the server has it; nothing is halted where there never was one. Raises `Unread`."""
    try:
        described = await client.get_workflow_handle(table).describe(rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return HaltTable()
        raise Unread(explained(error)) from None
    try:
        found: HaltTable = await described.memo_value(TABLE, type_hint=HaltTable)
    except Exception as error:
        raise Unread(f"the workflow {table} holds no table: {explained(error)}") from None
    return found


def halting(halts: tuple[Halt, ...]) -> dict[str, Any]:
    """Return what the failure of a call that was not begun tells of the halts, and of the attempts before."""
    return {"halts": [halt.model_dump(mode="json") for halt in halts], "spent": activity.info().attempt - 1}


def not_begun(what: str, halts: tuple[Halt, ...]) -> str:
    """Return the sentence for a call that was not begun."""
    return f"{what} was not begun: {'; '.join(map(str, halts))}"
