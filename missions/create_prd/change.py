"""What a stakeholder asks to be changed, read from their comment.

Pure. A sentence is taken when it says what is to happen (in, later, out, or so many weeks) and, but for weeks, what it
is about. Law: what cannot be read so is never dropped and never guessed at; it stays in the draft as an open question.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from missions.create_prd.words import likeness, stems, vector

Place = Literal["now", "later", "out"]
SENTENCE = re.compile(r"[.;!?\n]+(?:\s+|$)|,?\s+(?:and then|but)\s+")
WEEKS = re.compile(r"(\d{1,3})\s*(?:person[- ])?weeks?\b")
WORDS: dict[Place, tuple[str, ...]] = {
    "later": ("not now", "not yet", "later", "postpone", "defer", "next release", "can wait"),
    "out": ("drop", "remove", "leave out", "exclude", "skip", "cut", "without", "out of scope"),
    "now": ("must", "add", "include", "keep", "need", "want", "bring", "first", "in scope"),
}
NOT = re.compile(r"\b(?:not|never|don'?t|nobody|cannot)\b")
TURNED: dict[Place, Place] = {"now": "out", "later": "now", "out": "now"}
ABOUT = 0.2
"""A sentence that is at least this like a need, 0 to 1, is about it."""


def read_changes(
    comment: str, needs: Sequence[Mapping[str, Any]], when: int, by: Iterable[str]
) -> list[dict[str, Any]]:
    """Return one change for each sentence. `place` and `need` are null in one that could not be read."""
    found = (sentence.strip(" ,") for sentence in SENTENCE.split(comment))
    who = ", ".join(sorted(by))
    return [{"round": when, "by": who, "said": said, **_read(said, needs)} for said in found if said]


def _read(said: str, needs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    nothing = {"need": None, "place": None, "weeks": None}
    place, need = _place(said.lower()), _need(said, needs)
    if place is not None and need is not None:
        return {**nothing, "need": need, "place": place}
    if need is None and (weeks := WEEKS.search(said.lower())):
        return {**nothing, "weeks": int(weeks[1])}
    return nothing


def _place(said: str) -> Place | None:
    """Return where the sentence wants something. A denial turns it round, unless it is a part of the phrase."""
    for place, phrases in WORDS.items():
        for phrase in phrases:
            if hit := re.search(rf"\b{phrase}\w{{0,3}}\b", said):
                rest = said[: hit.start()] + said[hit.end() :]
                return TURNED[place] if NOT.search(rest) else place
    return None


def _need(said: str, needs: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the need that is meant: by its id, else the one that it is most like."""
    for need in needs:
        if re.search(rf"\b{need['id']}\b", said, re.IGNORECASE):
            return str(need["id"])
    words = [word for word in stems(said) if any(word in need["terms"] for need in needs)]
    spoken = vector(words, dict.fromkeys(words, 1.0))
    near = sorted(((round(likeness(spoken, need["terms"]), 9), need["id"]) for need in needs), reverse=True)
    if not near or near[0][0] < ABOUT or (len(near) > 1 and near[0][0] == near[1][0]):
        return None
    return str(near[0][1])
