"""What a handler hands back to the walk."""

from dataclasses import dataclass, field
from typing import Any

from contracts.record import Status

COMPOSED: dict[str, Any] = {}


@dataclass(frozen=True)
class Outcome:
    """How a step ended. `kept` is what its record stores: the output for a leaf, nothing for what children made.

    `fields` are more of the record's fields.
    """

    output: Any = None
    kept: Any = None
    status: Status = "succeeded"
    fields: dict[str, Any] = field(default_factory=dict)
