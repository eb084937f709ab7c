"""The release checker: what the policy says of a release, by what the company's systems know.

Law: what cannot be looked up is no release that may go. The other half is `policy.py`.
"""

from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.release_rollout.policy import Rule, broken, risk


async def check(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Hold one release against the policy."""
    service, version, window = (call.context[name] for name in ("service", "version", "window"))
    built = (await tools.call("get_release", service=service, version=version))["release"]
    health = (await tools.call("service_health", service=service))["health"]
    if built is None or health is None:
        what = f"there is no release {version} of {service}"
        nothing = {"service": service, "version": version, "lines": 0, "prerequisites": []}
        return _answer([Rule("unknown", True, what)], 1.0, nothing)
    found = await tools.call("change_freezes", service=service, since=window["starts"], until=window["ends"])
    rules = list(broken(built, health, found["freezes"]))
    for rule in rules:
        observe(rule.text, source=rule.rule)
    kept = {name: built[name] for name in ("service", "version", "lines", "prerequisites")}
    return _answer(rules, risk(built, health), kept)


def _answer(rules: list[Rule], risk: float, release: dict[str, Any]) -> dict[str, Any]:
    stops = [rule.text for rule in rules if rule.blocks]
    told = [rule.text for rule in rules if not rule.blocks]
    words = [f"It must not go: {'; '.join(stops)}." if stops else f"It may go, with a risk of {risk:.0%}."]
    words += [f"To be known: {'; '.join(told)}."] if told else []
    return {
        "verdict": "stop" if stops else "go",
        "risk": risk,
        "rules": [rule._asdict() for rule in rules],
        "release": release,
        "summary": " ".join(words),
    }
