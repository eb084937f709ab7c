"""Effects: once per idempotency key, whole or not at all, and every one in the ledger."""

import asyncio
import hashlib
import json

import pytest
from company_program import ask, use
from mcp.client.client import Client

from demo.attempt import attempts
from demo.ledger import effects
from demo.server import CompanyServer
from demo.store import Store

ISOLATE = {"host": "fin-ws-07", "reason": "beaconing", "case": "case-1"}
TICKET = {"case": "case-1", "title": "t", "body": "b", "severity": "high"}


async def test_an_effect_is_one_row_with_its_payload_and_digest(company: CompanyServer, store: Store):
    async with Client(company) as client:
        answer = await ask(client, "isolate_host", key="k1", **ISOLATE)

    (row,) = effects(store)
    spelled = json.dumps(ISOLATE, sort_keys=True, separators=(",", ":")).encode()
    assert row.pop("at").endswith("Z")
    assert {
        "sequence": 1,
        "key": "k1",
        "tool": "isolate_host",
        "arguments": ISOLATE,
        "digest": "sha256:" + hashlib.sha256(spelled).hexdigest(),
        "result": answer,
        "changed": True,
    } == row
    assert {
        "host": "fin-ws-07",
        "status": "isolated",
        "held_by": ["case-1"],
        "case": "case-1",
        "changed": True,
    } == answer


async def test_the_same_key_answers_with_what_was_stored(company: CompanyServer, store: Store):
    async with Client(company) as client:
        first = await ask(client, "open_ticket", key="k1", **TICKET)
        second = await ask(client, "open_ticket", key="k1", **TICKET)
        filed = await ask(client, "find_tickets", case="case-1")

    assert first == second
    assert [first["ticket"]] == [ticket["ticket"] for ticket in filed["tickets"]]
    assert (1, 2) == (len(effects(store)), len(attempts(store, "open_ticket")))


@pytest.mark.parametrize(
    ("tool", "arguments"), [("isolate_host", {**ISOLATE, "reason": "other"}), ("open_ticket", TICKET)]
)
async def test_the_same_key_with_another_payload_is_rejected(
    company: CompanyServer, store: Store, tool: str, arguments: dict[str, str]
):
    async with Client(company) as client:
        await ask(client, "isolate_host", key="k1", **ISOLATE)
        refused = await use(client, tool, key="k1", **arguments)

    assert "already stands for another payload of isolate_host" in refused.structured_content["reason"]
    assert ("no", False) == (refused.structured_content["applied"], refused.structured_content["retry"])
    assert 1 == len(effects(store))


async def test_an_effect_without_a_key_is_rejected(company: CompanyServer, store: Store):
    async with Client(company) as client:
        refused = await use(client, "isolate_host", **ISOLATE)
        status = await ask(client, "host_status", host="fin-ws-07")

    assert "gonogo/idempotency-key" in refused.structured_content["reason"]
    assert ([], "connected") == (effects(store), status["status"])


async def test_twenty_callers_with_one_key_have_one_effect(company: CompanyServer, store: Store):
    async with Client(company) as client:
        answers = await asyncio.gather(*(ask(client, "open_ticket", key="k1", **TICKET) for _ in range(20)))

    assert [answers[0]] * 20 == answers
    assert (1, 20) == (len(effects(store)), len(attempts(store, "open_ticket")))


async def test_a_host_stays_isolated_until_every_case_released_it(company: CompanyServer):
    other = {**ISOLATE, "case": "case-2"}
    async with Client(company) as client:
        await ask(client, "isolate_host", key="k1", **ISOLATE)
        again = await ask(client, "isolate_host", key="k2", **other)
        first = await ask(client, "release_host", key="k3", host="fin-ws-07", case="case-1")
        held = await ask(client, "isolated_hosts", case="case-2")
        last = await ask(client, "release_host", key="k4", host="fin-ws-07", case="case-2")

    assert ("isolated", False, ["case-1", "case-2"]) == (again["status"], again["changed"], again["held_by"])
    assert ("isolated", False, ["case-2"]) == (first["status"], first["changed"], first["held_by"])
    assert ["fin-ws-07"] == held["hosts"]
    assert ("connected", True, []) == (last["status"], last["changed"], last["held_by"])


async def test_undoing_what_was_never_done_changes_nothing_and_is_no_error(company: CompanyServer, store: Store):
    async with Client(company) as client:
        released = await ask(client, "release_host", key="k1", host="fin-ws-07", case="case-1")
        closed = await ask(client, "close_ticket", key="k2", case="case-1")

    assert {"host": "fin-ws-07", "status": "connected", "held_by": [], "case": "case-1", "changed": False} == released
    assert {"case": "case-1", "closed": [], "changed": False} == closed
    assert [False, False] == [effect["changed"] for effect in effects(store)]


async def test_closing_a_case_closes_its_open_tickets_and_no_others(company: CompanyServer):
    async with Client(company) as client:
        mine = await ask(client, "open_ticket", key="k1", **TICKET)
        await ask(client, "open_ticket", key="k2", **{**TICKET, "case": "case-2"})
        closed = await ask(client, "close_ticket", key="k3", case="case-1", reason="undone")
        others = await ask(client, "find_tickets", case="case-2")

    assert {"case": "case-1", "closed": [mine["ticket"]], "changed": True} == closed
    assert ["open"] == [ticket["status"] for ticket in others["tickets"]]


async def test_the_host_s_own_spelling_counts(company: CompanyServer):
    async with Client(company) as client:
        answer = await ask(client, "isolate_host", key="k1", **{**ISOLATE, "host": "FIN-WS-07"})

        assert ["case-1"] == (await ask(client, "host_status", host="fin-ws-07"))["held_by"]
    assert "fin-ws-07" == answer["host"]


async def test_every_call_is_an_attempt_with_its_outcome(company: CompanyServer, store: Store):
    async with Client(company) as client:
        await ask(client, "isolate_host", key="k1", **ISOLATE)
        await use(client, "isolate_host", key="k2", **{**ISOLATE, "host": "ghost-01"})
        await ask(client, "host_status", host="fin-ws-07")

    assert [
        ("isolate_host", "k1", "answered"),
        ("isolate_host", "k2", "rejected"),
        ("host_status", None, "answered"),
    ] == [(row["tool"], row["key"], row["outcome"]) for row in attempts(store)]


def test_a_write_that_fails_half_way_leaves_nothing(store: Store):
    def fail_half_way() -> None:
        with store.write() as db:
            db.execute("INSERT INTO users VALUES ('nobody', '{}')")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail_half_way()
    with store.read() as db:
        assert [] == db.execute("SELECT * FROM users WHERE user = 'nobody'").fetchall()
