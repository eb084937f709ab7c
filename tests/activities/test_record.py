"""The record: whole, it verifies; whatever was done to it is found, and where."""

import json
import time
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from activities import chain as chained
from activities import public_key
from activities.envelope import seal
from activities.verify import Broken, verify
from contracts.audit import HEAD_TYPE, AuditEntry, Chain, Head

KEY = Ed25519PrivateKey.generate()
KEYS = [public_key.spell(KEY.public_key())]
OTHER = Ed25519PrivateKey.generate()
CHAIN = Chain(
    namespace="default", mission="m-1", first_run_id="run-1", name="triage", version="1", plan_digest="sha256:p"
)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def entry(number, **fields):
    known = {"at": NOON, "run_id": "run-1", "event_id": number, "what": "agent answered", "who": "ann"}
    return AuditEntry(**{**known, **fields})


def record(links, chain=CHAIN, key=KEY, runs=("run-1",), **head):
    """The lines of a record of these entries, however they are linked."""
    known = {"chain": chained.genesis(chain), "mission": chain.mission, "count": len(links), "runs": runs, "at": NOON}
    whole = Head(**{**known, "hash": links[-1].hash if links else chained.genesis(chain), **head})
    envelope = seal(chained.spelt(whole.model_dump(mode="json")), HEAD_TYPE, key)
    return [
        line + b"\n"
        for line in (chained.header(chain, runs), *(one.line for one in links), chained.footer(whole, envelope))
    ]


def linked(*entries, chain=CHAIN):
    return list(chained.links(entries, chained.genesis(chain)))


SMALL = linked(
    entry(1), entry(2, what="action ordered", detail={"arguments": {"hash": "é\U0001f600", "n": 1.5}}), entry(3)
)
LINES = record(SMALL)


def broken(lines, keys=KEYS):
    with pytest.raises(Broken) as found:
        verify(lines, keys)
    return found.value


def test_a_record_that_nobody_touched_verifies():
    head = verify(LINES, KEYS)

    assert (3, SMALL[-1].hash, ("run-1",)) == (head.count, head.hash, head.runs)


def test_every_byte_that_changes_is_found():
    whole = b"".join(LINES)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 32 if place % 2 else 1
        assert broken(bytes(changed).splitlines(keepends=True)), place


def test_every_byte_that_is_taken_out_or_doubled_is_found():
    whole = b"".join(LINES)
    for place in range(len(whole)):
        other = whole[: place + 1] + whole[place:] if place % 2 else whole[:place] + whole[place + 1 :]
        assert broken(other.splitlines(keepends=True)), place


@given(place=st.integers(0), byte=st.integers(0, 255))
def test_a_byte_of_a_long_record_that_changes_is_found(place, byte):
    whole = bytearray(b"".join(LONG))
    place %= len(whole)
    if whole[place] == byte:
        byte ^= 1
    whole[place] = byte
    assert broken(bytes(whole).splitlines(keepends=True))


LONG = record(linked(*(entry(number, step=f"a/{number}", detail={"n": number}) for number in range(1, 201))))


def test_what_was_taken_out_is_named():
    assert "line 3: entry 2 is due here, and entry 3 stands here: entry 2 was taken out" == str(
        broken([*LINES[:2], *LINES[3:]])
    )
    assert "line 4: the head is of 3 entries, and there are 2: entry 3 was taken out" == str(
        broken([*LINES[:3], LINES[-1]])
    )


def test_a_record_that_was_cut_off_has_no_head():
    assert "line 3: the record ends after entry 2 without its head: its end was cut off" == str(broken(LINES[:3]))
    assert "line 1: the record ends after entry 0 without its head: its end was cut off" == str(broken(LINES[:1]))
    assert "the record is empty" == str(broken([]))
    assert 5 == broken([*LINES[:4], LINES[4][:-1]]).line


def test_what_was_put_in_twice_or_moved_is_named():
    assert "line 4: entry 3 is due here, and entry 2 stands here: it was put in, or moved" == str(
        broken([*LINES[:3], LINES[2], *LINES[3:]])
    )
    assert 2 == broken([LINES[0], LINES[2], LINES[1], *LINES[3:]]).line
    assert "something stands after the head" in str(broken([*LINES, LINES[1]]))


def test_an_entry_that_was_edited_is_named():
    edited = LINES[2].replace(b"action ordered", b"action refused")

    assert "line 3: entry 2 was changed: its hash does not fit what it says" == str(
        broken([*LINES[:2], edited, *LINES[3:]])
    )


def test_an_entry_that_was_made_anew_does_not_carry_those_after_it():
    other = chained.linked(chained.spelt({"run_id": "run-1", "what": "nothing"}), SMALL[0].hash, 2)

    assert "line 4: entry 3 does not follow entry 2: one of both was changed, put in or moved" == str(
        broken([*LINES[:2], other.line + b"\n", *LINES[3:]])
    )


def test_a_record_that_was_made_anew_is_not_the_recorders():
    short = SMALL[:2]

    assert "line 4: the head is not the recorder's: the envelope is signed with a key that is not among" in str(
        broken(record(short, key=OTHER))
    )
    head = LINES[-1]
    assert "line 4: the head is of 3 entries, and there are 2" in str(broken([*record(short)[:-1], head]))


def test_the_head_of_another_record_is_none():
    other = CHAIN.model_copy(update={"mission": "m-2"})
    head = record(linked(entry(1), entry(2), entry(3), chain=other), chain=other)[-1]

    assert "the head is that of another record" in str(broken([*LINES[:-1], head]))
    assert "entry 1 does not follow the header" in str(broken([chained.header(other, ("run-1",)) + b"\n", *LINES[1:]]))


def test_a_head_that_was_signed_for_something_else_is_none():
    said = json.loads(LINES[-1])
    other = seal(chained.spelt(said["head"]), "application/vnd.gonogo.other+json", KEY)

    assert "another kind of thing" in str(broken([*LINES[:-1], chained.spelt({**said, "envelope": other}) + b"\n"]))


def test_an_entry_of_a_run_that_nobody_named_is_found():
    assert "line 2: the entry is of a run that the header does not name" == str(
        broken(record(linked(entry(1, run_id="run-9"))))
    )


def test_what_json_cannot_carry_everywhere_is_written_as_text():
    odd = entry(1, detail={"n": 2**60, "s": "\ud800", "z": -0.0})
    said = json.loads(record(linked(odd))[1])["content"]["detail"]

    assert {"n": str(2**60), "s": "?", "z": 0} == said


def test_a_hundred_thousand_entries_are_verified_within_a_minute():
    contents = [
        chained.spelt(entry(n, detail={"arguments": {"host": f"web-{n}"}}).model_dump(mode="json")) for n in range(99)
    ]
    links, prev = [], chained.genesis(CHAIN)
    for seq in range(1, 100_001):
        links.append(chained.linked(contents[seq % 99], prev, seq))
        prev = links[-1].hash
    lines = record(links)
    began = time.process_time()

    assert 100_000 == verify(lines, KEYS).count
    assert time.process_time() - began < 60
    assert 50_002 == broken([*lines[:50_001], lines[50_001].replace(b"ann", b"eve"), *lines[50_002:]]).line
