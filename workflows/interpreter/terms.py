"""On what terms people are asked: how many must approve, who may not, how many no's are one, when they are reminded."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from contracts.gate import Gate, Quorum
from contracts.plan import Plan
from contracts.workspace import Tool


@dataclass(frozen=True)
class Terms:
    """The terms of a question that no gate asks: anybody who is asked decides it alone."""

    quorums: tuple[Quorum, ...] = (Quorum(1, {}),)
    """By rung; the last one holds for every further rung."""
    reject_quorum: int = 1
    excluded: tuple[str, ...] = ("requester",)
    stands_still: bool = True
    """Its clock stands while the mission is paused."""
    reminders: tuple[tuple[timedelta, ...], ...] = ()

    def quorum(self, rung: int) -> Quorum:
        """Return what a rung asks for. The workspace's own escalation asks for as many as the gate."""
        return self.quorums[min(rung, len(self.quorums) - 1)]


USUAL = Terms()


def terms(gate: Gate, *tools: Tool) -> Terms:
    """Return a gate's own terms, and no fewer people than the contracts of the tools under it ask for.

    A contract that was frozen before it could say so asks for one, as it did then; the executor goes by its own.
    """
    least = max((tool.approvals or 1 for tool in tools), default=1)
    return Terms(
        tuple(Quorum(max(one.required, least), dict(one.seats)) for one in gate.quorums()),
        gate.reject_quorum,
        tuple(gate.exclude),
        stands_still=gate.when_paused == "freeze",
        reminders=(gate.remind, *(rung.remind for rung in gate.escalation)),
    )


def put_to(approval: dict[str, int]) -> tuple[tuple[str, ...], Terms]:
    """Return who is asked where policy wants an approval, and on what terms."""
    who, number = tuple(approval), sum(approval.values())
    # One name that is asked alone may be a person's; of several, each role fills seats of its own.
    seats = dict(approval) if len(who) > 1 or number > 1 else {}
    return who, Terms((Quorum(number, seats),))


def covering(plan: Plan, *pairs: tuple[str, str | None]) -> Iterator[Tool]:
    """Yield the contracts under which an approval lets something happen: of each tool, and of what may undo it."""
    for acting, undo in pairs:
        yield plan.tools[acting]
        if undo is not None and plan.tools[undo].needs_approval():
            yield plan.tools[undo]
