"""Where failures lead: by code, by class, for the whole mission, and on from a fallback that fails too."""

import pytest
from desk import findings, load, mission
from good_missions import good_steps
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.failure_class import CLASS_OF, CLASSES, CODES, WAYS, most_specific
from contracts.step import Fallback
from language.steps import called_names


def loaded(text):
    return load(text).steps


def test_every_code_is_of_one_class():
    assert sum(len(one.codes) for one in CLASSES.values()) == len(CODES) == len(set(CODES))
    assert set(CODES) == set(CLASS_OF)
    assert not set(CODES) & set(CLASSES)


@pytest.mark.parametrize(
    ("ways", "code", "way"),
    [
        ({"unavailable": 1, "external": 2, "any": 3}, "unavailable", 1),
        ({"unavailable": 1, "external": 2, "any": 3}, "tool_failed", 2),
        ({"unavailable": 1, "external": 2, "any": 3}, "timed_out", 3),
        ({"external": 2}, "timed_out", None),
        ({"any": 3}, "a code of tomorrow", 3),
    ],
)
def test_the_most_specific_word_counts(ways, code, way):
    assert way == most_specific(code, ways)


@pytest.mark.parametrize("word", WAYS)
def test_a_step_may_provide_for_each_code_and_class(word):
    [step] = loaded(f"steps: [{{step: a, agent: analyst, task: T, on_failure: {{{word}: continue}}}}]")

    assert {word: "continue"} == step.on_failure


def test_a_fallback_says_where_control_goes_when_it_fails_too():
    [step] = loaded("""
steps:
  - step: a
    agent: architect
    task: T
    on_failure: {external: {agent: reviewer, else: {agent: cost_analyst, else: escalate}}}
""")
    last = Fallback(agent="cost_analyst", **{"else": "escalate"})

    assert {"external": Fallback(agent="reviewer", **{"else": last})} == step.on_failure


MISSION = """
on_failure: {external: {agent: reviewer, else: tell}, timed_out: escalate, any: tell}
steps:
  - {step: a, agent: architect, task: T}
  - {step: b, agent: architect, task: T, on_failure: {timeout: continue}}
  - {step: c, agent: architect, task: T, on_failure: continue}
  - {step: d, action: look_up}
  - {step: e, steps: [{step: f, agent: architect, task: T}]}
  - {step: tell, agent: cost_analyst, task: T}
"""


def test_the_mission_provides_for_what_its_steps_do_not():
    """It is as if each step of its list said so; what a step says itself counts, for a whole class too."""
    a, b, c, d, e, tell = loaded(MISSION)
    other = Fallback(agent="reviewer", **{"else": "tell"})

    assert {"external": other, "timed_out": "escalate", "any": "tell"} == a.on_failure
    assert {"timeout": "continue", "external": other, "any": "tell"} == b.on_failure
    assert {"any": "continue"} == c.on_failure
    assert {"external": "tell", "timed_out": "escalate", "any": "tell"} == d.on_failure == e.on_failure
    assert [{}, {}] == [e.steps[0].on_failure, tell.on_failure]


def test_one_word_is_for_every_failure():
    [step] = loaded("on_failure: escalate_to_human\nsteps: [{step: a, agent: architect, task: T}]")

    assert {"any": "escalate"} == step.on_failure


def test_what_is_wrong_with_it_is_told_once_where_it_was_written():
    text = MISSION.replace("agent: reviewer", "agent: reviewr").replace("any: tell", "any: tel")

    assert [
        "m.yaml:1:32: UNKNOWN_AGENT unknown agent 'reviewr' (did you mean 'reviewer'?)",
        "m.yaml:1:80: UNKNOWN_STEP unknown step 'tel' (did you mean 'tell'?)",
    ] == findings(mission(text))


def test_what_one_way_leaves_unset_cannot_be_read():
    text = """
steps:
  - {step: a, agent: architect, task: T, output: x, on_failure: {any: {agent: reviewer%s}}}
  - {step: b, agent: architect, task: T, context: [x]}
"""
    [found] = findings(mission(text % ", else: continue"))

    assert [] == findings(mission(text % ""))
    assert "MAYBE_UNSET" in found


def test_a_mission_may_provide_for_the_unsure_though_some_agents_are_always_sure():
    """What it says for all is not wrong because some never come to it."""
    text = "on_failure: {confidence_low: {agent: reviewer}}\nsteps: [{step: a, agent: architect, task: T}]"

    assert [] == findings(mission(text))


@settings(max_examples=60, deadline=None)
@given(good_steps(), st.sampled_from(["escalate", "{external: continue, timed_out: {agent: reviewer, else: abort}}"]))
def test_every_mission_may_provide_for_its_failures_as_a_whole(steps, ways):
    """What loads without it loads with it; each step of the list that none calls then provides for them."""
    definition = load(f"on_failure: {ways}\n{steps}")
    called = called_names(definition)

    assert [] == [step.step for step in definition.steps if step.step not in called and not step.on_failure]
