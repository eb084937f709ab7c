"""The company's memory: one SQLite file in WAL mode.

Law: a write is one immediate transaction, there as a whole or not at all, also after kill -9. Every use opens its own
connection, so threads share nothing but the file. What is in the tables is said by `seed.py` and by the tools.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS users (user TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS assets (host TEXT PRIMARY KEY, address TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS alerts (uid TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY, at TEXT NOT NULL, host TEXT NOT NULL, user TEXT NOT NULL, address TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_host ON events (host, at);
CREATE INDEX IF NOT EXISTS events_by_user ON events (user, at);
CREATE INDEX IF NOT EXISTS events_by_address ON events (address, at);
CREATE TABLE IF NOT EXISTS changes (
    id TEXT PRIMARY KEY, host TEXT NOT NULL, starts TEXT NOT NULL, ends TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS indicators (value TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE VIRTUAL TABLE IF NOT EXISTS documents USING fts5 (
    title, words, techniques, body UNINDEXED, tokenize = 'porter unicode61'
);
CREATE TABLE IF NOT EXISTS holds (
    host TEXT NOT NULL, "case" TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (host, "case")
);
CREATE TABLE IF NOT EXISTS tickets (
    number INTEGER PRIMARY KEY AUTOINCREMENT, "case" TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
    severity TEXT NOT NULL, host TEXT NOT NULL, status TEXT NOT NULL, opened_at TEXT NOT NULL, closed_at TEXT,
    closing_reason TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS software (
    host TEXT NOT NULL, package TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (host, package)
);
CREATE TABLE IF NOT EXISTS planned (
    number INTEGER PRIMARY KEY AUTOINCREMENT, "case" TEXT NOT NULL, package TEXT NOT NULL, version TEXT NOT NULL,
    hosts TEXT NOT NULL, opens TEXT NOT NULL, closes TEXT NOT NULL, reason TEXT NOT NULL, status TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS patches (
    "case" TEXT NOT NULL, host TEXT NOT NULL, package TEXT NOT NULL, before TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY ("case", host, package)
);
CREATE TABLE IF NOT EXISTS publications (
    number INTEGER PRIMARY KEY AUTOINCREMENT, "case" TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
    status TEXT NOT NULL, published_at TEXT NOT NULL, withdrawn_at TEXT, reason TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS services (service TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS releases (
    service TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (service, version)
);
CREATE TABLE IF NOT EXISTS freezes (
    id TEXT PRIMARY KEY, starts TEXT NOT NULL, ends TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS migrations (
    service TEXT NOT NULL, migration TEXT NOT NULL, "case" TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (service, migration)
);
CREATE TABLE IF NOT EXISTS stages (
    service TEXT NOT NULL, version TEXT NOT NULL, percent INTEGER NOT NULL, "case" TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (service, version, percent, "case")
);
CREATE TABLE IF NOT EXISTS effects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, tool TEXT NOT NULL, arguments TEXT NOT NULL,
    digest TEXT NOT NULL, result TEXT NOT NULL, changed INTEGER NOT NULL, at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS undone (key TEXT PRIMARY KEY, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS credentials (id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS attempts (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, tool TEXT NOT NULL, arguments TEXT NOT NULL, key TEXT,
    traceparent TEXT, fault TEXT, outcome TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS faults (
    tool TEXT PRIMARY KEY, mode TEXT NOT NULL, times INTEGER, seconds REAL NOT NULL
);
"""


class Store:
    """Opens connections to the company's database. Blocking: call it from a thread, never from the event loop."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        # One connection stays open: closing the last one makes SQLite fold its log into the file, each time.
        self._anchor = self._connect()
        self._anchor.execute("PRAGMA journal_mode = WAL")
        self._anchor.executescript(SCHEMA)

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        self._anchor.close()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give a connection to read from."""
        with closing(self._connect()) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give a connection inside one transaction: kept when the block ends, undone when it raises."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=15, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection
