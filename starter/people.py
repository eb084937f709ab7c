"""`gonogo people`: who may decide, and with which keys. The keys themselves are `activities/keys.py`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.connect import settings
from starter.options import Json
from starter.output import console, document, print_rows
from starter.problem import DONE, Refused, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from contracts.workspace import PeopleFile, Person

people = typer.Typer(help="Who may decide, and their keys.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The person's name here.", show_default=False)]
Roles = Annotated[
    list[str], typer.Option("--role", metavar="ROLE", help="A role that the person holds; may be repeated.")
]
Replace = Annotated[
    bool, typer.Option("--replace", help="Make a new key where there is one; the old one counts no more.")
]


@people.command("add")
def add(name: Name, *, role: Roles = [], replace: Replace = False) -> int:  # noqa: B006 (typer reads it, nobody changes it)
    """Make a key pair for a person and register its public half."""
    from activities import keys

    place = settings()
    if not role and name not in directory().people:
        raise Usage(f"{name} has no role yet: gonogo people add {name} --role ROLE")
    try:
        keys.create(place.home, name, tuple(role), replace=replace)
    except keys.KeyRefused as error:
        raise Refused(str(error)) from None
    except OSError as error:
        raise Refused(f"cannot keep a key in {place.home}: {error.strerror}") from None
    roles = ", ".join(directory().people[name].roles)
    console().print(f"{name} ({roles}): key in {keys.private_path(place.home, name)}, mode 0600", markup=False)
    return DONE


@people.command("list")
def list_people(*, as_json: Json = False) -> int:
    """List who may decide: their roles, and whether they have a key."""
    known = directory()
    rows = [_row(name, known) for name in sorted(known.people)]
    if as_json:
        document(rows)
        return DONE
    from starter.table import table

    cells = [(row["person"], row["name"], ", ".join(row["roles"]), _keys(row)) for row in rows]
    print_rows(table(("person", "name", "roles", "keys"), cells))
    return DONE


def directory() -> "PeopleFile":
    """Return everybody: the workspace's people and the keys registered here."""
    from activities.people import Directory, Unreadable

    try:
        return Directory(*settings().people_files()).people()
    except Unreadable as error:
        raise Refused(str(error)) from None


def give_keys(home: "Path", people: "Mapping[str, Person]") -> None:
    """Make the keys that the demo's people lack, here and now: none is ever shipped."""
    from activities import keys

    for name, person in people.items():
        if not person.keys and not keys.private_path(home, name).exists():
            try:
                keys.create(home, name)
            except keys.KeyRefused as error:
                raise Refused(str(error)) from None


def demand_known(name: str) -> None:
    """Refuse a name that nobody in the directory has."""
    if name not in directory().people:
        raise Usage(
            f"nobody here is called {name!r}: `gonogo people add {name} --role ROLE`, or see `gonogo people list`"
        )


def _row(name: str, known: "PeopleFile") -> dict[str, Any]:
    from activities import keys

    person = known.people[name]
    here = keys.private_path(settings().home, name).exists() if keys.NAME.fullmatch(name) else False
    return {
        "person": name,
        "name": person.name,
        "roles": list(person.roles),
        "keys": len(person.keys),
        "can_sign_here": here,
    }


def _keys(row: dict[str, Any]) -> str:
    here = ", signs here" if row["can_sign_here"] else ""
    return f"{row['keys']}{here}" if row["keys"] else f"none: gonogo people add {row['person']}"
