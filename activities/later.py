"""Wait for whoever wants an agent to ask later, as long as it says: like a halt, and without taking an attempt.

The law: what was paid for is not thrown away. An agent that has begun something, a conversation with a model or work
elsewhere, goes on there with its next attempt, which heartbeats carry it to; only who has nothing yet waits here.
`activities/halts.py` looks whether the moment has come, `workflows/interpreter/halted.py` waits for it.
"""

from datetime import UTC, datetime

from temporalio.exceptions import ApplicationError

from activities.failure import failure
from activities.halts import halting
from activities.memory import Memory
from contracts.halt import Halt

RATE_LIMIT = "rate_limit"
AFTER = "after"


def waiting(error: ApplicationError, memory: Memory, *, thinks: bool) -> ApplicationError:
    """Return the failure of an agent that is to ask later: that it waits, where nothing is lost by that."""
    details = error.details[0] if error.details and isinstance(error.details[0], dict) else {}
    begun = memory.tally.total().model_calls if thinks else memory.kept
    if error.type != "rate_limited" or error.next_retry_delay is None or AFTER not in details or begun:
        return error
    moment = datetime.now(UTC) + error.next_retry_delay
    halt = Halt(target=f"{RATE_LIMIT}:{moment.isoformat(timespec='seconds')}", reason=error.message)
    return failure("halted", error.message, **halting((halt,)))


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
