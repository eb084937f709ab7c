"""The reference: a page for each kind of step, with the keys that the reader takes and an example that loads."""

import re
from pathlib import Path

import pytest
from desk import findings, mission

from contracts.definition import Definition
from language.kind_form import READERS
from language.shape import FORMS, MISSION, STEPS, forms_of, keys_of

FOLDER = Path(__file__).parents[2] / "docs" / "language"
KNOWN = re.compile(r"has no key 'zzzzzz' \(keys here: (.*)\)")
PAGES = {"steps": "group", "mission": "child"}
"""Pages that have another name than the key of their kind."""

HEAD = {"verdict": "verdict", "dead-letter": "dead_letter", "budget": "budget"}
"""Forms at the head of a mission, with the keys that they stand under."""

ASKED = {
    "gate": "{step: a, gate: {zzzzzz: 1}}",
    "rung": "{step: a, gate: {escalation: [{zzzzzz: 1}]}}",
    "retry": "{step: a, agent: architect, retry: {zzzzzz: 1}}",
    "condition": "{step: a, condition: {zzzzzz: 1}}",
    "loop": "{step: a, loop: {zzzzzz: 1}}",
    "compensation": "{step: a, action: look_up, compensate: {zzzzzz: 1}}",
    "fallback": "{step: a, agent: architect, task: T, on_failure: {any: {zzzzzz: 1}}}",
    "map": "{step: a, map: {zzzzzz: 1}}",
    "wait": "{step: a, wait: {zzzzzz: 1}}",
    "review": "{step: a, review: {zzzzzz: 1}}",
    "canary": "{step: a, canary: {zzzzzz: 1}}",
    "plan": "{step: a, plan: {zzzzzz: 1}}",
    "allow": "{step: a, plan: {allow: {zzzzzz: 1}}}",
    "party": "{step: a, party: {zzzzzz: 1}}",
    "allowance": "{step: a, mission: look_around, allow: {zzzzzz: 1}}",
}
"""A step with a form in it that has a key which nobody knows: the finding names the known ones."""


def page(kind: str) -> str:
    return (FOLDER / f"{PAGES.get(kind, kind)}.md").read_text()


def taken(text: str) -> set[str]:
    """The keys that the reader takes where the text has a key that nobody knows."""
    said = [found[1] for line in findings(text) if (found := KNOWN.search(line))]
    return set(said[0].split(", "))


def tabled(text: str, name: str) -> set[str]:
    """The keys in one of a page's tables."""
    table = text.split(f"<!-- keys: {name} -->\n")[1].split("<!-- end -->", maxsplit=1)[0]
    return set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))


def test_every_kind_of_step_is_described():
    assert set(READERS) == set(STEPS)
    assert [kind for kind in READERS if next(iter(STEPS[kind])) != kind] == []


@pytest.mark.parametrize("kind", READERS)
def test_a_page_names_exactly_the_keys_that_the_reader_takes(kind: str):
    known = taken(mission(f"steps: [{{step: a, {kind}: x, zzzzzz: 1}}]"))

    assert known == set(keys_of(kind)) == tabled(page(kind), f"{kind} step")


@pytest.mark.parametrize("form", [name for name in FORMS if name not in HEAD])
def test_a_form_inside_a_step_has_exactly_the_keys_that_the_reader_takes(form: str):
    assert taken(mission(f"steps: [{ASKED[form]}]")) == set(FORMS[form])


def test_the_head_has_exactly_the_keys_that_the_loader_takes():
    head = "mission: m\nversion: '1.0'\nteam: t\nsteps: [{step: a, agent: architect, task: T}]\n"

    assert taken(f"{head}zzzzzz: 1\n") == set(MISSION)
    for form, key in HEAD.items():
        assert taken(f"{head}{key}: {{zzzzzz: 1}}\n") == set(FORMS[form])
    # The mission's `on_failure` is written out at its steps.
    assert set(Definition.model_fields) - {"source"} == set(MISSION) - {"on_failure"}


@pytest.mark.parametrize("kind", READERS)
def test_a_page_has_its_parts_and_the_forms_that_its_keys_lead_to(kind: str):
    text = page(kind)
    shared = {"retry", "fallback"} | ({"gate", "rung"} if kind != "gate" else set())

    assert re.findall(r"^## (Keys|Example|What can fail)$", text, re.MULTILINE) == ["Keys", "Example", "What can fail"]
    for form in set(forms_of(STEPS[kind])) - shared:
        assert tabled(text, form) == set(FORMS[form])


@pytest.mark.parametrize("kind", READERS)
def test_the_example_of_a_page_loads(kind: str):
    example = re.search(r"^## Example\n```yaml\n(.*?)^```", page(kind), re.DOTALL | re.MULTILINE)

    assert example
    assert f" {kind}:" in example[1]
    assert findings(mission(example[1])) == []


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", (FOLDER / "locks.md").read_text(), re.DOTALL))
def test_the_examples_of_locks_load(example: str):
    assert findings(mission(example)) == []


@pytest.mark.parametrize("kind", READERS)
def test_the_front_page_leads_to_every_page(kind: str):
    assert f"]({PAGES.get(kind, kind)}.md)" in (FOLDER / "README.md").read_text()
