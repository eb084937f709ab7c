"""How risky an action is: `risk.yaml` is read as strictly as the files beside it, and an error is the highest risk."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from desk import HEAD, written
from test_workspace import folder

from contracts.decision import Action
from contracts.risk import Facts, Reading, RiskFile
from contracts.workspace import Tool
from language.finding import Rejected
from language.freeze import freeze
from language.lint import lint
from language.loader import load_mission
from language.weigh import weigh
from language.workspace import load_workspace

SATURDAY_NIGHT = datetime(2026, 11, 21, 23, tzinfo=UTC)
TOOLS = {
    "wipe": Tool(server="s", effect="irreversible"),
    "isolate": Tool(server="s", effect="write", resource="host"),
}
FILE = RiskFile.model_validate(
    {
        "factors": {
            "effect": {"weight": 3, "value": "stake == 'irreversible' ? 1.0 : stake == 'lasting' ? 0.5 : 0.0"},
            "size": {"weight": 1, "value": "size(arguments.hosts) > 9 ? 1 : 0"},
        },
        "levels": {"low": {"at": 0}, "high": {"at": 40, "people": 1}, "grave": {"at": 75, "people": 2}},
    }
)


def weighed(*acts: Action, file: RiskFile = FILE, facts: Facts | None = None) -> Reading:
    return weigh(file, acts, TOOLS, facts or Facts())


def act(tool: str = "isolate", compensation: str | None = None, **arguments: Any) -> Action:
    return Action(step="a", tool=tool, arguments={"hosts": ["a"], **arguments}, compensation=compensation)


def one(value: str, **facts: Any) -> Reading:
    """Weigh by a single factor."""
    file = RiskFile.model_validate({"factors": {"only": {"weight": 1, "value": value}}, "levels": {"any": {"at": 0}}})
    return weigh(file, [act(host="web-01")], TOOLS, Facts(**facts))


def test_factors_add_up_by_their_weight_and_the_score_chooses_the_level() -> None:
    undone, lasting, wiped = (
        weighed(act(compensation="release")),
        weighed(act()),
        weighed(act("wipe", hosts=["a"] * 10)),
    )

    assert (0, "low", 0) == (undone.score, undone.level, undone.people)
    assert (38, "low", {"effect": 38, "size": 0}) == (lasting.score, lasting.level, lasting.points)
    assert (100, "grave", 2) == (wiped.score, wiped.level, wiped.people)
    assert "high" == weighed(act(hosts=["a"] * 10)).level


def test_of_several_actions_the_riskiest_counts() -> None:
    assert weighed(act("wipe")).score == weighed(act(compensation="release"), act("wipe")).score == 75


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("arguments.missing", "only: there is no field 'missing'"),
        ("'very'", "only: answers very, where a number from 0.0 to 1.0 is wanted"),
        ("-0.1", "only: answers -0.1, where a number from 0.0 to 1.0 is wanted"),
        ("1.5", "only: answers 1.5, where a number from 0.0 to 1.0 is wanted"),
        ("true", "only: answers True, where a number from 0.0 to 1.0 is wanted"),
        ("hour > 20 ? 1.0 : 0.0", "only: variable 'hour' has no value"),
        ("1.0 - confidence", "only: these do not go together: _-_(double, null_type)"),
    ],
)
def test_what_cannot_be_weighed_is_of_the_highest_risk(value: str, error: str) -> None:
    assert (100, (error,)) == ((reading := one(value)).score, reading.errors)


def test_a_tool_that_nobody_knows_is_of_the_highest_risk() -> None:
    assert (100, "grave", ("nobody is no tool here",)) == (
        (reading := weighed(act("nobody"))).score,
        reading.level,
        reading.errors,
    )


@pytest.mark.parametrize(
    ("value", "facts"),
    [
        ("before == 2 ? 1.0 : 0.0", {"before": {"isolate": 2, "wipe": 7}}),
        ("confidence == null ? 1.0 : 0.0", {}),
        ("1.0 - confidence", {"confidence": 0.0}),
        ("hour == 23 && weekday == 6 ? 1.0 : 0.0", {"at": SATURDAY_NIGHT}),
        ("mission.name == 'm' && mission.team == 't' ? 1.0 : 0.0", {"mission": "m", "team": "t"}),
        ("tool == 'isolate' && effect == 'write' && stake == 'lasting' && actions == 1 ? 1.0 : 0.0", {}),
        ("resource == 'web-01' ? 1.0 : 0.0", {}),
    ],
)
def test_an_expression_reads_the_action_its_contract_and_the_missions_facts(value: str, facts: dict[str, Any]) -> None:
    reading = one(value, **facts)

    assert (100, ()) == (reading.score, reading.errors)
    assert Facts(**facts) == reading.facts


GOOD = """
factors:
  effect: {weight: 1, value: "effect == 'irreversible' ? 1.0 : 0.0"}
