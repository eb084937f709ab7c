"""What changes in meaning between two missions is told once each, and nothing else is."""

from typing import Any

import pytest
from desk import AGENTS, HEAD, load, workspace
from good_missions import good_steps
from hypothesis import given

from contracts.definition import Definition
from contracts.mind import CodeAgent
from language.difference import Change, contracts, difference
from language.steps import children, every_step

BEFORE = """
steps:
- {step: outline, agent: architect, task: Outline it, output: outline}
- step: both
  parallel: [{agent: reviewer, task: Doubt}, {agent: cost_analyst, task: Estimate}]
- step: good
  condition: {if: outline.score > 7, then: [{step: find, action: look_up}], else: lead}
- step: pay
  action: send_money
  approval: {approvers: [tech_lead, director], required: 2, timeout: 2h, on_timeout: refuse}
- {step: tell, action: open_ticket, compensate: close_ticket}
- {step: lead, gate: {approvers: tech_lead, timeout: 1h}}
"""


def changed(*edits: tuple[str, str], head: str = HEAD) -> list[tuple[Any, ...]]:
    """What changes when parts of the text are replaced."""
    text = BEFORE
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    found = difference(load(BEFORE), load(text, head))
    return [(one.happened, one.about, one.step, one.key, one.before, one.after) for one in found]


CASES = {
    "approvers": (
        ("[tech_lead, director], required: 2", "[ada, bob, director], required: 3"),
        ("changed", "authority", "pay", "approval.approvers", ["tech_lead", "director"], ["ada", "bob", "director"]),
        ("changed", "authority", "pay", "approval.required", 2, 3),
    ),
    "a deadline": (("timeout: 2h", "timeout: 120m"),),
    "another deadline": (
        ("timeout: 2h", "timeout: 90m"),
        ("changed", "authority", "pay", "approval.timeout", "2h", "1h30m"),
    ),
    "what a deadline means": (
        ("on_timeout: refuse", "on_timeout: abort"),
        ("changed", "authority", "pay", "approval.on_timeout", "refuse", "abort"),
    ),
    "the usual written out": (("on_timeout: refuse", "on_timeout: refuse, on_reject: abort"),),
    "a compensation": (
        (", compensate: close_ticket", ""),
        ("changed", "effect", "tell", "compensate.tool", "close_ticket", None),
    ),
    "a tool": (
        ("action: look_up", "action: close_ticket"),
        ("changed", "effect", "find", "action", "look_up", "close_ticket"),
    ),
    "an agent": (
        ("agent: architect", "agent: reviewer"),
        ("changed", "work", "outline", "agent", "architect", "reviewer"),
    ),
    "a task": (("Outline it", "Draft it"), ("changed", "work", "outline", "task", "Outline it", "Draft it")),
    "a condition": (
        ("score > 7", "score > 8"),
        ("changed", "flow", "good", "condition.if", "outline.score > 7", "outline.score > 8"),
    ),
    "a way": (("else: lead", "else: abort"), ("changed", "flow", "good", "condition.else", "lead", "abort")),
    "a list in place of a name": (
        ("else: lead", "else: [{step: ask, gate: {approvers: ada}}]"),
        ("changed", "flow", "good", "condition.else", "lead", "a list in place"),
        ("added", "authority", "ask", "", None, {"kind": "gate", "gate.approvers": ["ada"]}),
    ),
    "the order of branches": (
        (
            "[{agent: reviewer, task: Doubt}, {agent: cost_analyst, task: Estimate}]",
            "[{agent: cost_analyst, task: Estimate}, {agent: reviewer, task: Doubt}]",
        ),
    ),
    "a comment and another style": (("- {step: tell, action", "# a word\n- {'step': \"tell\",  action"),),
}


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_told_once_with_what_it_concerns(name: str):
    edit, *expected = CASES[name]

    assert sorted(expected, key=str) == sorted(changed(edit), key=str)


def test_a_step_that_goes_and_one_that_comes():
    tell = "- {step: tell, action: open_ticket, compensate: close_ticket}\n"

    assert changed((tell, "- {step: last, agent: reviewer, task: Read it}\n")) == [
        (
            "removed",
            "effect",
            "tell",
            "",
            {"kind": "action", "action": "open_ticket", "compensate.tool": "close_ticket"},
            None,
        ),
        ("added", "flow", "last", "", None, {"kind": "agent", "agent": "reviewer", "task": "Read it"}),
    ]


def test_a_step_that_moves_is_told_with_both_places():
    tell = "- {step: tell, action: open_ticket, compensate: close_ticket}\n"
    start = "- step: both\n"

    assert changed((tell, ""), (start, tell + start)) == [("moved", "flow", "tell", "", "after pay", "after outline")]
    assert changed((tell, ""), ("[{step: find", f"[{tell[2:].strip()}, {{step: find")) == [
        ("moved", "flow", "tell", "", "after pay", "first in good.then")
    ]


def test_the_mission_itself_changes():
    head = HEAD.replace("[good, bad]", "[good, poor]").replace("team: platform", "team: finance")

    assert changed(head=head) == [
        ("changed", "authority", "", "team", "platform", "finance"),
        ("changed", "effect", "", "verdict.one_of", ["good", "bad"], ["good", "poor"]),
    ]


def test_against_nothing_every_step_is_new():
    definition = load(BEFORE)
    found = difference(None, definition)

    assert {"added"} == {change.happened for change in found}
    assert [step.step for step in every_step(definition)] == [change.step for change in found if change.step]


def test_agents_and_tools_that_mean_something_else_in_another_workspace():
    here = workspace()
    tools = {**here.tools, "send_money": here.tools["send_money"].model_copy(update={"autonomy": "allowed"})}
    agents = {**{name: here.agents[name] for name in AGENTS}, "architect": CodeAgent(callable="somewhere.else:answer")}
    there = workspace(tools=tools, agents=agents)

    assert [
        Change(
            happened="changed",
            about="work",
            key="agents.architect.callable",
            before="somewhere.agents:answer",
            after="somewhere.else:answer",
        ),
        Change(
            happened="changed",
            about="authority",
            key="tools.send_money.autonomy",
            before="approval",
            after="allowed",
        ),
    ] == list(contracts(load(BEFORE), here, load(BEFORE), there))


@given(good_steps(), good_steps())
def test_two_missions_differ_exactly_when_they_mean_something_else(one: str, other: str):
    first, second = load(one), load(other)
    found = difference(first, second)

    assert difference(first, first) == ()
    assert bool(found) == bool(difference(second, first))
    assert all(Change.model_validate_json(change.model_dump_json()) == change for change in found)
    if not found:
        assert meaning(first) == meaning(second)


def meaning(definition: Definition) -> list[Any]:
    """Every step as data without its place and without what it holds, in no order."""
    inner = {"place", "steps", "parallel"}
    return sorted(str(step.model_dump(exclude=inner)) for step in every_step(definition) if leaf(step))


def leaf(step: Any) -> bool:
    return not children(step)
