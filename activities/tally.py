"""What an attempt uses of language models, counted so that nothing is forgotten: what broke off too, over crashes too.

Law: what was asked for is paid for. A call that is under way counts at the most that it can have been, until the
provider says what it was; so does a call of which it says nothing, or less than can be. Heartbeats carry the count, and
the next attempt goes on with it.
"""

from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, ValidationError

from contracts.base import Message
from contracts.usage import Usage

LETTERS = 16
"""Bytes that a token stands for at most, over a whole text, and at least one: who reports fewer is not believed."""


class Pending(Message):
    """A call that is under way: the model, the bytes that it was sent and that it has said."""

    model: str
    sent: int
    heard: int = 0

    def at_most(self) -> Usage:
        """Return the most that it can have used so far."""
        return used(self.sent, self.heard)


class Count(Message):
    """What a heartbeat carries of it."""

    by_model: dict[str, Usage] = Field(default_factory=dict)
    pending: Pending | None = None


@dataclass(frozen=True)
class Reported:
    """What a provider says that a call has used."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0


@dataclass
class Tally:
    """The count of one step's attempts, by the model's name."""

    by_model: dict[str, Usage] = field(default_factory=dict)
    pending: Pending | None = None

    @classmethod
    def after(cls, kept: Any) -> "Tally":
        """Return the count to go on with. A call of which nobody heard the end counts as one that was made."""
        try:
            before = Count.model_validate(kept or {})
        except ValidationError:
            return cls()
        tally = cls(dict(before.by_model), before.pending)
        tally.broken()
        return tally

    def begin(self, model: str, sent: int) -> None:
        """Count a call that is about to be made."""
        self.broken()
        self.pending = Pending(model=model, sent=sent)

    def hear(self, letters: int) -> None:
        """Count what the model says while it says it."""
        if self.pending is not None:
            self.pending = self.pending.model_copy(update={"heard": self.pending.heard + letters})

    def settle(self, said: Reported) -> None:
        """Count what the call that is under way has used, as its provider says, as far as that can be believed."""
        if self.pending is not None:
            one, self.pending = self.pending, None
            self._add(one.model, believed(said, one))

    def refused(self) -> None:
        """Forget the call that is under way: it was turned away before it cost anything."""
        self.pending = None

    def broken(self) -> None:
        """Count the call that is under way as one that nobody will hear the end of."""
        if self.pending is not None:
            one, self.pending = self.pending, None
            self._add(one.model, one.at_most())

    def copy(self) -> "Tally":
        """Return the count as it is now."""
        return Tally(dict(self.by_model), self.pending)

    def total(self) -> Usage:
        """Return what all models together have used, the call under way at its most."""
        whole = self.pending.at_most() if self.pending is not None else Usage()
        for usage in self.by_model.values():
            whole = whole.plus(usage)
        return whole

    def unpriced(self) -> Usage:
        """Return the same where nobody has worked out yet what it costs."""
        whole = self.total()
        return whole.model_copy(update={"unpriced": whole.tokens})

    def kept(self) -> dict[str, Any]:
        """Return what a heartbeat carries."""
        return Count(by_model=self.by_model, pending=self.pending).model_dump(mode="json")

    def _add(self, model: str, usage: Usage) -> None:
        self.by_model[model] = self.by_model.get(model, Usage()).plus(usage)


def used(sent: int, heard: int, cached: int = 0, reasoning: int = 0) -> Usage:
    """Return the usage of one call."""
    return Usage(
        tokens=sent + heard,
        input_tokens=sent,
        output_tokens=heard,
        cached_tokens=cached,
        reasoning_tokens=reasoning,
        model_calls=1,
    )


def believed(said: Reported, call: Pending) -> Usage:
    """Return what a call has used: as it is said, or the most that it can have been where that cannot be."""
    sent = said.input if said.input >= call.sent // LETTERS and said.input > 0 else call.sent
    heard = said.output if said.output >= call.heard // LETTERS and said.output > 0 else call.heard
    cached, reasoning = max(0, min(said.cached, sent)), max(0, min(said.reasoning, heard))
    return used(sent, heard, cached, reasoning)
