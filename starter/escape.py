"""Make visible what a text tries to hide: control, direction and zero-width characters.

What people sign, and whatever an agent or an author wrote, goes through here before it reaches a terminal.
"""

import shlex
import unicodedata

HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800\U0001d159")
"""Letters and marks that are drawn as nothing."""


def visible(text: str, *, lines: bool = False) -> str:
    """Spell hidden characters as `<U+202E>`. With `lines`, line breaks and tabs stay what they are."""
    kept = frozenset("\n\t") if lines else frozenset()
    return "".join(letter if letter in kept or not _hidden(letter) else f"<U+{ord(letter):04X}>" for letter in text)


def _hidden(letter: str) -> bool:
    if letter in BLANK or unicodedata.category(letter) in HIDDEN:
        return True
    return "VARIATION SELECTOR" in unicodedata.name(letter, "")


def command(*words: str) -> str:
    """Return a command of ours as people may paste it: what others named cannot become a second one."""
    return visible(shlex.join(("gonogo", *words)))