levels:
  low: {at: 0}
  high: {at: 50, people: 1, approvers: [tech_lead], timeout: 1h}
"""


def test_a_workspace_weighs_nothing_without_the_file_and_a_plan_is_frozen_with_it(tmp_path: Path) -> None:
    assert load_workspace(folder(tmp_path)).risk is None

    written(tmp_path, "risk.yaml", GOOD)
    risk = load_workspace(tmp_path).risk

    assert risk is not None
    assert (1, ("tech_lead",)) == ((high := risk.levels["high"]).people, high.approvers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("levels: {low: {at: 0}}", ["1:1: MISSING_KEY no 'factors': nothing could be weighed (write 'factors: …')"]),
        (
            "factors: {f: {weight: 1, value: 'sise(arguments)'}}\nlevels: {low: {at: 0}}",
            ["1:38: EXPRESSION there is no function 'sise' (did you mean 'size'?)"],
        ),
        (
            "factors: {f: {weight: 0, value: 'argument.x'}}\nlevels: {low: {at: 0}}",
            ["1:23: BAD_VALUE 'weight': input should be greater than 0"],
        ),
        (
            "factors: {f: {weight: 1, value: 'argument.x'}}\nlevels: {low: {at: 5}, same: {at: 5}}",
            [
                "1:34: UNKNOWN_VARIABLE unknown variable 'argument' (did you mean 'arguments'?)",
                "2:9: MISSING_KEY no level for a score below 5 (write one with 'at: 0')",
                "2:35: BAD_VALUE 'low' and 'same' are of the same score (write 0 to 100, each once)",
            ],
        ),
        (
            "factors: {f: {weight: 1, value: '1.0'}}\nlevels: {a: {at: 0, people: 1, approvers: [leed]}, b: {at: 9}}",
            [
                "2:29: GATE_UNSATISFIABLE 1 must approve, and 0 can: nobody (lower it or name more 'approvers')",
                "2:44: UNKNOWN_PERSON unknown role or person 'leed' (known here: ada, cy, director, tech_lead)",
                "2:55: BAD_VALUE 'b' is riskier than 'a', and asks for fewer people (write 1 or more)",
            ],
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, expected: list[str]) -> None:
    written(folder(tmp_path), "risk.yaml", text + "\n")

    with pytest.raises(Rejected) as rejected:
        load_workspace(tmp_path)

    assert [f"{tmp_path}/risk.yaml:{one}" for one in expected] == [str(one) for one in rejected.value.findings]


ACT = (
    HEAD
    + """
steps:
  - step: write
    action: write_file
    with: {}
    approval: {approvers: [tech_lead], timeout: 1h}
"""
)


def test_a_gate_whose_risk_may_ask_for_more_people_than_there_are_is_found_when_the_mission_is_read(
    tmp_path: Path,
) -> None:
    path = written(folder(tmp_path), "m/mission.yaml", ACT)
    levels = "levels: {low: {at: 0}, high: {at: 50, people: 2, approvers: [%s]}}"
    factors = "factors: {f: {weight: 1, value: '1.0'}}\n"

    written(tmp_path, "risk.yaml", factors + levels % "tech_lead, director")
    assert [] == lint([path], tmp_path)

    written(tmp_path, "risk.yaml", factors + "levels: {low: {at: 0}, high: {at: 50, people: 1}}")
    assert [] == lint([path], tmp_path)

    more = ", ".join(f"{name}: {{roles: [director]}}" for name in ("cy", "di"))
    people = f"escalation: {{role: director}}\npeople: {{ada: {{roles: [tech_lead]}}, {more}}}"
    written(folder(tmp_path, people=people), "risk.yaml", factors + "levels: {low: {at: 0}, high: {at: 50, people: 2}}")
    [found] = lint([path], tmp_path)
    assert "GATE_UNSATISFIABLE at the risk 'high' 2 must approve, and 1 can: ada" in str(found)


def test_a_plan_is_frozen_with_what_its_workspace_weighs_by(tmp_path: Path) -> None:
    written(folder(tmp_path), "risk.yaml", GOOD)
    workspace = load_workspace(tmp_path)

    plan = freeze(load_mission(written(tmp_path, "m/mission.yaml", ACT), workspace), workspace)

    assert workspace.risk == plan.risk is not None
