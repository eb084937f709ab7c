"""The documents of a workspace, to be searched by words: Markdown, text, HTML, and PDF with the extra `pdf`.

Each collection is an SQLite FTS5 index in memory, made when it is first searched and again when a file has changed:
there is nothing to keep in step. The law: nothing outside a collection's folder is read, whatever links lie in it,
and what is searched for is words, never an expression.
"""

import asyncio
import hashlib
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

READ = frozenset((".md", ".markdown", ".txt", ".html", ".htm", ".pdf"))
MOST_FILES = 5_000
MOST_BYTES = 10_000_000
PASSAGE = 1_500
"""Letters of a passage: a paragraph or two, which a citation can point at."""
WORDS = 32
NO_PDF = "PDF files are left out: this worker lacks 'gonogo[pdf]'"
TABLE = "CREATE VIRTUAL TABLE passages USING fts5(source UNINDEXED, digest UNINDEXED, title, body, tokenize='porter')"
BEST = (
    "SELECT source, digest, title, body, bm25(passages, 0, 0, 3, 1) AS rank FROM passages WHERE passages MATCH ? "
    "ORDER BY rank, source LIMIT ?"
)


@dataclass(frozen=True)
class Passage:
    """A part of a document. `source` is its collection, its file there, and its number in that."""

    source: str
    title: str
    text: str
    digest: str
    rank: float = 0.0


@dataclass(frozen=True)
class Found:
    """What a search came to, and what could not be read."""

    passages: tuple[Passage, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass
class _Index:
    state: tuple[tuple[str, int, int], ...]
    rows: sqlite3.Connection
    left_out: list[str] = field(default_factory=list)


class Library:
    """The collections of a workspace, by name."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders
        self._indexes: dict[str, _Index] = {}
        self._lock = threading.Lock()

    async def search(self, names: Iterable[str], query: str, limit: int = 5) -> Found:
        """Return the passages of some collections that fit words best."""
        return await asyncio.to_thread(self._search, sorted(names), query, limit)

    def _search(self, names: list[str], query: str, limit: int) -> Found:
        words = re.findall(r"\w+", query)[:WORDS]
        asked = " OR ".join(f'"{word}"' for word in words)
        found: list[Passage] = []
        left_out: list[str] = []
        with self._lock:
            for name in names:
                if name in self._folders:
                    index = self._fresh(name)
                    left_out += index.left_out
                    for source, digest, title, body, rank in index.rows.execute(BEST, (asked, limit)) if words else ():
                        found.append(Passage(source, title, body, digest, rank))
        best = sorted(found, key=lambda one: (one.rank, one.source))[:limit]
        return Found(tuple(best), tuple(dict.fromkeys(left_out)))

    def _fresh(self, name: str) -> _Index:
        files = list(_files(self._folders[name]))
        state = tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files)
        known = self._indexes.get(name)
        if known is not None and known.state == state:
            return known
        rows = sqlite3.connect(":memory:", check_same_thread=False)
        index = self._indexes[name] = _Index(state, rows)
        rows.execute(TABLE)
        for file in files:
            called = f"{name}/{file.relative_to(self._folders[name].resolve()).as_posix()}"
            try:
                passages = list(_passages(called, file))
            except (OSError, ValueError) as error:
                index.left_out.append(str(error) if str(error) == NO_PDF else f"{called} cannot be read")
                continue
            with rows:
                fields = ((one.source, one.digest, one.title, one.text) for one in passages)
                rows.executemany("INSERT INTO passages VALUES (?, ?, ?, ?)", fields)
        return index


def _files(folder: Path) -> Iterator[Path]:
    """Yield the documents of a folder, those that really lie in it."""
    root = folder.resolve()
    number = 0
    for path in sorted(root.rglob("*")):
        inside = path.suffix.lower() in READ and path.is_file() and path.resolve().is_relative_to(root)
        if inside and path.stat().st_size <= MOST_BYTES and number < MOST_FILES:
            number += 1
            yield path


def _passages(called: str, file: Path) -> Iterator[Passage]:
    raw = file.read_bytes()
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    kind = file.suffix.lower()
    text = _pdf(file) if kind == ".pdf" else raw.decode("utf-8", "replace")
    text = _plain(text) if kind in {".html", ".htm"} else text
    title = next((line.strip("# ").strip() for line in text.splitlines() if line.strip("# ").strip()), file.name)[:200]
    for number, part in enumerate(_parts(text), start=1):
        yield Passage(f"{called}#{number}", title, part, digest)


def _parts(text: str) -> Iterator[str]:
    """Yield a text in passages: paragraphs together, a heading always with what follows it."""
    part, says = "", False
    for paragraph in re.split(r"\n\s*\n|\n(?=#)", text):
        words = paragraph.strip()
        heading = words.startswith("#")
        if says and (heading or len(part) + len(words) > PASSAGE):
            yield part
            part, says = "", False
        part = f"{part}\n\n{words}".strip()
        says = says or (bool(words) and not heading)
        while len(part) > 2 * PASSAGE:
            yield part[:PASSAGE]
            part = part[PASSAGE:]
    if part:
        yield part


def _pdf(file: Path) -> str:
    try:
        pypdf = import_module("pypdf")
    except ImportError:
        raise ValueError(NO_PDF) from None
    try:
        text = "\n\n".join(page.extract_text() for page in pypdf.PdfReader(str(file)).pages)
    except Exception:  # A stranger's document breaks its reader in whatever way it likes.
        raise ValueError("it is broken, or locked") from None
    if not text.strip():
        raise ValueError("it holds pictures of text at best")
    return text


BLOCKS = "p div li tr h1 h2 h3 h4 h5 h6 section article br table ul ol pre title"


class _Words(HTMLParser):
    """The words of a page, a blank line between its blocks; scripts and styles are none."""

    BLOCKS = frozenset(BLOCKS.split())
    SILENT = frozenset(("script", "style", "template"))

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._silent += tag in self.SILENT
        if tag in self.BLOCKS:
            self.words.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in self.SILENT))
        if tag in self.BLOCKS:
            self.words.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def _plain(page: str) -> str:
    reader = _Words()
    reader.feed(page)
    reader.close()
    return re.sub(r"\n\s*\n\s*", "\n\n", "".join(reader.words)).strip()
