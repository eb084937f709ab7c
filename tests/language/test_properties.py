"""What must hold of every text and every structure, however odd."""

from datetime import timedelta
from typing import Any

import yaml
from desk import findings, mission, workspace
from hypothesis import given
from hypothesis import strategies as st

from contracts.duration import parse_duration, show_duration
from language.finding import Rejected
from language.loader import load_text
from language.yaml_source import read_yaml

SOME_WORDS = """mission version team description inputs verdict steps step agent task context output parallel gate type
    approval approvers timeout on_timeout condition if then else loop do until max_iterations on_max needs action with
    compensate tool retry attempts first most escalation required on_reject one_of value properties object a b c
    architect tech_lead write_file look_up escalate abort continue refuse 1h 0s ${{x}} ${{a.b>steps.a!=null}}"""
WORDS = st.sampled_from(SOME_WORDS.split())
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | WORDS | st.text(max_size=8)
STRUCTURES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=5),
    max_leaves=30,
)
STEP_KEYS = {
    "step": st.sampled_from(["a", "b", "c", "d"]),
    "needs": st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=2),
    "output": st.sampled_from(["x", "y", "alert"]),
}
TARGETS = st.sampled_from(["a", "b", "c", "d", "escalate", "abort", "continue"])


def steps_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    target = TARGETS | inner
    kinds = [
        {"agent": st.just("architect"), "task": st.just("go"), "context": st.sampled_from(["x", "y", "alert"])},
        {"parallel": inner},
        {"steps": inner},
        {
            "condition": st.fixed_dictionaries(
                {"if": st.sampled_from(["x.ok", "y == 1"]), "then": target, "else": target}
            )
        },
        {"loop": st.fixed_dictionaries({"do": target, "until": st.just("x.ok"), "max_iterations": st.just(2)})},
        {"gate": st.fixed_dictionaries({"approvers": st.just("ada"), "timeout": st.just("1h"), "on_timeout": target})},
        {
            "action": st.sampled_from(["send_money", "look_up"]),
            "approval": st.fixed_dictionaries({"approvers": st.just("ada"), "on_reject": target}),
        },
    ]
    one = st.one_of([st.fixed_dictionaries(kind, optional=STEP_KEYS) for kind in kinds])
    return st.lists(one, min_size=1, max_size=4)


STEPS = st.recursive(steps_of(st.just([{"agent": "architect", "task": "go"}])), steps_of, max_leaves=6)


@given(st.integers(0, 10**12))
def test_a_duration_reads_back_as_it_was_shown(milliseconds: int):
    span = timedelta(milliseconds=milliseconds)

    assert parse_duration(show_duration(span)) == span


@given(st.text())
def test_no_text_can_crash_the_reader_of_yaml(text: str):
    value, found = read_yaml(text, "m.yaml")

    assert found or value is None or value.place.line > 0


@given(st.text(alphabet=" \n-:{}[]&*!|>'\"%@`#,?ab10", max_size=80))
def test_no_punctuation_can_crash_the_loader(text: str):
    assert findings(text)


@given(STRUCTURES)
def test_no_structure_can_crash_the_loader(structure: Any):
    assert findings(yaml.safe_dump(structure, allow_unicode=True))


@given(st.dictionaries(WORDS, STRUCTURES, max_size=8))
def test_no_step_can_crash_the_loader(step: dict[str, Any]):
    findings(mission(yaml.safe_dump({"steps": [step]}, allow_unicode=True)))


@given(STEPS)
def test_a_mission_loads_or_is_refused_with_places_in_the_file(steps: Any):
    text = mission(yaml.safe_dump({"steps": steps}))
    lines = text.count("\n") + 1
    try:
        definition = load_text(text, "m.yaml", workspace())
    except Rejected as rejected:
        assert all(0 < finding.place.line <= lines for finding in rejected.findings)
    else:
        assert type(definition).model_validate_json(definition.model_dump_json()) == definition


@given(STRUCTURES)
def test_what_loads_means_what_the_library_would_make_of_it(structure: Any):
    """Where our reader has no finding it agrees with the library."""
    text = yaml.safe_dump(structure, allow_unicode=True)
    value, found = read_yaml(text, "m.yaml")

    assert found or value is None or value.plain() == yaml.safe_load(text)
