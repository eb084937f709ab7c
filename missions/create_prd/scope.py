"""What goes into the product: the needs by RICE, as many as the weeks allow, and what stakeholders asked otherwise.

Pure. RICE is reach x impact x confidence / effort; the impact is weighed by the severity that was heard in interviews,
so that 2 of 4 changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Row = dict[str, Any]
MIDDLE = 2.0


def weighed(need: Mapping[str, Any], estimate: Mapping[str, Any], grade: Mapping[str, Any]) -> Row:
    """Put what the analysts say of one need into one row."""
    heard = 0.5 + 0.5 * grade["severity"] / MIDDLE
    return {
        "id": need["id"],
        "title": need["title"],
        "rice": round(need["reach"] * need["impact"] * heard * need["confidence"] / max(estimate["weeks"], 0.1), 2),
        "weeks": estimate["weeks"],
        "risk": estimate["risk"],
        "severity": grade["severity"],
        "reach": need["reach"],
        "failing": need["failing"],
        "components": estimate["components"],
        "quotes": grade["quotes"],
    }


def placed(rows: Sequence[Row], capacity: float, changes: Sequence[Row]) -> list[Row]:
    """Give each row its place, `now`, `later` or `out`, with the reason.

    What was asked for comes first, the last word on a need counting; then the best RICE that still fits.
    """
    asked = {change["need"]: change for change in changes if change["need"] is not None}
    order = sorted(rows, key=lambda row: (-row["rice"], row["id"]))
    first = [row for row in order if row["id"] in asked]
    left = capacity - sum(row["weeks"] for row in first if asked[row["id"]]["place"] == "now")
    told = {}
    for row in first:
        change = asked[row["id"]]
        told[row["id"]] = (change["place"], f"Asked for in round {change['round']}: {change['said']}")
    for row in order:
        if row["id"] in told:
            continue
        fits = row["weeks"] <= left + 1e-9
        left -= row["weeks"] if fits else 0.0
        why = f"RICE {row['rice']}" if fits else f"RICE {row['rice']}, and {max(left, 0.0):.1f} weeks are left"
        told[row["id"]] = ("now" if fits else "later", why)
    return [{**row, "place": told[row["id"]][0], "why": told[row["id"]][1]} for row in order]


def capacity_of(brief: Mapping[str, Any], changes: Sequence[Row]) -> float:
    """Return the weeks that there are: what was said last, the brief's else."""
    said = [change["weeks"] for change in changes if change["weeks"] is not None]
    return float(said[-1] if said else brief["capacity_weeks"])


def moved(before: Sequence[Row], after: Sequence[Row]) -> list[str]:
    """Say which needs changed their place between two drafts."""
    was = {row["id"]: row["place"] for row in before}
    return (
        [f"{row['title']}: {was[row['id']]} → {row['place']}" for row in after if was.get(row["id"]) != row["place"]]
        if was
        else []
    )
