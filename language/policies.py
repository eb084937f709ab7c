"""Read a workspace's policies, `policies/*.cedar`, with a finding for each mistake.

The law: what is wrong with one policy is wrong with all: nobody can tell what the others would have meant without it.
`activities/policy.py` reads them here again when a file changes, and answers by them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.base import digest
from contracts.step import Place
from language.cedar import statements
from language.document import read_file
from language.entry import unknown
from language.finding import Finding, Rejected

if TYPE_CHECKING:
    from cedarpy import PolicySet, Schema

FOLDER, SCHEMA, ENDING = "policies", "schema.cedarschema", ".cedar"
NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
WANTED = re.compile(r"\s*([A-Za-z][\w-]*)\s*:\s*([1-9]\d?)\s*")
UNKNOWN = {"Role": "UNKNOWN_PERSON", "Person": "UNKNOWN_PERSON", "Agent": "UNKNOWN_AGENT", "Tool": "UNKNOWN_TOOL"}
Known = Mapping[str, Iterable[str]]
"""The names that there are in a workspace, by the kind of what they name."""


@dataclass(frozen=True)
class Rule:
    """One policy: whether it permits or forbids, whose approval it asks, and where it stands."""

    name: str
    permits: bool
    approval: dict[str, int]
    place: Place
    form: Mapping[str, Any]


@dataclass(frozen=True)
class Policies:
    """All policies of a workspace, as Cedar takes them."""

    rules: Mapping[str, Rule]
    parsed: "PolicySet"
    schema: "Schema"
    version: str


@cache
def shipped_schema() -> str:
    """Return the schema of this release: what it asks."""
    return files("language").joinpath("policy.cedarschema").read_text(encoding="utf-8")


def read_policies(root: Path, known: Known | None = None) -> Policies:
    """Return the policies of a workspace. Raises `Rejected`; places are relative to the workspace.

    Names in policies are checked against those that are `known`, where that is said.
    """
    from cedarpy import PolicySet

    findings: list[Finding] = []
    schema = _schema(root, findings)
    texts = dict(_texts(root, findings))
    rules: dict[str, Rule] = {}
    for file, text in texts.items():
        for place, statement in statements(text, file):
            rule = _rule(place, statement, schema, findings)
            if rule is None:
                continue
            if rule.name in rules:
                message = f"a second policy is called '{rule.name}'; the first is at {rules[rule.name].place}"
                findings.append(Finding("POLICY_NAME", message, place, "give each its own name"))
            rules[rule.name] = rule
            findings += _strangers(rule, known or {})
    if not rules and not findings:
        findings.append(_none(root))
    if findings:
        raise Rejected(findings)
    together = {"templates": {}, "templateLinks": [], "staticPolicies": {name: one.form for name, one in rules.items()}}
    return Policies(rules, PolicySet.from_json_str(json.dumps(together)), schema, digest([shipped_schema(), texts]))


def _none(root: Path) -> Finding:
    place = Place(file=FOLDER, line=1, column=1)
    what = f"no {FOLDER}/*{ENDING} permits anything" if (root / FOLDER).is_dir() else f"there is no folder '{FOLDER}'"
    return Finding(
        "NO_POLICY", f"{what}, so everything is denied", place, "write what is permitted; `gonogo new` begins it"
    )


def _schema(root: Path, findings: list[Finding]) -> "Schema":
    """Return this release's schema. The copy that lies beside policies, for editors and people, says the same."""
    from cedarpy import Schema

    file = f"{FOLDER}/{SCHEMA}"
    place = Place(file=file, line=1, column=1)
    try:
        if (root / file).exists() and read_file(root / file) != shipped_schema():
            message = "the schema is not that of this release, by which policies are asked"
            findings.append(Finding("POLICY_TYPE", message, place, "write what `gonogo policy schema` prints"))
    except Rejected as rejected:
        findings += [finding.in_file(file) for finding in rejected.findings]
    return Schema.from_str(shipped_schema())


def _texts(root: Path, findings: list[Finding]) -> Iterator[tuple[str, str]]:
    """Yield the files of policies, in the order of their names, each with its text."""
    try:
        paths = sorted(path for path in (root / FOLDER).iterdir() if path.name.endswith(ENDING))
    except FileNotFoundError:
        return
    except OSError as error:
        place = Place(file=FOLDER, line=1, column=1)
        findings.append(Finding("FILE", f"cannot be read: {error.strerror}", place))
        return
    for path in paths:
        file = f"{FOLDER}/{path.name}"
        try:
            yield file, read_file(path)
        except Rejected as rejected:
            findings += [finding.in_file(file) for finding in rejected.findings]


def _rule(place: Place, text: str, schema: "Schema", findings: list[Finding]) -> Rule | None:
    """Return one policy, or None where it cannot be one."""
    from cedarpy import policies_to_json_str, validate_policies

    try:
        found = json.loads(policies_to_json_str(text))
    except ValueError as error:
        findings.append(Finding("POLICY_SYNTAX", f"this is no policy of Cedar: {error}", place))
        return None
    if not found["staticPolicies"]:
        message = "a template permits and forbids nothing"
        findings.append(Finding("POLICY_SYNTAX", message, place, "write who or what it is about instead of a '?' slot"))
        return None
    [form] = found["staticPolicies"].values()
    notes = form.get("annotations") or {}
    name = notes.get("id") or ""
    if not NAME.fullmatch(name):
        message = f"the policy has no name: @id is {name!r}" if name else "the policy has no name"
        findings.append(Finding("POLICY_NAME", message, place, 'write @id("small_letters") above it'))
    for wrong in validate_policies(text, schema).errors[:1]:  # The others only follow from it.
        said = wrong.error.replace(f"for policy `{wrong.policy_id}`, ", "")
        findings.append(Finding("POLICY_TYPE", said, place, f"{FOLDER}/{SCHEMA} says what there is"))
    permits = form["effect"] == "permit"
    approval = _approval(notes, place, findings, permits=permits)
    return Rule(name, permits, approval, place, form)


def _approval(notes: Mapping[str, str], place: Place, findings: list[Finding], *, permits: bool) -> dict[str, int]:
    """Return whose approval a policy asks: `@approval("secops_lead:1, secops_oncall:2")`."""
    if "approval" not in notes:
        return {}
    parts = [WANTED.fullmatch(part) for part in (notes["approval"] or "").split(",")]
    if not permits or None in parts:
        message = "'@approval' of a policy that forbids" if not permits else f"'@approval' is {notes['approval']!r}"
        mend = "only what is permitted can hang on it" if not permits else 'write @approval("ROLE:NUMBER, …")'
        findings.append(Finding("POLICY_APPROVAL", message, place, mend))
    return {part[1]: int(part[2]) for part in parts if part is not None}


def _strangers(rule: Rule, known: Known) -> Iterator[Finding]:
    """Find names that nothing in the workspace has: such a policy never says anything."""
    for kind, name in _named(rule.form):
        if kind in known:
            yield from unknown(UNKNOWN[kind], kind.lower(), name, known[kind], rule.place)
    for name in rule.approval:
        if "Role" in known:
            yield from unknown(
                "UNKNOWN_PERSON", "role or person", name, {*known["Role"], *known.get("Person", ())}, rule.place
            )


def _named(form: Any) -> Iterator[tuple[str, str]]:
    """Yield the entities that a policy names."""
    if isinstance(form, list):
        for part in form:
            yield from _named(part)
    elif isinstance(form, dict):
        if set(form) == {"type", "id"} and form["type"] in UNKNOWN:
            yield form["type"], str(form["id"])
        for part in form.values():
            yield from _named(part)
