"""The schema that editors use: what the loader accepts it accepts, and mistakes of form it refuses."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from desk import HEAD, findings, mission
from good_missions import good_steps, in_one
from hypothesis import given
from hypothesis import strategies as st
from test_bad import FILES, TOLD

from language.codes import codes, written_out
from language.mission_schema import mission_schema
from language.schema import compiled
from language.yaml_source import read_yaml

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "missions").rglob("mission.yaml"))
FORMS = re.findall(
    r'"""\n(steps:.*?|\s+steps:.*?)"""', (Path(__file__).parent / "test_forms.py").read_text(), re.DOTALL
)
OF_FORM = ("UNKNOWN_KEY", "MISSING_KEY", "WRONG_TYPE", "STEP_KIND", "BAD_NAME", "LOOP_UNBOUNDED")
STEP: dict[str, Any] = {"step": "a", "agent": "architect", "task": "T"}

BAD_FORMS = {
    "no steps": {"steps": []},
    "a step of no kind": {"steps": [{"step": "a"}]},
    "a step of two kinds": {"steps": [{**STEP, "action": "look_up"}]},
    "a step without a name": {"steps": [{"agent": "architect", "task": "T"}]},
    "an unknown key": {"steps": [{**STEP, "contxt": "alert"}]},
    "an empty task": {"steps": [{**STEP, "task": " "}]},
    "a name with a space": {"steps": [{**STEP, "step": "a b"}]},
    "a name and a line": {"steps": [{**STEP, "step": "a\n"}]},
    "a span without a unit": {"steps": [{**STEP, "timeout": 30}]},
    "tries without end": {"steps": [{**STEP, "retry": {"attempts": 1000}}]},
    "a name twice in a list": {"steps": [{**STEP, "context": ["alert", "alert"]}]},
    "a gate without approvers": {"steps": [{"step": "a", "gate": {"message": "?"}}]},
    "a gate of another type": {"steps": [{"step": "a", "gate": {"type": "vote", "approvers": "ada"}}]},
    "a rung without a time": {
        "steps": [{"step": "a", "gate": {"approvers": "ada", "escalation": [{"approvers": "b"}]}}]
    },
    "a condition without a way on": {"steps": [{"step": "a", "condition": {"if": "true"}}]},
    "a loop without a bound": {"steps": [{"step": "a", "loop": {"do": "b", "until": "true"}}]},
    "an unknown key deep inside": {"steps": [{"step": "a", "parallel": [{"steps": [{**STEP, "x": 1}]}]}]},
    "a compensation of nothing": {"steps": [{"step": "a", "action": "t", "compensate": {"with": {}}}]},
    "an unknown key of the mission": {"steps": [STEP], "colour": "red"},
    "a version that is a number": {"steps": [STEP], "version": 1.1},
    "inputs that are a list": {"steps": [STEP], "inputs": {"type": "array"}},
    "a verdict of no words": {"steps": [STEP], "verdict": {"value": "'good'"}},
}


def accepts(text: str) -> bool:
    value, found = read_yaml(text, "m.yaml")
    return bool(value) and not found and compiled(mission_schema()).is_valid(value.plain() if value else None)


def test_it_is_a_json_schema():
    jsonschema_rs.meta.validate(mission_schema())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_every_shipped_mission_fits_and_names_the_schema(path: Path):
    text = path.read_text()
    link = re.search(r"^# yaml-language-server: \$schema=(\S+)$", text, re.MULTILINE)

    assert accepts(text)
    assert link
    assert (path.parent / link[1]).resolve() == ROOT / "docs" / "language" / "mission.schema.json"


def test_every_good_form_fits():
    good = [text for form in FORMS if not findings(text := mission(form))]

    assert len(good) > 5
    assert [] == [text for text in good if not accepts(text)]


@pytest.mark.parametrize("name", [name for name, code in codes().items() if code.where in {"steps", "mission"}])
def test_every_mended_example_fits(name: str):
    text = written_out(codes()[name].good)

    assert accepts(text if codes()[name].where == "mission" else text + HEAD)


@pytest.mark.parametrize("name", BAD_FORMS)
def test_a_bad_form_does_not_fit(name: str):
    whole = yaml.safe_load(HEAD) | {"steps": [STEP]}

    assert compiled(mission_schema()).is_valid(whole)
    assert not compiled(mission_schema()).is_valid({**whole, **BAD_FORMS[name]})


def codes_told(file: Path) -> set[str]:
    return {line.split()[2] for line in file.read_text(encoding="utf-8").splitlines() if line.startswith(TOLD)}


BEYOND = {"a_default_of_no_variable", "an_input_that_no_variable_can_be", "an_author_who_is_not_named"}
"""Mistakes of form that lie between two keys, or in an author's own schema."""
IN_FORM = [file for file in FILES if codes_told(file) <= set(OF_FORM) and file.stem not in BEYOND]


@pytest.mark.parametrize("file", IN_FORM, ids=lambda file: file.stem)
def test_a_mistake_of_form_that_the_loader_finds_the_schema_finds_too(file: Path):
    assert not accepts(file.read_text(encoding="utf-8"))


@given(good_steps())
def test_what_loads_fits(steps: str):
    """The head stands in the one JSON text, so that nothing but our reader tells YAML from it."""
    text = json.dumps(in_one(steps), ensure_ascii=False)

    assert findings(text) == []
    assert accepts(text)


@given(good_steps(), st.sampled_from(["agent", "action", "gate", "condition", "loop", "parallel", "steps"]))
def test_an_unknown_key_anywhere_does_not_fit(steps: str, kind: str):
    whole = in_one(steps.replace(f'"{kind}":', f'"zzzzzz": 1, "{kind}":'))

    assert compiled(mission_schema()).is_valid(whole) == (f'"{kind}":' not in steps or whole == in_one(steps))
