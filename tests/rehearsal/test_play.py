"""What happens in a rehearsal is what would happen: in order, in time, and undone where it must be."""

import pytest
from theatre_folder import ends, told

ASKED = """
  - step: isolate
    action: isolate
    with: {host: web-01}
    compensate: release
    approval: {approvers: [lead], required: 1, timeout: 30m, on_timeout: refuse, on_reject: continue}
"""
DONE = "tools: {isolate: {done: true}}\n"


def opened(result):
    return [one.subject.step for one in result.came.asked]


def test_branches_with_other_delays_go_on_side_by_side(theatre):
    theatre.mission("""
  - step: both
    parallel:
      - {step: left, steps: [{step: l1, agent: ann, task: a}, {step: l2, agent: ann, task: a}]}
      - {step: right, steps: [{step: r1, agent: ben, task: b}, {step: r2, agent: ben, task: b}]}
""")
    lines = []
    script = """
agents:
  ann: {after: 3s, answer: {k: 1}}
  ben: {after: 2s, answer: x}
expect: {verdict: done}
"""

    result = theatre.rehearse(script, lambda view, now: lines.append((now, [r.path for r in view.records])))
    again = theatre.rehearse(script)

    assert [] == told(result)
    assert {
        "both/left/l1": (3, "succeeded"), "both/left/l2": (6, "succeeded"), "both/left": (6, "succeeded"),
        "both/right/r1": (2, "succeeded"), "both/right/r2": (4, "succeeded"), "both/right": (4, "succeeded"),
        "both": (6, "succeeded"),
    } == ends(result)  # fmt: skip
    assert result.came == again.came


def test_the_first_failure_cancels_its_siblings_at_that_moment(theatre):
    theatre.mission("  - {step: both, parallel: [{agent: ann, task: a}, {agent: ben, task: b}]}\n")

    result = theatre.rehearse("""
agents:
  ann: {after: 5s, fails: refused}
  ben: {after: 50s, answer: x}
expect: {state: failed, reason: refused, steps: {both/ann: failed, both/ben: cancelled}}
""")

    assert [] == told(result)
    assert (5, "cancelled") == ends(result)["both/ben"]


def test_a_gate_beside_a_failure_is_closed_and_never_a_dead_letter(theatre):
    theatre.mission("""
  - step: both
    parallel: [{step: ask, gate: {approvers: lead, timeout: 1h}}, {agent: ann, task: a}]
  - {step: never, agent: ben, task: b}
""")
    states = []

    result = theatre.rehearse(
        "agents: {ann: {after: 1m, fails: refused}}\nexpect: {state: failed}",
        lambda view, now: states.append(str(view.state)),
    )

    assert ([], ()) == (told(result), result.came.view.waiting)
    assert "dead_letter" not in states


def test_a_tool_that_has_begun_reports_even_where_its_branch_is_cancelled(theatre):
    theatre.mission("  - {step: both, parallel: [{agent: ann, task: a}, {action: file, compensate: unfile}]}\n")

    result = theatre.rehearse("""
agents: {ann: {after: 5s, fails: refused}}
tools: {file: {after: 20s, answer: filed}, unfile: undone}
expect: {state: failed, ran: [file], compensations: [unfile]}
""")

    assert [] == told(result)
    assert 20 == (result.came.acts[0].at - result.came.view.started_at).total_seconds()


def test_a_failure_is_tried_again_after_the_backoff_and_then_counts_no_more(theatre):
    theatre.mission("  - {step: work, agent: ann, task: a, retry: {attempts: 3, first: 10s, factor: 3, most: 1m}}\n")

    result = theatre.rehearse(
        "agents: {ann: [{fails: unavailable}, {fails: tool_failed}, {k: 1}]}\nexpect: {verdict: done}"
    )

    assert ([], (40, "succeeded")) == (told(result), ends(result)["work"])


@pytest.mark.parametrize("code", ["bad_input", "refused", "not_found", "over_budget"])
def test_what_cannot_be_mended_is_not_tried_again(theatre, code):
    result = theatre.rehearse(f"agents: {{ann: [{{fails: {code}, cause: so it is}}]}}\nexpect: {{state: failed}}")

    assert [] == told(result)
    assert f"{code}: step work (ann), run the agent: so it is; attempt 1 of 3" in result.came.view.reason


def test_what_takes_longer_than_its_timeout_fails(theatre):
    result = theatre.rehearse("agents: {ann: {after: 61s, answer: {k: 1}}}\nexpect: {state: failed, reason: timed_out}")

    assert [] == told(result)
    assert (183, "failed") == ends(result)["work"]


