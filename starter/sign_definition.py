"""`gonogo sign`: vouch for a mission, or for the policies, with one's own key, in `signatures.json` beside it.

What is signed is shown by its digest; `gonogo lint` and `gonogo diff` show what it says.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import settings
from starter.options import Person
from starter.output import console
from starter.problem import DONE, Refused, Usage

if TYPE_CHECKING:
    from contracts.workspace import PeopleFile, Workspace

What = Annotated[str, typer.Argument(metavar="MISSION", help="A mission of the workspace, or `policies`.")]


def sign(what: What, *, person: Person = "") -> int:
    """Sign a mission with all that it uses, or the policies, as they are now."""
    from activities import signature
    from activities.public_key import KeyRefused
    from starter.people import demand_known, directory

    if not person:
        raise Usage(f"who signs? gonogo sign {what} --as PERSON, or set GONOGO_PERSON")
    demand_known(person)
    place, people = settings(), directory()
    folder, name, digest = _subject(place.workspace, what, people)
    try:
        envelope = signature.sign(place.home, person, name, digest)
    except KeyRefused as error:
        raise Refused(str(error)) from None
    if person not in signature.signers([envelope], name, digest, people):
        raise Refused(f"the key of {person} here is not the one that is registered: it would sign for nobody")
    path = signature.keep(folder, envelope, name, digest, people)
    console().print(f"{name} is signed by {person}: {digest} in {path}", markup=False, soft_wrap=True)
    return DONE


def _subject(root: Path, what: str, people: "PeopleFile") -> tuple[Path, str, str]:
    """Return where a signature goes, what it is of, and its digest."""
    from contracts.signed import POLICIES, content, of_mission
    from language.finding import Rejected
    from language.freeze import freeze
    from language.loader import load_mission
    from language.policies import FOLDER, read_policies
    from starter.launch import find

    try:
        if what.rstrip("/").rpartition("/")[2] == FOLDER:
            return root / FOLDER, POLICIES, read_policies(root).version
        file = find(root, what)
        workspace = _workspace(root, people)
        definition = load_mission(file, workspace)
        plan = freeze(definition, workspace)
    except Rejected as error:
        raise Refused(f"{what} cannot be signed: {error}") from None
    return file.parent, of_mission(definition.mission, definition.version), content(plan)


def _workspace(root: Path, people: "PeopleFile") -> "Workspace":
    from language.workspace import load_workspace

    return load_workspace(root, people)
