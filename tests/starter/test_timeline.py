"""The story of a mission: each thing once, in the order in which it happened."""

from datetime import UTC, datetime, timedelta

from contracts.call import Observation, ToolCall, Usage
from contracts.child import Child
from contracts.decision import Ruling
from contracts.lock import Blocker, LockNote
from contracts.notice import Note
from contracts.record import Effect, Failure, Record
from contracts.rung import Taken
from contracts.view import MissionState, MissionView, Waiting
from starter.timeline import Timeline, brief

ZERO = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds):
    return ZERO + timedelta(seconds=seconds)


def view(*records, **fields):
    known = {"id": "m", "name": "n", "version": "1", "state": MissionState.RUNNING, "started_at": ZERO}
    return MissionView(**known, records=records, **fields)


SEEN = Observation(number=1, at=at(1), text="it beacons", source="siem")
RUNNING = Record(path="look", kind="agent", actor="looker", status="running", started_at=at(0))
DONE = RUNNING.model_copy(
    update={"status": "succeeded", "ended_at": at(2), "observations": (SEEN,), "usage": Usage(tool_calls=2)}
)
ACTED = Record(
    path="isolate",
    kind="action",
    actor="isolate_host",
    status="succeeded",
    started_at=at(2),
    ended_at=at(9),
    effect=Effect(tool="isolate_host"),
)


def told(lines):
    return [(line.sign, line.text) for line in lines]


def test_a_live_observation_and_its_durable_copy_are_told_once():
    timeline = Timeline()

    first = timeline.news(view(RUNNING), [("7", SEEN)])
    then = timeline.news(view(DONE), [("7", SEEN)])

    assert [("start", "looker"), ("finding", "it beacons")] == told(first)
    assert [("done", "looker done")] == told(then)


def test_a_wait_for_a_lock_is_told_with_whom_it_is_for_and_its_end():
    blocker = Blocker(lock="host:web-01", mission="m-2", first_run_id="r", path="patch")
    waits = LockNote(names=("host:web-01",), turn=1, state="waiting", since=at(1), behind=(blocker,))
    holds = waits.model_copy(update={"state": "held", "since": at(5), "behind": ()})
    timeline = Timeline()

    first = timeline.news(view(RUNNING.model_copy(update={"locks": waits})))
    then = timeline.news(view(RUNNING.model_copy(update={"locks": holds})))

    assert ("waiting", "waits: host:web-01 is held by m-2 (patch)") in told(first)
    assert [("agreed", "holds host:web-01")] == told(then)


def test_a_lock_that_was_free_is_not_spoken_of():
    holds = LockNote(names=("k",), turn=1, state="held", since=at(1))

    assert [("start", "looker")] == told(Timeline().news(view(RUNNING.model_copy(update={"locks": holds}))))


def test_nothing_new_tells_nothing():
    timeline = Timeline()
    timeline.news(view(DONE))

    assert [] == timeline.news(view(DONE))


def test_what_ends_a_step_is_told_before_what_begins_the_next_at_the_same_moment():
    lines = Timeline().news(view(ACTED, DONE))

    assert ["look", "look", "look", "isolate", "isolate"] == [line.step for line in lines]


def test_an_approval_is_told_when_it_was_given_and_not_when_the_action_ended():
    ruling = Ruling(accepted=True, person="maya", verb="approve", received_at=at(5))
    answer = {"approved": True, "decision": "approved", "by": ["maya"], "comment": "go"}

    lines = Timeline().news(view(ACTED.model_copy(update={"decisions": (ruling,), "answer": answer})))

    assert ["start", "agreed", "done"] == [line.sign for line in lines]
    assert (at(5), "approved by maya", "go") == (lines[1].at, lines[1].text, lines[1].note)


def test_a_gate_that_opens_again_with_other_arguments_is_told_again():
    gate = Waiting(step="isolate", kind="approval", approvers=("lead",), required=1, opened_at=at(3), digest="one")
    timeline = Timeline()
    timeline.news(view(waiting=(gate,)))

    again = timeline.news(view(waiting=(gate.model_copy(update={"digest": "two", "opened_at": at(4)}),)))

    assert [(at(4), "waits for lead")] == [(line.at, line.text) for line in again]


def test_a_refused_decision_is_told_with_its_reason():
    ruling = Ruling(accepted=False, person="otto", reason="too late", received_at=at(3), step="isolate")

    (line,) = Timeline().news(view(refusals=(ruling,)))

    assert ("refused", "decision of otto refused", "too late") == (line.sign, line.text, line.note)


def test_an_undone_action_names_what_undid_it_and_stands_after_what_failed():
    undo = ToolCall(mission="m", path="isolate/undo", tool="release_host", key="k")
    undone = ACTED.model_copy(update={"effect": Effect(tool="isolate_host", undo=undo, undo_status="done")})
    failure = Failure(code="refused", step="report", actor="file_ticket", operation="act", cause="no")
    failed = Record(path="report", kind="action", status="failed", started_at=at(9), ended_at=at(12), failure=failure)

    lines = Timeline().news(view(undone, failed))

    assert [("failed", "file_ticket failed: no"), ("undo", "isolate_host was undone")] == told(
        sorted(lines[-2:], key=lambda line: line.sign)
    )
    assert "by release_host" in [line.note for line in lines]


