"""How a definition names a secret: `secret://NAME`, or `secret://PROVIDER/PATH#FIELD`. The value stands nowhere.

The law: a name may be read by everybody, so nothing but names is in files, plans and histories.
`activities/strongbox.py` looks a secret up at the moment of its use.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

MARK = "secret://"
FORM = "write 'secret://NAME', 'secret://file/NAME' or 'secret://vault/MOUNT/PATH#FIELD'"
_WORD = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_REFERENCE = re.compile(
    rf"secret://(?:(?P<provider>env|file|vault)/(?P<path>{_WORD}(?:/{_WORD})*)(?:\#(?P<field>{_WORD}))?|(?P<name>{_WORD}))",
    re.ASCII,
)


class Reference(NamedTuple):
    """Where a secret is: at which provider, under which path, and in which field where there are several."""

    provider: str
    path: str
    field: str = ""

    def __str__(self) -> str:
        field = f"#{self.field}" if self.field else ""
        return f"{MARK}{self.provider}/{self.path}{field}"


def reference(text: str) -> Reference | None:
    """Return the secret that a text names, if it is such a name and nothing else."""
    found = _REFERENCE.fullmatch(text)
    return _read(found) if found else None


def split(text: str) -> Iterator[str | Reference]:
    """Return a text in parts, the secrets that it names apart from what stands around them."""
    end = 0
    for found in _REFERENCE.finditer(text):
        yield text[end : found.start()]
        yield _read(found)
        end = found.end()
    yield text[end:]


def wrong(text: str) -> bool:
    """Whether a text means to name a secret and does not."""
    words = text.split()
    return any(MARK in word and reference(word) is None for word in words)


def _read(found: re.Match[str]) -> Reference:
    if found["name"]:
        return Reference("env", found["name"])
    return Reference(found["provider"], found["path"], found["field"] or "")
