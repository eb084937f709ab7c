"""A canary: what loads, and what is refused."""

import re
from datetime import timedelta

import pytest
from desk import findings, load, mission

from contracts.definition import ActionStep
from language.difference import difference
from language.named import named
from language.steps import every_step

PARTS = {
    "stages": "stages: [1, 10, 100]",
    "do": "do: {action: open_ticket, with: {percent: '${{ stage }}'}, compensate: close_ticket}",
    "bake": "bake: 10m",
    "probe": "probe: {action: list_files, with: {folder: 'f-${{ stage }}'}}",
    "healthy": "healthy: result.count < 3 && stage > 0",
    "incident": "incident: {action: open_ticket, with: {title: 'Stage ${{ stage }}', found: '${{ result.count }}'}}",
}


def canary(*, beside="", then="", **parts):
    """The steps of a mission with one canary; a part that is None is left out. Parts stand in lines of their own."""
    lines = [line for line in {**PARTS, **parts}.values() if line]
    inner = "".join(f"\n      {line}" for line in lines)
    return f"steps:\n  - step: roll_out\n    canary:{inner}{beside}\n{then}"


GATE = "{approvers: [tech_lead], required: 2}"
AFTER = "    output: rolled\n  - {step: b, agent: architect, task: T, when: 'rolled.%s'}\n"


def test_a_canary_loads_as_written():
    sandbox = "sandbox: {action: open_ticket, with: {percent: '${{ stage }}'}}"
    definition = load(canary(sandbox=sandbox, last=f"last: {GATE}"))
    [step] = definition.steps

    made = step.canary
    assert ((1, 10, 100), timedelta(minutes=10)) == (made.stages, made.bake)
    assert ("open_ticket", None) == (made.do.action, made.do.approval)
    assert made.do.model_copy(update={"approval": made.last.approval, "place": made.last.place}) == made.last
    assert (("tech_lead",), 2) == (made.last.approval.approvers, made.last.approval.required)
    assert ["list_files"] == [made.probe.step]
    assert {"open_ticket", "close_ticket", "list_files"} == named(definition)[1]
    assert 6 == len(list(every_step(definition)))


def test_parts_are_named_after_what_they_use_and_no_two_alike():
    made = load(canary(sandbox="sandbox: {action: open_ticket}")).steps[0].canary
    names = [part.step for part in (made.sandbox, made.do, made.probe, made.incident)]

    assert len(names) == len(set(names))
    assert {"open_ticket", "list_files"} <= set(names)
    assert isinstance(made.probe, ActionStep)


@pytest.mark.parametrize(
    "field", ["completed", "refused == null", "stages[0].metrics.count > 1", "stages[0].stage > 1"]
)
def test_what_it_yields_is_typed(field):
    assert [] == findings(mission(canary(then=AFTER % field)))


def test_a_change_of_a_canary_is_told_by_what_it_concerns():
    after = canary(stages="stages: [5, 100]", last=f"last: {GATE}", bake="bake: 1h")
    found = difference(load(canary()), load(after))

    assert {
        ("changed", "flow", "roll_out", "canary.stages"),
        ("changed", "flow", "roll_out", "canary.bake"),
        ("added", "effect", "roll_out.last/open_ticket", ""),
    } == {(one.happened, one.about, one.step, one.key) for one in found}


