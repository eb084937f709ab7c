"""A mission that starts another, rehearsed: the child is played, asked, undone and expected like what it is."""

import pytest
from theatre_folder import ends, told

CHILD = """
mission: patching
version: '1'
team: tests
inputs: {type: object, required: [host], properties: {host: {type: string}}}
verdict: {one_of: [patched, left], value: 'ask.approved ? "patched" : "left"'}
steps:
  - {step: file, action: file, compensate: unfile}
  - {step: ask, gate: {approvers: lead, timeout: 1h, on_reject: continue}, output: ask}
  - {step: check, agent: ann, task: 'Check ${{ host }}'}
"""
PARENT = """
  - {step: before, action: file, compensate: unfile}
  - step: patch
    mission: patching
    with: {host: web-01}
    accept: patched
    allow: {agents: ann, tools: [file, unfile]}
    on_parent_close: %s
  - {step: after, agent: ben, task: Say so}
"""
ANSWERS = """
agents: {ann: {k: 1}, ben: so}
tools: {file: {}, unfile: {}}
people: [{at: patch/ask, by: lea, decide: approve, after: 10m}]
"""


@pytest.fixture
def both(theatre):
    def made(policy="undo", child=CHILD, parent=PARENT):
        folder = theatre.root / "patching"
        folder.mkdir(exist_ok=True)
        (folder / "mission.yaml").write_text(child)
        theatre.mission(parent % policy if "%s" in parent else parent)
        return theatre

    return made


def test_its_steps_lie_below_the_step_that_starts_it(both):
    result = both().rehearse(f"""{ANSWERS}
expect:
  verdict: done
  ran: [file, file]
  compensations: []
  steps: {{patch/file: succeeded, patch/ask: succeeded, check: succeeded, patch: succeeded, after: succeeded}}
  waits: [{{at: patch/ask, asked: lead}}]
  usage: {{agent_runs: 2, tool_calls: 2}}
""")

    assert [] == told(result)
    assert (600, "succeeded") == ends(result)["patch"]


def test_what_happens_in_it_is_told_as_it_happens(both):
    seen = []
    both().rehearse(f"{ANSWERS}\nexpect: {{verdict: done}}", lambda view, _: seen.extend(r.path for r in view.records))

    assert seen.index("patch/file") < seen.index("patch/ask") < seen.index("after")


@pytest.mark.parametrize(
    ("policy", "undone"), [("undo", "[unfile, unfile]"), ("cancel", "[unfile]"), ("abandon", "[unfile]")]
)
def test_it_is_undone_with_its_parent_where_that_was_said(both, policy, undone):
    answers = ANSWERS.replace("ben: so", "ben: {fails: refused}")

    assert [] == told(
        both(policy).rehearse(f"{answers}\nexpect: {{state: failed, ran: [file, file], compensations: {undone}}}")
    )


def test_a_verdict_that_is_not_accepted_fails_the_step_and_is_undone(both):
    result = both().rehearse(f"""{ANSWERS.replace("approve", "reject")}
expect: {{state: failed, reason: "child_refused", compensations: [unfile, unfile], steps: {{patch: failed}}}}
""")

    assert [] == told(result)


def test_one_that_fails_undoes_itself_and_its_parent_may_go_on(both):
    parent = PARENT.replace("accept: patched", "accept: patched\n    on_failure: {child_failed: continue}") % "undo"
    result = both(parent=parent).rehearse(f"""{ANSWERS.replace("{k: 1}", "{fails: refused}")}
expect: {{verdict: done, compensations: [unfile], steps: {{patch: recovered, check: failed}}}}
""")

    assert [] == told(result)


def test_out_of_time_it_is_stopped_undone_and_its_gate_closed(both):
    parent = (
        PARENT.replace("accept: patched", "accept: patched\n    timeout: 5m\n    on_failure: {timed_out: continue}")
        % "undo"
    )
    quiet = ANSWERS.replace("people: [{at: patch/ask, by: lea, decide: approve, after: 10m}]", "")
    result = both(parent=parent).rehearse(f"""{quiet}
expect: {{verdict: done, compensations: [unfile], steps: {{patch: recovered, ask: cancelled}}}}
""")

    assert [] == told(result)
    assert () == result.came.view.waiting


def test_an_undoing_that_needs_people_asks_at_the_childs_own_gate(both):
    answers = ANSWERS.replace("ben: so", "ben: {fails: refused}")
    answers = answers.replace("unfile: {}", "patch/file/undo: [{fails: refused}, {}], unfile: {}")
    answers = answers.replace("people: [", "people: [{at: 'patch/file/undo[1]', by: cho, decide: approve}, ")

    assert [] == told(both().rehearse(f"{answers}\nexpect: {{state: failed, compensations: [unfile, unfile, unfile]}}"))


def test_a_child_of_a_child_is_played_too(both, theatre):
    folder = theatre.root / "inmost"
    folder.mkdir()
    (folder / "mission.yaml").write_text(CHILD.replace("patching", "inmost"))
    inner = (
        CHILD.split("steps:", maxsplit=1)[0].replace("ask.approved", "true").replace("value: 'true", "value: '1 > 0")
    )
    inner += """steps:
  - step: deeper
    mission: inmost
    with: {host: '${{ host }}'}
    accept: patched
    on_parent_close: undo
    allow: {agents: ann, tools: [file, unfile]}
"""
    answers = ANSWERS.replace("patch/ask", "patch/deeper/ask").replace("ben: so", "ben: {fails: refused}")
    result = both(child=inner).rehearse(f"""{answers}
expect: {{state: failed, compensations: [unfile, unfile], steps: {{patch/deeper/check: succeeded}}}}
""")

    assert [] == told(result)


def test_a_name_that_neither_mission_has_is_a_mistake_of_the_script(both):
    script = (
        "tools: {fil: {}}\npeople: [{at: patch/asc, by: lea, decide: approve}]\nexpect: {steps: {patch/chek: failed}}"
    )

    assert ["UNKNOWN_TOOL", "UNKNOWN_STEP", "UNKNOWN_STEP"] == [
        finding.split(" ")[1] for finding in both().findings(script)
    ]
