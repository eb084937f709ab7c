"""A gate that is too large for one screen, or for one answer of its mission: it is read whole, or said to be unread."""

import pytest
from stage import wait_at_gate
from terminal import at_terminal

from contracts.base import digest
from starter.problem import Refused
from starter.seen import is_beginning
from starter.sign import demand_honest
from starter.state import read_gates


@pytest.fixture
async def crowded(client, cast):
    """A mission whose gate has far more to read than one screen, and more than one answer of a mission may hold."""
    cast.reason = "\n".join(f"line {number} of what was found" for number in range(10_000))
    return await wait_at_gate(client)


@pytest.fixture
async def long(client, cast):
    """A mission whose gate fills a few screens."""
    cast.reason = "it beacons; " * 4_000
    return await wait_at_gate(client)


async def test_a_gate_that_is_too_large_for_one_answer_is_read_whole(client, crowded, cast):
    (gate,) = await read_gates(client, crowded)

    demand_honest(gate)
    assert cast.reason == gate.context["finding"]["reason"]
    assert cast.reason == gate.subject.arguments["reason"]


async def test_an_answer_about_a_gate_stays_small_however_large_the_gate_is(client, crowded):
    (gate,) = await read_gates(client, crowded, whole=False)

    assert len(gate.model_dump_json()) < 2_000
    with pytest.raises(Refused, match="too large to be shown"):
        demand_honest(gate)


async def test_what_was_cut_is_not_approved_by_a_bare_command(gonogo, crowded, cast):
    told = await gonogo("approve", crowded, "isolate", "--as", "maya")

    assert 1 == told.code
    assert "characters of what isolate asks are not shown: read them with `gonogo show" in told.err
    assert "cut here: " in told.out
    assert [] == cast.ledger


async def test_whoever_decides_without_the_rest_types_the_beginning_of_the_digest(gonogo, client, crowded, cast):
    (gate,) = await read_gates(client, crowded)
    beginning = gate.digest.removeprefix("sha256:")[:8]

    for wrong in ("sha256:", beginning[:7], "00000000"):
        told = await gonogo("approve", crowded, "isolate", "--as", "maya", "--unseen", wrong)
        assert (1, True) == (told.code, "is not how the digest of isolate begins" in told.err)
    told = await gonogo("approve", crowded, "isolate", "--as", "maya", "--unseen", beginning)

    assert (0, "") == (told.code, told.err)
    await client.get_workflow_handle(crowded).result()
    assert ["isolate_host", "file_ticket"] == cast.ledger


async def test_a_rejection_needs_no_more_than_what_is_on_the_screen(gonogo, long):
    assert 0 == (await gonogo("reject", long, "isolate", "--as", "maya", "--comment", "too much")).code


async def test_a_gate_can_be_read_whole_in_words_and_as_data(gonogo, client, crowded, cast):
    told = await gonogo("show", crowded, "isolate")
    data = (await gonogo("show", crowded, "isolate", "--json")).json

    assert (0, False) == (told.code, "cut here" in told.out)
    assert "line 9999 of what was found" in told.out
    assert cast.reason == data["context"]["finding"]["reason"]
    assert data["subject"]["context_digest"] == digest(data["context"])


@pytest.mark.parametrize(
    ("typed", "enough"),
    [("3fa91c02", True), ("sha256:3fa91c02", True), ("3FA91C02d", True), ("3fa91c0", False), ("", False), ("y", False)],
)
def test_a_digest_begins_with_what_was_typed(typed, enough):
    assert enough == is_beginning(typed, "sha256:3fa91c02d4e5")


async def test_at_a_terminal_the_rest_is_paged_through_before_it_is_signed(server, shared_home, client, long, cast):
    place = {"TEMPORAL_ADDRESS": server.address, "GONOGO_HOME": str(shared_home)}
    async with at_terminal("approve", long, "isolate", "--as", "maya", rows=60, **place) as (screen, process):
        await screen.until("or type the digest's first 8 characters: ")
        screen.press("y\n")
        await screen.until("or type the digest's first 8 characters: ")
        assert [] == cast.ledger
        screen.press("p\n")
        while "accepted" not in await screen.until("q to leave ", "accepted"):
            screen.press(" ")
        assert 0 == await process.wait()

    await client.get_workflow_handle(long).result()
    assert ["isolate_host", "file_ticket"] == cast.ledger
