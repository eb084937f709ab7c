"""What is wrong with a rehearsal's file: one sentence, with its place, before anything is played."""

from typing import get_args

import pytest
from theatre_folder import REHEARSAL, told

from contracts.record import Status
from language.finding import Finding

FINE = "expect: {verdict: done}\n"
STATUSES = f"not_run, {', '.join(get_args(Status))}"
FITTING = "(answer by its output schema, or let it fail: {fails: CODE})"
LISTED = "(write at least one answer; an answer that is a list is written {answer: […]})"
READ = "is a boolean or null to some readers of YAML and a text to others"
OUT = "leads out of the workspace (name a file of the workspace)"
CASES = {
    "expct: {verdict: done}": [
        "1:1: MISSING_KEY a rehearsal needs the key 'expect' (write 'expect: …')",
        "1:1: UNKNOWN_KEY a rehearsal has no key 'expct' (did you mean 'expect'?)",
    ],
    "expect: {}": ["1:9: BAD_VALUE 'expect' is empty (write at least 'verdict' or 'state')"],
    "expect: {verdict: doen}": ["1:10: UNKNOWN_VERDICT no verdict here is called 'doen' (did you mean 'done'?)"],
    "expect: {state: compleet}": ["1:17: BAD_VALUE 'state' is 'compleet' (did you mean 'completed'?)"],
    "expect: {steps: {wrok: succeeded}}": ["1:10: UNKNOWN_STEP no step here is called 'wrok' (did you mean 'work'?)"],
    "expect: {steps: {work: done}}": [
        f"1:24: BAD_VALUE 'work' is 'done' (write one of: {STATUSES})"
    ],
    "expect: {ran: [isolated]}": ["1:10: UNKNOWN_TOOL no tool here is called 'isolated' (known here: none)"],
    "expect: {risk: {wrok: {score: 1}}}": ["1:10: UNKNOWN_STEP no step here is called 'wrok' (did you mean 'work'?)"],
    "expect: {risk: {work: {score: 101}}}": ["1:31: BAD_VALUE 'score' is 101 (write 0 to 100)"],
    "expect: {risk: {work: {level: high}}}": [
        "1:10: BAD_VALUE no level of risk is called 'high' (known here: none)"
    ],
    f"{FINE}starts: '2026-03-02T10:00:00'": [
        (
            "2:9: BAD_VALUE 'starts' is '2026-03-02T10:00:00' "
            "(write a time with its zone, as in '2026-03-02T10:00:00Z')"
        )
    ],
    "expect: {refused: [leah]}": ["1:10: UNKNOWN_PERSON no person here is called 'leah' (did you mean 'lea'?)"],
    "expect: {usage: {euro: 1}}": [
        "1:18: UNKNOWN_KEY 'usage' has no key 'euro' (keys here: agent_runs, tool_calls, seconds, usd, tokens)"
    ],
    f"{FINE}agents: {{anne: {{k: 1}}}}": [
        "2:16: UNKNOWN_AGENT no step or agent here is called 'anne' (did you mean 'ann'?)"
    ],
    f"{FINE}agents: {{ann: {{m: 1}}}}": [
        f"2:15: BAD_ANSWER the agent 'ann' could never answer this: \"k\" is a required property {FITTING}"
    ],
    f"{FINE}agents: {{work: [{{k: 1}}, {{k: x}}]}}": [
        f"2:25: BAD_ANSWER the agent 'ann' could never answer this: k: \"x\" is not of type \"integer\" {FITTING}"
    ],
    f"{FINE}agents: {{ann: {{fails: refusd}}}}": ["2:23: BAD_VALUE 'fails' is 'refusd' (did you mean 'refused'?)"],
    f"{FINE}agents: {{ann: {{after: 5m}}}}": [
        "2:15: MISSING_KEY it answers or it fails (write one of 'answer' and 'fails')"
    ],
    f"{FINE}agents: {{ann: {{fails: refused, applied: 'no'}}}}": [
        (
            "2:32: UNKNOWN_KEY an answer has no key 'applied' "
            "(keys here: answer, fails, cause, after, usd, tokens, tool_calls)"
        )
    ],
    f"{FINE}agents: {{ann: []}}": [
        f"2:15: BAD_VALUE a list without answers {LISTED}"
    ],
    f"{FINE}agents: {{ann: {{after: -5m, answer: {{k: 1}}}}}}": [
        "2:23: BAD_VALUE 'after' is before it began (write '0s' or more)"
    ],
    f"{FINE}events: [{{event: paid}}]": ["2:10: UNKNOWN_EVENT no event here is called 'paid' (known here: none)"],
    f"{FINE}events: [{{evnt: paid}}]": [
        "2:10: MISSING_KEY an event needs the key 'event' (write 'event: …')",
        "2:11: UNKNOWN_KEY an event has no key 'evnt' (did you mean 'event'?)",
    ],
    f"{FINE}people: [{{at: wrk, by: lea, decide: approve}}]": [
        "2:10: UNKNOWN_STEP no step here is called 'wrk' (did you mean 'work'?)"
    ],
    f"{FINE}people: [{{at: work, by: leia, decide: aprove}}]": [
        "2:39: BAD_VALUE 'decide' is 'aprove' (did you mean 'approve'?)"
    ],
    f"{FINE}people: [{{at: work, by: leia, decide: approve}}]": [
        "2:10: UNKNOWN_PERSON no person here is called 'leia' (did you mean 'lea'?)"
    ],
    f"{FINE}people: [{{at: work, decide: approve}}]": [
        "2:10: MISSING_KEY a decision needs the key 'by' (write 'by: …')"
    ],
    f"{FINE}tools: {{file: {{fails: refused, applied: no}}}}": [
        f"2:41: YAML_AMBIGUOUS 'no' {READ} (write \"no\" for the text, or false)"
    ],
    f"{FINE}like: other.yaml": ["2:7: FILE there is no file 'other.yaml' beside this one"],
    f"{FINE}like: one.yaml": ["2:7: BAD_VALUE 'one.yaml' is itself like another rehearsal (name that other one)"],
}  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_a_mistake_is_one_sentence_with_its_place(theatre, text):
    found = theatre.findings(text + "\ndescription: d\ninputs: {}\nrequested_by: rita\n", head="")

    assert [f"one.yaml:{expected}" for expected in CASES[text]] == found


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("inputs_from: /etc/hostname", f"3:14: FILE '/etc/hostname' {OUT}"),
        ("inputs_from: ../../../x.json", f"3:14: FILE '../../../x.json' {OUT}"),
        ("inputs_from: none.json", "3:14: FILE there is no file 'none.json' beside this one"),
        ("inputs_from: ../mission.yaml", "3:14: FILE '../mission.yaml' cannot be read as JSON: "),
        ("inputs: {k: many}", '3:1: BAD_VALUE the inputs do not fit the mission: k: "many" is not of type "integer"'),
        ("inputs: {}\ninputs_from: x.json", "4:1: BAD_VALUE 'inputs' and 'inputs_from' both stand here"),
        ("", "1:1: MISSING_KEY a rehearsal needs the key 'inputs' (write 'inputs: …', or 'inputs_from: ../file.json')"),
    ],
)  # fmt: skip
def test_inputs_come_from_the_workspace_and_fit_the_mission(theatre, head, expected):
    found = theatre.findings(f"description: d\nrequested_by: rita\n{head}\n{FINE}", head="")

    assert found[0].startswith(f"one.yaml:{expected}")


