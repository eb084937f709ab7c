"""Whether operations can carry a cutover, month by month, and when they could. Pure."""

from missions.technology_investment.case import Case


def overload(case: Case, delay: int = 0) -> float | None:
    """Return by how many hours the worst month is over its capacity; below zero there is room.

    None where the cutover would reach beyond the months that are planned.
    """
    start = case.start + delay
    months = case.months[start : start + len(case.cutover)]
    if len(months) < len(case.cutover):
        return None
    return max(
        (month.load + hours - month.capacity for month, hours in zip(months, case.cutover, strict=True)), default=0.0
    )


def first_window(case: Case) -> int | None:
    """Return the least delay in months at which the cutover fits; None where it never does."""
    delays = range(len(case.months))
    return next((delay for delay in delays if (over := overload(case, delay)) is not None and over <= 0), None)
