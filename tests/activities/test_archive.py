"""The archive on both databases: what is added stays, and the recorder's role on PostgreSQL can change nothing."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from activities.books.archive import Archive, Differs, Ending
from activities.books.database import Database, Unreadable
from activities.books.roles import make_role
from activities.books.tables import VERSION, books, tables
from activities.chain import genesis, links
from contracts.audit import AuditEntry, Chain, Head

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ARCHIVED = ("audit_entries", "audit_heads", "audit_chains", "audit_anchors")


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'gonogo.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres")
    database = Database(url)
    yield database
    await database.close()


def record(mission: str, count: int, run: str = "run-1") -> tuple[Chain, list[AuditEntry]]:
    chain = Chain(namespace="default", mission=mission, first_run_id="run-1", name="triage")
    known = {"what": "action ordered", "who": "isolate", "detail": {"resource": "Web-01 "}}
    return chain, [AuditEntry(at=NOON, run_id=run, event_id=n, **known) for n in range(1, count + 1)]


async def filled(archive: Archive, mission: str, count: int = 3) -> Head:
    chain, entries = record(mission, count)
    chained = list(links(entries, genesis(chain)))
    await archive.add(chain, entries, chained)
    head = Head(chain=genesis(chain), mission=mission, count=count, hash=chained[-1].hash, runs=("run-1",), ended=True)
    await archive.end(Ending(head, 9, {"payload": mission}))
    await archive.anchored([head], "elsewhere")
    return head


async def test_what_is_added_twice_is_there_once_and_something_else_is_refused(database: Database) -> None:
    archive, (chain, entries) = Archive(database), record("m-1", 1_100)
    chained = list(links(entries, genesis(chain)))
    for some in (700, 1_100, 1_100):
        await archive.add(chain, entries[:some], chained[:some])
    kept = await archive.kept("default", "m-1")
    other = [entry.model_copy(update={"who": "nobody"}) for entry in entries[:5]]

    assert kept is not None
    assert (1_100, chained[-1].hash, 0) == (kept.count, kept.hash, kept.before)
    assert chained == await archive.links(chain)
    assert 1_000 == len(await archive.search(resource="web-01"))
    with pytest.raises(Differs):
        await archive.add(chain, other, list(links(other, genesis(chain))))
    assert chained == await archive.links(chain)
    assert await archive.kept("other", "m-1") is None


async def test_the_head_that_was_signed_first_stays(database: Database) -> None:
    archive = Archive(database)
    head = await filled(archive, "m-2")
    await archive.end(Ending(head, 9, {"payload": "another"}))
    known = await archive.ending(head.chain, head.count)

    assert known is not None
    assert {"payload": "m-2"} == known.envelope
    assert [await archive.ended("run-1", 9), await archive.ended("run-1", 10)] == [True, False]
    assert "m-2" not in {one.head.mission for one in await archive.unanchored("elsewhere")}
    assert "m-2" in {one.head.mission for one in await archive.unanchored("nowhere")}


@pytest.mark.parametrize("table", ARCHIVED)
@pytest.mark.parametrize("statement", ["UPDATE {} SET chain = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
async def test_nobody_changes_what_is_archived(database: Database, table: str, statement: str) -> None:
    """Not even who made the tables, without taking the guard away first."""
    sqlite = database.url.startswith("sqlite")
    if sqlite and statement.startswith("TRUNCATE"):
        return
    await filled(Archive(database), "m-3")
    said = statement.format(table).replace("chain = ", "key = ") if table == "audit_chains" else statement.format(table)
    with pytest.raises(Unreadable, match=f"{table} is only added to"):
        async with database.writing() as connection:
            await connection.execute(text(said))


async def test_the_recorders_role_adds_and_reads_and_nothing_else(postgres: str) -> None:
    owner = Database(postgres)
    await filled(Archive(owner), "m-4")
    for password in ("first's", "second's"):
        await make_role(owner, "recorder", "the recorder", password)
    recorder = Database(re.sub(r"//[^@]*@", "//the%20recorder:second's@", postgres))
    head = await filled(Archive(recorder), "m-5")

    assert "m-5" == head.mission
    assert 3 == len(await Archive(recorder).links(record("m-4", 1)[0]))
    for statement in (*CHANGING, "SELECT * FROM accounts"):
        await refused(recorder, statement)
    await recorder.close()
    await owner.close()


CHANGING = (
    *(f"DELETE FROM {table}" for table in ARCHIVED),
    *(f"UPDATE {table} SET {'key' if table == 'audit_chains' else 'chain'} = 'x'" for table in ARCHIVED),
    *(f"TRUNCATE {table}" for table in ARCHIVED),
    *(f"DROP TABLE {table}" for table in ARCHIVED),
    *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in ARCHIVED),
    *(f"DROP TRIGGER {table}_keeps ON {table}" for table in ARCHIVED),
    "CREATE OR REPLACE FUNCTION gonogo_only_added() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ALTER TABLE audit_entries RENAME TO others",
    "SET session_replication_role = replica",
    "SET ROLE gonogo",
    "CREATE TABLE other (x int)",
    "CREATE RULE nothing AS ON INSERT TO audit_entries DO INSTEAD NOTHING",
    "UPDATE books SET version = 0",
)


async def refused(database: Database, statement: str) -> None:
    """Find that the database itself does not let a role do something."""
    with pytest.raises(Unreadable, match=r"permission denied|must be owner"):
        async with database.writing() as connection:
            await connection.execute(text(statement))


SAMPLE: dict[type, Any] = {str: "x", int: 1, float: 1.0}


async def test_the_workers_role_keeps_the_books_and_can_neither_change_the_archive_nor_add_to_it(postgres: str) -> None:
    owner = Database(postgres)
    await filled(Archive(owner), "m-6")
    await make_role(owner, "worker", "works", "any")
    worker = Database(re.sub(r"//[^@]*@", "//works:any@", postgres))

    assert 3 == len(await Archive(worker).links(record("m-6", 1)[0]))
    for table in (one for one in tables.sorted_tables if one.name not in {*ARCHIVED, "books"}):
        row = {one.name: SAMPLE[one.type.python_type] for one in table.columns if one.name != "id"}
        async with worker.writing() as connection:
            await connection.execute(table.delete())
            await connection.execute(table.insert(), row)
            await connection.rollback()
    for statement in (*CHANGING, *(f"INSERT INTO {table} DEFAULT VALUES" for table in ARCHIVED)):
        await refused(worker, statement)
    async with owner.writing() as connection:
        await connection.execute(text('CREATE ROLE "works in a group" IN ROLE gonogo'))
    for name in ("gonogo", "works in a group"):
        with pytest.raises(Unreadable, match="choose another name for the worker"):
            await make_role(owner, "worker", name, "any")
    await worker.close()
    async with owner.writing() as connection:
        await connection.execute(books.update().values(version=VERSION - 1))
    with pytest.raises(
        Unreadable, match="lacks tables of this release, and this role may not make them: run `gonogo setup`"
    ):
        await Archive(worker).kept("default", "m-6")
    await owner.close()
    assert await Archive(owner).kept("default", "m-6") is not None
    assert await Archive(worker).kept("default", "m-6") is not None
    await worker.close()
    await owner.close()


async def test_sqlite_has_no_roles(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="SQLite knows no roles"):
        await make_role(Database(f"sqlite+aiosqlite:///{tmp_path / 'gonogo.db'}"), "recorder", "any", "x")
