"""Deciding from the command line: what is shown is what is signed, and each refusal says why."""

import asyncio
import json

import pytest
from stage import wait_at_gate

from contracts.decision import Opening
from starter.problem import Refused
from starter.sign import Wish, demand_honest, prepare
from starter.state import read_gates, read_state


async def test_an_approval_lets_exactly_the_shown_action_run(gonogo, client, waiting, cast):
    told = await gonogo("approve", waiting, "isolate", "--as", "maya", "--comment", "go")

    assert (0, "") == (told.code, told.err)
    assert 'host: "web-01"' in told.out
    assert "the gate is approved" in told.out
    await client.get_workflow_handle(waiting).result()
    assert ["isolate_host", "file_ticket"] == cast.ledger


async def test_a_rejection_needs_its_reason(gonogo, waiting):
    assert 2 == (await gonogo("reject", waiting, "isolate", "--as", "maya")).code


async def test_a_rejection_refuses_the_mission_and_nothing_runs(gonogo, client, waiting, cast):
    told = await gonogo("reject", waiting, "isolate", "--as", "maya", "--comment", "too risky")

    assert (0, True) == (told.code, "the gate is rejected" in told.out)
    await client.get_workflow_handle(waiting).result()
    assert [] == cast.ledger


async def test_a_refused_decision_exits_with_1_and_its_reason(gonogo, waiting):
    told = await gonogo("approve", waiting, "isolate", "--as", "otto")

    assert (1, True) == (told.code, "otto requested this mission and may not decide in it" in told.err)


async def test_a_receipt_as_json_is_one_document(gonogo, client):
    mission = await wait_at_gate(client, required=2)

    told = await gonogo("approve", mission, "isolate", "--as", "maya", "--json")

    assert (0, True, "open", "maya") == (told.code, told.json["accepted"], told.json["state"], told.json["by"])


async def test_two_must_approve_before_it_runs(gonogo, client, cast):
    mission = await wait_at_gate(client, required=2)

    await gonogo("approve", mission, "isolate", "--as", "maya")
    twice = await gonogo("approve", mission, "isolate", "--as", "maya")
    last = await gonogo("approve", mission, "isolate", "--as", "lena")

    assert (1, 0) == (twice.code, last.code)
    assert "maya has already decided" in twice.err
    # What a mission still does would be done by the fakes of the next test.
    await client.get_workflow_handle(mission).result()


async def test_changes_are_laid_over_the_shown_arguments_and_asked_again(gonogo, client, waiting, tmp_path):
    changes = tmp_path / "changes.json"
    changes.write_text('{"reason": "keep forensic access"}')

    told = await gonogo("modify", waiting, "isolate", "--as", "maya", "--changes", str(changes))

    assert (0, True) == (told.code, "open again with the changed arguments" in told.out)
    (gate,) = await _reopened(client, waiting, "keep forensic access")
    assert {"host": "web-01", "reason": "keep forensic access"} == gate.subject.arguments


async def _reopened(client, mission, reason):
    while True:
        gates = await read_gates(client, mission)
        if gates and gates[0].subject.arguments["reason"] == reason:
            return gates
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('{"reason": 7}', 1, "do not fit isolate_host"),
        ('{"hots": "x"}', 1, "do not fit isolate_host"),
        ('{"host": "web-01"}', 1, "change nothing"),
        ("[]", 2, "an object with the arguments to change"),
        ('{"host": \n oops}', 2, ":2:2: this is no JSON"),
        ('{"host": "a", "host": "b"}', 2, "'host' stands twice"),
    ],
)
async def test_changes_that_cannot_be_meant_are_refused_before_they_are_signed(
    gonogo, waiting, tmp_path, text, code, said
):
    changes = tmp_path / "changes.json"
    changes.write_text(text)

    told = await gonogo("modify", waiting, "isolate", "--as", "maya", "--changes", str(changes))

    assert (code, True) == (told.code, said in told.err), told.err


async def test_a_printed_decision_is_a_json_string_that_the_plain_signal_accepts(gonogo, client, waiting, cast):
    told = await gonogo("approve", waiting, "isolate", "--as", "maya", "--print")

    assert (0, 1) == (told.code, len(told.out.splitlines()))
    assert "isolate_host" in told.err
    handle = client.get_workflow_handle(waiting)
    await handle.signal("decide", json.loads(told.out))
    await handle.result()
    assert ["isolate_host", "file_ticket"] == cast.ledger


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("isolate", "--as", "nobody"), 1, "there is no key"),
        (("isolate", "--as", "../maya"), 1, "no name for a person"),
        (("report", "--as", "maya"), 1, "no gate is open at step 'report'"),
        (("isolate",), 2, "who decides?"),
    ],
)
async def test_who_cannot_sign_and_what_does_not_wait_is_said(gonogo, waiting, arguments, code, said):
    told = await gonogo("approve", waiting, *arguments)

    assert (code, True) == (told.code, said in told.err), told.err


async def test_a_mission_that_has_ended_waits_for_nothing(gonogo, client, waiting):
    handle = client.get_workflow_handle(waiting)
    await handle.cancel()
    while (await handle.describe()).close_time is None:
        await asyncio.sleep(0.02)

    told = await gonogo("approve", waiting, "isolate", "--as", "maya")

    assert (1, True) == (told.code, "has ended (canceled)" in told.err)


async def test_an_opening_that_shows_other_than_its_digest_is_not_signed(client, waiting):
    (gate,) = await read_gates(client, waiting)
    other = gate.subject.model_copy(update={"arguments": {"host": "db-01", "reason": "as before"}})

    with pytest.raises(Refused, match="is not that of what is shown"):
        prepare(gate.model_copy(update={"subject": other}), Wish("approve"), "maya")
    with pytest.raises(Refused, match="not what the gate was opened with"):
        demand_honest(gate.model_copy(update={"context": {"finding": "harmless"}}))


async def test_a_context_too_large_to_show_is_not_signed(client, waiting):
    (gate,) = await read_gates(client, waiting)
    cut: Opening = gate.model_copy(update={"context": {"cut": "999999 bytes are too many to show here"}})

    with pytest.raises(Refused, match="too large to be shown"):
        prepare(cut, Wish("approve"), "maya")


async def test_hidden_characters_are_seen_before_they_are_signed(gonogo, client, cast):
    cast.reason = "bad\u202egood\u200b\x1b[2J"
    mission = await wait_at_gate(client)

    told = await gonogo("approve", mission, "isolate", "--as", "maya")

    assert "bad<U+202E>good<U+200B>\\u001b[2J" in told.out
    assert not {"\u202e", "\u200b", "\x1b"} & set(told.out)


async def test_the_step_may_be_named_by_its_last_part(client, waiting):
    from starter.sign import _path

    assert "hosts/isolate" == _path(["hosts/isolate", "hosts/report"], "m", "isolate")
    with pytest.raises(Refused, match="may be a/isolate or b/isolate"):
        _path(["a/isolate", "b/isolate"], "m", "isolate")


async def test_the_record_shows_who_was_refused(gonogo, client, waiting):
    await gonogo("approve", waiting, "isolate", "--as", "otto")

    view = await read_state(client, waiting)

    assert ["otto"] == [ruling.person for ruling in view.refusals]
