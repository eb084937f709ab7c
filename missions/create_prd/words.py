"""What texts share: their words, cut to stems, weighed by how rare they are among all texts.

Pure. A word that every ticket has says nothing of any; one that two tickets share says that they belong together.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from math import log, sqrt

WORD = re.compile(r"[a-z][a-z0-9]+")
ENDINGS = ("ations", "ation", "ings", "ing", "ies", "ions", "ion", "ers", "ed", "er", "es", "ly", "s", "e")
SHORTEST = 3
"""Letters that stay of a word at least."""
EMPTY = """
a about after again all also an and any are as at be been before but by can cannot could did do does each even ever
every for from had has have he her his how i if in instead into is it its just like may me more most must my need
needs never no not now of off on once one only or our out please she should since so some still such than that the
their them then there these they this those to too up us use used uses very want wants was we were what when where
which while who why will with without would you your
"""

Weights = dict[str, float]
_EMPTY = frozenset(EMPTY.split())


def stems(text: str) -> list[str]:
    """Return the words of a text that mean something, in their order, cut to stems."""
    return [_stem(word) for word in WORD.findall(text.lower()) if word not in _EMPTY]


def rarity(texts: Iterable[Iterable[str]]) -> Weights:
    """Weigh each stem by how few of the texts have it: ln((1 + n) / (1 + with it)) + 1."""
    counted: Counter[str] = Counter()
    number = 0
    for words in texts:
        counted.update(set(words))
        number += 1
    return {word: log((1 + number) / (1 + times)) + 1 for word, times in counted.items()}


def vector(words: Iterable[str], weights: Mapping[str, float]) -> Weights:
    """Return each stem's weight in one text, scaled to length 1. A stem without a weight counts nothing."""
    raw = {word: (1 + log(times)) * weights.get(word, 0.0) for word, times in Counter(words).items()}
    length = sqrt(sum(value * value for value in raw.values()))
    return {word: value / length for word, value in sorted(raw.items())} if length else {}


def likeness(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Return how alike two vectors are: 0 for nothing in common, 1 for the same."""
    return sum(value * other.get(word, 0.0) for word, value in sorted(one.items()))


def _stem(word: str) -> str:
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST:
            return _undoubled(word[: -len(ending)])
    return word


def _undoubled(word: str) -> str:
    """Return `synced` and `syncing` as `sync`, and `stopped` as `stop`."""
    return word[:-1] if len(word) > SHORTEST and word[-1] == word[-2] and word[-1] not in "aeiou" else word
