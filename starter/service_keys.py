"""`gonogo keys`: the keys of services. Those of people are `gonogo people`, the files `activities/service_keys.py`."""

from typing import Annotated, Literal

import typer

from starter.connect import settings
from starter.options import Json
from starter.output import console, document, print_rows
from starter.problem import DONE, Refused

keys = typer.Typer(help="The keys of services: executor, broker, recorder.", no_args_is_help=True)

# As `activities.service_keys.Service`, which takes too long to load for `--help`.
Name = Annotated[Literal["executor", "broker", "recorder"], typer.Argument(help="The service.", show_default=False)]
Replace = Annotated[bool, typer.Option("--replace", help="Make a new key; what the old one signed still verifies.")]


@keys.command("make")
def make(name: Name, *, replace: Replace = False) -> int:
    """Make a service's key where there is none, and register its public half in services.yaml."""
    from activities import people, service_keys
    from activities.public_key import KeyRefused

    home = settings().home
    try:
        known = people.Directory(*settings().people_files()).people().people
        service_keys.make(home, name, replace=replace, people={one: person.keys for one, person in known.items()})
    except (KeyRefused, people.Unreadable) as error:
        raise Refused(str(error)) from None
    console().print(f"{name}: key in {service_keys.private_path(home, name)}, mode 0600", markup=False)
    return DONE


@keys.command("list")
def list_keys(*, as_json: Json = False) -> int:
    """List the services, the public keys that count for each, and whether the private half lies here."""
    from activities import service_keys
    from activities.public_key import KeyRefused
    from starter.table import table

    home = settings().home
    try:
        known = service_keys.public(home)
    except KeyRefused as error:
        raise Refused(str(error)) from None
    here = {name: service_keys.private_path(home, name).exists() for name in service_keys.SERVICES}
    if as_json:
        document([{"service": name, "keys": list(known.get(name, ())), "here": here[name]} for name in here])
        return DONE
    rows = [(name, ", ".join(known.get(name, ())) or "none", "yes" if here[name] else "no") for name in here]
    print_rows(table(("service", "public keys", "private half here"), rows))
    return DONE
