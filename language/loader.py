"""From YAML to a checked definition, with every finding in one pass.

The law: what this returns can run, and what cannot run is refused here, with the place and what to write instead.
Structure is read by `form.py`, `step_form.py` and `kind_form.py`; what the parts mean together is checked by
`language/checks`.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from contracts.definition import DeadLetterBox, Definition, Verdict
from contracts.step import Place
from contracts.workspace import Workspace
from language.budget_form import read_budget
from language.checks import (
    approval,
    arguments,
    canaries,
    expressions,
    flow,
    locks,
    missions,
    names,
    paths,
    people,
    plans,
    quorum,
    races,
    timing,
    together,
    types,
    variables,
)
from language.document import read_file
from language.draft import Draft
from language.finding import Finding, Rejected
from language.form import Form, filled
from language.library import Library
from language.name import MISSION, unfit
from language.schema import check_schema, errors
from language.spread import read_ways, spread
from language.start import input_defaults
from language.step_form import StepReader
from language.yaml_source import Value, read_yaml

MOST_TOLD = 100
"""Findings of one kind of check that are told at once: nobody reads more, and each takes time."""
CHECKS = (
    names.check,
    flow.check,
    variables.check,
    races.check,
    paths.check,
    expressions.check,
    types.check,
    approval.check,
    quorum.check,
    timing.check,
    arguments.check,
    canaries.check,
    locks.check,
    plans.check,
    missions.check,
    together.check,
    people.check,
)


def load_mission(path: Path, workspace: Workspace) -> Definition:
    """Return the checked definition in a file. Raises `Rejected` with all findings, under the path as it was given.

    The definition itself knows the file by its place in the workspace, so that it is the same wherever that lies.
    """
    return read_for(path, workspace, Library(workspace, read_for))


def read_for(path: Path, workspace: Workspace, library: Library) -> Definition:
    """Return the checked definition in a file, for a mission that may start it too."""
    text = read_file(path)
    try:
        return load_text(text, source_path(path, workspace), workspace, library)
    except Rejected as rejected:
        raise Rejected(finding.in_file(str(path)) for finding in rejected.findings) from None


def load_text(text: str, file: str, workspace: Workspace, library: Library | None = None) -> Definition:
    """Return the checked definition in a text; `file` names it in findings. Raises `Rejected` with all findings."""
    library = library or Library(workspace, read_for)
    tree, findings = read_yaml(text, file)
    if tree is None or not isinstance(tree.data, dict):
        raise Rejected(findings or [nothing(tree, file)])
    draft = read_mission(tree, file, findings)
    too_many = list(flow.too_many(draft))
    draft = draft if too_many else with_missions(draft, library)
    findings += too_many
    for check in () if too_many else CHECKS:
        findings.extend(islice(check(draft, workspace), MOST_TOLD))
    if findings:
        raise Rejected(findings)
    return draft.definition


def with_missions(draft: Draft, library: Library) -> Draft:
    """Return the draft, knowing the missions that it starts."""
    return replace(draft, missions=library.started(draft.definition))


def source_path(path: Path, workspace: Workspace) -> str:
    """Return a path relative to the workspace; of one outside it only the last two parts."""
    try:
        return path.resolve().relative_to(Path(workspace.root).resolve()).as_posix()
    except ValueError:
        return "/".join(path.parts[-2:])


def nothing(tree: Value | None, file: str) -> Finding:
    place = tree.place if tree else Place(file=file, line=1, column=1)
    mend = "write the keys mission, version, team, inputs, verdict and steps"
    return Finding("WRONG_TYPE", "the file is no map of keys and values", place, mend)


def read_mission(tree: Value, file: str, findings: list[Finding]) -> Draft:
    """Return the mission as far as it can be read; `findings` gets what is wrong with its form."""
    form = Form(tree, "a mission", findings)
    reader = StepReader(findings, frozenset(named_steps(tree)))
    ways = read_ways(reader, form)
    steps = reader.steps(filled(form, "steps", required=True), named=True)
    definition = Definition(
        mission=read_name(form),
        version=form.text("version", required=True),
        team=form.text("team", required=True),
        author=form.texts("author"),
        description=form.text("description"),
        operators=form.texts("operators"),
        dead_letter=read_dead_letter(form),
        budget=read_budget(form),
        inputs=read_inputs(form),
        verdict=read_verdict(form),
        steps=spread(steps, ways, reader, form),
        source=file,
    )
    form.done()
    return Draft(definition, tree, reader.nodes, frozenset(named_steps(tree)))


def named_steps(value: Value) -> list[str]:
    """Return each name that the author gave to a step, anywhere."""
    if isinstance(value.data, list):
        return [name for item in value.data for name in named_steps(item)]
    if not isinstance(value.data, dict):
        return []
    own = value.data.get("step")
    inner = [name for item in value.data.values() for name in named_steps(item)]
    return [own.data, *inner] if own and isinstance(own.data, str) else inner


def read_name(form: Form) -> str:
    name = form.text("mission", required=True)
    if name and not MISSION.fullmatch(name):
        mend = "write small letters, digits, '_' and '-', starting with a letter, at most 64"
        form.add("BAD_NAME", f"'{name[:80]}' is no name for a mission", form.data["mission"].place, mend)
    return name


def read_inputs(form: Form) -> dict[str, Any]:
    """Return the schema of the inputs, whose properties become variables."""
    schema = form.mapping("inputs")
    if schema is None:
        return {}
    value = form.data["inputs"]
    for problem in check_schema(schema):
        form.add("BAD_SCHEMA", f"'inputs' is no JSON Schema: {problem}", value.place)
    if schema.get("type") != "object":
        mend = "write 'type: object' and name the inputs under 'properties'"
        form.add("BAD_SCHEMA", "'inputs' must be of type object", value.place_of("type"), mend)
    properties = value.data.get("properties") if isinstance(value.data, dict) else None
    for name, place in properties.key_places.items() if properties else ():
        reason = unfit(name)
        if reason:
            form.add("BAD_NAME", f"'{name}' cannot be an input: {reason}", place, "choose another name")
    for name, problem in unfit_defaults(schema):
        place = value.find("properties", name, "default").place
        form.add(
            "BAD_VALUE", f"the default of '{name}' does not fit: {problem}", place, "write what its schema asks for"
        )
    return schema


def unfit_defaults(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each input whose default does not fit its own schema, and why."""
    if check_schema(schema):
        return
    loose = {key: part for key, part in schema.items() if key not in {"required", "additionalProperties"}}
    for name, default in input_defaults(schema).items():
        for problem in errors(loose, {name: default}):
            yield name, problem


def read_dead_letter(form: Form) -> DeadLetterBox | None:
    inner = form.form("dead_letter", "'dead_letter'")
    if inner is None:
        return None
    box = DeadLetterBox(timeout=inner.duration("timeout"))
    inner.done()
    return box


def read_verdict(form: Form) -> Verdict:
    inner = form.form("verdict", "a verdict", required=True)
    if inner is None:
        return Verdict(one_of=("",), value="")
    verdict = Verdict(
        one_of=inner.texts("one_of", required=True) or ("",),
        value=inner.text("value", required=True),
    )
    inner.done()
    return verdict
