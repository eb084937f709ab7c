"""Issue credentials for single calls of tools, by the service key `broker`, to servers that want one.

Law: nothing is issued before the executor has made every check of its own, and what is issued is good for this call
alone. The key is read when it is used, from the home of the executor, so that a new one counts at once.
"""

import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from jwt.api_jws import PyJWS
from temporalio import activity

from activities import public_key, service_keys
from activities.authority import Right, resource
from activities.lineage import Lineage
from activities.public_key import KeyRefused
from activities.statement import Refusal
from contracts.base import canonical, digest
from contracts.call import ToolCall
from contracts.credential import LIFETIME, TYPE, StepCredential
from contracts.workspace import Server, Tool


class Broker:
    """What an executor gets its credentials from."""

    def __init__(self, home: Path, servers: Mapping[str, Server], lineage: Lineage) -> None:
        self._home = home
        self._servers = servers
        self._lineage = lineage

    async def issue(self, call: ToolCall, tool: Tool, right: Right) -> str:
        """Return the credential of a call; none where the tool's server wants none. Raises `Refusal` without a key."""
        server = self._servers.get(tool.server)
        if server is None or server.credential != "step":
            return ""
        info = activity.info()
        now = int(time.time())
        claims = StepCredential(
            aud=tool.server,
            sub=right.requested_by or call.requested_by,
            iat=now,
            exp=now + int(LIFETIME.total_seconds()),
            jti=uuid.uuid4().hex,
            namespace=info.namespace,
            mission=call.mission,
            first_run=await self._lineage(info.workflow_id or "", info.workflow_run_id or ""),
            step=call.path,
            tool=tool.tool or call.tool,
            resource=resource(tool, call.arguments).get("resource", ""),
            arguments=digest(call.arguments),
            key=call.key,
            approved_by=right.approved_by,
        )
        return self._sign(claims)

    def _sign(self, claims: StepCredential) -> str:
        try:
            key = service_keys.private(self._home, "broker")
        except KeyRefused as error:
            raise Refusal(f"its server wants a credential, and none can be issued: {error}") from None
        kid = public_key.kid(public_key.spell(key.public_key()))
        return PyJWS().encode(canonical(claims), key, algorithm="EdDSA", headers={"typ": TYPE, "kid": kid})
