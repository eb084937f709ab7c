"""What has been said in a party, read from the journal: the words, the stances they leave, and what they come to.

The law: the journal is the transcript; nothing is kept beside it. Pure.
"""

from collections.abc import Sequence
from typing import Any

from contracts.party import Party, tokens
from workflows.governance.party import VOTE, Held, Word, stances
from workflows.interpreter.scope import Scope

SPOKEN = frozenset({"turn", "moderation", "judgement", "interjection"})


class Transcript:
    """One party's words."""

    def __init__(self, party: Party, path: str, scope: Scope) -> None:
        self._party = party
        self._path = path
        self._journal = scope.journal

    def words(self) -> list[Word]:
        """Return everything that was said, in its order."""
        found = []
        for record in self._journal.records():
            if record.status == "succeeded" and record.kind in SPOKEN and self._mine(record.path):
                kind: Any = record.kind
                number = round_of(record.path.removeprefix(self._path))
                found.append(Word(kind, record.actor, number, record.output, record.order))
        return sorted(found, key=lambda word: word.order)

    def held(self) -> Held:
        """Return where the members stand."""
        return stances(self._party, self.words())

    def spent(self) -> int:
        """Return the tokens of all calls so far."""
        return sum(record.usage.tokens for record in self._journal.records() if self._mine(record.path))

    def unanswered(self) -> bool:
        """Say whether a facilitator's word has come after the last turn."""
        words = self.words()
        heard = max((word.order for word in words if word.kind == "turn"), default=0)
        return any(word.order > heard for word in words if word.kind == "interjection")

    def in_window(self) -> tuple[list[dict[str, Any]], int]:
        """Return the newest words that fit the window, and how many are left out. A facilitator's always fit."""
        kept: list[dict[str, Any]] = []
        left_out, room = 0, self._party.window
        for word in reversed(self.words()):
            room -= tokens(word.told())
            if word.kind == "interjection" or room >= 0:
                kept.insert(0, word.told())
            else:
                left_out += 1
        return kept, left_out

    def result(
        self, by: str, position: str | None = None, agreed: Sequence[str] = (), reasons: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return what a party yields."""
        held, words, members = self.held(), self.words(), self._party.members
        return {
            "recommendation": position,
            "reached": position is not None,
            "by": by,
            "agreed": list(agreed),
            "reasons": list(reasons),
            "dissent": [{"agent": one, **own(held[one])} for one in members if one in held and one not in agreed],
            "rounds": max((word.round for word in words), default=0),
            "stances": {one: own(held[one]) if one in held else None for one in members},
            "interjections": [{"by": one.by, **one.said} for one in words if one.kind == "interjection"],
        }

    def _mine(self, path: str) -> bool:
        return path.startswith((f"{self._path}[", f"{self._path}/vote/", f"{self._path}/facilitator["))


def own(stance: dict[str, Any]) -> dict[str, Any]:
    """Return a stance in its holder's own words."""
    return {name: stance[name] for name in ("position", "reasons", "confidence")}


def round_of(path: str) -> int:
    """Return the number of the round at a path below a party's; 0 for the vote and for what stands beside rounds."""
    number, closed, _ = path.removeprefix("[").partition("]")
    return int(number) if closed and path.startswith("[") else VOTE