def test_a_tool_that_cannot_be_repeated_gets_one_attempt(theatre):
    theatre.mission("  - {step: act, action: once}\n")

    result = theatre.rehearse("tools: {once: [{fails: unavailable}]}\nexpect: {state: failed, ran: [once]}")

    assert [] == told(result)


@pytest.mark.parametrize(
    ("attempts", "compensations", "applied"),
    [
        ("[{fails: unavailable, applied: 'no'}, {fails: refused, applied: 'no'}]", "[]", []),
        ("[{fails: unavailable, applied: unknown}, {fails: refused, applied: 'no'}]", "[unfile]", ["unknown"]),
        ("[{fails: unavailable, applied: 'yes'}, {fails: refused, applied: 'no'}]", "[unfile]", ["yes"]),
        ("[{fails: refused}]", "[unfile]", ["unknown"]),
    ],
)
def test_only_what_surely_did_not_happen_is_not_undone(theatre, attempts, compensations, applied):
    theatre.mission("  - {step: act, action: file, compensate: unfile}\n")

    result = theatre.rehearse(f"tools: {{file: {attempts}, unfile: x}}\nexpect: {{compensations: {compensations}}}")

    assert [] == told(result)
    assert applied == [act.applied for act in result.came.acts if not act.undoes]


def test_arguments_that_do_not_fit_the_contract_are_refused_before_anything_is_done(theatre):
    theatre.mission("""
  - {step: guess, agent: ben, task: a, output: guess}
  - {step: isolate, action: isolate, with: {host: '${{ guess }}'}, approval: {approvers: lead, timeout: 1h}}
""")

    result = theatre.rehearse("""
agents: {ben: 7}
people: [{at: isolate, by: lea, decide: approve}]
expect: {state: failed, reason: the arguments do not fit its contract, ran: []}
""")

    assert [] == told(result)


def test_an_answer_to_a_path_comes_before_the_general_one(theatre):
    theatre.mission("  - {step: one, agent: ben, task: a}\n  - {step: two, agent: ben, task: b}\n")

    result = theatre.rehearse("agents: {ben: general, two: [special]}\nexpect: {verdict: done}")

    assert ["general", "special"] == [record.output for record in result.came.view.records]


def test_an_answer_to_a_step_deep_inside_is_found_by_its_name_in_each_round(theatre):
    inner = "{parallel: [{step: two, agent: ben, task: b}, {step: three, agent: ben, task: c}]}"
    theatre.mission(f"  - {{step: one, loop: {{do: [{inner}], until: iteration == 2, max_iterations: 2}}}}\n")

    result = theatre.rehearse("agents: {ben: general, two: special}\nexpect: {verdict: done}")
    records = result.came.view.records

    assert ["special", "special"] == [record.output for record in records if record.path.endswith("/two")]
    assert ["general", "general"] == [record.output for record in records if record.path.endswith("/three")]


def test_a_step_that_is_named_as_another_agent_is_not_given_that_ones_answer(theatre):
    inner = "  - {steps: [{step: ann, agent: ben, task: a}], step: outer}\n"
    theatre.mission("  - {step: ben, agent: ann, task: a}\n" + inner)

    result = theatre.rehearse("agents: {ben: of his own, ann: {k: 1}}\nexpect: {verdict: done}")
    outputs = {record.path: record.output for record in result.came.view.records}

    assert ({"k": 1}, "of his own") == (outputs["ben"], outputs["outer/ann"])


def test_a_gate_that_nobody_decides_runs_to_its_deadline(theatre):
    theatre.mission(ASKED)

    result = theatre.rehearse("expect: {verdict: done, ran: [], waits: [{at: isolate, asked: lead}]}")

    assert ([], (1_800, "skipped")) == (told(result), ends(result)["isolate"])


@pytest.mark.parametrize(("after", "ran"), [("29m59s", ["isolate"]), ("30m", [])])
def test_a_decision_counts_before_the_deadline_and_not_at_it(theatre, after, ran):
    theatre.mission(ASKED)

    result = theatre.rehearse(
        f"{DONE}people: [{{at: isolate, by: lea, decide: approve, after: {after}}}]\nexpect: {{verdict: done}}"
    )

    assert ran == [act.tool for act in result.came.acts]
    assert bool(told(result)) == (not ran)


def test_what_falls_on_the_last_deadline_is_late_although_it_was_planned_before(theatre):
    theatre.mission(
        ASKED.replace("on_timeout: refuse", "on_timeout: escalate, escalation: [{approvers: chief, timeout: 30m}]")
    )

    result = theatre.rehearse(
        "people: [{at: isolate, by: cho, decide: approve, after: 60m}]\nexpect: {verdict: done, ran: []}"
    )

    assert ["no gate that waited for it"] == [difference.came for difference in result.differences]


