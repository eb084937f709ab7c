"""What a language model thinks, told while it thinks it: a part every moment, at the end of a sentence or a word.

Law: who follows never waits for a thought to end, and a long one leaves room for what comes after it. What is part of
an answer is no thought. `activities/notebook.py` passes it on.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any

from pydantic_ai.messages import (
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
)

from activities.notebook import LONGEST
from contracts.agent import Observe

PAUSE, LONG_PAUSE = 0.2, 5.0
"""Seconds that words wait for those after them; and how often a thought that is told no more is said to go on."""
SENTENCE = re.compile(r".*[.!?\n](?=\s|$)", re.DOTALL)
WORD = re.compile(r".*\s", re.DOTALL)


class Aloud:
    """Listens to one call of a model. With `speaks` its text is no answer: that comes through a tool."""

    def __init__(self, source: str, observe: Observe, heard: Callable[[int], None], *, speaks: bool) -> None:
        self._source = source
        self._observe = observe
        self._heard = heard
        self._speaks = speaks
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._unsaid, self._said = "", 0

    def hear(self, event: Any) -> None:
        """Take in what the model says, piece by piece."""
        match event:
            case PartStartEvent(part=part):
                self._heard(letters(part))
                if isinstance(part, ThinkingPart) or (isinstance(part, TextPart) and self._speaks):
                    self._think(part.content)
            case PartDeltaEvent(delta=delta):
                self._heard(letters(delta))
                if isinstance(delta, ThinkingPartDelta) or (isinstance(delta, TextPartDelta) and self._speaks):
                    self._think(delta.content_delta or "")
            case PartEndEvent(part=TextPart(content=text), next_part_kind="tool-call") if not self._speaks:
                self._think(text)
                self.end()
            case PartEndEvent():
                self.end()
            case _:
                pass

    def end(self) -> None:
        """Tell the rest of a thought."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tell(len(self._unsaid))
        if self._said > LONGEST:
            self._observe(f"the rest of this thought, {self._said - LONGEST:,} letters, is left out", kind="progress")
        self._unsaid, self._said = "", 0

    def _think(self, words: str) -> None:
        self._unsaid += words
        if self._timer is None and self._unsaid.strip():
            pause = PAUSE if self._said < LONGEST else LONG_PAUSE
            self._timer = self._loop.call_later(pause, self._pause)

    def _pause(self) -> None:
        self._timer = None
        if self._said >= LONGEST:
            self._observe(f"thinks on: {self._said + len(self._unsaid):,} letters so far", kind="progress")
        found = SENTENCE.match(self._unsaid) or WORD.match(self._unsaid)
        self._tell(found.end() if found else len(self._unsaid))
        self._think("")

    def _tell(self, count: int) -> None:
        words, self._unsaid = self._unsaid[:count], self._unsaid[count:]
        shown = words[: max(0, LONGEST - self._said)].strip()
        self._said += len(words)
        if shown:
            self._observe(shown, source=self._source, kind="thought")


def letters(part: Any) -> int:
    """Return how much a model said, in bytes: of a part of its answer, or of a piece of one."""
    said = (getattr(part, name, None) for name in ("content", "content_delta", "args", "args_delta"))
    return sum(len(word.encode()) if isinstance(word, str) else 0 for word in said)
