"""What work costs: part of what activities answer, of what a mission is shown to have cost, of what people sign."""

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import SerializerFunctionWrapHandler, ValidationError, model_serializer

from contracts.base import Message

KEY = "usage"
"""Where it stands in a heartbeat's details and in those of a failure."""


class Usage(Message):
    """What one agent run or tool call cost. Seconds of wall time; US dollars.

    `tokens` are all of them, as far as they are known: of a party's turns an estimate, of a model that does not say,
    the most that it can have been. `cached_tokens` are among `input_tokens`, `reasoning_tokens` among `output_tokens`.
    """

    agent_runs: int = 0
    tool_calls: int = 0
    seconds: float = 0.0
    usd: float = 0.0
    tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    model_calls: int = 0
    saved_usd: float = 0.0
    """What answers had cost that were used again."""
    unpriced: int = 0
    """Those of `tokens` of which nobody knows the price: `usd` leaves them out."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {
            *("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "model_calls"),
            *("saved_usd", "unpriced"),
        }
    )

    def plus(self, other: "Usage") -> "Usage":
        """Return the sum of both."""
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in Usage.model_fields})

    def less(self, other: "Usage") -> "Usage":
        """Return what this is more than another."""
        return Usage(**{name: getattr(self, name) - getattr(other, name) for name in Usage.model_fields})

    @model_serializer(mode="wrap")
    def _silent(self, spell: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what came later and says nothing: what people signed with it keeps its digest."""
        return {name: value for name, value in spell(self).items() if value or name not in self.LATER}


def billed(details: Iterable[Any]) -> Usage:
    """Return what the details of a heartbeat or a failure say that was spent. What cannot be read counts as nothing."""
    first = next(iter(details), None)
    try:
        return Usage.model_validate(first.get(KEY) or {}) if isinstance(first, dict) else Usage()
    except ValidationError:
        return Usage()
