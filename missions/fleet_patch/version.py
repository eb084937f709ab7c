"""Which of two versions is older, as distributions number them. Pure.

Law: runs of digits count as numbers, the rest as text; a tilde comes before everything, the end of a version too.
"""

import re

PART = re.compile(r"\d+|~|[^\d~]+")
TILDE, END, TEXT, NUMBER = -1, 0, 1, 2

Part = tuple[int, int, str]


def older(one: str, other: str) -> bool:
    """Whether a version comes before another one."""
    return _parts(one) < _parts(other)


def _parts(version: str) -> list[Part]:
    return [*(_part(text) for text in PART.findall(version)), (END, 0, "")]


def _part(text: str) -> Part:
    if text == "~":
        return TILDE, 0, ""
    return (NUMBER, int(text), "") if text.isdigit() else (TEXT, 0, text)