def test_spans_are_short_enough_to_glance_at():
    assert ["0.0s", "9.9s", "10s", "59s", "1m00s", "59m59s", "1h00m", "3d4h"] == [
        brief(seconds) for seconds in (-1, 9.94, 9.96, 59.99, 60, 3_599.9, 3_600, 273_600)
    ]


def test_silence_at_a_review_and_an_objection_are_told_as_what_they_are():
    look = Record(path="look", kind="review", status="succeeded", started_at=at(0), ended_at=at(9))
    silence = {"approved": False, "decision": "timed_out", "by": [], "comment": ""}
    objection = {"approved": False, "decision": "rejected", "by": ["maya"], "comment": "not yet"}

    assert [("agreed", "unopposed")] == told(Timeline().news(view(look.model_copy(update={"answer": silence}))))
    assert [("refused", "objected to by maya")] == told(
        Timeline().news(view(look.model_copy(update={"answer": objection})))
    )


def test_a_gate_that_nobody_decided_is_told_when_its_time_was_over():
    silence = {"approved": False, "decision": "timed_out", "by": [], "comment": ""}
    gate = Record(path="ask", kind="gate", status="running", started_at=at(0), answer=silence, answered_at=at(60))

    [line] = Timeline().news(view(gate))

    assert (at(60), "timed out") == (line.at, line.text)


def test_a_failure_that_the_mission_recovered_from_says_that_it_goes_on():
    failure = Failure(code="tool_failed", step="look", actor="looker", cause="it would not")
    recovered = RUNNING.model_copy(update={"status": "recovered", "ended_at": at(2), "failure": failure})

    lines = Timeline().news(view(recovered))

    assert ("failed", "looker failed: it would not; the mission goes on") in told(lines)


def test_a_stage_of_a_canary_is_told_and_a_breach_says_what_was_undone():
    failure = Failure(
        code="canary_breached", step="roll", cause="stage 10: 9 errors", tried="stage 10 was undone", remains="INC-1"
    )
    passed = Record(path="roll[1]", kind="stage", actor="stage 1", status="succeeded", started_at=at(0), ended_at=at(2))
    whole = Record(path="roll", kind="canary", status="failed", started_at=at(0), ended_at=at(9), failure=failure)
    lines = Timeline().news(view(whole, passed))

    assert [("done", "stage 1 done"), ("failed", "canary failed: stage 10: 9 errors")] == told(lines)
    assert "canary_breached; stage 10 was undone; INC-1" == lines[1].note


def test_a_plan_that_was_refused_is_told_with_each_of_its_findings():
    output = {"answer": {"steps": []}, "plan": {"findings": ["steps[0]: ONE", "steps[1]: TWO"]}}
    failure = Failure(code="plan_refused", step="rollout/plan[1]", operation="plan", cause="steps[0]: ONE")
    begun = Record(path="rollout/plan[1]", kind="planning", actor="planner", status="running", started_at=at(0))
    ended = begun.model_copy(update={"status": "failed", "ended_at": at(2), "output": output, "failure": failure})
    timeline = Timeline()

    assert [("start", "planner")] == told(timeline.news(view(begun)))
    expected = [
        ("failed", "the plan of planner was refused"),
        ("finding", "steps[0]: ONE"),
        ("finding", "steps[1]: TWO"),
    ]
    assert expected == told(timeline.news(view(ended)))


def test_a_child_is_named_when_it_starts_and_undoes_itself():
    child = Child(id="m/patch", run="r", mission="fleet_patch")
    begun = Record(path="patch", kind="mission", actor="fleet_patch", status="running", started_at=at(0))
    started = begun.model_copy(update={"child": child})
    done = started.model_copy(
        update={"status": "succeeded", "ended_at": at(9), "effect": Effect(tool="fleet_patch", undo_status="armed")}
    )
    undone = done.model_copy(update={"effect": Effect(tool="fleet_patch", undo_status="done", undone_at=at(20))})
    timeline = Timeline()
    news = [timeline.news(view(record)) for record in (begun, started, done, undone)]

    assert [
        [],
        [("start", "starts fleet_patch")],
        [("done", "fleet_patch done")],
        [("undo", "fleet_patch was undone")],
    ] == [told(lines) for lines in news]
    assert ["m/patch", "by m/patch itself"] == [news[1][0].note, news[3][0].note]


def test_reminders_and_what_could_not_be_told_are_told_once():
    reminded = Note(about="reminded", at=at(5), to=("lead", "chief"))
    lost = Note(about="opened", at=at(1), to=("lead",), failed="ops: it answered 404")
    asking = Record(path="ask", kind="gate", status="waiting", started_at=at(0), notices=(lost, reminded))
    timeline = Timeline()

    lines = timeline.news(view(asking))

    assert [("failed", "lead could not be told"), ("waiting", "lead or chief reminded")] == told(lines)
    assert "ops: it answered 404" == lines[0].note
    assert [] == timeline.news(view(asking))


def test_where_a_failure_led_is_told_once_with_its_reason():
    rung = Taken(rung="fallback", who="other", code="unavailable", cause="no answer", at=at(3))
    failed = RUNNING.model_copy(update={"rungs": (rung,)})
    timeline = Timeline()
    [_, told_first] = timeline.news(view(failed))

    assert (at(3), "let other do it, since unavailable", "no answer", "look") == (
        told_first.at,
        told_first.text,
        told_first.note,
        told_first.step,
    )
    assert [] == timeline.news(view(failed.model_copy(update={"revision": 9})))