def test_a_quorum_needs_different_people_and_each_is_asked_once(theatre):
    theatre.mission(ASKED.replace("required: 1", "required: 2"))

    result = theatre.rehearse(f"""
{DONE}people:
  - {{at: isolate, by: lea, decide: approve, after: 1m}}
  - {{at: isolate, by: lea, decide: approve, after: 1m}}
  - {{at: isolate, by: leo, decide: approve, after: 1m}}
expect: {{verdict: done, ran: [isolate], refused: [lea], waits: [{{at: isolate}}]}}
""")

    assert [] == told(result)
    assert "lea has already decided in this opening of the gate" == result.came.view.refusals[0].reason
    assert (180, "succeeded") == ends(result)["isolate"]


def test_who_asked_and_who_holds_no_role_is_refused(theatre):
    theatre.mission(ASKED)

    result = theatre.rehearse("""
people:
  - {at: isolate, by: rita, decide: approve}
  - {at: isolate, by: cho, decide: approve}
expect: {ran: []}
""")

    assert ["refused: expected nothing, came rita, cho"] == told(result)
    assert [
        "rita requested this mission and may not decide in it",
        "cho is none of the approvers: lead",
    ] == [ruling.reason for ruling in result.came.view.refusals]


def test_changes_that_do_not_fit_the_tool_are_refused_and_others_open_the_gate_again(theatre):
    theatre.mission(ASKED)

    result = theatre.rehearse(f"""
{DONE}people:
  - {{at: isolate, by: lea, decide: modify, changes: {{host: 7}}}}
  - {{at: isolate, by: lea, decide: modify, changes: {{host: web-02}}}}
  - {{at: isolate, by: leo, decide: approve}}
expect: {{ran: [isolate], refused: [lea], waits: [{{at: isolate}}, {{at: isolate}}]}}
""")

    assert [] == told(result)
    assert {"host": "web-02"} == result.came.acts[0].arguments


def test_rounds_of_a_loop_take_decisions_by_name_in_turn(theatre):
    theatre.mission("""
  - step: rounds
    loop:
      do: [{step: ask, gate: {approvers: lead, timeout: 1h, on_reject: continue}, output: said}]
      until: said.approved
      max_iterations: 3
""")

    result = theatre.rehearse("""
people:
  - {at: ask, by: lea, decide: reject, after: 5m}
  - {at: ask, by: leo, decide: approve, after: 5m}
expect: {verdict: done, waits: [{at: 'rounds[1]/ask'}, {at: 'rounds[2]/ask'}]}
""")

    assert ([], (600, "succeeded")) == (told(result), ends(result)["rounds"])


def test_a_decision_that_one_round_did_not_hear_is_left_for_the_next(theatre):
    theatre.mission("""
  - step: rounds
    loop:
      do: [{step: ask, gate: {approvers: lead, timeout: 10m, on_reject: continue}, output: said}]
      until: said.approved
      max_iterations: 3
""")

    result = theatre.rehearse(
        "people: [{at: ask, by: lea, decide: approve, after: 10m}, {at: 'rounds[2]/ask', by: leo, decide: approve}]\n"
        "expect: {state: waiting}"
    )

    assert ["rounds[1]/ask", "rounds[2]/ask", "rounds[3]/ask", "rounds/on_max/escalate"] == opened(result)
    assert ["lea", "leo"] == [decision.by for decision in result.came.unspoken]


def test_a_decision_that_no_gate_waited_for_is_a_difference(theatre):
    result = theatre.rehearse(
        "agents: {ann: {k: 1}}\npeople: [{at: work, by: lea, decide: approve}]\nexpect: {verdict: done}"
    )

    (difference,) = told(result)
    assert "lea's approve at work: expected to be asked for, came no gate that waited for it" in difference


def test_a_mission_that_waits_for_ever_must_have_been_expected_to(theatre):
    theatre.mission("  - {step: unsure, loop: {do: [{agent: ann, task: a}], until: 'false', max_iterations: 1}}\n")

    surprised = theatre.rehearse("agents: {ann: {k: 1}}\nexpect: {ran: []}")
    expected = theatre.rehearse("agents: {ann: {k: 1}}\nexpect: {state: waiting}")

    assert ["the end: expected to be reached, came it waits for ever at unsure/on_max/escalate (chief)"] == told(
        surprised
    )
    assert [] == told(expected)


