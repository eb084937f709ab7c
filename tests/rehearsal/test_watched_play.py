"""A watched step, rehearsed: nothing is live, and the watcher answers for the finished answer."""

import pytest
from theatre_folder import told

STEPS = """
  - {step: draft, agent: ann, task: Draft it, watch: eye}
  - {step: after, agent: ann, task: Say so}
"""
EYE = "  eye: {callable: 'a:e', output: {type: object, properties: {objection: {type: string}}}}\n"


@pytest.mark.parametrize("watcher", ["eye", "draft/watch"])
@pytest.mark.parametrize(
    ("objection", "expected"),
    [
        ("", "verdict: done\n  steps: {draft: succeeded, draft/watch: succeeded, after: succeeded}"),
        (
            "it made that up",
            (
                "verdict: done\n  steps: {draft: recovered, after: succeeded}\n"
                "  waits: [{at: draft/on_failure/escalate, asked: chief}]"
            ),
        ),
    ],
)
def test_a_watcher_answers_by_its_name_or_its_step_s(theatre, watcher, objection, expected):
    known = theatre.root / "agents.yaml"
    known.write_text(known.read_text() + EYE)
    theatre.mission(STEPS)
    people = "people: [{at: draft/on_failure/escalate, by: cho, decide: approve, after: 10m}]" if objection else ""
    answers = f"agents: {{ann: {{k: 1}}, {watcher}: {{objection: '{objection}'}}}}"

    assert [] == told(theatre.rehearse(f"{answers}\n{people}\nexpect:\n  {expected}\n"))
