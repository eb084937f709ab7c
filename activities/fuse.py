"""Ask no endpoint that does not answer, and keep those waiting who would: without burning an attempt.

The law: only what an endpoint itself does not answer counts against it. Who asks too soon, is refused, answers badly or
is given up has found it there. `activities/books/breaker.py` has the breakers of all workers.
"""

import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.books.breaker import PROBING, Admitted, Breaker, Breakers
from activities.books.database import Unreadable
from activities.failure import failure
from activities.halts import halting, not_begun
from activities.later import asked_later
from activities.pulse import as_before, beating
from contracts.call import AgentCall
from contracts.halt import Halt

ENDPOINT = "endpoint"
UNANSWERED = frozenset(("unavailable", "timed_out"))
ANSWERED = frozenset(("rate_limited", "tool_failed", "bad_input", "refused", "not_found"))
USUAL = 120.0


class NoFuse:
    """Where nobody minds."""

    @asynccontextmanager
    async def asking(self, call: AgentCall, endpoint: str) -> AsyncIterator[None]:
        """Let a call be made."""
        del call, endpoint
        yield


class Fuse(NoFuse):
    """Guards what agents think with."""

    def __init__(self, breakers: Breakers) -> None:
        self._breakers = breakers

    @asynccontextmanager
    async def asking(self, call: AgentCall, endpoint: str) -> AsyncIterator[None]:
        """Let a call be made unless its endpoint's breaker is open, and note what came of it."""
        if not endpoint:
            yield
            return
        probe = await self._admitted(call, endpoint)
        try:
            yield
        except ApplicationError as error:
            await self._note(endpoint, error, probe=probe)
            raise
        except BaseException:
            await self._quietly(self._breakers.unsaid(endpoint, probe=probe))
            raise
        await self._quietly(self._breakers.answered(endpoint, probe=probe))

    async def stands(self, target: str) -> Halt | None:
        """Return what keeps a step waiting that found a breaker open."""
        try:
            known = await self._breakers.read(target.partition(":")[2])
        except Unreadable:
            return None
        return None if known is None or self._breakers.asks_at(known) else _halt(known)

    async def _admitted(self, call: AgentCall, endpoint: str) -> bool:
        """Return whether this is the call that finds out; a breaker that cannot be read is closed."""
        limit = activity.info().start_to_close_timeout
        try:
            async with beating(as_before):
                found = await self._breakers.admit(endpoint, limit.total_seconds() if limit is not None else USUAL)
        except Unreadable as error:
            _log(endpoint, error)
            return False
        if isinstance(found, Admitted):
            return found.probe
        halt = _halt(found)
        if call.elsewhere:
            raise failure("unavailable", not_begun(call.name, (halt,)), final=True)
        raise failure("halted", not_begun(call.name, (halt,)), **halting((halt,)))

    async def _note(self, endpoint: str, error: ApplicationError, *, probe: bool) -> None:
        details = error.details[0] if error.details and isinstance(error.details[0], dict) else {}
        if error.type in UNANSWERED and not details.get("tool"):
            await self._quietly(self._breakers.failed(endpoint, error.message[:300], probe=probe))
        elif (error.type in ANSWERED and not details.get("tool")) or asked_later(error):
            await self._quietly(self._breakers.answered(endpoint, probe=probe))
        else:
            await self._quietly(self._breakers.unsaid(endpoint, probe=probe))

    async def _quietly(self, noting: Awaitable[None]) -> None:
        try:
            await noting
        except Unreadable as error:
            _log("a breaker", error)


def given_up(error: ApplicationError) -> bool:
    """Whether nobody answers whom an agent asks: its breaker is open, or this was the last attempt."""
    details = error.details[0] if error.details and isinstance(error.details[0], dict) else {}
    halts = details.get("halts", ())
    if error.type == "halted":
        return any(str(one.get("target")).startswith(f"{ENDPOINT}:") for one in halts)
    policy = activity.info().retry_policy
    most = policy.maximum_attempts if policy is not None else 0
    return error.type in UNANSWERED and (error.non_retryable or 0 < most <= activity.info().attempt)


def _halt(breaker: Breaker) -> Halt:
    if breaker.state == PROBING:
        reason = f"it did not answer ({breaker.why}), and one call finds out whether it does now"
    else:
        again = datetime.fromtimestamp(breaker.until, UTC)
        reason = f"it did not answer ({breaker.why}), and is not asked before {again:%H:%M:%S} UTC"
    return Halt(target=f"{ENDPOINT}:{breaker.endpoint}", reason=reason)


def _log(what: str, error: Unreadable) -> None:
    logging.getLogger(__name__).warning("%s: its breaker cannot be read: %s", what, error)
