"""Signed definitions: whose signature counts, under what, and for how long."""

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from activities import keys
from activities.envelope import seal
from activities.people import Directory
from activities.policy import Policy
from activities.receipt import PAYLOAD_TYPE
from activities.signature import keep, sign, signers, why_plan_unsigned, why_unsigned
from contracts.plan import Plan
from contracts.policy import Question
from contracts.signed import POLICIES, SIGNED_TYPE, content
from contracts.workspace import PeopleFile
from language.freeze import freeze
from language.loader import load_mission
from language.policies import read_policies
from language.signatures import read_signatures
from language.workspace import load_workspace
from tests.policies import HOUSE

MISSIONS = Path(__file__).parents[2] / "missions"
WORKSPACE = load_workspace(MISSIONS)
PLANS = {
    file.parent.name: freeze(load_mission(file, WORKSPACE), WORKSPACE)
    for file in sorted(MISSIONS.glob("*/mission.yaml"))
}
PLAN = PLANS["incident_triage"]
WHAT = f"mission incident_triage {PLAN.definition.version}"
LEADS = ("lead",)


@pytest.fixture
def people(home: Path) -> PeopleFile:
    return keys.registered(home)


def signed(home: Path, *names: str, plan: Plan = PLAN) -> Plan:
    return plan.model_copy(update={"signatures": tuple(sign(home, name, WHAT, content(plan)) for name in names)})


def test_what_is_signed_is_the_same_after_its_way_through_a_history() -> None:
    """And for each mission another."""
    there = [content(plan) for plan in PLANS.values()]
    assert there == [content(Plan.model_validate_json(plan.model_dump_json())) for plan in PLANS.values()]
    assert len(PLANS) == len(set(there))


def test_where_it_was_frozen_and_who_there_is_changes_nothing() -> None:
    elsewhere = {"digest": "x", "notify": True, "people": {"zoe": ("lead",)}, "signatures": ({"a": 1},)}
    assert content(PLAN) == content(PLAN.model_copy(update=elsewhere))


@pytest.mark.parametrize("name", ["definition", "agents", "tools", "pins", "escalation", "operators", "missions"])
def test_whatever_decides_what_is_done_changes_it(name: str) -> None:
    definition = PLAN.definition
    changed: dict[str, Any] = {
        "definition": definition.model_copy(update={"steps": definition.steps[:-1]}),
        "agents": dict(list(PLAN.agents.items())[1:]),
        "tools": {one: tool.model_copy(update={"autonomy": "allowed"}) for one, tool in PLAN.tools.items()},
        "pins": {**PLAN.pins, "isolate_host": "sha256:0"},
        "escalation": PLAN.escalation.model_copy(update={"role": "soc_analyst"}),
        "operators": ("soc_analyst",),
        "missions": {"another": PLANS["create_prd"]},
    }
    assert content(PLAN) != content(PLAN.model_copy(update={name: changed[name]}))


def test_a_kind_of_step_is_part_of_what_is_signed() -> None:
    """Two steps that say the same in all their other words are not the same."""
    step = PLAN.definition.steps[0]
    twin = type("Twin", (type(step),), {})(**step.model_dump(by_alias=True))
    first, second = (PLAN.definition.model_copy(update={"steps": (one,)}) for one in (step, twin))
    assert content(PLAN.model_copy(update={"definition": first})) != content(
        PLAN.model_copy(update={"definition": second})
    )


def test_it_has_to_be_signed_by_somebody_who_holds_the_role(home: Path, people: PeopleFile) -> None:
    assert "" == why_plan_unsigned((), PLAN, people)
    assert f"{WHAT} has to be signed by lead: nobody has signed it" == why_plan_unsigned(LEADS, PLAN, people)
    assert "" == why_plan_unsigned(LEADS, signed(home, "anna", "bert"), people)
    assert "" == why_plan_unsigned(("carl",), signed(home, "carl"), people)
    by_anna = why_plan_unsigned(LEADS, signed(home, "anna"), people)
    assert f"{WHAT} is signed by anna, and has to be by lead" == by_anna


