"""Map, race, wait and review: what loads, and what is refused."""

from datetime import timedelta

import pytest
from desk import findings, load, mission

from contracts.definition import Map
from contracts.gate import Review
from contracts.wait import Wait

GOOD = """
steps:
  - step: patch_all
    map:
      over: alert.hosts
      as: host
      key: host.name
      max_concurrency: 20
      tolerate: 12.5%
      do:
        - {step: patch, agent: architect, task: 'Patch ${{ host.name }} (${{ index }})', output: patched}
        - {step: check, agent: reviewer, task: Check it, context: [patched, host]}
    output: patches
  - step: quickest
    race:
      - {agent: architect, task: T}
      - {agent: reviewer, task: T}
    good: result.confidence > 0.5
    output: found
  - {step: pause, wait: {for: 2h}}
  - {step: monday, wait: {until: alert.monday}, when: has(alert.monday)}
  - step: restored
    wait:
      event: backup_restored
      key: '${{ alert.host }}'
      schema: {type: object, required: [size]}
    timeout: 1d
    on_failure: {timed_out: continue}
    output: backup
  - step: look_over
    review:
      reviewers: [tech_lead]
      timeout: 4h
      message: '${{ size(patches.results) }} were patched'
      context: [patches]
      on_object: escalate
"""


def test_the_forms_load_as_written():
    each, race, pause, monday, restored, review = load(GOOD).steps

    expected = Map.model_validate(
        {
            "over": "alert.hosts",
            "as": "host",
            "key": "host.name",
            "max_concurrency": 20,
            "tolerate_share": 0.125,
            "do": each.map.do,
        }
    )
    assert expected == each.map
    assert (["architect", "reviewer"], "result.confidence > 0.5") == ([step.step for step in race.race], race.good)
    assert (Wait.model_validate({"for": "2h"}), Wait(until="alert.monday")) == (pause.wait, monday.wait)
    schema = {"type": "object", "required": ["size"]}
    waits = Wait.model_validate({"event": "backup_restored", "key": "${{ alert.host }}", "schema": schema})
    assert (waits, timedelta(days=1)) == (restored.wait, restored.timeout)
    told = Review(
        reviewers=("tech_lead",),
        timeout=timedelta(hours=4),
        message="${{ size(patches.results) }} were patched",
        context=("patches",),
        on_object="escalate",
    )
    assert told == review.review


