"""The sample request of `create_prd`, what its tickets come to, and small changes to it."""

import random
from typing import Any

from hypothesis import strategies as st
from live_mission import load_input

from missions.create_prd.needs import IMPACT, find_needs, ranked

REQUEST = load_input("create_prd", "requests/field_console.json")
TICKETS, USAGE, INTERVIEWS = REQUEST["tickets"], REQUEST["usage"], REQUEST["interviews"]
COMPONENTS, REGISTRY, YEAR = REQUEST["components"], REQUEST["registry"], REQUEST["brief"]["year"]
NEEDS = ranked(find_needs(TICKETS), USAGE)
GRAVITY = sorted(IMPACT, key=lambda word: IMPACT[word])
ASKED = {"approved": False, "decision": "not_asked", "by": [], "comment": ""}
tickets = st.sampled_from(range(len(TICKETS)))
seeds = st.integers(0, 10_000)


def shuffled(rows: list[Any], seed: int) -> list[Any]:
    return random.Random(seed).sample(rows, len(rows))


def of(title: str) -> dict[str, Any]:
    return next(need for need in NEEDS if title in need["title"])


def changed(rows: list[dict[str, Any]], place: int, **fields: Any) -> list[dict[str, Any]]:
    return [{**row, **fields} if number == place else row for number, row in enumerate(rows)]
