"""Plans that would do more than their step allows, as a malicious planner writes them."""

from typing import Any


def acting(name: str, **more: Any) -> dict[str, Any]:
    return {"step": f"act_{name}", "action": "isolate_host", "with": {"host": f"{name}-web"}, **more}


def ticket(name: str, number: int = 0, **more: Any) -> dict[str, Any]:
    return {"step": f"note_{name}_{number}", "action": "file_ticket", "with": {"title": f"{name}-web"}, **more}


def gate(*approvers: str, **more: Any) -> dict[str, Any]:
    return {"approvers": list(approvers), "timeout": "1h", **more}


def wider(name: str) -> dict[str, list[dict[str, Any]]]:
    """Return plans that are wider than what their step allows, each by what is wrong with it."""
    own = gate("lead", required=2)
    return {
        "acts without approval": [acting(name)],
        "asks its own approver": [acting(name, approval=gate("eve", required=2))],
        "asks itself": [acting(name, approval=gate("planner", required=2))],
        "is content with one": [acting(name, approval=gate("lead"))],
        "approves in silence": [acting(name, approval={**own, "on_timeout": "continue"})],
        "acts where people said no": [acting(name, approval={**own, "on_reject": [acting(f"{name}_2")]})],
        "uses a tool that it may not": [{"step": f"act_{name}", "action": "release_host", "with": {"host": name}}],
        "asks an agent that it may not": [{"step": f"ask_{name}", "agent": "mole", "task": "act"}],
        "has more steps than it may": [ticket(name, number) for number in range(5)],
        "hides steps inside others": [{"step": f"all_{name}", "parallel": [ticket(name, n) for n in range(5)]}],
        "plans to plan": [{"step": f"p_{name}", "plan": {"agent": "planner", "task": "x", "allow": {"kinds": []}}}],
        "starts a mission": [{"step": f"m_{name}", "mission": "other", "accept": ["done"], "on_parent_close": "undo"}],
        "calls a step as its author did": [{"step": "plan", "action": "file_ticket", "with": {}}],
        "leads out of itself": [ticket(name, on_failure="each")],
        "loops": [{"step": f"l_{name}", "loop": {"do": [ticket(name)], "until": "false", "max_iterations": 1000}}],
        "opens a gate of its own": [{"step": f"g_{name}", "gate": gate("lead")}],
        "is no list of steps": [{"approved": True}, {"kind": "action"}, {}],
        "reads what is not its own": [ticket(name) | {"with": {"title": "${{ secrets.key }}"}}],
        "hides a key twice over": [acting(name, kind="action", approval=None)],
    }
