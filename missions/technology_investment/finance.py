"""What a case is worth: present value, payback, and how both stand once measures are paid for and the start is later.

Pure. Money is what it is worth now, by the case's own discount rate.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from missions.technology_investment.case import Case, Flow

MONTHS = 12


@dataclass(frozen=True)
class Worth:
    """The net present value, the present value of all costs, and the years until the benefits have paid for them."""

    value: float
    costs: float
    payback: float | None

    def margin(self) -> float:
        """Return the value as a share of the costs."""
        return self.value / self.costs if self.costs else 0.0


def worth(case: Case, measures: Iterable[str] = (), delay: int = 0) -> Worth:
    """Return what a case is worth with these mitigations paid now, and benefits so many months later."""
    paid = set(measures)
    extra = sum(one.cost for one in case.mitigations if one.id in paid)
    costs = (*case.costs, Flow(0, extra))
    later = tuple(Flow(flow.year + delay / MONTHS, flow.amount) for flow in case.benefits)
    spent = present(costs, case.discount_rate)
    return Worth(present(later, case.discount_rate) - spent, spent, payback(costs, later, case.discount_rate))


def present(flows: Iterable[Flow], rate: float) -> float:
    """Return what flows are worth now."""
    return sum((flow.amount * math.pow(1 + rate, -flow.year) for flow in flows), 0.0)


def payback(costs: Iterable[Flow], benefits: Iterable[Flow], rate: float) -> float | None:
    """Return the year by which discounted benefits have covered all costs; None where they never do.

    A year's benefits come in evenly over the year before its number.
    """
    left = present(costs, rate)
    for flow in sorted(benefits, key=lambda one: one.year):
        gained = present([flow], rate)
        if gained >= left > 0:
            return flow.year - 1 + left / gained
        left -= gained
    return None if left > 0 else 0.0
