"""On whose word a gate goes on, as people are told it."""

from datetime import UTC, datetime

import pytest

from contracts.decision import Opening, Ruling, Subject
from starter.terms import deciders

SUBJECT = Subject(mission="m", first_run_id="r", name="n", step="s", approvers=("sre", "manager"), requested_by="rita")


def told(*votes, **fields):
    subject = SUBJECT.model_copy(update=fields)
    said = tuple(
        Ruling(accepted=True, person=person, roles=(role,), verb=verb, to="zoe" if verb == "delegate" else "")
        for person, role, verb in votes
    )
    opened = datetime(2026, 1, 1, tzinfo=UTC)
    return deciders(Opening(subject=subject, digest=subject.digest(), nonce="n", opened_at=opened, votes=said))


SEATS = {"required": 2, "seats": {"sre": 1, "manager": 1}}
WANTED = "sre or manager; 2 must approve, among them 1 sre, 1 manager"


@pytest.mark.parametrize(
    ("votes", "fields", "said"),
    [
        ([], {}, "sre or manager"),
        ([], SEATS, f"{WANTED}; nobody yet for sre, manager"),
        ([("wanda", "sre", "approve")], SEATS, f"{WANTED}; nobody yet for manager; wanda approved"),
        ([("wanda", "sre", "approve"), ("wanda", "sre", "withdraw")], SEATS, f"{WANTED}; nobody yet for sre, manager"),
        ([("wanda", "sre", "abstain")], {}, "sre or manager; wanda abstained"),
        ([("wanda", "sre", "delegate")], {}, "sre or manager; wanda left it to zoe"),
        ([("wanda", "sre", "reject")], {"reject_quorum": 2}, "sre or manager; 2 must reject; wanda rejected"),
        ([], {"excluded": ("requester", "author"), "authors": ("ada",)}, "sre or manager; not ada, who wrote it"),
        ([], {"excluded": ()}, "sre or manager; rita, who asked for it, may decide too"),
        (
            [],
            {"required": 2, "own": ("sre",), "own_required": 1},
            "sre or manager; 2 must approve, at least 1 of them sre",
        ),
        ([], {"excluded": (), "tool": "t", "arguments": {}}, "sre or manager"),
    ],
)
def test_who_must_decide_and_who_has_is_one_line(votes, fields, said):
    assert said == told(*votes, **fields)
