"""Read what a mission may spend: its `budget`. The model is in `contracts/money.py`."""

from datetime import timedelta
from typing import Any

from contracts.money import Budget
from language.form import Form

LEAST, MOST_USD, MOST_TOKENS, MOST_RUNS = 0.000001, 1e9, 10**15, 10**12


def read_budget(form: Form) -> Budget | None:
    """Return the budget of a mission, where it has one."""
    inner = form.form("budget", "'budget'")
    if inner is None:
        return None
    said: dict[str, Any] = {
        "usd": inner.number("usd", LEAST, MOST_USD, 1.0),
        "tokens": inner.integer("tokens", 1, MOST_TOKENS, 1),
        "agent_runs": inner.integer("agent_runs", 1, MOST_RUNS, 1),
        "time": inner.duration("time"),
        "soft": inner.number("soft", 0.01, 1.0, 0.8),
    }
    inner.done()
    bounded = {name: said[name] for name in said if name in inner.data and said[name] is not None}
    if not bounded.keys() - {"soft"}:
        form.add("BAD_VALUE", "'budget' bounds nothing", inner.value.place, "write usd, tokens, agent_runs or time")
    if said["time"] is not None and said["time"] <= timedelta(0):
        place = inner.data["time"].place
        form.add("TIMEOUT_NOT_POSITIVE", f"'time' is {inner.data['time'].data}: no time at all", place, "write '2h'")
    return Budget(**bounded)
