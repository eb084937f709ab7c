"""The roles of PostgreSQL: who adds to the archive, and who keeps the other books. Neither owns a table.

The law: who may write a record down may not change one, and who works may not write records at all; so none of them
can take away what guards the archive. Only who makes the tables owns them, and no process that stays has its password.
SQLite knows no roles: there the tables' own triggers refuse, and the file belongs to who runs everything.
"""

from typing import Literal

from sqlalchemy import text

from activities.books.database import Database, Unreadable
from activities.books.tables import ARCHIVE, books, positions, tables

Duty = Literal["recorder", "worker"]
MAKE = "SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', CAST(:role AS text), CAST(:password AS text))"
ALTER = "SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', CAST(:role AS text), CAST(:password AS text))"
ALLOW = "SELECT format('GRANT {what} ON {table} TO %I', CAST(:role AS text))"
TAKE = "SELECT format('REVOKE ALL ON {table} FROM %I', CAST(:role AS text))"
COUNT = "SELECT format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO %I', CAST(:role AS text))"
KNOWN = """
SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolname = current_user
    OR EXISTS (SELECT 1 FROM pg_auth_members WHERE member = pg_roles.oid)
    OR EXISTS (SELECT 1 FROM pg_class WHERE relowner = pg_roles.oid)
FROM pg_roles WHERE rolname = :role
"""
"""Whether a role that is there may do more than it is given here."""


async def make_role(database: Database, duty: Duty, role: str, password: str) -> None:
    """Make the role, or give the one that is there this password, and allow it what its duty needs."""
    if database.url.startswith("sqlite"):
        raise Unreadable("SQLite knows no roles: GONOGO_DATABASE names no PostgreSQL")
    async with database.writing() as connection:
        mighty = await connection.scalar(text(KNOWN), {"role": role})
        if mighty:
            raise Unreadable(f"{role} owns something, is in a group or makes roles: choose another name for the {duty}")
        statements = [MAKE if mighty is None else ALTER]
        for table in tables.sorted_tables:
            what = _allowed(duty, table.name)
            statements.append(TAKE.format(table=table.name))
            statements += [ALLOW.format(table=table.name, what=what)] if what else []
        statements += [COUNT] if duty == "worker" else []
        for statement in statements:
            given = {"role": role, "password": password} if ":password" in statement else {"role": role}
            spelt = await connection.scalar(text(statement), given)
            await connection.exec_driver_sql(str(spelt))


def _allowed(duty: Duty, table: str) -> str:
    """Return what is allowed with a table. A recorder notes how far sinks are told; a worker only reads the archive."""
    archived = table in {one.name for one in ARCHIVE}
    match duty, table:
        case _, books.name:
            return "SELECT"
        case "recorder", positions.name:
            return "SELECT, INSERT, UPDATE"
        case "recorder", _:
            return "SELECT, INSERT" if archived else ""
        case _:
            return "SELECT" if archived else "SELECT, INSERT, UPDATE, DELETE"
