"""Whatever people say in whatever order: judge, tally and executor find the same, and so does a plain reckoning."""

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities import keys
from activities.entitled import why_not_enough
from activities.identity import approvals, judge
from contracts.call import Grant
from contracts.decision import Subject
from contracts.workspace import PeopleFile
from tests.activities.office import NOW, claims, hearing, opening, subject
from workflows.governance.tally import Gatebook, standing

ROLES = {"ann": ("x",), "ben": ("x", "y"), "cid": ("y",), "dan": ("x", "y"), "eve": ("z",), "rita": ("x",)}
MAY = ("ann", "ben", "cid", "dan")
SAID = st.tuples(
    st.sampled_from(sorted(ROLES)),
    st.sampled_from(["approve"] * 4 + ["withdraw", "withdraw", "abstain", "delegate", "reject", "request_changes"]),
    st.sampled_from(sorted(ROLES)),
)
TERMS = st.fixed_dictionaries(
    {
        "required": st.integers(1, 3),
        "reject_quorum": st.integers(1, 2),
        "seats": st.sampled_from([{}, {"x": 1}, {"x": 1, "y": 1}, {"y": 2}, {"x": 2, "y": 1}]),
    }
)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("crowd")
    for name, roles in ROLES.items():
        keys.create(home, name, roles)
    return home


class Reckoning:
    """The rules once more, as plainly as they can be said."""

    def __init__(self, terms: dict[str, Any]) -> None:
        self.terms = terms
        self.words: dict[str, str] = {}

    def hear(self, person: str, verb: str, to: str) -> bool:
        """Take in what somebody says; return whether it counts."""
        if person not in MAY:
            return False
        if verb == "withdraw":
            return self.words.get(person) == "approve" and bool(self.words.pop(person))
        if person in self.words or (verb == "delegate" and (to not in MAY or to == person or to in self.words)):
            return False
        self.words[person] = verb
        return True

    def comes_to(self) -> str:
        against = [verb for verb in self.words.values() if verb in {"reject", "request_changes"}]
        if len(against) >= self.terms["reject_quorum"]:
            return "rejected" if "reject" in against else "changes_requested"
        for_it = [person for person, verb in self.words.items() if verb == "approve"]
        wanted = [role for role, count in self.terms["seats"].items() for _ in range(count)]
        ways = permutations(for_it, len(wanted))
        seated = any(all(role in ROLES[who] for role, who in zip(wanted, way, strict=True)) for way in ways)
        return "approved" if len(for_it) >= self.terms["required"] and seated else "open"


@settings(max_examples=150, deadline=None)
@given(TERMS, st.lists(SAID, max_size=14))
def test_all_who_count_find_the_same(crowd: Path, terms: dict[str, Any], words: list[tuple[str, str, str]]) -> None:
    asked, people = subject(approvers=("x", "y"), **terms), keys.registered(crowd)
    book, plain = Gatebook([opening(asked)]), Reckoning(terms)
    for number, (person, verb, to) in enumerate(words):
        fields = {"to": to} if verb == "delegate" else {}
        said = claims(asked, iss=person, verb=verb, jti=f"jti-{number}", comment="words", **fields)
        token = keys.sign(crowd, person, said)
        ruling = judge(hearing(token, *book.openings(), used=tuple(book.used)), people)
        receipt = book.count(ruling.model_copy(update={"token": token}))

        assert plain.hear(person, verb, to) == receipt.accepted
        [now] = book.openings()
        assert plain.comes_to() == standing(now)
        if standing(now) != "open":
            break
    executed(asked, book, people)


def executed(asked: Subject, book: Gatebook, people: PeopleFile) -> None:
    """Hold what the mission would send along against the executor's own rules."""
    [left] = book.openings()
    grant = Grant(subject=asked, nonce=left.nonce, tokens=tuple(vote.token for vote in left.approvals()))

    enough = why_not_enough(asked, approvals(grant, people, NOW), 1, people) == ""
    if not any(word.verb in {"reject", "request_changes"} for word in left.words()):
        assert enough == (standing(left) == "approved")
    elif standing(left) == "approved":
        assert enough
