"""Keep an agent within the time that its mission has, and those above it: it is not begun late, nor let run on.

The law: a budget of time is one of the mission's wall time. `activities/purse.py` keeps the other budgets.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from temporalio.exceptions import ApplicationError

from activities.failure import failure
from contracts.call import AgentCall


def demand_time(call: AgentCall) -> None:
    """Refuse to begin when the mission's time is over, or that of one above it."""
    _, over = _shortest(call)
    if over:
        raise _failed(call, "not begun", over)


@asynccontextmanager
async def in_time(call: AgentCall) -> AsyncIterator[None]:
    """Stop what runs when the time is over."""
    left, _ = _shortest(call)
    try:
        async with asyncio.timeout(left) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise _failed(call, "stopped", _shortest(call)[1]) from None


def _shortest(call: AgentCall) -> tuple[float | None, str]:
    """Return the seconds that are left, where that is bounded, and of whom the time is over."""
    now = datetime.now(UTC)
    known = [(span.total_seconds(), payer) for payer in call.paid_by() if (span := payer.left(now)) is not None]
    if not known:
        return None, ""
    left, payer = min(known, key=lambda one: one[0])
    return left, payer.overtime(now) if left <= 0 else ""


def _failed(call: AgentCall, what: str, over: str) -> ApplicationError:
    return failure("over_budget", f"{call.name} was {what}: {over}", over="time")
