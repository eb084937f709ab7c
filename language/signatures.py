"""Read who has signed a definition: `signatures.json` beside it, a list of envelopes.

Whether they count is not said here: `activities/signature.py` signs and checks, and lends the check to whoever lints.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts.plan import Plan
from contracts.signed import POLICIES, content, of_mission
from contracts.step import Place
from contracts.workspace import PeopleFile, Workspace
from language.document import read_file
from language.finding import Finding, Rejected
from language.policies import FOLDER, read_policies
from language.yaml_source import read_yaml

FILE = "signatures.json"
WhyUnsigned = Callable[[Sequence[str], Iterable[Mapping[str, Any]], str, str, PeopleFile], str]
"""Of what has to be signed by these: its envelopes, its name, its digest; why it may not run, or nothing."""


def check_mission(file: Path, plan: Plan, workspace: Workspace, why_unsigned: WhyUnsigned) -> Iterator[Finding]:
    """Find a mission that may not run until somebody signs it."""
    definition = plan.definition
    what, required = of_mission(definition.mission, definition.version), workspace.security.require_signed
    if why := why_unsigned(required, plan.signatures, what, content(plan), workspace.people):
        tree, _ = read_yaml(read_file(file), str(file))
        place = tree.place_of("mission") if tree is not None else Place(file=str(file), line=1, column=1)
        yield _unsigned(why, place, definition.mission)


def check_policies(root: Path, workspace: Workspace, why_unsigned: WhyUnsigned) -> Iterator[Finding]:
    """Find policies that count for nothing until somebody signs them."""
    policies, given = read_policies(root), read_signatures(root / FOLDER)
    required = workspace.security.require_signed
    if why := why_unsigned(required, given, POLICIES, policies.version, workspace.people):
        first = min((rule.place for rule in policies.rules.values()), key=lambda place: (place.file, place.line))
        yield _unsigned(why, first, POLICIES).in_file(str(root / first.file))


def _unsigned(why: str, place: Place, name: str) -> Finding:
    return Finding("UNSIGNED", why, place, f"`gonogo sign {name} --as PERSON` signs it")


def read_signatures(folder: Path) -> tuple[dict[str, Any], ...]:
    """Return the envelopes beside what lies in a folder; none where nobody has signed."""
    path = folder / FILE
    if not path.exists():
        return ()
    try:
        found = json.loads(read_file(path))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        place = Place(file=str(path), line=1, column=1)
        raise Rejected([Finding("BAD_VALUE", "it is no list of signatures", place, "let `gonogo sign` write it")])
    return tuple(found)