UNGATED = (
    "APPROVAL_UNGATED 'write_file' changes the world (write) and nobody is asked (give the action an 'approval'; only "
    "the tool's contract, with 'autonomy: allowed', can free it)"
)
BAD = {
    "a canary of nothing": (
        canary(**dict.fromkeys(PARTS), beside=" {}"),
        *(
            f"3:13: MISSING_KEY a canary needs the key '{key}' (write '{key}: …')"
            for key in ("do", "stages", "bake", "probe", "healthy", "incident")
        ),
    ),
    "stages that do not grow": (
        canary(stages="stages: [10, 1, 0, x]"),
        "4:20: BAD_VALUE the stage 1 does not come after 10 (write numbers that grow, such as [1, 10, 50, 100])",
        "4:23: BAD_VALUE the stage 0 does not come after 10 (write numbers that grow, such as [1, 10, 50, 100])",
        "4:26: WRONG_TYPE a stage is a whole number, not a text (write numbers that grow, such as [1, 10, 50, 100])",
    ),
    "more stages than anybody looks at": (
        canary(stages=f"stages: {list(range(1, 102))}"),
        "4:15: BAD_VALUE more than 100 stages (take larger steps)",
    ),
    "no stages": (
        canary(stages="stages: []"),
        "4:15: BAD_VALUE 'stages' is empty (write numbers that grow, such as [1, 10, 50, 100])",
    ),
    "a stage that nothing undoes": (
        canary(do="do: {action: open_ticket}"),
        (
            "5:20: CANARY_STANDS nothing undoes 'open_ticket', so a stage that goes wrong would stand (give the action "
            "a 'compensate' with a tool that its contract names under 'compensated_by')"
        ),
    ),
    "a stage that nobody allowed": (
        canary(do="do: {action: write_file, with: {name: x}, compensate: delete_file}", last=f"last: {GATE}"),
        f"5:20: {UNGATED}",
        (
            "5:61: COMPENSATION_UNGATED 'delete_file' needs approval, and this action has none that could cover it "
            "(give the action an 'approval', or the tool's contract 'autonomy: allowed')"
        ),
    ),
    "a sandbox that nobody allowed": (
        canary(sandbox="sandbox: {action: write_file, with: {name: x}}"),
        f"10:25: {UNGATED}",
    ),
    "an incident that nobody allowed": (
        canary(incident="incident: {action: write_file, with: {name: x}}"),
        f"9:26: {UNGATED}",
    ),
    "a last stage that too few can approve": (
        canary(last="last: {approvers: [director], required: 2}"),
        ("10:47: GATE_UNSATISFIABLE 2 must approve, and 1 can: cy (lower 'required' or name more approvers)"),
    ),
    "a last stage that silence approves": (
        canary(last="last: {approvers: [tech_lead], timeout: 1h, on_timeout: continue}"),
        (
            "10:63: SILENCE_APPROVES 'on_timeout: continue' takes silence for consent (write 'escalate', 'refuse' or "
            "'abort', or name a step that does something else)"
        ),
    ),
    "an approver of the last stage whom nobody knows": (
        canary(last="last: {approvers: [tech_led]}"),
        "10:26: UNKNOWN_PERSON unknown role or person 'tech_led' (did you mean 'tech_lead'?)",
    ),
    "a probe that acts": (
        canary(probe="probe: {action: open_ticket}", healthy="healthy: 'true'"),
        (
            "7:23: CANARY_PROBE_ACTS 'open_ticket' changes the world, and a probe only looks (name a tool whose effect "
            "is 'read', or an agent)"
        ),
    ),
    "a probe that asks": (
        canary(probe="probe: {gate: {approvers: tech_lead}}", healthy="healthy: 'true'"),
        (
            "7:14: STEP_KIND the 'probe' of a canary is an agent, or an action that only reads (write 'probe: {agent: "
            "…, task: …}')"
        ),
    ),
    "stages of steps": (
        canary(do="do: {agent: architect, task: T}"),
        "5:11: STEP_KIND the 'do' of a canary is an action (write 'do: {action: …}')",
    ),
    "a part with a name": (
        canary(incident="incident: {step: tell, action: open_ticket, output: told}"),
        *(
            f"9:{column}: BAD_VALUE '{key}' is of the whole step, not of its 'incident' (write it beside 'canary', or "
            "leave it out)"
            for column, key in ((18, "step"), (51, "output"))
        ),
    ),
    "a key that a part does not have": (
        canary(incident="incident: {action: open_ticket, wth: {title: x}}"),
        "9:39: UNKNOWN_KEY an action has no key 'wth' (did you mean 'with'?)",
    ),
    "a tool that there is not": (
        canary(incident="incident: {action: open_tickt}"),
        "9:26: UNKNOWN_TOOL unknown tool 'open_tickt' (did you mean 'open_ticket'?)",
    ),
    "no time to bake": (
        canary(bake="bake: 0s"),
        "6:13: TIMEOUT_NOT_POSITIVE 'bake' is 0s: no time at all (write a span above zero, such as '30m')",
    ),
    "a field that the probe does not find": (
        canary(healthy="healthy: result.cuont < 3"),
        "8:23: UNKNOWN_FIELD 'result' has no field 'cuont' (did you mean 'count'?)",
    ),
    "health that is no question": (
        canary(healthy="healthy: result.count"),
        "8:16: TYPE_MISMATCH 'healthy' asks for true or false, and this answers a number (compare it with something)",
    ),
    "a field that the incident does not get": (
        canary(incident="incident: {action: open_ticket, with: {found: '${{ result.cuont }}'}}"),
        "9:65: UNKNOWN_FIELD 'result' has no field 'cuont' (did you mean 'count'?)",
    ),
    "a result before there is one": (
        canary(do="do: {action: open_ticket, with: {found: '${{ result }}'}, compensate: close_ticket}"),
        (
            "5:52: READ_BEFORE_SET 'result' exists only in a compensation's 'with', a race's 'good', a canary's "
            "'healthy' or 'incident' (name an output)"
        ),
    ),
    "an argument of another type": (
        canary(probe="probe: {action: list_files, with: {folder: '${{ stage }}'}}"),
        (
            "7:50: BAD_ARGUMENT the argument 'folder' is a text, and this is a number (write what the tool's schema "
            "asks for)"
        ),
    ),
    "a stage outside": (
        canary(then="  - {step: b, agent: architect, task: '${{ stage }}'}\n"),
        "10:44: READ_BEFORE_SET 'stage' exists only inside a canary (leave it out)",
    ),
    "a variable called as a stage is": (
        canary(then="  - {step: b, agent: architect, task: T, output: stage}\n"),
        (
            "4:7: NAME_CLASH an input or an output is called 'stage', and so is what a canary's parts see (give the "
            "variable another name)"
        ),
    ),
    "a field that it does not yield": (
        canary(then=AFTER % "complete"),
        "11:56: UNKNOWN_FIELD 'rolled' has no field 'complete' (did you mean 'completed'?)",
    ),
    "a canary in a race": (
        "steps:\n  - step: first\n    race:\n"
        + re.sub("^", "    ", canary().removeprefix("steps:\n"), flags=re.MULTILINE),
        *(
            f"{place}: RACE_ACTS '{name}' changes the world, and runs in the race 'first' (let agents race, and act on "
            "the answer after it)"
            for place, name in (("7:24", "open_ticket"), ("11:30", "open_ticket-2"))
        ),
    ),
    "a canary behind a review": (
        canary().replace("steps:\n", "steps:\n  - {step: look, review: {reviewers: [tech_lead], timeout: 1h}}\n"),
        *(
            f"{place}: SILENCE_APPROVES '{name}' would act because nobody objected at a review (put a gate between "
            "them, or give the action an 'approval')"
            for place, name in (("6:20", "open_ticket"), ("10:26", "open_ticket-2"))
        ),
    ),
    "a stage in a step that others call too": (
        canary(
            do="do: {action: open_ticket, compensate: close_ticket, approval: {approvers: cy, on_reject: b}}",
            then=(
                "  - {step: b, agent: architect, task: 'Say ${{ stage }}'}\n"
                "  - {step: c, condition: {if: 'true', then: b}}\n"
            ),
        ),
        (
            "10:48: MAYBE_UNSET 'stage' is there only for some of those who call this step (call it only from inside a "
            "canary, or leave 'stage' out)"
        ),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_found_at_its_place_and_nothing_else_is(name):
    steps, *expected = BAD[name]

    assert sorted(f"m.yaml:{finding}" for finding in expected) == sorted(findings(mission(steps)))
