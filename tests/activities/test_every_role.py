"""Every role, every verb, by every way in: what one table says may be done is done, and nothing else.

The table is written by hand beside the policies, and neither is made of the other.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from activities import keys
from activities.admission import Start, ordered
from activities.identity import Judge
from activities.people import Directory
from activities.policy import Policy
from contracts.base import digest
from contracts.decision import COMMANDS, HALTING, Verb
from contracts.order import OrderClaims, rest
from contracts.plan import MissionInput
from contracts.policy import Question
from language.questions import starting
from tests.activities.office import HOST, NOW, SECONDS, claims, hearing, opening, subject
from tests.interpreter.fakes import plan_of

ROLES = ("asker", "lead", "deputy", "chief", "auditor", "intern")
POLICIES = """
@id("askers") permit(principal in Role::"asker", action == Action::"start", resource) when { context.signed };
@id("leads") permit(principal in Role::"lead", action == Action::"start", resource in Team::"t");
@id("deciders") permit(principal, action == Action::"decide", resource in Mission::"rehearsal")
when { principal in Role::"lead" || principal in Role::"deputy" };
@id("deputies_only_say") forbid(principal in Role::"deputy", action == Action::"decide", resource)
when { ["approve", "modify", "delegate"].contains(context.verb) };
@id("not_one_s_own") forbid(principal, action == Action::"decide", resource) when { context.requested_by == "intern" };
@id("chiefs") permit(principal in Role::"chief", action == Action::"steer", resource);
@id("pausing") permit(principal in Role::"deputy", action == Action::"steer", resource)
when { ["pause", "resume", "halt"].contains(context.verb) };
@id("outputs") permit(principal, action == Action::"read_outputs", resource) unless { principal in Role::"intern" };
@id("audits") permit(principal in Role::"auditor", action == Action::"read_audit", resource);
"""
COMMANDING = {*COMMANDS, *HALTING}
DECIDING = set(get_args(Verb)) - COMMANDING
MAY: dict[str, set[str]] = {
    "asker": {"start signed", "read_outputs"},
    "lead": {"start signed", "start unsigned", "read_outputs", *DECIDING},
    "deputy": {"read_outputs", *(DECIDING - {"approve", "modify", "delegate"}), "pause", "resume", "halt"},
    "chief": {"read_outputs", *COMMANDING},
    "auditor": {"read_outputs", "read_audit"},
    "intern": set(),
}
KINDS = {"answer": "task", "interject": "facilitation", "call_vote": "facilitation", "end": "facilitation"}
VERBS = sorted(DECIDING | COMMANDING)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home where each role is somebody, with a key."""
    root = tmp_path_factory.mktemp("roles")
    (root / "people.yaml").write_text(f"operators: {json.dumps([*ROLES, 'guest'])}\n")
    for role in ROLES:
        keys.create(root, f"{role}-1", (role,))
    keys.create(root, "stranger", ("guest",))
    (root / "policies").mkdir()
    (root / "policies" / "roles.cedar").write_text(POLICIES)
    return root


@pytest.fixture(scope="module")
def directory(house: Path) -> Directory:
    return Directory(house / "people.yaml")


@pytest.fixture(scope="module")
def policy(house: Path, directory: Directory) -> Policy:
    return Policy(house, directory, {}, {})


async def ruled(policy: Policy, directory: Directory, house: Path, who: str, verb: str, **fields: Any) -> bool:
    """Whether what somebody signed and signalled counts, where mission and workspace let everybody do everything."""
    everybody = tuple(directory.people().roles())
    asked = subject(kind=KINDS.get(verb, "approval"), approvers=everybody, name="rehearsal", **fields)
    open_now = opening(asked, votes=(), input_schema=HOST if verb != "answer" else {})
    known: dict[str, Any] = {"iss": who, "verb": verb, "comment": "because"}
    known |= {"changes": {"host": "web-02"}} if verb == "modify" else {}
    known |= {"to": "stranger" if who == "auditor-1" else "auditor-1"} if verb == "delegate" else {}
    known |= {"answer": 1} if verb == "answer" else {}
    if verb == "withdraw":
        before = keys.sign(house, who, claims(asked, iss=who, jti="before"))
        vote = (await free(directory, house).judge(hearing(before, open_now))).model_copy(update={"accepted": True})
        open_now = open_now.model_copy(update={"votes": (vote,)})
    if verb in HALTING:
        asked = subject(kind="halt", requested_by="")
        open_now = opening(asked)
    if verb in COMMANDS:
        known |= {"nonce": "", "digest": "", "step": ""}
    token = keys.sign(house, who, claims(asked, **known))
    heard = hearing(token, open_now, name="rehearsal", team="t", operators=everybody)
    ruling = await Judge(directory, policy=policy).judge(heard)
    if not ruling.accepted:
        assert "policy does not allow it" in ruling.reason, (who, verb, ruling.reason)
    return ruling.accepted


def free(directory: Directory, house: Path) -> Judge:
    root = house / "free"
    (root / "policies").mkdir(parents=True, exist_ok=True)
    (root / "policies" / "open.cedar").write_text('@id("open") permit(principal, action, resource);')
    return Judge(directory, policy=Policy(root, directory, {}, {}))


@pytest.mark.parametrize("role", [*ROLES, "guest"])
async def test_signals_count_as_the_table_says(house: Path, directory: Directory, policy: Policy, role: str) -> None:
    who = "stranger" if role == "guest" else f"{role}-1"
    may = MAY.get(role, set())

    counted = {verb for verb in VERBS if await ruled(policy, directory, house, who, verb)}
    assert may & set(VERBS) == counted
    own = {verb for verb in DECIDING if await ruled(policy, directory, house, who, verb, requested_by="intern")}
    assert set() == own


@pytest.mark.parametrize("role", [*ROLES, "guest"])
def test_starts_and_reading_are_answered_as_the_table_says(
    house: Path, directory: Directory, policy: Policy, role: str
) -> None:
    who, may = "stranger" if role == "guest" else f"{role}-1", MAY.get(role, set())
    given = MissionInput(plan=plan_of([]), requested_by=who)
    allowed = set()
    for signed in (True, False):
        start = given.model_copy(update={"order": order(house, given) if signed else ""})
        raw = json.loads(start.model_dump_json())
        proven = ordered(Start("m-1", "rehearsal", NOW, raw, start), directory.people())
        assert signed == proven
        question = starting(given.plan, who, signed=proven).model_copy(update={"team": "t"})
        if policy.ask(question).allowed():
            allowed.add("start signed" if signed else "start unsigned")
    for verb in ("read_outputs", "read_audit"):
        asked = Question.model_validate({"verb": verb, "who": who, "what": "rehearsal"})
        allowed |= {verb} if policy.ask(asked).allowed() else set()
    expected = {one for one in may if one.startswith(("start", "read"))}
    assert (expected | {"read_outputs"} if role == "guest" else expected) == allowed


def order(house: Path, given: MissionInput) -> str:
    sent = given.model_dump(mode="json")
    said = OrderClaims(
        iss=given.requested_by,
        iat=SECONDS,
        exp=SECONDS + int(timedelta(minutes=5).total_seconds()),
        mission="m-1",
        plan=given.plan.digest,
        inputs=digest(sent["inputs"]),
        more=rest(sent),
    )
    return keys.sign(house, given.requested_by, said)
