"""Every shipped mission is whole: it freezes, samples fit it, its page names them, rehearsals notice changes."""

import json
import shutil
from pathlib import Path

import pytest
from triage_desk import MISSIONS, WORKSPACE

from language import schema
from language.freeze import freeze
from language.loader import load_mission
from language.workspace import load_workspace
from rehearsal.rehearse import Rehearser, find

SHIPPED = sorted(file.parent.name for file in MISSIONS.glob("*/mission.yaml"))
SAMPLES = sorted(MISSIONS.glob("*/*/*.json"))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_mission_freezes_with_all_that_it_names(name: str):
    plan = freeze(load_mission(MISSIONS / name / "mission.yaml", WORKSPACE), WORKSPACE)

    assert (name, plan.sealed().digest) == (plan.definition.mission, plan.digest)
    used = {*plan.tools, *(tool for agent in plan.agents.values() for tool in agent.hands())}
    assert used == plan.pins.keys()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_mission_has_samples(name: str):
    assert name in {sample.parent.parent.name for sample in SAMPLES}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_sample_fits_its_mission_and_its_page_names_it(sample: Path):
    mission = sample.parent.parent
    definition = load_mission(mission / "mission.yaml", WORKSPACE)

    assert [] == list(schema.errors(definition.inputs, json.loads(sample.read_text())))
    assert sample.stem in (mission / "README.md").read_text()


MISTAKES = {
    "incident_triage: nobody stands in for the retriever": (
        "any: {agent: inventory_clerk, else: escalate}",
        "any: escalate",
        {"sources_down", "nothing_known"},
    ),
    "incident_triage: what nobody weighed goes on by itself": (
        "timeout: escalate, output_invalid",
        "timeout: continue, output_invalid",
        {"unweighed", "commander_silent"},
    ),
    "incident_triage: nobody is asked about a host that stays on the network": (
        "    on_failure: {any: escalate}\n          approval:",
        "    approval:",
        {"isolation_fails"},
    ),
    "incident_triage: a report undoes what was done": (
        "no reason to let a host back on the network.\n    on_failure: {any: continue}\n",
        "no reason\n",
        {"no_report"},
    ),
    "create_prd: a rejection for good is asked for once more": (
        'until: answer.decision != "rejected" || further.decision != "approved"',
        "until: answer.approved",
        {"given_up"},
    ),
    "create_prd: four rounds are enough": (
        "max_iterations: 5",
        "max_iterations: 4",
        {"five_rounds_approved", "five_rounds_rejected", "nobody_settles"},
    ),
    "create_prd: an unsure source is believed": (
        "result.confidence >= 0.7",
        "result.confidence >= 0.3",
        {"market_unknown"},
    ),
    "create_prd: an objection ends it": ("on_object: continue", "on_object: abort", {"objection"}),
    "create_prd: silence is a rejection for good": (
        'settled.decision == "rejected" ?',
        "!settled.approved ?",
        {"nobody_settles", "nobody_answers"},
    ),
    "architecture_review: the CTO is asked whatever the lead says": (
        "        when: lead_word.approved\n",
        "",
        {"lead_refuses"},
    ),
    "architecture_review: nothing is complex": (
        "complexity > 6",
        "complexity > 9",
        {"complex", "lead_refuses", "cto_refuses"},
    ),
    "architecture_review: an exception is nobody's to refuse": (
        '(exception.decision == "not_asked" || exception.approved)\n      && (lead',
        "(true)\n      && (lead",
        {"exception_refused"},
    ),
    "architecture_review: the CTO's word counts for nothing": (
        "(lead_word.approved && cto_word.approved))",
        "lead_word.approved)",
        {"cto_refuses", "cto_is_silent"},
    ),
    "architecture_review: what people do not let out is withheld, even if they rejected it": (
        'lead_word.decision != "not_asked" && !cto_word.approved ?',
        'lead_word.decision == "rejected" ?',
        {"cto_refuses", "cto_is_silent"},
    ),
    "technology_investment: only one voice counts": (
        "consensus: majority",
        "consensus: unanimous",
        {"dissent", "deferred"},
    ),
    "technology_investment: the first agreement ends it": (
        "least_rounds: 2",
        "least_rounds: 1",
        {"dissent", "rejected"},
    ),
    "technology_investment: they talk on where nobody moves": ("      stall: 2\n", "      stall: 4\n", {"divided"}),
    "technology_investment: the board facilitates": (
        "facilitator: [strategy_lead]",
        "facilitator: [investment_board]",
        {"facilitated", "ended", "agreed"},
    ),
    "technology_investment: the divided ask nobody": ("!advice.reached || ", "", {"divided", "ended"}),
    "technology_investment: one of the board is enough": ("required: 2", "required: 1", {"nobody_answers"}),
    "technology_investment: silence rejects": ('"timed_out" ? "defer"', '"timed_out" ? "reject"', {"nobody_answers"}),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_mission_is_noticed_by_its_rehearsals(tmp_path: Path, name: str):
    before, after, noticed = MISTAKES[name]
    root = tmp_path / "missions"
    shutil.copytree(MISSIONS, root, ignore=shutil.ignore_patterns("__pycache__"))
    mission = root / name.partition(":")[0]
    text = (mission / "mission.yaml").read_text()
    assert before in text
    (mission / "mission.yaml").write_text(text.replace(before, after))
    rehearser = Rehearser(load_workspace(root))
    failed = {file.stem for file in find(mission) if not rehearser.rehearse(file).passed}

    assert noticed <= failed
    assert failed < {file.stem for file in find(mission)}
