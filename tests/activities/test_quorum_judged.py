"""Quorums at the identity level and at the executor's: each way to count somebody twice, or somebody who may not."""

from pathlib import Path
from typing import Any

import pytest

from activities import keys
from activities.actions import ActionExecutor
from activities.authority import Authority
from activities.identity import judge
from activities.mcp_tools import ToolServers
from activities.people import Directory
from contracts.call import Grant
from contracts.decision import Opening, Ruling, Subject
from contracts.workspace import PeopleFile, Person, Tool
from tests.activities import office
from tests.activities.activity_stage import failing, stage
from tests.activities.court import signed, told
from tests.activities.office import call, claims, hearing, lineage, opening, subject, undo
from tests.activities.service import Service, tools
from tests.policies import OPEN

AGAIN = "anna has already decided in this opening of the gate"


def voted(verb: Any, person: str = "anna", **fields: Any) -> Ruling:
    known = {"accepted": True, "person": person, "roles": ("secops",), "verb": verb, "jti": f"{verb} of {person}"}
    return Ruling(**{**known, **fields})


def after(*votes: Ruling, asked: Subject | None = None) -> Opening:
    return opening(asked or subject(required=2), votes=votes)


def said(home: Path, verb: str, *votes: Ruling, **fields: Any) -> str:
    """Return what anna is told who says something where others, or she, have voted."""
    asked = fields.pop("asked", None) or subject(required=2)
    who = fields.get("iss", "anna")
    token = keys.sign(home, who, claims(asked, verb=verb, **fields))
    return told(home, token, after(*votes, asked=asked))


# who has had their say


@pytest.mark.parametrize("verb", ["approve", "reject", "abstain", "delegate", "request_changes"])
@pytest.mark.parametrize("before", ["approve", "abstain", "delegate"])
def test_who_has_had_their_say_says_nothing_more_in_this_opening(home: Path, before: str, verb: str) -> None:
    fields = {"to": "bert"} if verb == "delegate" else {}

    assert AGAIN == said(home, verb, voted(before), comment="words", **fields)


def test_a_second_key_is_no_second_vote(home: Path, tmp_path: Path) -> None:
    keys.create(tmp_path, "anna", ("secops",))
    both = keys.registered(home).merged(keys.registered(tmp_path))
    token = keys.sign(tmp_path, "anna", claims(subject(required=2)))

    assert 2 == len(both.people["anna"].keys)
    assert AGAIN == judge(hearing(token, after(voted("approve"))), both).reason


def test_an_agent_has_no_vote_whatever_it_is_called(home: Path) -> None:
    asked = subject(approvers=("response_planner", "secops"))
    token = office.forge(home, lambda header: header, claims(asked, iss="response_planner"))

    reason = told(home, token, opening(asked))

    assert "the decision is by 'response_planner', but its key is registered to 'anna'" == reason


# withdrawing


def test_an_approval_can_be_withdrawn_and_given_again(home: Path) -> None:
    assert "accepted" == said(home, "withdraw", voted("approve"))
    assert "accepted" == said(home, "approve", voted("approve"), voted("withdraw"))


@pytest.mark.parametrize(
    "votes",
    [(), (voted("approve", "bert"),), (voted("abstain"),), (voted("reject"),), (voted("approve"), voted("withdraw"))],
    ids=["none", "somebody else's", "an abstention", "a rejection", "one withdrawn already"],
)
def test_only_ones_own_approval_can_be_withdrawn(home: Path, votes: tuple[Ruling, ...]) -> None:
    asked = subject(required=2, reject_quorum=2)

    reason = said(home, "withdraw", *votes, asked=asked)

    assert "anna has no approval in this opening of the gate to withdraw" == reason


def test_a_withdrawal_signed_by_another_is_no_withdrawal(home: Path) -> None:
    forged = claims(subject(required=2), verb="withdraw", iss="anna")
    token = office.forge(home, lambda header: header, forged, signer="bert")

    reason = told(home, token, after(voted("approve")))

    assert "the decision is by 'anna', but its key is registered to 'bert'" == reason


