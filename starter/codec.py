"""`gonogo codec`: the keys that contents are encrypted with, and the server that reads them for the Web UI.

The file of keys is `activities/payload_keys.py`, the server `runtime/codec_server.py`.
"""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import quiet, settings
from starter.options import MissionId, Person
from starter.output import console
from starter.problem import DONE, Refused, Usage

if TYPE_CHECKING:
    from pathlib import Path

codec = typer.Typer(help="What is encrypted: its keys, and who may read it.", no_args_is_help=True)
PORT = 8234

Once = Annotated[bool, typer.Option("--once", help="Only where there is no key yet.")]
Host = Annotated[str, typer.Option("--host", help="The address to listen at.")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="The port to listen at.")]
Origin = Annotated[list[str], typer.Option("--origin", metavar="URL", help="The Web UI's origin; may be repeated.")]


@codec.command("rotate")
def rotate(*, once: Once = False) -> int:
    """Make a new key for what is written from now on; the first one turns encryption on.

    What the keys before it have encrypted is still read. Workers see the new key at once where they see the file.
    """
    from activities import payload_keys
    from activities.public_key import KeyRefused

    path = _path()
    if once and path.exists():
        console().print(f"{path} has keys", markup=False)
        return DONE
    try:
        name = payload_keys.rotate(path)
    except KeyRefused as error:
        raise Refused(str(error)) from None
    console().print(f"{name} is the key now; {path}, mode 0600, has it and those before it", markup=False)
    return DONE


@codec.command("serve")
def serve(*, origin: Origin, host: Host = "127.0.0.1", port: Port = PORT) -> int:
    """Read and write what is encrypted for the Web UI and for `temporal`; whoever asks needs a token."""
    from activities.people import Directory
    from runtime.codec_server import Access, application, door
    from runtime.connection import connect, namespace
    from runtime.payloads import sealing
    from runtime.reading import Readers
    from runtime.settings import SettingRefused
    from starter.reading import policy

    place = settings()
    readers = Readers(policy(), lambda: connect(place))
    quiet()
    try:
        seal = sealing(_path())
    except SettingRefused as error:
        raise Refused(str(error)) from None
    for one in origin:
        if not one.startswith(("http://", "https://")) or one.count("/") != 2 or "*" in one:
            raise Usage(f"{one!r} is no origin; write one such as http://127.0.0.1:8233")
    access = Access(Directory(*place.people_files()), origin)
    console().print(f"codec: serving http://{host}:{port} for {', '.join(origin)}", markup=False)
    with suppress(KeyboardInterrupt):
        asyncio.run(door(application(seal, access, namespace(), readers.why_not), host, port).serve())
    return DONE


@codec.command("token")
def token(*, person: Person = "") -> int:
    """Print a token with which you may read what is encrypted, for some hours."""
    from activities import reader_token
    from activities.public_key import KeyRefused

    if not person:
        raise Usage("who reads? add --as PERSON to gonogo codec token, or set GONOGO_PERSON")
    try:
        print(reader_token.sign(settings().home, person))
    except KeyRefused as error:
        raise Refused(str(error)) from None
    return DONE


@codec.command("endpoint")
def endpoint(mission: MissionId) -> int:
    """Print where `temporal` has what it sends to a mission encrypted, on a machine where `gonogo dev` runs."""
    from starter import footprint

    known = footprint.read(settings().home)
    if known is None or not known.codec:
        raise Refused("no `gonogo dev` runs with this home; name your own codec server: http://HOST/missions/ID")
    print(f"{known.codec}/missions/{mission}")
    return DONE


def _path() -> "Path":
    from runtime.settings import KEYS

    place = settings()
    return place.payload_keys or place.home / KEYS
