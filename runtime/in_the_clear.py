"""What was begun in the clear and is still open where there are keys by now: it stands still, and somebody has to know.

The law: nothing here lets anything through. What was begun before the first key was made is told by the server's
clock, since only that says when something began; `runtime/codec.py` refuses, whoever is told.
"""

import asyncio
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

from activities.payload_keys import Keys
from activities.public_key import KeyRefused

SHOWN = 5
"""How many are named."""
PATIENCE = 10.0


async def standing_still(client: Client, keys: Path) -> str:
    """Return in a sentence what is open and cannot go on; nothing where there is none, or where nobody can tell."""
    try:
        since = Keys(keys).since()
        if since is None:
            return ""
        # A run that takes over from another one begins anew: what was begun in the clear never got as far.
        wanted = f"ExecutionStatus = 'Running' AND StartTime < '{since.isoformat()}'"
        async with asyncio.timeout(PATIENCE):
            count = (await client.count_workflows(wanted)).count
            named = [one.id async for one in client.list_workflows(wanted, limit=SHOWN)] if count else []
    except (RPCError, TimeoutError, KeyRefused):
        return ""
    if not count:
        return ""
    names = ", ".join(named) + (", …" if count > len(named) else "")
    return (
        f"{count} that began in the clear before {since:%Y-%m-%d %H:%M} UTC stand still while there are keys: {names}; "
        "nothing of them is lost: docs/encryption.md says how they end"
    )
