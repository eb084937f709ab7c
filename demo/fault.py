"""Faults that the company can be told to have, so that callers can be tested against a world that breaks.

Law: a fault is a row, so it outlives a restart, and it is used up in the transaction that notes the call.
`admin.py` takes the orders.
"""

import os
import signal
import sqlite3
from typing import Any, Literal

import anyio
from pydantic import BaseModel, ConfigDict, Field

from demo.answer import Failed
from demo.store import Store

EVERY_TOOL = "*"


class Fault(BaseModel):
    """What goes wrong, for which tool (`*` for any), how often (null: until it is taken back).

    `fail`: an error before anything is done. `slow`: waits, then does it. `act_then_fail`: does it and reports failure.
    `act_then_slow`: does it and answers late. `crash`, `act_then_crash`: the program dies at once, before or after.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str
    mode: Literal["fail", "slow", "act_then_fail", "act_then_slow", "crash", "act_then_crash"]
    times: int | None = Field(default=None, ge=1)
    seconds: float = Field(default=1.0, ge=0, le=600)


def order_fault(store: Store, fault: Fault) -> None:
    """Set a tool's fault; it replaces the one before."""
    with store.write() as db:
        db.execute(
            "INSERT OR REPLACE INTO faults (tool, mode, times, seconds) VALUES (?, ?, ?, ?)",
            (fault.tool, fault.mode, fault.times, fault.seconds),
        )


def clear_faults(store: Store, tool: str | None = None) -> None:
    """Take back one tool's fault, or all."""
    with store.write() as db:
        db.execute("DELETE FROM faults WHERE ?1 IS NULL OR tool = ?1", (tool,))


def faults(store: Store) -> list[dict[str, Any]]:
    """Return the faults that are set."""
    with store.read() as db:
        return [dict(row) for row in db.execute("SELECT * FROM faults ORDER BY tool")]


def take_fault(db: sqlite3.Connection, tool: str) -> Fault | None:
    """Use up one turn of the tool's own fault, else of the one for every tool."""
    row = db.execute(
        "SELECT * FROM faults WHERE tool IN (?, ?) ORDER BY tool = ? LIMIT 1", (tool, EVERY_TOOL, EVERY_TOOL)
    ).fetchone()
    if row is None:
        return None
    if row["times"] is not None:
        db.execute("UPDATE faults SET times = times - 1 WHERE tool = ?", (row["tool"],))
        db.execute("DELETE FROM faults WHERE times = 0")
    return Fault(**dict(row))


async def before(fault: Fault | None) -> None:
    """Go wrong before the tool does anything."""
    match fault:
        case Fault(mode="fail"):
            raise Failed("the service is out of order; nothing was done", applied="no")
        case Fault(mode="slow"):
            await anyio.sleep(fault.seconds)
        case Fault(mode="crash"):
            _die()


async def after(fault: Fault | None) -> None:
    """Go wrong after the tool has done its work."""
    match fault:
        case Fault(mode="act_then_fail"):
            raise Failed("the service lost track of this request; it may have been done", applied="unknown")
        case Fault(mode="act_then_slow"):
            await anyio.sleep(fault.seconds)
        case Fault(mode="act_then_crash"):
            _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