def test_a_compensation_that_fails_asks_the_escalation_role(theatre):
    theatre.mission("  - {step: act, action: file, compensate: unfile}\n  - {step: work, agent: ann, task: a}\n")

    result = theatre.rehearse("""
agents: {ann: {fails: refused}}
tools: {file: filed, unfile: [{fails: refused}, done]}
people: [{at: 'act/undo[1]', by: cho, decide: approve, after: 1h}]
expect: {state: failed, compensations: [unfile, unfile], waits: [{at: 'act/undo[1]', asked: chief}]}
""")

    assert [] == told(result)


def test_what_it_cost_is_counted(theatre):
    result = theatre.rehearse("""
agents: {ann: {answer: {k: 1}, after: 5s, usd: 0.25, tool_calls: 2}}
expect: {usage: {agent_runs: 1, tool_calls: 2, seconds: 5, usd: 0.2}}
""")

    assert ["usage usd: expected 0.2, came 0.25"] == told(result)


def test_an_answer_that_is_missing_stops_the_rehearsal_with_its_place(theatre):
    found = theatre.findings("expect: {verdict: done}")

    mend = "(write 'ann: …' under 'agents', or rehearse with --invent)"
    assert [
        f"one.yaml:1:1: NO_ANSWER work calls the agent 'ann', which has no answer in this rehearsal {mend}"
    ] == found


def test_a_list_of_answers_can_be_used_up(theatre):
    theatre.mission("  - {step: one, agent: ann, task: a}\n  - {step: two, agent: ann, task: b}\n")

    (found,) = theatre.findings("agents:\n  ann:\n    - {k: 1}\nexpect: {verdict: done}")

    assert "one.yaml:7:5: NO_ANSWER two calls the agent 'ann', whose 1 answers are used up" in found


def test_what_is_missing_can_be_invented_when_asked(theatre):
    result = theatre.rehearse("expect: {verdict: done}", invents=True)

    assert ([], [{"k": 0}]) == (told(result), [record.output for record in result.came.view.records])


AWAITED = """
  - step: payment
    wait: {event: paid, key: a-1, schema: {type: object, required: [sum], properties: {sum: {type: integer}}}}
    timeout: 2h
    output: payment
"""


def test_a_wait_goes_on_at_its_event_and_refuses_what_does_not_fit(theatre):
    theatre.mission(AWAITED)

    result = theatre.rehearse("""
events:
  - {event: paid, key: a-1, payload: {sum: much}, after: 5m}
  - {event: paid, key: a-1, payload: {sum: 12}, after: 7m}
expect: {verdict: done, refused: [event]}
""")

    assert ([], (420, "succeeded")) == (told(result), ends(result)["payment"])


def test_an_event_that_nobody_waits_for_is_a_difference_and_the_wait_runs_to_its_time(theatre):
    theatre.mission(AWAITED)

    result = theatre.rehearse("""
events: [{event: paid, key: b-2, payload: {sum: 12}, after: 5m}]
expect: {state: failed, reason: timed_out}
""")

    (difference,) = told(result)
    assert difference.endswith("the event paid (b-2): expected to be waited for, came no step that did")
    assert (7_200, "failed") == ends(result)["payment"]


def test_a_span_is_skipped(theatre):
    theatre.mission("  - {step: cool, wait: {for: 30d}}\n")

    result = theatre.rehearse("expect: {verdict: done}")

    assert ([], (30 * 86_400, "succeeded")) == (told(result), ends(result)["cool"])


@pytest.mark.parametrize(
    ("people", "verdict", "state"),
    [("[]", "verdict: done", "completed"), ("[{at: tell, by: lea, decide: reject, after: 9m}]", "ran: []", "refused")],
)
def test_a_review_passes_unless_somebody_objects(theatre, people, verdict, state):
    theatre.mission("  - {step: tell, review: {reviewers: lead, timeout: 10m}}\n")

    result = theatre.rehearse(f"people: {people}\nexpect: {{{verdict}, state: {state}}}")

    assert [] == told(result)


def test_in_a_race_the_first_good_answer_wins_and_the_others_stop_at_that_moment(theatre):
    theatre.mission("""
  - step: race
    race: [{agent: ann, task: a}, {agent: ben, task: b}]
    output: won
""")

    result = theatre.rehearse("""
agents: {ann: {after: 9s, answer: {k: 1}}, ben: {after: 4s, answer: x}}
expect: {verdict: done, steps: {race/ann: cancelled, race/ben: succeeded}}
""")

    assert ([], (4, "cancelled")) == (told(result), ends(result)["race/ann"])


