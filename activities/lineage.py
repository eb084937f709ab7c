"""Which chain of runs a run belongs to, as the server knows it: no mission can claim another's past."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio.client import Client

Lineage = Callable[[str, str], Awaitable[str]]
"""`lineage(workflow_id, run_id)`: the first run of the chain that a run belongs to, as the server knows it."""
MOST = 10_000
PATIENCE = timedelta(seconds=5)


class ServerLineage:
    """Looks runs up once each: a run's first run never changes. `RPCError` when the server does not answer."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[tuple[str, str], str] = {}

    async def __call__(self, workflow_id: str, run_id: str) -> str:
        """Return the first run id of the chain that a run belongs to."""
        known = self._known.get((workflow_id, run_id))
        if known is not None:
            return known
        described = await self._client.get_workflow_handle(workflow_id, run_id=run_id).describe(rpc_timeout=PATIENCE)
        first = described.raw_description.workflow_execution_info.first_run_id
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[workflow_id, run_id] = first
        return first