def test_an_approval_is_no_withdrawal_and_is_not_counted_again_after_one(home: Path) -> None:
    token = signed(home)
    first = judge(hearing(token), keys.registered(home))
    withdrawn = opening(votes=(first, voted("withdraw")))

    assert "the decision has already been counted" == told(home, token, opening(votes=(first,)))
    assert "the decision has already been counted" == told(home, token, withdrawn)


def test_speaking_has_an_end_for_who_withdraws_and_approves_for_ever(home: Path) -> None:
    votes = [voted(verb, jti=f"{verb} {number}") for number in range(3) for verb in ("approve", "withdraw")]

    assert "anna has spoken 6 times in this opening of the gate; no more is heard" == said(home, "approve", *votes)
    assert "accepted" == said(home, "approve", *votes, iss="bert")


# delegating

DELEGATES = [
    ("somebody who may", "bert", "accepted"),
    ("nobody", "", "the decision is to delegate and names nobody"),
    ("oneself", "Anna", "anna cannot delegate to themself"),
    ("a stranger", "mallory", "'mallory' is nobody who is registered"),
    ("somebody who may not", "carl", "carl is none of the approvers: secops"),
    ("the requester", "rita", "rita requested this mission and may not decide in it"),
]


@pytest.mark.parametrize(("to", "reason"), [one[1:] for one in DELEGATES], ids=[one[0] for one in DELEGATES])
def test_a_vote_is_left_only_to_somebody_who_could_approve_as_well(home: Path, to: str, reason: str) -> None:
    assert reason == said(home, "delegate", to=to)


def test_a_vote_is_not_left_to_who_has_had_their_say(home: Path) -> None:
    reason = said(home, "delegate", voted("delegate", "bert"), to="bert")

    assert "bert has already decided in this opening of the gate" == reason


def test_a_vote_is_not_left_to_who_has_no_key(home: Path) -> None:
    people = PeopleFile(people={"dora": Person(roles=("secops",))}).merged(keys.registered(home))
    token = signed(home, verb="delegate", to="dora")

    assert "dora has no registered key, so they could not decide" == judge(hearing(token), people).reason


def test_only_a_delegation_names_somebody(home: Path) -> None:
    assert "the decision is to approve and names somebody; only 'delegate' may" == said(home, "approve", to="bert")


# what can be said where


@pytest.mark.parametrize(
    ("verb", "kind", "where"),
    [
        ("abstain", "review", "a review"),
        ("delegate", "review", "a review"),
        ("request_changes", "escalation", "an escalation"),
        ("request_changes", "compensation", "a gate"),
        ("request_changes", "override", "a gate"),
        ("withdraw", "facilitation", "a party that talks"),
    ],
)
def test_what_makes_no_sense_at_a_kind_of_opening_is_refused(home: Path, verb: str, kind: str, where: str) -> None:
    asked = subject(kind=kind)
    token = keys.sign(home, "anna", claims(asked, verb=verb, comment="words", to="bert" if verb == "delegate" else ""))

    reason = told(home, token, opening(asked))

    assert f"the decision is to {verb.replace('_', ' ')}, which nobody can at {where}" == reason


def test_changes_are_asked_for_in_words(home: Path) -> None:
    assert "the decision is to request changes and says nothing" == said(home, "request_changes", comment=" ")
    assert "accepted" == said(home, "request_changes", comment="name the host")


# who is excluded


@pytest.mark.parametrize("author", ["anna", "ANNA", "an\u200bna"])
def test_who_wrote_a_mission_is_excluded_in_every_spelling(home: Path, author: str) -> None:
    asked = subject(excluded=("requester", "author"), authors=("bert", author))

    assert "anna wrote this mission and may not decide here" == said(home, "approve", asked=asked)
    assert "accepted" == said(home, "approve", asked=subject(authors=(author,)))


def test_the_requester_decides_only_a_question_that_says_so_and_never_an_action(home: Path) -> None:
    question = subject(tool=None, arguments=None, excluded=())
    refused = "rita requested this mission and may not decide in it"

    assert "accepted" == said(home, "approve", asked=question, iss="rita")
    assert refused == said(home, "approve", asked=subject(excluded=()), iss="rita")
    assert refused == said(home, "approve", asked=subject(tool=None, arguments=None), iss="rita")


