"""What the company's own software is: services, their releases, when nobody releases, and how each release behaves.

`BEHAVIOUR` is what the world knows and nobody at the company does before it has tried: from which share of the traffic
on a release fails how often, and how much slower it is. The tools never tell it; `demo/release.py` measures by it.
"""

from typing import TypedDict


class Prerequisite(TypedDict):
    """What must be done before a release takes traffic: a `migration`, an `announcement`, or a `soak` of `minutes`."""

    id: str
    kind: str
    title: str
    needs: tuple[str, ...]
    minutes: int


class Release(TypedDict):
    """One build. Coverage is a share of the lines, before and after."""

    service: str
    version: str
    lines: int
    tests: tuple[int, int]
    coverage: tuple[float, float]
    signed: bool
    prerequisites: tuple[Prerequisite, ...]


SERVICES = (
    ("field-sync", "platform", 1800, 0.002, 180, 0.9990, 0.31, 2),
    ("order-desk", "platform", 900, 0.004, 240, 0.9950, 0.44, 3),
    ("calibration-api", "engineering", 2400, 0.001, 90, 0.9995, 0.62, 6),
    ("firmware-hub", "engineering", 300, 0.003, 400, 0.9900, 0.12, 1),
)
"""Service, team, requests a minute, error rate, latency in ms (95th percentile), objective, spent, dependents."""

HISTORY = (
    ("field-sync", "2.3.0", "kept"),
    ("field-sync", "2.3.1", "kept"),
    ("field-sync", "2.3.2", "rolled_back"),
    ("field-sync", "2.3.3", "kept"),
    ("order-desk", "5.0.0", "kept"),
    ("order-desk", "5.0.1", "kept"),
    ("calibration-api", "2.9.0", "rolled_back"),
    ("calibration-api", "2.9.1", "kept"),
    ("firmware-hub", "1.9.0", "kept"),
    ("firmware-hub", "1.9.1", "kept"),
)
"""Earlier releases, and what became of them."""

RELEASES: tuple[Release, ...] = (
    {
        "service": "field-sync",
        "version": "2.4.0",
        "lines": 640,
        "tests": (1412, 0),
        "coverage": (0.84, 0.85),
        "signed": True,
        "prerequisites": (
            {"id": "notice", "kind": "announcement", "title": "Field sync reconnects once", "needs": (), "minutes": 0},
            {"id": "settle", "kind": "soak", "title": "Let replicas settle", "needs": ("backfill",), "minutes": 30},
            {"id": "backfill", "kind": "migration", "title": "Fill offline_since", "needs": ("column",), "minutes": 0},
            {"id": "column", "kind": "migration", "title": "Add offline_since", "needs": (), "minutes": 0},
        ),
    },
    {
        "service": "order-desk",
        "version": "5.1.0",
        "lines": 1230,
        "tests": (2088, 0),
        "coverage": (0.79, 0.79),
        "signed": True,
        "prerequisites": (
            {"id": "index", "kind": "migration", "title": "Index open orders", "needs": (), "minutes": 0},
        ),
    },
    {
        "service": "calibration-api",
        "version": "3.0.0",
        "lines": 5400,
        "tests": (3120, 4),
        "coverage": (0.91, 0.86),
        "signed": True,
        "prerequisites": (),
    },
    {
        "service": "firmware-hub",
        "version": "1.9.2",
        "lines": 210,
        "tests": (640, 0),
        "coverage": (0.72, 0.74),
        "signed": True,
        "prerequisites": (
            {"id": "notice", "kind": "announcement", "title": "New firmware hub", "needs": (), "minutes": 0},
        ),
    },
)

FREEZES = (
    ("FRZ-11", ("order-desk",), "2026-11-27T00:00:00Z", "2026-11-30T23:59:59Z", "Sales weekend"),
    ("FRZ-12", ("*",), "2026-12-19T00:00:00Z", "2027-01-04T06:00:00Z", "End of the year"),
    ("FRZ-13", ("calibration-api",), "2026-11-16T06:00:00Z", "2026-11-20T18:00:00Z", "Audit of the laboratory"),
)
"""Number, services (`*` for all), starts, ends, why."""

BEHAVIOUR: dict[tuple[str, str], tuple[tuple[int, float, float], ...]] = {
    ("field-sync", "2.4.0"): ((1, 0.002, 1.02), (50, 0.003, 1.06)),
    ("order-desk", "5.1.0"): ((1, 0.004, 1.00), (10, 0.061, 1.35)),
    ("calibration-api", "3.0.0"): ((1, 0.001, 1.10),),
    ("firmware-hub", "1.9.2"): ((1, 0.003, 1.05), (50, 0.003, 1.90)),
}
"""From this percentage of the traffic on: the share of requests that fail, and latency in times of the usual one."""
