"""Whether an agent's answer fits: whoever asked is told how it does not, and never gets it."""

from typing import Any

from activities.failure import explained, failure
from contracts.base import canonical
from contracts.call import AgentCall
from language import schema

MOST_BYTES = 300_000


def misfits(call: AgentCall, output: Any) -> tuple[str, ...]:
    """Return how an answer does not fit; the agent is told these when it is asked again."""
    try:
        size = len(canonical(output))
    except (TypeError, ValueError) as error:
        return (f"the answer is no JSON: {explained(error)}",)
    if size > MOST_BYTES:
        return (f"the answer has {size} bytes; at most {MOST_BYTES} are taken",)
    try:
        return tuple(schema.errors(call.agent.output, output))
    except ValueError as error:
        raise failure("bad_input", f"{call.name}: its output schema cannot be used: {error}") from None