def test_what_was_changed_since_is_not_signed(home: Path, people: PeopleFile) -> None:
    known = signed(home, "bert")
    for changed in (
        known.model_copy(update={"operators": ("carl",)}),
        known.model_copy(update={"definition": known.definition.model_copy(update={"version": "9"})}),
    ):
        assert "something else, or by nobody" in why_plan_unsigned(LEADS, changed, people)


def test_who_was_taken_out_signs_no_more(home: Path, people: PeopleFile) -> None:
    """Nor does one whose key was replaced, nor who lost the role since."""
    known, bert = signed(home, "bert"), people.people["bert"]
    for now in ({}, {"bert": bert.model_copy(update={"keys": people.people["anna"].keys})}):
        others = {name: one for name, one in people.people.items() if name != "bert"}
        assert why_plan_unsigned(("lead", "secops"), known, people.model_copy(update={"people": {**others, **now}}))
    demoted = {**people.people, "bert": bert.model_copy(update={"roles": ("secops",)})}
    assert why_plan_unsigned(LEADS, known, people.model_copy(update={"people": demoted}))


def test_forged_signatures_are_nobodys(home: Path, people: PeopleFile) -> None:
    good = signed(home, "bert").signatures[0]
    text = base64.b64decode(good["payload"])
    anna, bert = keys.private(home, "anna"), keys.private(home, "bert")
    named = seal(text, SIGNED_TYPE, anna)
    named["signatures"][0]["keyid"] = good["signatures"][0]["keyid"]
    for forged in (
        seal(text, SIGNED_TYPE, anna),
        named,
        seal(text, PAYLOAD_TYPE, bert),
        {**seal(text, PAYLOAD_TYPE, bert), "payloadType": SIGNED_TYPE},
        seal(text + b" ", SIGNED_TYPE, bert),
        seal(json.dumps({**json.loads(text), "more": 1}).encode(), SIGNED_TYPE, bert),
        {**good, "signatures": []},
        {**good, "signatures": good["signatures"] * 2},
        {**good, "payload": "!"},
        {},
        sign(home, "bert", "mission other 1", content(PLAN)),
        sign(home, "bert", POLICIES, content(PLAN)),
    ):
        assert () == signers([forged], WHAT, content(PLAN), people)
    assert ("bert",) == signers([good], WHAT, content(PLAN), people)


def test_a_key_of_two_people_speaks_for_neither(home: Path, people: PeopleFile) -> None:
    bert, anna = people.people["bert"], people.people["anna"]
    shared = {**people.people, "anna": anna.model_copy(update={"keys": (*anna.keys, *bert.keys)})}
    assert why_plan_unsigned(LEADS, signed(home, "bert"), people.model_copy(update={"people": shared}))


def test_signatures_are_kept_beside_what_they_are_of(home: Path, people: PeopleFile, tmp_path: Path) -> None:
    first, second, again = (sign(home, name, WHAT, content(PLAN)) for name in ("anna", "bert", "anna"))
    for one in (sign(home, "carl", WHAT, "sha256:old"), first, second, again):
        keep(tmp_path, one, WHAT, content(PLAN), people)
    assert ("bert", "anna") == signers(read_signatures(tmp_path), WHAT, content(PLAN), people)
    assert (second, again) == read_signatures(tmp_path)


def test_policies_that_nobody_signed_deny_everything(home: Path, tmp_path: Path, people: PeopleFile) -> None:
    shutil.copytree(HOUSE, tmp_path, dirs_exist_ok=True)
    policy = Policy(tmp_path, Directory(home / "people.yaml"), {}, {}, LEADS)
    question = Question(verb="steer", who="anna", what="triage", context={"verb": "pause", "step": ""})
    unsigned = "the policies count for nothing: policies has to be signed by lead: nobody has signed it"
    assert unsigned == policy.ask(question).reason

    version = read_policies(tmp_path).version
    keep(tmp_path / "policies", sign(home, "bert", POLICIES, version), POLICIES, version, people)
    assert policy.ask(question).allowed()

    [file] = (tmp_path / "policies").glob("*.cedar")
    file.write_text(file.read_text() + "// a word more")
    assert "signed is something else" in policy.ask(question).reason
    assert "" == why_unsigned((), (), POLICIES, version, people)
