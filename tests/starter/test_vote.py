"""The decisions beside yes and no, from the command line: what is said, what is signed, and what it comes to."""

import pytest
from stage import wait_at_gate

from starter.state import read_gates


async def test_an_approval_is_taken_back_and_given_again(gonogo, client, cast):
    mission = await wait_at_gate(client, required=2)
    said = [("approve", "maya"), ("withdraw", "maya"), ("approve", "lena")]

    told = [await gonogo(verb, mission, "isolate", "--as", who) for verb, who in said]

    assert [0, 0, 0] == [one.code for one in told]
    assert "withdraw as maya" in told[1].out
    assert "the gate waits for more decisions" in told[1].out
    assert [] == cast.ledger
    last = await gonogo("approve", mission, "isolate", "--as", "maya")
    await client.get_workflow_handle(mission).result()
    assert (0, ["isolate_host", "file_ticket"]) == (last.code, cast.ledger)


async def test_a_vote_is_left_to_somebody_and_is_seen_to_be(gonogo, client):
    mission = await wait_at_gate(client, required=2)

    told = await gonogo("delegate", mission, "isolate", "--as", "maya", "--to", "lena")
    again = await gonogo("approve", mission, "isolate", "--as", "maya")
    shown = await gonogo("approve", mission, "isolate", "--as", "lena")

    assert (0, 1, 0) == (told.code, again.code, shown.code)
    assert "delegate as maya" in told.out
    assert "lena" in told.out.partition("decides instead")[2].splitlines()[0]
    assert "maya has already decided" in again.err
    assert "maya left it to lena" in " ".join(shown.out.split())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("delegate", "--to", "otto"), 1, "otto requested this mission and may not decide in it"),
        (("delegate", "--to", "maya"), 1, "maya cannot delegate to themself"),
        (("delegate", "--to", "stranger"), 1, "'stranger' is nobody who is registered"),
        (("delegate",), 2, "--to"),
        (("withdraw",), 1, "maya has no approval in this opening of the gate to withdraw"),
        (("request-changes",), 2, "--comment"),
        (("request-changes", "--comment", " "), 2, "--comment"),
    ],
)
async def test_what_cannot_be_said_is_refused_with_its_reason(gonogo, waiting, arguments, code, said):
    verb, *more = arguments

    told = await gonogo(verb, waiting, "isolate", "--as", "maya", *more)

    assert (code, True) == (told.code, said in told.err), told.err


async def test_an_abstention_is_no_vote_and_the_only_word(gonogo, client, waiting):
    told = await gonogo("abstain", waiting, "isolate", "--as", "maya", "--comment", "my own host")
    again = await gonogo("approve", waiting, "isolate", "--as", "maya")

    assert (0, 1) == (told.code, again.code)
    (gate,) = await read_gates(client, waiting)
    assert [("maya", "abstain", "my own host")] == [(one.person, one.verb, one.comment) for one in gate.votes]


async def test_changes_that_nothing_makes_end_as_a_rejection_with_the_words(gonogo, client, waiting, cast):
    told = await gonogo("request-changes", waiting, "isolate", "--as", "maya", "--comment", "name the case")
    shown = await gonogo("show", waiting)

    assert (0, True) == (told.code, "the gate is closed" in told.out)
    assert "changes requested by maya" in " ".join(shown.out.split())
    assert "name the case" in shown.out
    assert [] == cast.ledger


async def test_who_does_not_say_who_they_are_is_told_how(gonogo, waiting):
    told = await gonogo("request-changes", waiting, "isolate", "--comment", "why")

    assert (2, True) == (told.code, f"gonogo request-changes {waiting} isolate --as PERSON" in told.err), told.err
