"""Where a model's work stands: what was said so far, kept in heartbeats so that the next attempt goes on from there."""

import base64
import zlib
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter

from activities.memory import Memory
from activities.notebook import Notebook

MOST_KEPT = 600_000
"""Characters that a heartbeat carries of it, packed. A longer conversation begins anew after a crash."""


class Course:
    """The messages of the conversation so far, and what was found out for another model to write the answer from."""

    def __init__(self, memory: Memory, notebook: Notebook) -> None:
        self._memory = memory
        self._notebook = notebook
        kept = memory.kept if isinstance(memory.kept, dict) else {}
        self.messages: list[ModelMessage] = unpacked(kept.get("messages"))
        found = kept.get("found")
        self.found: str | None = found if isinstance(found, str) else None

    def keep(self, messages: Sequence[ModelMessage]) -> None:
        """Keep what was said so far."""
        self.messages = list(messages)
        packed = base64.b64encode(zlib.compress(ModelMessagesTypeAdapter.dump_json(self.messages))).decode()
        self._memory.kept = {"messages": packed if len(packed) <= MOST_KEPT else "", "found": self.found}
        self._notebook.beat()

    def gathered(self, found: str) -> None:
        """Keep what was found out; another conversation begins with it."""
        self.found = found
        self.keep(())


def unpacked(kept: Any) -> list[ModelMessage]:
    """Return the messages that were kept; none where they cannot be read."""
    try:
        return ModelMessagesTypeAdapter.validate_json(zlib.decompress(base64.b64decode(kept))) if kept else []
    except (ValueError, TypeError, zlib.error, ValidationError):
        return []