CANARY = """
  - step: roll
    canary:
      stages: [1, 10]
      do: {action: file, with: {percent: '${{ stage }}'}, compensate: unfile}
      last: {approvers: lead, required: 2, timeout: 1h}
      bake: 30d
      probe: {agent: ann, task: 'Look at ${{ stage }}'}
      healthy: result.k < 5
      incident: {action: once, with: {at: '${{ stage }}'}}
    output: rolled
"""


def test_a_canary_bakes_for_a_month_in_no_time_and_its_last_stage_asks_two(theatre):
    theatre.mission(CANARY)

    result = theatre.rehearse("""
agents: {ann: {k: 1}}
tools: {file: {}}
people: [{at: file, by: lea, decide: approve}, {at: 'roll[10]/file', by: leo, decide: approve, after: 5m}]
expect: {verdict: done, ran: [file, file], waits: [{at: 'roll[10]/file', asked: [lead]}], steps: {roll: succeeded}}
""")

    month = 30 * 86_400
    assert ([], (2 * month + 300, "succeeded")) == (told(result), ends(result)["roll"])


def test_a_breach_of_a_canary_is_undone_and_told(theatre):
    theatre.mission(CANARY.replace("last:", "# last:"))

    result = theatre.rehearse("""
agents: {'roll[1]/ann': {k: 1}, ann: {k: 7}}
tools: {file: {}, unfile: {}, once: {id: 4}}
expect:
  state: failed
  reason: 'stage 10 was undone, stage 1 was undone; once answered {"id":4}'
  ran: [file, file, once]
  compensations: [unfile, unfile]
  steps: {'roll[1]': succeeded, 'roll[10]': failed, roll: failed}
""")

    assert [] == told(result)


def test_items_of_a_map_interleave_by_their_delays(theatre):
    theatre.mission("""
  - step: all
    map: {over: '[1, 2, 3]', as: one, do: [{step: look, agent: ann, task: a}], max_concurrency: 2}
""")

    result = theatre.rehearse("""
agents:
  'all[0]/look': {after: 5s, answer: {k: 1}}
  'all[1]/look': {after: 2s, answer: {k: 2}}
  ann: {after: 2s, answer: {k: 3}}
expect: {verdict: done}
""")

    ended = ends(result)
    assert [] == told(result)
    assert [5, 2, 4] == [ended[f"all[{number}]/look"][0] for number in range(3)]


def test_a_step_that_is_tried_again_as_a_whole_stands_for_its_last_attempt(theatre):
    theatre.mission("""
  - step: outer
    steps:
      - {step: twice, retry: {attempts: 2, first: 10s}, steps: [{step: work, agent: ann, task: a}]}
""")

    result = theatre.rehearse("""
agents: {'outer/twice#1/work': {fails: refused}, 'outer/twice#2/work': {k: 1}}
expect: {verdict: done, steps: {twice: succeeded, work: succeeded, 'outer/twice#1': failed}}
""")

    assert ([], (10, "succeeded")) == (told(result), ends(result)["outer"])


def test_another_agent_stands_in_by_an_answer_of_its_own(theatre):
    theatre.mission("  - {step: work, agent: ann, task: a, on_failure: {refused: {agent: ben}}}\n")

    result = theatre.rehearse("""
agents: {work: {fails: refused}, work/on_failure: instead}
expect: {verdict: done, steps: {work: recovered}}
""")

    assert [] == told(result)


def test_reminders_come_in_their_time_and_disturb_nobody(theatre):
    theatre.mission(ASKED.replace("timeout: 30m,", "timeout: 30m, remind: [10m, 20m],"))
    script = DONE + "people:\n  - {at: isolate, by: lea, decide: approve, after: 15m}\nexpect: {ran: [isolate]}\n"
    said = theatre.rehearse(script)
    silent = theatre.rehearse("expect: {state: completed, ran: []}\n")

    [record] = said.came.view.records
    assert [10] == [(note.at - record.started_at).total_seconds() / 60 for note in record.notices]
    assert (15 * 60, "succeeded") == ends(said)["isolate"]
    assert (30 * 60, "skipped") == ends(silent)["isolate"]
    assert [] == told(said) + told(silent)
    assert ["isolate"] == opened(silent)


def test_each_fallback_of_a_ladder_answers_by_its_own_name(theatre):
    theatre.mission("""
  - step: g
    steps:
      - step: work
        agent: ann
        task: a
        output: found
        on_failure: {any: {agent: ben, else: {agent: ann, else: escalate}}}
""")

    result = theatre.rehearse("""
agents: {work: {fails: unavailable}, work/on_failure: {fails: refused}, work/on_failure/on_failure: {k: 3}}
expect: {verdict: done, steps: {work: recovered}, waits: []}
""")

    assert [] == told(result)
