"""The policy for releases, as rules over figures: which a release breaks, and how likely it has to be taken back.

Pure. Law: more failed tests, less coverage, more freezes and a smaller budget never turn a stop into a go, and more
lines, dependents, migrations and releases that were taken back never lower the risk. No name decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

COVERAGE_BLOCKS, COVERAGE_TOLD = 0.02, 0.0
"""How much coverage may fall: beyond the first it stops a release, beyond the second it is told."""
BUDGET_BLOCKS, BUDGET_TOLD = 0.8, 0.5
HISTORY_TOLD = 0.4
HALF_RISK_LINES = 4_000
"""Changed lines at which size alone makes taking back as likely as not."""


class Rule(NamedTuple):
    """A rule that a release breaks, or comes near to where `blocks` is false."""

    rule: str
    blocks: bool
    text: str


def broken(
    release: Mapping[str, Any], health: Mapping[str, Any], freezes: Sequence[Mapping[str, Any]]
) -> Iterator[Rule]:
    """Yield the rules, those of the build first."""
    passed, failed = release["tests"]
    if failed or not passed:
        yield Rule("tests", True, f"{failed} of {passed + failed} tests fail" if passed else "no test has run")
    if not release["signed"]:
        yield Rule("signature", True, "the build is not signed")
    before, after = release["coverage"]
    fell = round(before - after, 6)
    if fell > COVERAGE_TOLD:
        text = f"coverage fell from {before:.0%} to {after:.0%}; at most {COVERAGE_BLOCKS:.0%} is allowed"
        yield Rule("coverage", fell > COVERAGE_BLOCKS, text)
    for freeze in freezes:
        text = f"{freeze['reason']}: nobody releases from {freeze['starts']} to {freeze['ends']} ({freeze['id']})"
        yield Rule("freeze", True, text)
    spent = health["budget_spent"]
    if spent >= BUDGET_TOLD:
        text = f"{spent:.0%} of the error budget is spent; from {BUDGET_BLOCKS:.0%} on nobody releases"
        yield Rule("budget", spent >= BUDGET_BLOCKS, text)
    if taken_back(health) >= HISTORY_TOLD:
        yield Rule("history", False, f"{taken_back(health):.0%} of the last releases were taken back")


def taken_back(health: Mapping[str, Any]) -> float:
    """Return the share of past releases that were taken back."""
    outcomes = [past["outcome"] for past in health["history"]]
    return outcomes.count("rolled_back") / len(outcomes) if outcomes else 0.0


def risk(release: Mapping[str, Any], health: Mapping[str, Any]) -> float:
    """Return the probability that a release has to be taken back, from causes that are taken to be independent."""
    lines = release["lines"]
    migrations = sum(item["kind"] == "migration" for item in release["prerequisites"])
    history = len(health["history"])
    causes = (
        lines / (lines + HALF_RISK_LINES),
        1 - 0.97 ** health["dependents"],
        1 - 0.93**migrations,
        0.5 * (taken_back(health) * history + 0.1) / (history + 1),
    )
    return round(1 - prod(1 - cause for cause in causes), 3)
