"""The tables of the database beside Temporal. The law: nothing in them is needed to resume a mission.

An account holds what was spent and what is held for what runs, in one number for each measure: what was held counts as
spent until its run says better, and stays so when nobody ever does.
"""

from typing import Any

from sqlalchemy import DDL, BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text, event

VERSION = 5
tables = MetaData()

books = Table("books", tables, Column("version", Integer, primary_key=True, autoincrement=False))

accounts = Table(
    "accounts",
    tables,
    Column("key", String, primary_key=True),
    Column("usd", Float(53), nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("agent_runs", BigInteger, nullable=False),
    # Which soft bounds were told of, and the hard ones that somebody waits at: JSON.
    Column("told", Text, nullable=False, server_default="[]"),
    Column("bounds", Text, nullable=False, server_default="{}"),
)

runs = Table(
    "runs",
    tables,
    Column("key", String, primary_key=True),
    # What all attempts of one agent run have in common.
    Column("work", String, nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("mission", String, nullable=False),
    Column("name", String, nullable=False),
    Column("team", String, nullable=False),
    Column("step", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("model", String, nullable=False),
    Column("mission_account", String, nullable=False, index=True),
    Column("team_account", String, nullable=False),
    # Unix seconds. What runs at `until` runs no more, whatever became of it.
    Column("began_at", Float(53), nullable=False, index=True),
    Column("until", Float(53), nullable=False),
    Column("ended_at", Float(53)),
    # held (counted at the most), spent, lost (nobody will ever say), or cached.
    Column("state", String, nullable=False),
    Column("usd", Float(53), nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("model_calls", Integer, nullable=False),
    Column("tool_calls", Integer, nullable=False),
    Column("seconds", Float(53), nullable=False),
    # What a price was not known for, and what an answer that was used again would have cost.
    Column("unpriced", BigInteger, nullable=False),
    Column("saved_usd", Float(53), nullable=False),
    Index("runs_of_a_step", "name", "step"),
)

payers = Table(
    "payers",
    tables,
    # Who pays for a run beside its mission and team: the missions above.
    Column("run", String, primary_key=True),
    Column("account", String, primary_key=True, index=True),
    # The nearest first.
    Column("rank", Integer, nullable=False),
)

requests = Table(
    "requests",
    tables,
    Column("who", String, primary_key=True),
    # Of which notices, when and how, within the last span: JSON.
    Column("told", Text, nullable=False),
)

answers = Table(
    "answers",
    tables,
    Column("key", String, primary_key=True),
    Column("agent", String, nullable=False),
    Column("output", Text, nullable=False),
    Column("made_at", Float(53), nullable=False),
    Column("until", Float(53), nullable=False),
    Column("usd", Float(53), nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("seconds", Float(53), nullable=False),
    Column("hits", Integer, nullable=False),
)

breakers = Table(
    "breakers",
    tables,
    Column("endpoint", String, primary_key=True),
    # closed, open, or probing; since when, and until when nobody else asks.
    Column("state", String, nullable=False),
    Column("since", Float(53), nullable=False),
    Column("until", Float(53), nullable=False),
    # Of the span of time that began at `window`.
    Column("window", Float(53), nullable=False),
    Column("calls", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    # How often it opened in a row, and the last failure.
    Column("streak", Integer, nullable=False),
    Column("why", Text, nullable=False),
)

turns = Table(
    "turns",
    tables,
    Column("id", Integer, primary_key=True),
    Column("endpoint", String, nullable=False, index=True),
    Column("at", Float(53), nullable=False),
    Column("was", String, nullable=False),
    Column("became", String, nullable=False),
    Column("why", Text, nullable=False),
)

positions = Table(
    "positions",
    tables,
    # How far a sink has been told of a mission's record, which is named by the digest of its chain.
    Column("sink", String, primary_key=True),
    Column("mission", String, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

audit_chains = Table(
    "audit_chains",
    tables,
    # What the first entry of a record is chained to, and what that is of: JSON.
    Column("key", String, primary_key=True),
    Column("namespace", String, nullable=False),
    Column("mission", String, nullable=False, index=True),
    Column("since", Float(53), nullable=False),
    Column("said", Text, nullable=False),
)

audit_entries = Table(
    "audit_entries",
    tables,
    Column("chain", String, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("hash", String, nullable=False),
    Column("run", String, nullable=False),
    # To search by; the resource is the digest of its name.
    Column("at", Float(53), nullable=False, index=True),
    Column("topic", String, nullable=False),
    Column("what", String, nullable=False),
    Column("who", String, nullable=False, index=True),
    Column("step", String, nullable=False),
    Column("resource", String, nullable=False, index=True),
    Column("content", Text, nullable=False),
)

audit_heads = Table(
    "audit_heads",
    tables,
    Column("chain", String, primary_key=True),
    Column("count", Integer, primary_key=True, autoincrement=False),
    # The run that the mission ended in, and of how many events.
    Column("run", String, nullable=False),
    Column("events", Integer, nullable=False),
    Column("envelope", Text, nullable=False),
)

audit_anchors = Table(
    "audit_anchors",
    tables,
    # Which heads are known outside, and where.
    Column("chain", String, primary_key=True),
    Column("count", Integer, primary_key=True, autoincrement=False),
    Column("place", String, primary_key=True),
)

ARCHIVE = (audit_chains, audit_entries, audit_heads, audit_anchors)
"""What is only ever added to."""
REFUSING = """
CREATE TRIGGER {table}_keeps_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is only added to'); END
"""
# An INSERT OR REPLACE would delete what is there, and fire no trigger for that.
KEEPING = """
CREATE TRIGGER {table}_keeps_first BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
BEGIN SELECT RAISE(IGNORE); END
"""
REFUSAL = """
CREATE OR REPLACE FUNCTION gonogo_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%% is only added to', TG_TABLE_NAME; END $$
"""
GUARD = """
CREATE TRIGGER {table}_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION gonogo_only_added()
"""


def _guard(table: Table) -> None:
    """Have the database itself refuse to change what is there."""
    same = " AND ".join(f"{column.name} = NEW.{column.name}" for column in table.primary_key)
    statements = [REFUSING.format(table=table.name, verb=verb) for verb in ("UPDATE", "DELETE")]
    for statement in (*statements, KEEPING.format(table=table.name, same=same)):
        _after(table, statement, "sqlite")
    for statement in (REFUSAL, GUARD.format(table=table.name)):
        _after(table, statement, "postgresql")


def _after(table: Table, statement: str, dialect: str) -> None:
    made: Any = DDL
    event.listen(table, "after_create", made(statement).execute_if(dialect=dialect))


for one in ARCHIVE:
    _guard(one)
