"""Cedar's text cut into its policies, each with its place, so that a mistake has a line. Pure.

Cedar's own messages name no line. A policy ends with a semicolon, which stands nowhere else but in texts and comments.
"""

import re
from collections.abc import Iterator

from contracts.step import Place

PIECE = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"|;|\s+|[^/";\s]+|["/]')


def statements(text: str, file: str) -> Iterator[tuple[Place, str]]:
    """Yield each policy's text, its semicolon included, with the place where it begins."""
    begin: int | None = None
    end = 0
    for piece in PIECE.finditer(text):
        word = piece[0]
        if begin is None and (word.isspace() or word.startswith("//")):
            continue
        begin, end = (piece.start() if begin is None else begin), piece.end()
        if word == ";":
            yield _place(text, begin, file), text[begin:end]
            begin = None
    if begin is not None:
        yield _place(text, begin, file), text[begin:end]


def _place(text: str, at: int, file: str) -> Place:
    line = text.count("\n", 0, at) + 1
    return Place(file=file, line=line, column=at - (text.rfind("\n", 0, at) + 1) + 1)
