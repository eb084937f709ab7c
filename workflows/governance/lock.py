"""Who holds which lock, and who waits for it. Pure; the durable half is `workflows/locks.py`.

The law: one holder a lock; a claim gets all its locks at once or none; who asked first is served first, unless waiting
for its turn would keep what it waits for from being released. A circle of claims that wait for each other is found when
it closes, and its youngest yields; an undoing yields to nobody but another undoing.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from contracts.lock import Blocker, Claim, Entry, Holder, LocksInput, LockView, Standing, Waiter
from contracts.record import inside

MOST_CLAIMS = 4_000
KEPT_RELEASED = 2_000


def key_of(holder: Holder) -> str:
    """Return what tells a claim from every other."""
    return f"{holder.mission}\n{holder.first_run_id}\n{holder.path}\n{holder.turn}"


class Locktable:
    """Claims in the order of asking. `moves` are those who are to be told that their claim has moved."""

    def __init__(self, given: LocksInput | None = None) -> None:
        given = given or LocksInput()
        self._entries = {key_of(entry.claim.holder): entry for entry in given.entries}
        self._number = given.number
        self._released = dict.fromkeys(given.released)
        self._holders = {
            name: key for key, entry in self._entries.items() if entry.state == "held" for name in entry.claim.names
        }
        self._waiting = {key: None for key, entry in self._entries.items() if entry.state == "waiting"}
        self.moves: list[Holder] = list(given.moves)

    def carried(self) -> LocksInput:
        """Return all that the table knows."""
        return LocksInput(
            entries=tuple(self._entries.values()),
            number=self._number,
            released=tuple(self._released),
            moves=tuple(self.moves),
        )

    def ask(self, claim: Claim, now: datetime) -> None:
        """Take a claim in. Asked twice, it stands where it stood; once released, it never comes back."""
        key = key_of(claim.holder)
        if key in self._entries or key in self._released or len(self._entries) >= MOST_CLAIMS:
            return
        self._number += 1
        self._entries[key] = Entry(claim=claim, number=self._number, asked_at=now)
        self._waiting[key] = None
        if not self._try(key, now):
            self._break_circles(key, now)

    def release(self, holder: Holder, now: datetime) -> None:
        """Free what a claim holds, or withdraw it."""
        key = key_of(holder)
        self._remember(key)
        if self._drop(key):
            self._serve(now)

    def gone(self, mission: str, first_run_id: str, now: datetime) -> None:
        """Free all that a mission had which runs no more."""
        holders = (entry.claim.holder for entry in self._entries.values())
        lost = [one for one in holders if (one.mission, one.first_run_id) == (mission, first_run_id)]
        for holder in lost:
            self._drop(key_of(holder))
        if lost:
            self._serve(now)

    def standing(self, holder: Holder) -> Standing:
        """Say how a claim stands."""
        key = key_of(holder)
        entry = self._entries.get(key)
        if entry is None:
            return Standing()
        behind = tuple(self._behind(key)) if entry.state == "waiting" else ()
        return Standing(state=entry.state, behind=behind, cause=entry.cause)

    def locks(self) -> list[LockView]:
        """Return every lock that is held or waited for, by name."""
        waiting: dict[str, list[Waiter]] = {}
        for key in self._waiting:
            entry = self._entries[key]
            who = entry.claim.holder
            for name in entry.claim.names:
                waiting.setdefault(name, []).append(Waiter(mission=who.mission, path=who.path, since=entry.asked_at))
        return [self._view(name, waiting.get(name, [])) for name in sorted({*self._holders, *waiting})]

    def _view(self, name: str, waiting: list[Waiter]) -> LockView:
        if name not in self._holders:
            return LockView(lock=name, waiting=tuple(waiting))
        entry = self._entries[self._holders[name]]
        who = entry.claim.holder
        return LockView(
            lock=name,
            mission=who.mission,
            first_run_id=who.first_run_id,
            path=who.path,
            since=entry.granted_at,
            waiting=tuple(waiting),
        )

    def _remember(self, key: str) -> None:
        """Note a claim that must not come back: a request may arrive after its own withdrawal."""
        self._released[key] = None
        while len(self._released) > KEPT_RELEASED:
            del self._released[next(iter(self._released))]

    def _drop(self, key: str) -> bool:
        """Take a claim out; return whether that may let others go on."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        self._waiting.pop(key, None)
        for name in entry.claim.names:
            if self._holders.get(name) == key:
                del self._holders[name]
        return True

    def _serve(self, now: datetime) -> None:
        """Grant what can be granted, the longest waiting first."""
        for key in list(self._waiting):
            if key in self._waiting and self._try(key, now):
                self.moves.append(self._entries[key].claim.holder)
                for inner in self._inside(key):
                    self._break_circles(inner, now)

    def _try(self, key: str, now: datetime) -> bool:
        if self._blockers(key):
            return False
        entry = self._entries[key]
        self._entries[key] = entry.model_copy(update={"state": "held", "granted_at": now})
        del self._waiting[key]
        self._holders |= dict.fromkeys(entry.claim.names, key)
        return True

    def _behind(self, key: str) -> Iterator[Blocker]:
        """Yield for each lock of a claim whom it waits for."""
        names = self._entries[key].claim.names
        for other in self._blockers(key):
            entry = self._entries[other]
            who = entry.claim.holder
            shared = next(name for name in names if name in entry.claim.names)
            yield Blocker(
                lock=shared,
                mission=who.mission,
                first_run_id=who.first_run_id,
                path=who.path,
                holds=entry.state == "held",
            )

    def _blockers(self, key: str) -> list[str]:
        """Return the claims that a waiting one waits for: who holds what it wants, and who asked for that earlier."""
        holders = self._held(key)
        wanted = set(self._entries[key].claim.names)
        earlier = []
        for other in self._waiting:
            if other == key:
                break
            if not wanted.isdisjoint(self._entries[other].claim.names) and not self._needs(other, key):
                earlier.append(other)
        return [*holders, *earlier]

    def _held(self, key: str) -> list[str]:
        """Return the claims that hold what a waiting one wants."""
        names = self._entries[key].claim.names
        return list(dict.fromkeys(self._holders[name] for name in names if name in self._holders))

    def _inside(self, key: str) -> list[str]:
        """Return the waiting claims that must come to an end before a claim that is held is released."""
        who = self._entries[key].claim.holder
        found = []
        for other in self._waiting:
            one = self._entries[other].claim.holder
            same = (one.mission, one.first_run_id) == (who.mission, who.first_run_id)
            if same and one.path.startswith(inside(who.path)):
                found.append(other)
        return found

    def _needs(self, waiting: str, key: str) -> bool:
        """Whether a waiting claim cannot be granted before another one is granted and released."""
        seen: set[str] = set()
        left = [waiting]
        while left:
            one = left.pop()
            for other in self._held(one) if one in self._waiting else self._inside(one):
                if other == key:
                    return True
                if other not in seen:
                    seen.add(other)
                    left.append(other)
        return False

    def _break_circles(self, key: str, now: datetime) -> None:
        """Let the youngest of each circle that a new claim closes yield."""
        while key in self._waiting and (circle := self._circle(key)):
            waiting = [one for one in circle if one in self._waiting]
            patient = [one for one in waiting if not self._entries[one].claim.undoing] or waiting
            victim = max(patient, key=lambda one: self._entries[one].number)
            entry = self._entries[victim]
            others = {self._entries[one].claim.holder.mission for one in waiting if one != victim}
            cause = _circle_cause(entry.claim, sorted(others))
            self._entries[victim] = entry.model_copy(update={"state": "yielded", "cause": cause})
            del self._waiting[victim]
            if victim != key:
                self.moves.append(entry.claim.holder)
            self._serve(now)

    def _circle(self, start: str) -> list[str]:
        """Return the claims of a circle through one, or nothing."""
        came: dict[str, str] = {}
        left = [start]
        while left:
            one = left.pop()
            for other in self._blockers(one) if one in self._waiting else self._inside(one):
                if other == start:
                    return list(_back(one, start, came))
                if other not in came:
                    came[other] = one
                    left.append(other)
        return []


def _back(end: str, start: str, came: dict[str, str]) -> Iterable[str]:
    while end != start:
        yield end
        end = came[end]
    yield start


def _circle_cause(claim: Claim, others: list[str]) -> str:
    names, missions = ", ".join(claim.names), " and ".join(others) or "another step of this mission"
    return f"waiting for {names} would never end: {missions} waits for what is held here"
