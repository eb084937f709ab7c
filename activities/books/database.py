"""The database beside Temporal: one engine for each process, its tables made by whoever comes first.

SQLite in WAL mode, where all workers are on one machine; PostgreSQL everywhere else. The law: who writes has the whole
database (SQLite) or the rows that it wrote (PostgreSQL) until it is done, so one statement decides who was first.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from activities.books.tables import VERSION, books, tables
from activities.failure import explained

AT_ONCE = {"timeout": 5.0}
BUSY = 30.0
"""Seconds that a writer waits for the writers before it."""
MAKING = 0x676F6E6F
"""The advisory lock under which PostgreSQL's tables are made."""
READING = "gonogo_reading"
ISOLATION = "READ COMMITTED"
"""Who waits for a row finds it as the writer before has left it. A stricter PostgreSQL would give up instead."""


class Unreadable(Exception):
    """The database cannot be used, with the sentence that says why."""


class Database:
    """Reads and writes. Nothing is opened before it is used."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine: AsyncEngine | None = None
        self._opening = asyncio.Lock()

    def there(self) -> bool:
        """Whether there is one to look into, so that a look alone makes none."""
        place = make_url(self.url).database if self.url.startswith("sqlite") else None
        return place is None or Path(place).exists()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Yield a transaction that is committed at the end, or not at all. Raises `Unreadable`."""
        with _explained():
            engine = await self._open()
            async with engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection to read by, which keeps nobody from writing. Raises `Unreadable`."""
        with _explained():
            engine = await self._open()
            async with engine.connect() as connection:
                await connection.execution_options(**{READING: True})
                yield connection

    async def close(self) -> None:
        """Let go of every connection."""
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None

    def insert(self, table: Any) -> Any:
        """Return an insert that may say what happens to a row that is there."""
        return sqlite.insert(table) if self.url.startswith("sqlite") else postgresql.insert(table)

    async def _open(self) -> AsyncEngine:
        async with self._opening:
            if self._engine is None:
                engine = _engine(self.url)
                try:
                    await _make(engine)
                except BaseException:
                    await engine.dispose()
                    raise
                self._engine = engine
        return self._engine


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        raise Unreadable(f"the database cannot be used: {explained(cause)}") from error


def _engine(url: str) -> AsyncEngine:
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_pre_ping=True, isolation_level=ISOLATION, connect_args=AT_ONCE)
    place = make_url(url).database
    if place:
        Path(place).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, connect_args={"timeout": BUSY})
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _: Any) -> None:
    """Have SQLite write ahead, and begin transactions only where it is told to."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Take the write lock at once: who reads first and writes later may find that somebody else wrote between."""
    if not connection.get_execution_options().get(READING):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _made(engine: AsyncEngine) -> bool:
    """Say whether the tables are there as this release knows them. It keeps nobody from writing."""
    async with engine.connect() as connection:
        await connection.execution_options(**{READING: True})
        try:
            return bool(await connection.scalar(select(books.c.version)) == VERSION)
        except (OperationalError, ProgrammingError):
            return False


async def _make(engine: AsyncEngine) -> None:
    if await _made(engine):
        return
    try:
        await _made_now(engine)
    except ProgrammingError as error:
        if "permission denied" not in str(error.orig):
            raise
        mend = "run `gonogo setup` once with a GONOGO_DATABASE that names who owns them"
        raise Unreadable(
            f"the database lacks tables of this release, and this role may not make them: {mend}"
        ) from None


async def _made_now(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MAKING})
        await connection.run_sync(tables.create_all)
        known = await connection.scalar(select(books.c.version))
        if known is None:
            await connection.execute(insert(books).values(version=VERSION))
        elif known < VERSION:
            # What came since is tables of its own.
            await connection.execute(update(books).values(version=VERSION))
        elif known > VERSION:
            raise Unreadable(f"the database is of version {known}, and this release knows {VERSION}")
