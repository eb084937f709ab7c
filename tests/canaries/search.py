"""Look for a secret in what is kept: in files as they are and by their names, in databases row by row, however spelt.

A secret begins with the word that is looked for; what follows it, letters and hyphens, says which one it is.
"""

import base64
import binascii
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

SQLITE = b"SQLite format 3\x00"
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
HEX = re.compile(rb"[0-9a-fA-F]{16,}")


def kept(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield all that lies in a folder, each with where it was found: names, bytes, and what databases say."""
    for file in sorted(folder.rglob("*")):
        place = str(file.relative_to(folder))
        yield place, place.encode()
        if file.is_file():
            data = file.read_bytes()
            yield place, data
            if data.startswith(SQLITE):
                yield place, b"\n".join(cells(file))


def cells(database: Path) -> Iterator[bytes]:
    """Yield every value of every row, whole: in the file a long one is cut where a page ends."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        db.text_factory = bytes
        tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in db.execute(f'SELECT * FROM "{table.decode()}"'):
                yield from (value if isinstance(value, bytes) else str(value).encode() for value in row)


def found(word: str, folder: Path, beside: Mapping[str, bytes] | None = None) -> dict[str, set[str]]:
    """Return which secrets stand where: in a folder, and in what is given beside it."""
    leaks: dict[str, set[str]] = {}
    for place, data in (*kept(folder), *(beside or {}).items()):
        if secrets := said(word, data):
            leaks.setdefault(place, set()).update(secrets)
    return leaks


def said(word: str, data: bytes) -> set[str]:
    """Return the secrets that some bytes hold: as they are, in wide letters, in base64 or in hexadecimal."""
    return {one for text in _spelt(word, data) for one in _named(word, text)}


def _spelt(word: str, data: bytes) -> Iterator[bytes]:
    yield data
    if word.encode("utf-16-le") in data or word.encode("utf-16-be") in data:
        yield data.replace(b"\x00", b"")
    if any(part in data for part in _base64(word)):
        yield from (_decoded(run[0]) for run in BASE64.finditer(data))
    if (hexadecimal := word.encode().hex().encode()) in data or hexadecimal.upper() in data:
        for run in HEX.finditer(data):
            yield from (binascii.unhexlify(run[0][at : at + (len(run[0]) - at) // 2 * 2]) for at in range(2))


def _named(word: str, text: bytes) -> Iterator[str]:
    for one in re.finditer(re.escape(word.encode()) + rb"-?([a-z-]*[a-z])?", text):
        yield (one[1] or b"").decode()


def _base64(word: str) -> set[bytes]:
    """Return what of a word is always the same in base64, wherever it begins."""
    spelt = (base64.b64encode(b"\0" * ahead + word.encode())[4 * bool(ahead) :] for ahead in range(3))
    return {one.rstrip(b"=")[:-2] for one in spelt}


def _decoded(run: bytes) -> bytes:
    run = run.translate(bytes.maketrans(b"-_", b"+/"))
    parts = (run[at:] for at in range(4))
    return b"\n".join(base64.b64decode(part + b"A" * (-len(part) % 4)) for part in parts)
