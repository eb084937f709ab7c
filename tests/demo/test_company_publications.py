"""What the company publishes, once, and withdraws."""

from company_program import ask, use
from mcp.client.client import Client


async def test_a_document_is_published_once_and_withdrawn_by_its_case(company):
    async with Client(company) as client:
        first = await ask(client, "publish_document", "k1", case="c", title="One", body="text")
        again = await ask(client, "publish_document", "k1", case="c", title="One", body="text")
        await ask(client, "publish_document", "k2", case="other", title="Two", body="text")
        withdrawn = await ask(client, "withdraw_document", "k3", case="c", reason="undone")
        [mine] = (await ask(client, "find_publications", case="c"))["documents"]
        [theirs] = (await ask(client, "find_publications", case="other"))["documents"]

    assert first == again
    assert ([first["document"]], True) == (withdrawn["withdrawn"], withdrawn["changed"])
    assert ("withdrawn", "undone") == (mine["status"], mine["reason"])
    assert ("published", None) == (theirs["status"], theirs["withdrawn_at"])


async def test_withdrawing_what_was_never_published_changes_nothing(company):
    async with Client(company) as client:
        answer = await ask(client, "withdraw_document", "k", case="nobody")

    assert {"case": "nobody", "withdrawn": [], "changed": False} == answer


async def test_a_document_without_a_key_or_a_body_is_refused(company):
    async with Client(company) as client:
        keyless = await use(client, "publish_document", case="c", title="One", body="text")
        empty = await use(client, "publish_document", "k", case="c", title="One", body="")

    assert ["no", "no"] == [answer.structured_content["applied"] for answer in (keyless, empty)]


async def test_a_document_that_comes_after_its_withdrawal_is_refused(company):
    async with Client(company) as client:
        meta = {"gonogo/idempotency-key": "k2", "gonogo/undoes-key": "k1"}
        await client.call_tool("withdraw_document", {"case": "c"}, meta=meta)
        late = await use(client, "publish_document", "k1", case="c", title="One", body="text")

    assert late.is_error
    assert "was undone before it came" in late.structured_content["reason"]
