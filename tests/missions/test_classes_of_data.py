"""Which classes of data the shipped missions hold, and which models these may reach: by the shipped policies."""

import pytest
from triage_desk import MISSIONS

from activities.people import Directory
from activities.policy import Policy
from contracts.policy import Question
from language.freeze import freeze
from language.loader import load_mission
from language.questions import questions, starting
from language.workspace import load_workspace

HELD = {
    "architecture_review": ("internal",),
    "create_prd": ("internal",),
    "fleet_patch": ("public",),
    "incident_triage": ("internal",),
    "release_rollout": ("public",),
    "technology_investment": ("internal",),
}
OUTSIDE, OURS = "openai:any", "any"


@pytest.mark.parametrize("name", HELD)
def test_what_a_shipped_mission_holds_may_reach_every_model_and_what_is_more_only_our_own(name: str):
    workspace = load_workspace(MISSIONS)
    policy = Policy(MISSIONS, Directory(MISSIONS / "people.yaml"), workspace.agents, workspace.tools)
    plan = freeze(load_mission(MISSIONS / name / "mission.yaml", workspace), workspace)

    def asked(model: str, **more) -> list[str]:
        thinks = [one for one in questions(plan, lambda *_: (model,)) if one.verb == "think"]
        changed = [one.model_copy(update={"context": {**one.context, **more}}) for one in thinks]
        return [policy.ask(one).outcome for one in changed]

    assert HELD[name] == plan.data()
    assert {"allow"} == {*asked(OUTSIDE), *asked(OURS)}
    assert {"deny"} == set(asked(OUTSIDE, data=[*plan.data(), "confidential"]))
    assert {"allow"} == set(asked(OURS, data=[*plan.data(), "confidential"]))
    start: Question = starting(plan, "noor", signed=True)
    assert (list(plan.data()), "allow") == (start.context["data"], policy.ask(start).outcome)
