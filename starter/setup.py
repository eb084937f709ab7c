"""`gonogo setup`: make a cluster's namespace ready for missions. `gonogo dev` needs none of it."""

from typing import TYPE_CHECKING

from starter.connect import operate
from starter.output import console
from starter.problem import DONE

if TYPE_CHECKING:
    from temporalio.client import Client


def setup() -> int:
    """Make a cluster ready: register the search attributes."""
    return operate(_setup)


async def _setup(client: "Client") -> int:
    from starter.search_attributes import register

    added = await register(client)
    told = f"registered {', '.join(added)}" if added else "everything was registered already"
    console().print(f"namespace {client.namespace}: {told}", markup=False)
    return DONE
