"""What is worse with a host than before. Pure.

Law: a host is measured against itself. What was bad before does not speak against the patch.
"""

from typing import Any

MORE_FAILING, TIMES_FAILING = 0.01, 2.0
SLOWER = 1.5

Health = dict[str, Any]


def worse(before: Health, after: Health) -> list[str]:
    """Return what got worse, in clauses; nothing where the host is sound."""
    found = [f"{name} is down" for name in sorted(_up(before) - _up(after))]
    failed, fails = before["error_rate"], after["error_rate"]
    if fails > max(failed * TIMES_FAILING, failed + MORE_FAILING):
        found.append(f"{fails:.1%} of requests fail, {failed:.1%} did before")
    if after["latency_ms"] > before["latency_ms"] * SLOWER:
        found.append(f"it answers in {after['latency_ms']:g} ms, before in {before['latency_ms']:g} ms")
    return found


def strain(before: Health, after: Health) -> float:
    """Return how near a host is to being unsound: 0 as before or better, 1 at a bound."""
    failed, latency = float(before["error_rate"]), float(before["latency_ms"])
    fails, slower = float(after["error_rate"]), float(after["latency_ms"])
    parts = [0.0, (fails - failed) / (max(failed * TIMES_FAILING, failed + MORE_FAILING) - failed)]
    parts += [(slower - latency) / (latency * (SLOWER - 1))] if latency else []
    return max(parts)


def _up(health: Health) -> set[str]:
    return {service["name"] for service in health["services"] if service["up"]}
