"""The documents of a workspace, to be searched by words: Markdown, text, HTML, and PDF with the extra `pdf`.

Where the worker has an embedding model (`activities/meaning.py`) they are searched by what is meant as well.

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

from activities.meaning import Meaning, NoMeaning, fused, likeness

READ = frozenset((".md", ".markdown", ".txt", ".html", ".htm", ".pdf"))
MOST_FILES = 5_000
MOST_BYTES = 10_000_000
PASSAGE = 1_500
"""Letters of a passage: a paragraph or two, which a citation can point at."""
WORDS = 32
NO_PDF = "PDF files are left out: this worker lacks 'gonogo[pdf]'"
TABLE = "CREATE VIRTUAL TABLE passages USING fts5(source UNINDEXED, digest UNINDEXED, title, body, tokenize='porter')"
BARE = "SELECT rowid, title || char(10) || body FROM passages WHERE rowid NOT IN (SELECT passage FROM vectors) LIMIT 64"
MEANT = "SELECT source, digest, title, body, vector FROM passages JOIN vectors ON passage = passages.rowid"
WIDE = 4
"""How many more are looked at in each order than are answered."""
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
    rank: float = field(default=0.0, compare=False)


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

    def __init__(self, folders: Mapping[str, Path], meaning: Meaning | None = None) -> None:
        self._folders = folders
        self._meaning = meaning
        self._indexes: dict[str, _Index] = {}
        self._lock = threading.Lock()

    async def search(self, names: Iterable[str], query: str, limit: int = 5) -> Found:
        """Return the passages of some collections that fit words best."""
        known = sorted(names)
        if self._meaning is None or not query.strip():
            return await asyncio.to_thread(self._search, known, query, limit)
        by_words = await asyncio.to_thread(self._search, known, query, WIDE * limit)
        try:
            meant = await self._meant(known, query, WIDE * limit)
        except NoMeaning as error:
            return Found(by_words.passages[:limit], (*by_words.left_out, str(error)))
        return Found(tuple(fused(by_words.passages, meant)[:limit]), by_words.left_out)

    async def _meant(self, names: list[str], query: str, limit: int) -> list[Passage]:
        """Return the passages that are most like what is asked for. Those without a vector get one first."""
        assert self._meaning is not None  # noqa: S101 (who calls has looked)
        while bare := await asyncio.to_thread(self._bare, names):
            vectors = await self._meaning.of([text for _, _, text in bare])
            known = [(index, row, one) for (index, row, _), one in zip(bare, vectors, strict=True)]
            await asyncio.to_thread(self._keep, known)
        [wanted] = await self._meaning.of([query], query=True)
        return await asyncio.to_thread(self._nearest, names, wanted, limit)

    def _bare(self, names: list[str]) -> "list[tuple[_Index, int, str]]":
        with self._lock:
            known = [self._indexes[name] for name in names if name in self._indexes]
            return [(index, row, text) for index in known for row, text in index.rows.execute(BARE)]

    def _keep(self, vectors: "list[tuple[_Index, int, bytes]]") -> None:
        # An index that was made anew meanwhile has other passages: what belongs to the old one stays there.
        with self._lock:
            for index, row, vector in vectors:
                index.rows.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?)", (row, vector))

    def _nearest(self, names: list[str], wanted: bytes, limit: int) -> list[Passage]:
        with self._lock:
            found = [
                Passage(source, title, body, digest, -likeness(vector, wanted))
                for name in names
                if name in self._indexes
                for source, digest, title, body, vector in self._indexes[name].rows.execute(MEANT)
            ]
        return sorted(found, key=lambda one: (one.rank, one.source))[:limit]

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
        rows.execute("CREATE TABLE vectors (passage INTEGER PRIMARY KEY, vector BLOB)")
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
