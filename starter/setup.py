"""`gonogo setup`: make a cluster's namespace, and the database beside it, ready. `gonogo dev` needs none of it."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import operate, settings
from starter.output import console
from starter.problem import DONE, Refused, Usage

if TYPE_CHECKING:
    from temporalio.client import Client

    from activities.books.roles import Duty

    Roles = dict[Duty, tuple[str, str]]

PASSWORDS = ("GONOGO_RECORDER_PASSWORD", "GONOGO_WORKER_PASSWORD")
TOLD = {
    "recorder": "may add to the archive and change nothing",
    "worker": "may keep the books, read the archive and change nothing there",
}
Recorder = Annotated[
    str,
    typer.Option(
        "--recorder",
        metavar="ROLE",
        help="Also make this role of PostgreSQL for `gonogo record`; GONOGO_RECORDER_PASSWORD is its password.",
    ),
]
ForWorkers = Annotated[
    str,
    typer.Option(
        "--worker",
        metavar="ROLE",
        help="Also make this role of PostgreSQL for workers and operators; GONOGO_WORKER_PASSWORD is its password.",
    ),
]


def setup(*, recorder: Recorder = "", worker: ForWorkers = "") -> int:
    """Make a cluster ready: register the search attributes, make the tables beside it and who may use them."""
    roles: Roles = {}
    if recorder:
        roles["recorder"] = (recorder, os.environ.get("GONOGO_RECORDER_PASSWORD", ""))
    if worker:
        roles["worker"] = (worker, os.environ.get("GONOGO_WORKER_PASSWORD", ""))
    for duty, (name, password) in roles.items():
        if not password:
            raise Usage(f"a role needs a password: GONOGO_{duty.upper()}_PASSWORD is not set for {name}")
    if recorder and recorder == worker:
        raise Usage("who works may not write records: name two roles")
    return operate(lambda client: _setup(client, roles))


async def _setup(client: "Client", roles: "Roles") -> int:
    from starter.search_attributes import register

    added = await register(client)
    told = f"registered {', '.join(added)}" if added else "everything was registered already"
    console().print(f"namespace {client.namespace}: {told}", markup=False)
    await _make(roles)
    return DONE


async def _make(roles: "Roles") -> None:
    from activities.books.database import Database, Unreadable
    from activities.books.roles import make_role

    database = Database(settings().books())
    try:
        for duty, (name, password) in roles.items():
            await make_role(database, duty, name, password)
            console().print(f"database: {name} {TOLD[duty]}", markup=False)
    except Unreadable as error:
        raise Refused(str(error)) from None
    finally:
        await database.close()
