"""What a quorum asks for beyond a number: seats, each for somebody of one role. Pure.

The law: one person fills one seat, whatever roles they hold. The mission counts with it
(`workflows/governance/tally.py`), the executor of an action counts again (`activities/authority.py`), and
`language/checks/quorum.py` asks whether it can be met at all.
"""

from collections.abc import Collection, Mapping

Seat = tuple[str, int]


def empty_seats(seats: Mapping[str, int], people: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return the roles of the seats that stay empty, however people with these roles sit; none when all are filled."""
    taken: dict[str, Seat] = {}
    wanted = [(role, number) for role, count in seats.items() for number in range(count)]
    return tuple(seat[0] for seat in wanted if not _sits(seat, taken, people, set()))


def _sits(seat: Seat, taken: dict[str, Seat], people: Mapping[str, Collection[str]], asked: set[str]) -> bool:
    """Find somebody for a seat; who already has one may move to another that is found for them."""
    for person, roles in people.items():
        if seat[0] in roles and person not in asked:
            asked.add(person)
            if person not in taken or _sits(taken[person], taken, people, asked):
                taken[person] = seat
                return True
    return False
