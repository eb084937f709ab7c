"""A decision counts under the rules that it was asked under, whoever changes what, and whenever."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from activities import keys
from activities.actions import ActionExecutor
from activities.authority import Authority
from activities.governance import Governance
from activities.identity import Judge
from activities.mcp_tools import ToolServers
from activities.people import Directory, Unreadable
from activities.policy import Policy
from activities.scales import Scales
from contracts.decision import Ruling, Subject
from tests.activities import office
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import call, lineage, undo
from tests.activities.service import Service, tools
from tests.policies import permit_all

RISK = "factors: {it: {weight: 1, value: '0.1'}}\nlevels: {low: {at: 0}}\n"
CHANGED = "policy or people have changed since this was asked, and it is asked again; look at the gate again"


class Place:
    """A home, a workspace, and the rules that lie in them."""

    def __init__(self, folder: Path) -> None:
        self.home, self.root = folder / "home", permit_all(folder / "workspace")
        self.home.mkdir()
        office.populate(self.home)
        (self.root / "risk.yaml").write_text(RISK)
        self.people = Directory(self.home / "people.yaml")
        self.policy = Policy(self.root, self.people, {}, tools())
        self.rules = Governance(self.people, self.policy, Scales(self.root / "risk.yaml"), tools())

    def subject(self, **fields: Any) -> Subject:
        return office.subject(**{"governance": self.rules.version(), **fields})

    async def judged(self, subject: Subject, name: str = "anna", **fields: Any) -> Ruling:
        """Return the ruling on somebody's approval of what was asked, by the rules in force now."""
        token = keys.sign(self.home, name, office.claims(subject, iss=name))
        judge = Judge(self.people, policy=self.policy, governance=self.rules)
        return await judge.judge(office.hearing(token, office.opening(subject), name="incident_triage", **fields))

    def add_policy(self) -> None:
        more = '@id("more") forbid (principal == Person::"nobody", action, resource);\n'
        (self.root / "policies" / "more.cedar").write_text(more)

    def weigh_otherwise(self) -> None:
        (self.root / "risk.yaml").write_text(RISK.replace("0.1", "0.2"))

    def revoke(self) -> None:
        keys.remove(self.home, "carl")

    def register(self) -> None:
        keys.create(self.home, "emma", ("finance",))

    def give_role(self) -> None:
        path = self.home / "people.yaml"
        path.write_text(path.read_text().replace("lead", "head"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


CHANGES: list[Callable[[Place], None]] = [
    Place.add_policy,
    Place.weigh_otherwise,
    Place.revoke,
    Place.register,
    Place.give_role,
]


async def test_under_the_rules_in_force_a_decision_counts_and_says_which_they_are(place: Place) -> None:
    ruling = await place.judged(place.subject())

    assert (True, "", place.rules.version()) == (ruling.accepted, ruling.reason, ruling.governance)


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)
async def test_whatever_changes_what_was_asked_before_is_asked_again(place: Place, change: Any) -> None:
    asked = place.subject()
    before = place.rules.version()
    change(place)

    ruling = await place.judged(asked)

    assert before != place.rules.version()
    assert (False, True, CHANGED) == (ruling.accepted, ruling.overtaken, ruling.reason)
    assert place.rules.version() == ruling.governance
    assert (await place.judged(place.subject())).accepted


async def test_rules_that_are_put_back_are_the_same_rules(place: Place) -> None:
    asked, path = place.subject(), place.root / "risk.yaml"
    place.weigh_otherwise()
    assert not (await place.judged(asked)).accepted
    path.write_text(RISK)

    assert (await place.judged(asked)).accepted


async def test_a_person_whose_role_was_taken_is_told_first_that_the_rules_have_changed(place: Place) -> None:
    asked = place.subject(approvers=("lead",))
    place.give_role()

    assert CHANGED == (await place.judged(asked, "bert")).reason
    again = await place.judged(place.subject(approvers=("lead",)), "bert")
    assert (False, "bert is none of the approvers: lead") == (again.overtaken, again.reason)


@pytest.mark.parametrize("kind", ["review", "facilitation", "task"])
async def test_what_approves_nothing_is_not_bound(place: Place, kind: str) -> None:
    ruling = await place.judged(place.subject(kind=kind, governance="", tool=None, arguments=None), governed=True)

    assert not ruling.overtaken


async def test_a_question_without_rules_counts_in_missions_from_before_alone(place: Place) -> None:
    assert (await place.judged(place.subject(governance=""))).accepted
    assert (await place.judged(place.subject(governance=""), governed=True)).overtaken


async def test_who_says_nothing_is_told_the_rules_in_force(place: Place) -> None:
    judge = Judge(place.people, policy=place.policy, governance=place.rules)

    ruling = await judge.judge(office.hearing("", asks=True))

    assert (False, True, "", place.rules.version()) == (
        ruling.accepted,
        ruling.asked,
        ruling.reason,
        ruling.governance,
    )


async def test_rules_that_cannot_be_read_let_nobody_decide(place: Place) -> None:
    asked = place.subject()
    (place.root / "risk.yaml").write_text("factors: [")

    with pytest.raises(Unreadable):
        place.rules.version()
    ruling = await place.judged(asked)
    assert ruling.reason.startswith("nobody can decide now: ")
    assert not ruling.overtaken


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)
async def test_the_executor_takes_no_approval_of_before(
    place: Place, servers: ToolServers, service: Service, change: Any
) -> None:
    authority = Authority(tools(), place.people, lineage, policy=place.policy, governance=place.rules)
    executor = ActionExecutor(tools(), servers, authority)
    old = office.grant(place.home, place.subject(), "anna")
    change(place)

    error = await failing(stage().run(executor.execute, call(grant=old)))

    assert "isolate_host is to be asked again: policy or people have changed since it was approved" == error.message
    assert ("outdated", "no", False) == told(error)
    assert place.rules.version() == error.details[0]["governance"]
    assert [] == service.calls
    await stage().run(executor.execute, call(grant=office.grant(place.home, place.subject(), "anna")))
    assert ["isolate_host"] == service.tools_called()


async def test_an_approver_who_was_revoked_since_is_asked_about_again_and_no_failure(
    place: Place, servers: ToolServers
) -> None:
    authority = Authority(tools(), place.people, lineage, policy=place.policy, governance=place.rules)
    old = office.grant(place.home, place.subject(), "anna")
    keys.remove(place.home, "anna")

    error = await failing(stage().run(ActionExecutor(tools(), servers, authority).execute, call(grant=old)))

    assert "outdated" == error.type


async def test_a_mission_cannot_dress_an_old_approval_in_new_rules(place: Place, servers: ToolServers) -> None:
    authority = Authority(tools(), place.people, lineage, policy=place.policy, governance=place.rules)
    old = office.grant(place.home, place.subject(), "anna")
    place.weigh_otherwise()
    for version in (place.rules.version(), ""):
        dressed = old.model_copy(update={"subject": place.subject(governance=version)})
        error = await failing(stage().run(ActionExecutor(tools(), servers, authority).execute, call(grant=dressed)))
        assert ("refused" if version else "outdated") == error.type


async def test_what_was_done_is_undone_whatever_the_rules_are_by_then(place: Place, servers: ToolServers) -> None:
    authority = Authority(tools(), place.people, lineage, policy=place.policy, governance=place.rules)
    old = office.grant(place.home, place.subject(), "anna")
    place.weigh_otherwise()

    await stage().run(ActionExecutor(tools(), servers, authority).execute, undo(grant=old))
