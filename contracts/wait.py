"""What a step may wait for: time, a moment, or something that happens outside.

The other halves: `contracts/event.py` is what comes in, `workflows/interpreter/steps/wait.py` waits.
"""

from typing import Any

from pydantic import Field

from contracts.base import Document
from contracts.duration import Duration
from contracts.step import ALIASED


class Wait(Document):
    """Exactly one of: `for` a span, `until` a moment (CEL that answers RFC 3339 text), or an `event` from outside.

    An event is a signal with a name and a `key` (a template) that says which of its kind is meant; its payload must
    fit `schema`. The step's own `timeout` bounds the wait for it.
    """

    for_: Duration | None = Field(default=None, alias="for")
    until: str | None = None
    event: str | None = None
    key: str = ""
    schema_: dict[str, Any] = Field(default_factory=dict, alias="schema")

    model_config = ALIASED