# the executor


def authority(home: Path, **changed: Tool) -> Authority:
    return Authority({**tools(), **changed}, Directory(home / "people.yaml"), lineage, policy=OPEN)


SEATS = {"secops": 1, "lead": 1}


async def refusal(home: Path, servers: ToolServers, grant: Grant, one: Any = None, **changed: Tool) -> str:
    """Return why a call is refused; nothing when it is sent."""
    contracts = {**tools(), **changed}
    executor = ActionExecutor(
        contracts, servers, Authority(contracts, Directory(home / "people.yaml"), lineage, policy=OPEN)
    )
    what = one or call(grant=grant)
    return (await failing(stage().run(executor.execute, what))).message.partition(" was refused: ")[2]


@pytest.fixture
def staffed(tmp_path: Path) -> Path:
    """A home of its own, in which people come and go."""
    office.populate(tmp_path)
    keys.create(tmp_path, "dora", ("secops", "lead"))
    return tmp_path


async def test_seats_are_counted_again_by_different_people(
    staffed: Path, servers: ToolServers, service: Service
) -> None:
    asked = subject(required=2, seats={"lead": 2})

    assert "nobody approved for lead" == await refusal(staffed, servers, office.grant(staffed, asked, "anna", "dora"))
    asked = subject(required=1, seats=SEATS)
    assert "nobody approved for lead" == await refusal(staffed, servers, office.grant(staffed, asked, "dora"))
    assert [] == service.calls


async def test_two_who_sit_one_way_only_are_enough(staffed: Path, servers: ToolServers, service: Service) -> None:
    """Dora could take either seat, and anna only one: however they come, both are filled."""
    executor = ActionExecutor(tools(), servers, authority(staffed))
    for number, names in enumerate((("dora", "anna"), ("anna", "dora"))):
        asked = subject(required=2, seats=SEATS)

        await stage().run(executor.execute, call(grant=office.grant(staffed, asked, *names)))

        assert number + 1 == len(service.calls)


async def test_a_role_that_was_lost_since_fills_no_seat(staffed: Path, servers: ToolServers, service: Service) -> None:
    asked = subject(required=2, seats={"secops": 1, "lead": 1})
    given = office.grant(staffed, asked, "anna", "bert")
    text = (staffed / "people.yaml").read_text()
    (staffed / "people.yaml").write_text(text.replace("lead", "former_lead"))

    assert "nobody approved for lead" == await refusal(staffed, servers, given)
    assert [] == service.calls


async def test_a_key_that_was_revoked_since_approves_nothing(
    staffed: Path, servers: ToolServers, service: Service
) -> None:
    given = office.grant(staffed, subject(required=2, seats=SEATS), "anna", "bert")
    keys.create(staffed, "bert", replace=True)

    reason = await refusal(staffed, servers, given)

    assert "the token's key is registered to nobody: it is unknown or was revoked" == reason
    assert [] == service.calls


@pytest.mark.parametrize("loosened", [{"seats": {}}, {"seats": {"secops": 2}}, {"required": 1}, {"excluded": ()}])
async def test_what_people_saw_cannot_be_loosened_on_the_way(
    staffed: Path, servers: ToolServers, service: Service, loosened: dict[str, Any]
) -> None:
    asked = subject(required=2, seats=SEATS, excluded=("requester", "author"), authors=("dora",))
    given = office.grant(staffed, asked, "anna", "bert")

    reason = await refusal(staffed, servers, given.model_copy(update={"subject": asked.model_copy(update=loosened)}))

    assert "what the decision was about has changed since; look at the gate again" == reason
    assert [] == service.calls


