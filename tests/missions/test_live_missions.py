"""The first shipped mission as the starter would start it: on Temporal, everything real but the wait for people."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from live_mission import LiveMissions, Running, load_input

from activities import keys, public_key, service_keys
from activities.receipt import Vouched, differences
from activities.receipt import read as read_receipt
from activities.verify import verify
from activities.witness import Statements
from starter.receipt import kept_at
from starter.record import read, signed
from tests.starter.test_record_file import PROVED
from tests.workflows.switch import Switch, waiting
from tests.workflows.test_mission import replays

ALERT = load_input("incident_triage", "alerts/beaconing_workstation.json")


async def test_an_approved_isolation_is_done_and_filed(live: LiveMissions):
    started = await live.start("incident_triage", ALERT)
    await started.answer("isolate", "ines")
    result = await started.result()

    assert ("completed", "auto_remediate") == (result.state, result.verdict)
    assert ["isolate_host", "open_ticket"] == [effect["tool"] for effect in await live.effects(started)]


async def test_a_decision_of_the_requester_is_refused(live: LiveMissions):
    started = await live.start("incident_triage", ALERT, requested_by="ines")
    own = await started.decide(await started.gate("isolate"), "ines")
    await started.answer("isolate", "bram", "reject", "quarter end is today")
    result = await started.result()

    assert not own.accepted
    assert "escalate" == result.verdict
    assert ["open_ticket"] == [effect["tool"] for effect in await live.effects(started)]


async def test_what_cannot_be_filed_waits_for_an_operator_and_is_undone_when_he_says_so(live: LiveMissions):
    await live.break_tool("open_ticket", times=8)
    try:
        started = await live.start("incident_triage", ALERT)
        await started.answer("isolate", "ines")
        view = await started.until_state("dead_letter")
    finally:
        await live.mend()
    foreign = await started.command("abort", person="ines")
    aborted = await started.command("abort", person="salma")
    result = await started.result()

    assert view.letter is not None
    assert "remediate/file_isolation/file_incident" == view.letter.failure.step
    assert (False, True, "aborted") == (foreign.accepted, aborted.accepted, result.state)
    assert ["isolate_host", "release_host"] == [effect["tool"] for effect in await live.effects(started)]
    await _is_on_record(live, started)


async def _is_on_record(live: LiveMissions, started: Running) -> None:
    """Each kind of entry is there with who and why; and the record proves itself, failures signed for as well."""
    client, home, mission = live.house.client, live.house.home, started.handle.id
    book = await read(client, mission)
    found = {one.topic for one in book.entries if one.why and (one.who or one.what == "decision received")}
    signed_for = [read_receipt(one.detail["receipt"], _keys(home)) for one in book.entries if one.topic == "receipt"]
    kept = await kept_at(client, mission, "file_incident")
    people, receipts = Statements(keys.registered(home)), Vouched(_keys(home))
    key = Ed25519PrivateKey.generate()
    head = verify(book.lines(signed(book.head, key)), [public_key.spell(key.public_key())], [people, receipts])

    assert set() == PROVED - found
    assert (True, len(book.links), 3, 3) == (head.ended, head.count, people.count, receipts.count)
    assert [("isolate_host", "executed"), ("open_ticket", "failed"), ("release_host", "executed")] == [
        (one.predicate.tool, one.predicate.outcome) for one in signed_for
    ]
    [one] = kept
    assert [] == list(differences(signed_for[1], one.call, one.output, one.applied))
    assert {"policy allowed"} == {one.what for one in book.entries if one.topic == "policy"}


def _keys(home: Path) -> tuple[str, ...]:
    return service_keys.public(home)["executor"]


async def test_what_could_not_be_filed_is_filed_once_the_tool_is_mended(live: LiveMissions):
    await live.break_tool("open_ticket", times=8)
    try:
        started = await live.start("incident_triage", ALERT)
        await started.answer("isolate", "ines")
        await started.until_state("dead_letter")
    finally:
        await live.mend()
    await started.command("retry", "file_incident", person="salma")
    result = await started.result()

    assert ("completed", "auto_remediate") == (result.state, result.verdict)
    assert ["isolate_host", "open_ticket"] == [effect["tool"] for effect in await live.effects(started)]
    await replays(started.handle)


async def test_nobody_answers_and_the_case_goes_to_people(hurried: LiveMissions):
    started = await hurried.start("incident_triage", ALERT)

    assert "escalate" == (await started.result()).verdict


async def test_what_is_halted_waits_and_what_undoes_it_does_not(live: LiveMissions):
    switch = Switch(live.house)
    await switch.throw("halt", "agent:retriever", "viktor")
    started = await live.start("incident_triage", ALERT)
    thinker = await waiting(started)
    await switch.throw("halt", "tool:isolate_host", "viktor")
    await switch.throw("lift", "agent:retriever", "viktor")
    await started.answer("isolate", "ines")
    actor = await waiting(started, "tool:isolate_host")
    before = await live.effects(started)
    await live.break_tool("open_ticket", times=8)
    try:
        await switch.throw("halt", "team:secops", "viktor")
        await switch.throw("lift", "tool:isolate_host", "viktor")
        await waiting(started, "team:secops")
        await switch.throw("lift", "team:secops", "viktor")
        await started.until_state("dead_letter")
    finally:
        await live.mend()
    await switch.throw("halt", "tool:isolate_host", "viktor")
    await started.command("abort", person="viktor")
    await started.result()
    await switch.throw("lift", "tool:isolate_host", "viktor")

    assert ["enrich", "isolate"] == [note.path.rpartition("/")[2] for note in (thinker, actor)]
    assert [] == before
    assert ["isolate_host", "release_host"] == [effect["tool"] for effect in await live.effects(started)]
