"""Wait for whoever wants an agent to ask later, as long as it says: like a halt, and without taking an attempt.

The law: what was paid for is not thrown away. What an agent has begun, a conversation with a model or work elsewhere,
is kept by its digest, and goes on there; where it cannot be kept, the next attempt goes on, as heartbeats tell it.
`activities/halts.py` looks whether the moment has come, `workflows/interpreter/halted.py` waits for it.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.content import ContentLost, ContentStore
from activities.failure import adding, failure
from activities.halts import halting
from contracts.base import canonical
from contracts.halt import RESUME, Halt

RATE_LIMIT = "rate_limit"
AFTER = "after"


def waiting(error: ApplicationError) -> ApplicationError:
    """Return the failure of who is to ask later: that it waits, where somebody says until when."""
    details = error.details[0] if error.details and isinstance(error.details[0], dict) else {}
    if error.type != "rate_limited" or error.next_retry_delay is None or AFTER not in details:
        return error
    moment = datetime.now(UTC) + error.next_retry_delay
    halt = Halt(target=f"{RATE_LIMIT}:{moment.isoformat(timespec='seconds')}", reason=error.message)
    return failure("halted", error.message, details.get("applied", "unknown"), **halting((halt,)))


async def put_off(
    error: ApplicationError, left: Mapping[str, Any] | None, store: ContentStore | None
) -> ApplicationError:
    """Return a failure as it is told. Of an agent that waits, what it `left` is kept, where it has begun something."""
    waits = waiting(error)
    if waits.type != "halted" or left is None:
        return waits
    if store is None:
        return error
    try:
        return adding(waits, {RESUME: await store.put(canonical(left))})
    except ContentLost as lost:
        logging.getLogger(__name__).warning("what an agent has begun cannot be kept while it waits: %s", lost)
        return error


async def taken_up(resume: str, store: ContentStore | None) -> Sequence[Any]:
    """Return what was left: by the attempt before, or before the agent was put off. Nothing where it is lost."""
    before = activity.info().heartbeat_details
    if before or not resume or store is None:
        return before
    try:
        return (json.loads(await store.get(resume)),)
    except (ContentLost, ValueError) as lost:
        logging.getLogger(__name__).warning("what an agent had begun is lost, and it begins anew: %s", lost)
        return ()


def asked_later(error: ApplicationError) -> bool:
    """Whether an agent waits because somebody answered that it is to ask later."""
    details = error.details[0] if error.details and isinstance(error.details[0], dict) else {}
    halts = details.get("halts", ()) if error.type == "halted" else ()
    return any(str(one.get("target")).startswith(f"{RATE_LIMIT}:") for one in halts)


async def stands(target: str) -> Halt | None:
    """Return what keeps an agent waiting until its moment has come."""
    try:
        moment = datetime.fromisoformat(target.partition(":")[2])
        early = datetime.now(UTC) < moment
    except (TypeError, ValueError):
        return None
    return Halt(target=target, reason="it wants to be asked later") if early else None