async def test_the_author_and_the_requester_in_another_spelling_approve_nothing(
    staffed: Path, servers: ToolServers, service: Service
) -> None:
    written = subject(excluded=("requester", "author"), authors=("ANNA",))
    asked = subject(requested_by="Anna", excluded=())

    assert "anna wrote this mission and may not decide here" == await refusal(
        staffed, servers, office.grant(staffed, written, "anna")
    )
    assert "anna requested this mission and may not decide in it" == await refusal(
        staffed, servers, office.grant(staffed, asked, "anna")
    )
    assert [] == service.calls


@pytest.mark.parametrize("verb", ["abstain", "delegate", "withdraw", "request_changes"])
async def test_only_an_approval_is_one(staffed: Path, servers: ToolServers, service: Service, verb: str) -> None:
    token = office.approve(staffed, "anna", subject(), verb=verb)

    reason = await refusal(staffed, servers, Grant(subject=subject(), nonce="nonce-1", tokens=(token,)))

    assert f"the decision of anna is to {verb}, not to approve" == reason
    assert [] == service.calls


# what cannot be undone


def irreversible(**fields: Any) -> Tool:
    return tools()["isolate_host"].model_copy(update={"effect": "irreversible", **fields})


@pytest.mark.parametrize("stated", [None, 1, 2])
async def test_what_nothing_undoes_takes_two_whatever_the_mission_asked_for(
    staffed: Path, servers: ToolServers, service: Service, stated: int | None
) -> None:
    tool = irreversible(approvals=stated)

    reason = await refusal(staffed, servers, office.grant(staffed, subject(), "anna"), isolate_host=tool)

    assert "1 of 2 approvals are there" == reason
    assert [] == service.calls


async def test_one_person_under_two_keys_is_no_second_for_what_nothing_undoes(
    staffed: Path, tmp_path_factory: pytest.TempPathFactory, servers: ToolServers, service: Service
) -> None:
    other = tmp_path_factory.mktemp("other")
    keys.create(other, "anna", ("secops",))
    both = keys.registered(staffed).merged(keys.registered(other))
    lines = [f"  {name}: {{roles: {list(one.roles)}, keys: {list(one.keys)}}}" for name, one in both.people.items()]
    tokens = (office.approve(staffed, "anna", subject()), office.approve(other, "anna", subject(), jti="second"))
    (staffed / "people.yaml").write_text("people:\n" + "\n".join(lines))

    reason = await refusal(
        staffed, servers, Grant(subject=subject(), nonce="nonce-1", tokens=tokens), isolate_host=irreversible()
    )

    assert AGAIN == reason
    assert [] == service.calls


async def test_two_people_let_happen_what_nothing_undoes(staffed: Path, servers: ToolServers, service: Service) -> None:
    contracts = {**tools(), "isolate_host": irreversible()}
    executor = ActionExecutor(contracts, servers, authority(staffed, **contracts))

    await stage().run(executor.execute, call(grant=office.grant(staffed, subject(), "anna", "bert")))

    assert 1 == len(service.calls)


async def test_a_contract_that_frees_what_nothing_undoes_frees_nothing(
    staffed: Path, servers: ToolServers, service: Service
) -> None:
    tool = irreversible(autonomy="allowed")

    reason = await refusal(staffed, servers, Grant(subject=subject(), nonce="nonce-1"), call(), isolate_host=tool)

    assert "isolate_host needs an approval, and none came with the call" == reason
    assert [] == service.calls


async def test_an_undoing_that_nothing_undoes_takes_two_as_well(
    staffed: Path, servers: ToolServers, service: Service
) -> None:
    tool = tools()["release_host"].model_copy(update={"effect": "irreversible", "autonomy": "approval"})
    given = office.grant(staffed, subject(), "anna")

    reason = await refusal(staffed, servers, given, undo(grant=given), release_host=tool)

    assert "1 of 2 approvals are there" == reason
    assert [] == service.calls


async def test_a_contract_may_ask_for_more(staffed: Path, servers: ToolServers, service: Service) -> None:
    tool = tools()["isolate_host"].model_copy(update={"approvals": 3})

    reason = await refusal(staffed, servers, office.grant(staffed, subject(), "anna", "bert"), isolate_host=tool)

    assert "2 of 3 approvals are there" == reason
    assert [] == service.calls
