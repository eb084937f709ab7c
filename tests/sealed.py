"""Keys for tests in which everything is encrypted, and clients that have them."""

from pathlib import Path

from temporalio.client import Client

from activities.payload_keys import Keys, rotate
from activities.seal import Sealed
from runtime.payloads import data_converter
from tests.payloads import PLACE_OF_ALL


def sealed(folder: Path) -> Sealed:
    """Return a seal with a fresh file of keys."""
    file = folder / "payload_keys.yaml"
    rotate(file)
    return Sealed(Keys(file))


async def sealed_client(address: str, seal: Sealed, namespace: str = "default") -> Client:
    """Return a client whose payloads are encrypted."""
    converter = data_converter(PLACE_OF_ALL, seal)
    return await Client.connect(address, namespace=namespace, data_converter=converter)
