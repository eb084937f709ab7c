"""Locks in a rehearsal: others hold them for as long as the script says."""

from theatre_folder import ends, told

LOCKED = """
  - step: patch
    locks: ['host:${{ k }}']
    timeout: 1h
    steps:
      - {step: note, action: file, compensate: unfile}
      - {step: look, agent: ben, task: Look}
"""
ANSWERS = "agents: {ben: {after: 3s, answer: x}}\ntools: {file: {}, unfile: {}}\n"


def test_a_lock_that_another_mission_holds_is_waited_for(theatre):
    theatre.mission(LOCKED)

    result = theatre.rehearse(f"{ANSWERS}locks: [{{lock: 'host:0', by: m-2, for: 10m}}]\nexpect: {{verdict: done}}")

    assert [] == told(result)
    assert (603, "succeeded") == ends(result)["patch"]


def test_one_that_is_held_too_long_fails_the_step_in_time(theatre):
    theatre.mission(LOCKED)

    result = theatre.rehearse(
        f"{ANSWERS}locks: [{{lock: 'host:0'}}]\nexpect: {{state: failed, reason: held by another_mission, ran: []}}"
    )

    assert [] == told(result)
    assert (3600, "failed") == ends(result)["patch"]


def test_a_lock_of_another_name_is_in_nobody_s_way(theatre):
    theatre.mission(LOCKED)

    result = theatre.rehearse(f"{ANSWERS}locks: [{{lock: 'host:1'}}]\nexpect: {{verdict: done}}")

    assert (3, "succeeded") == ends(result)["patch"]


def test_branches_take_turns(theatre):
    branches = "{agent: ben, task: a, locks: db}, {agent: ben, task: b, locks: db}"
    theatre.mission(f"  - {{step: both, parallel: [{branches}]}}\n")

    result = theatre.rehearse("agents: {ben: {after: 3s, answer: x}}\nexpect: {verdict: done}")

    assert [] == told(result)
    assert {"both/ben": (3, "succeeded"), "both/ben-2": (6, "succeeded"), "both": (6, "succeeded")} == ends(result)


def test_a_wait_that_never_ends_is_said_to_wait(theatre):
    theatre.mission("  - {step: look, agent: ben, task: Look, locks: db}\n")

    result = theatre.rehearse("locks: [{lock: db}]\nexpect: {state: waiting}")

    assert result.came
    assert result.came.stalled
    assert ["db is held by another_mission (elsewhere)"] == [
        str(blocker) for record in result.came.view.records for blocker in record.locks.behind
    ]


def test_what_is_wrong_with_a_lock_is_found(theatre):
    theatre.mission(LOCKED)

    assert [
        "one.yaml:7:10: UNKNOWN_KEY a lock has no key 'name' (keys here: lock, by, for)",
        "one.yaml:7:9: MISSING_KEY a lock needs the key 'lock' (write 'lock: …')",
    ] == sorted(theatre.findings(f"{ANSWERS}locks: [{{name: db}}]\nexpect: {{verdict: done}}"))