def test_a_symbolic_link_leads_nowhere_else_either(theatre, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "x.json"
    outside.write_text("{}")
    theatre.mission("  - {step: work, agent: ann, task: work}\n")
    (theatre.root / "trial" / "x.json").symlink_to(outside)

    found = theatre.findings(f"description: d\nrequested_by: rita\ninputs_from: ../x.json\n{FINE}", head="")

    assert [f"one.yaml:3:14: FILE '../x.json' {OUT}"] == found


def test_what_is_like_another_takes_over_inputs_requester_and_answers_but_neither_people_nor_expectations(theatre):
    theatre.script(
        "agents: {ann: {k: 1}}\npeople: [{at: work, by: lea, decide: approve}]\nexpect: {verdict: other}\n",
        "base",
        REHEARSAL.replace("inputs: {}", "inputs: {k: 5}"),
    )

    result = theatre.rehearse(f"description: d\nlike: base.yaml\n{FINE}", head="")

    assert [] == told(result)
    assert ({"k": 5}, "rita", ()) == (result.script.inputs, result.script.requested_by, result.script.people)


def test_an_own_answer_comes_before_one_that_was_taken_over(theatre):
    theatre.script(f"agents: {{ann: {{k: 1}}}}\n{FINE}", "base")

    result = theatre.rehearse(f"description: d\nlike: base.yaml\nagents: {{ann: {{k: 2}}}}\n{FINE}", head="")

    assert [{"k": 2}] == [record.output for record in result.came.view.records]


def test_a_mission_that_is_refused_cannot_be_rehearsed(theatre):
    theatre.mission("  - {step: work, agent: anne, task: work}\n")

    findings = theatre.rehearse(FINE).findings

    assert all(isinstance(finding, Finding) for finding in findings)
    assert ["UNKNOWN_AGENT"] == [finding.code for finding in findings]