BAD = {
    "a share of more than all": (
        "- {step: a, map: {over: alert.x, do: [{agent: architect, task: T}], tolerate: 120%}}",
        "2:81: WRONG_TYPE 'tolerate' is a number of items or a share of them (write '3' or '20%')",
    ),
    "a map over nothing": (
        "- {step: a, map: {do: [{agent: architect, task: T}]}}",
        "2:20: MISSING_KEY a map needs the key 'over' (write 'over: …')",
    ),
    "more at once than a server bears": (
        "- {step: a, map: {over: alert.x, do: [{agent: architect, task: T}], max_concurrency: 501}}",
        "2:88: BAD_VALUE 'max_concurrency' is 501 (write 1 to 500)",
    ),
    "an item that takes an input's name": (
        "- {step: a, map: {over: alert.x, as: alert, do: [{agent: architect, task: T}]}}",
        "2:40: NAME_CLASH the item 'alert': an input or an output has this name (write another name in 'as')",
    ),
    "an item read outside its map": (
        (
            "- {step: a, map: {over: alert.x, as: host, do: [{agent: architect, task: T}]}}\n"
            "  - {step: b, agent: architect, task: '${{ host }} ${{ index }}'}"
        ),
        "3:44: READ_BEFORE_SET 'host' exists only inside its map (leave it out)",
        "3:56: READ_BEFORE_SET 'index' exists only inside a map (leave it out)",
    ),
    "a variable of an item read outside": (
        (
            "- {step: a, map: {over: alert.x, do: [{agent: architect, task: T, output: inner}]}}\n"
            "  - {step: b, agent: architect, task: T, context: [inner]}"
        ),
        (
            "3:52: READ_BEFORE_SET 'inner' is set inside a map, a race or a canary and stays there (read the output of "
            "that step)"
        ),
    ),
    "an effect that nobody allowed inside a map": (
        "- {step: a, map: {over: alert.x, do: [{step: b, action: write_file, with: {name: x}}]}}",
        (
            "2:59: APPROVAL_UNGATED 'write_file' changes the world (write) and nobody is asked (give the action an "
            "'approval'; only the tool's contract, with 'autonomy: allowed', can free it)"
        ),
    ),
    "an effect in a race": (
        "- {step: a, race: [{agent: architect, task: T}, {step: b, action: open_ticket}]}",
        (
            "2:69: RACE_ACTS 'b' changes the world, and runs in the race 'a' (let agents race, and act on the answer "
            "after it)"
        ),
    ),
    "a field that no item has": (
        (
            "- {step: d, agent: analyst, task: T, output: draft}\n"
            "  - {step: a, map: {over: draft.parts, as: part, do: [{agent: architect, task: '${{ part.nme }}'}]}}"
        ),
        "3:90: UNKNOWN_FIELD 'part' has no field 'nme' (did you mean 'name'?)",
    ),
    "a map over what is no list": (
        (
            "- {step: d, agent: analyst, task: T, output: draft}\n"
            "  - {step: a, map: {over: draft.title, do: [{agent: architect, task: T}]}}"
        ),
        "3:27: TYPE_MISMATCH 'over' asks for a list, and this answers a text (name a list)",
    ),
    "a field that no answer of a race has": (
        "- {step: a, race: [{agent: analyst, task: T}], good: result.confidnce > 0.5}",
        "2:63: UNKNOWN_FIELD 'result' has no field 'confidnce' (did you mean 'confidence'?)",
    ),
    "a good that is no question": (
        "- {step: a, race: [{agent: analyst, task: T}], good: result.title}",
        "2:56: TYPE_MISMATCH 'good' asks for true or false, and this answers a text (compare it with something)",
    ),
    "a field that a review does not have": (
        (
            "- {step: a, review: {reviewers: [tech_lead], timeout: 1h}, output: r}\n"
            "  - {step: b, agent: architect, task: T, when: r.approved}"
        ),
        "3:50: UNKNOWN_FIELD 'r' has no field 'approved' (fields here: by, comment, decision, objected)",
    ),
    "an answer outside a race": (
        "- {step: a, agent: architect, task: '${{ result }}'}",
        (
            "2:44: READ_BEFORE_SET 'result' exists only in a compensation's 'with', a race's 'good', a canary's "
            "'healthy' or 'incident' (name an output)"
        ),
    ),
    "a wait for two things": (
        "- {step: a, wait: {for: 1h, until: alert.x}}",
        "2:21: BAD_VALUE a wait has one end, and this says 'for' and 'until' (write one of 'for', 'until' and 'event')",
    ),
    "a wait for nothing": (
        "- {step: a, wait: {}}",
        (
            "2:21: BAD_VALUE a wait has one end, and this says nothing of the three (write one of 'for', 'until' and "
            "'event')"
        ),
    ),
    "a wait for an event without end": (
        "- {step: a, wait: {event: restored}}",
        (
            "2:21: TIMEOUT_MISSING nobody knows whether 'restored' ever happens (write 'timeout: 24h' beside 'wait', "
            "and where to go then under 'on_failure: {timed_out: …}')"
        ),
    ),
    "a key without an event": (
        "- {step: a, wait: {for: 1h, key: x}}",
        "2:36: BAD_VALUE 'key' is of an event (write 'event' beside it)",
    ),
    "no time to wait": (
        "- {step: a, wait: {for: 0s}}",
        "2:27: TIMEOUT_NOT_POSITIVE 'for' is 0s: no time at all (write a span above zero, such as '30m')",
    ),
    "a review without its time": (
        "- {step: a, review: {reviewers: [tech_lead]}}",
        "2:23: MISSING_KEY a review needs the key 'timeout' (write 'timeout: …')",
    ),
    "a reviewer whom nobody knows": (
        "- {step: a, review: {reviewers: [tech_led], timeout: 1h}}",
        "2:36: UNKNOWN_PERSON unknown role or person 'tech_led' (did you mean 'tech_lead'?)",
    ),
    "an effect that only silence stands before": (
        (
            "- {step: a, review: {reviewers: [tech_lead], timeout: 1h}}\n"
            "  - {step: b, steps: [{step: c, action: open_ticket}]}"
        ),
        (
            "3:41: SILENCE_APPROVES 'c' would act because nobody objected at a review (put a gate between them, or "
            "give the action an 'approval')"
        ),
    ),
    "an effect behind a review in a task graph": (
        "- {step: a, review: {reviewers: [tech_lead], timeout: 1h}}\n  - {step: b, action: open_ticket, needs: [a]}",
        (
            "3:23: SILENCE_APPROVES 'b' would act because nobody objected at a review (put a gate between them, or "
            "give the action an 'approval')"
        ),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_found_at_its_place_and_nothing_else_is(name):
    steps, *expected = BAD[name]

    assert [f"m.yaml:{finding}" for finding in expected] == findings(
        mission(f"\nsteps:\n\n  {steps}\n".replace("\n\n", "\n", 1))
    )


def test_two_maps_at_once_may_call_what_is_inside_alike():
    each = "{over: alert.x, do: [{agent: architect, task: T, output: inner}]}"

    assert [] == findings(
        mission(f"steps: [{{step: a, parallel: [{{step: b, map: {each}}}, {{step: c, map: {each}}}]}}]")
    )


@pytest.mark.parametrize(
    "steps",
    [
        """
        steps:
          - {step: a, review: {reviewers: [tech_lead], timeout: 1h}}
          - {step: b, gate: {approvers: [tech_lead]}}
          - {step: c, action: open_ticket}
        """,
        """
        steps:
          - {step: a, review: {reviewers: [tech_lead], timeout: 1h}}
          - {step: b, action: write_file, with: {name: x}, approval: {approvers: [tech_lead]}}
        """,
        """
        steps:
          - {step: b, action: open_ticket}
          - {step: a, review: {reviewers: [tech_lead], timeout: 1h}}
        """,
    ],
    ids=["a gate between them", "an approval of its own", "before it"],
)
def test_a_review_stands_beside_effects_that_people_allowed(steps):
    assert [] == findings(mission(steps))
