"""The verifier: holds a patched host against what it was before.

Law: it passes a host or fails, and never something between: what is unsound raises, and the patch is undone.
"""

from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.fleet_patch.health import strain, worse


class UnsoundError(Exception):
    """The host is worse than before, or does not have the patch."""


async def verify(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Return how the host took the patch."""
    advisory, host, before = call.context["advisory"], call.context["host"]["host"], call.context["before"]
    after = await tools.call("host_health", host=host)
    has = after["versions"].get(advisory["package"], "nothing")
    found = worse(before, after)
    if has != advisory["fixed"]:
        found.insert(0, f"it has {has}, not {advisory['fixed']}")
    for clause in found:
        observe(f"{host}: {clause}", source="monitoring")
    if found:
        raise UnsoundError(f"{host}: {'; '.join(found)}")
    observe(f"{host} is as sound as before", source="monitoring", kind="progress")
    return {"host": host, "strain": round(strain(before, after), 3), "latency_ms": after["latency_ms"]}
