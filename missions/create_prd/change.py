"""What a stakeholder asks to be changed, read from their comment.

Pure. A sentence is taken when it says what is to happen (in, later, out, or so many weeks) and, but for weeks, what it
is about. Law: what cannot be read so is never dropped and never guessed at; it stays in the draft as an open question.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from missions.create_prd.words import likeness, stems, vector

Place = Literal["now", "later", "out"]
WORDS: dict[Place, tuple[str, ...]] = {
    "later": ("not now", "not yet", "later", "postpone", "defer", "next release", "can wait"),
    "out": ("drop", "remove", "leave out", "exclude", "skip", "cut", "without", "out of scope"),
    "now": ("must", "add", "include", "keep", "need", "want", "bring", "first", "in scope"),
}
TURNED: dict[Place, Place] = {"now": "out", "later": "now", "out": "now"}
PHRASE = {place: re.compile(rf"\b(?:{'|'.join(phrases)})(?:s|d|ed|ing)?\b") for place, phrases in WORDS.items()}
NOT = r"(?:not|never|don'?t|cannot)"
DENIED = re.compile(rf"\b{NOT}(?:\s+\w+)?\s+$")
"""What stands before a phrase that means its opposite."""
ANY = "|".join(phrase for phrases in WORDS.values() for phrase in phrases)
SENTENCE = re.compile(rf"[.;!?\n]+(?:\s+|$)|,?\s+(?:and|but)\s+(?:then\s+)?(?=(?:{ANY})\b)", re.IGNORECASE)
WEEKS = re.compile(r"\b(\d{1,3})\s*(?:person[- ])?weeks?\b")
ABOUT = 0.2
"""A sentence that is at least this like a need, 0 to 1, is about it."""
CLEARLY = 1.2
"""It is about the one that it is most like, if it is so much more like it than any other."""
MOST_SENTENCES, MOST_LETTERS = 40, 500
"""What is worked in of one comment; the decision itself keeps all of it."""


def read_changes(
    comment: str, needs: Sequence[Mapping[str, Any]], when: int, by: Iterable[str]
) -> list[dict[str, Any]]:
    """Return one change for each sentence. `place` and `need` are null in one that could not be read."""
    found = [said for sentence in SENTENCE.split(comment) if (said := sentence.strip(" ,"))]
    told = [_short(said) for said in found[:MOST_SENTENCES]]
    if len(found) > MOST_SENTENCES:
        told.append(f"{len(found) - MOST_SENTENCES} sentences more")
    who = ", ".join(sorted(by))
    return [{"round": when, "by": who, "said": said, **_read(said, needs)} for said in told]


def _short(said: str) -> str:
    return said if len(said) <= MOST_LETTERS else f"{said[:MOST_LETTERS]}…"


def _read(said: str, needs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    nothing = {"need": None, "place": None, "weeks": None}
    place, need = _place(said.lower()), _need(said, needs)
    if place is not None and need is not None:
        return {**nothing, "need": need, "place": place}
    if need is None and (weeks := WEEKS.search(said.lower())):
        return {**nothing, "weeks": int(weeks[1])}
    return nothing


def _place(said: str) -> Place | None:
    """Return where the sentence wants something; None where it says nothing of it, or two things."""
    found: set[Place] = set()
    for place, phrase in PHRASE.items():
        for hit in phrase.finditer(said):
            if re.match(rf"\s+{NOT}\b", said[hit.end() :]):
                continue  # "must not": what follows says what is meant
            found.add(TURNED[place] if DENIED.search(said[: hit.start()]) else place)
    return found.pop() if len(found) == 1 else None


def _need(said: str, needs: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the need that is meant: by its id, else the one that it is clearly most like."""
    named = [str(need["id"]) for need in needs if re.search(rf"\b{need['id']}\b", said, re.IGNORECASE)]
    if named:
        return named[0] if len(named) == 1 else None
    words = [word for word in stems(said) if any(word in need["terms"] for need in needs)]
    spoken = vector(words, dict.fromkeys(words, 1.0))
    near = sorted(((likeness(spoken, need["terms"]), str(need["id"])) for need in needs), reverse=True)
    if not near or near[0][0] < ABOUT or (len(near) > 1 and near[0][0] < CLEARLY * near[1][0]):
        return None
    return near[0][1]
