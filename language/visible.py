"""Make visible what a text tries to hide: control, direction and zero-width characters, letters that pose as others.

What people sign, and whatever an agent or an author wrote, goes through here before it reaches a terminal or a page.
"""

import re
import unicodedata
from functools import lru_cache

HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800\U0001d159")
"""Letters and marks that are drawn as nothing."""
LOOKALIKE = frozenset("аеорсухіјѕԁһԛԝАВЕКМНОРСТУХІЈЅӀοανρυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")  # noqa: RUF001 (that is what they are)
"""Cyrillic and Greek letters that are drawn as Latin ones; in a word with Latin letters they pose as these."""
LATIN = re.compile(r"[A-Za-z]")
WORD = re.compile(r"\w+")


def visible(text: str, *, lines: bool = False) -> str:
    """Spell hidden characters as `<U+202E>`. With `lines`, line breaks and tabs stay what they are."""
    kept = "\n\t" if lines else ""
    if text.isascii() and (text.isprintable() or text.translate(dict.fromkeys(map(ord, kept))).isprintable()):
        return text
    told = WORD.sub(_honest, text)
    return "".join(letter if letter in kept or not _hidden(letter) else _spelt(letter) for letter in told)


def _honest(word: re.Match[str]) -> str:
    """Return a word with the letters spelt out that pose as Latin ones beside Latin ones."""
    if LOOKALIKE.isdisjoint(word[0]) or not LATIN.search(word[0]):
        return word[0]
    return "".join(_spelt(letter) if letter in LOOKALIKE else letter for letter in word[0])


@lru_cache(maxsize=4_096)
def _hidden(letter: str) -> bool:
    if letter in BLANK or unicodedata.category(letter) in HIDDEN:
        return True
    return "VARIATION SELECTOR" in unicodedata.name(letter, "")


def _spelt(letter: str) -> str:
    return f"<U+{ord(letter):04X}>"
