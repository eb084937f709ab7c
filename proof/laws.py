"""What must hold between the ledgers of a mission, whatever was done to it: each law, and how each is broken.

`breaches` is pure, so that a test can doctor each ledger and see it bite. What the operator was shown and the exported
record are compared where they are there. That histories replay is `proof/replayed.py`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from activities.verify import Broken, verify
from contracts.call import ToolCall
from contracts.decision import COMMANDS
from contracts.view import OVER
from proof.approved import jti_in, unapproved, unasked, uninvited, unsigned
from proof.leaks import leaked
from proof.ledgers import Ledgers, Sent

MOST_EVENTS = 10_240
MOST_BYTES = 10_000_000
MOST_PAYLOAD = 512_000
MOST_ANSWER = 256_000
UNDO = "/undo"
COUNTED = ("decision accepted", "command accepted")


def breaches(ledgers: Ledgers) -> list[str]:
    """Return every law that these ledgers break, in sentences; none is what must come back."""
    return [breach for law in LAWS for breach in law(ledgers)]


def lost(ledgers: Ledgers) -> Iterator[str]:
    """What was acknowledged is in the history once, and ruled on; what is unknown, once or not at all."""
    arrived = Counter(ledgers.told.arrivals)
    # Of a token that nobody is known to have signed nothing is believed, and so no id of it is told.
    told = [(ruling.jti or jti_in(ruling.token), ruling.unopened) for _, ruling in ledgers.told.rulings]
    # What came before its gate is heard again when that opens: it is one and the same decision.
    rulings = Counter({jti for jti, _ in told}) | Counter(jti for jti, unopened in told if not unopened)
    accepted = Counter(ruling.jti for _, ruling in ledgers.told.rulings if ruling.accepted)
    # The judge says who may command; whether it makes sense where the mission stands, the mission says afterwards.
    commanded = {ruling.jti for _, ruling in ledgers.told.rulings if ruling.verb in COMMANDS}
    for jti, sends in _by_jti(ledgers.client).items():
        heard = [sent.heard for sent in sends]
        sure = len(heard) - heard.count("unknown")
        times = arrived[sends[0].token]
        if not sure <= times <= len(heard):
            yield f"lost: {jti}, acknowledged {sure} times of {len(heard)}, is in the history {times} times"
        if not min(times, 1) <= rulings[jti] <= times:
            yield f"lost: {jti} arrived {times} times and was ruled on {rulings[jti]} times"
        if accepted[jti] > 1:
            yield f"doubled: {jti} took effect {accepted[jti]} times"
        refused = set(heard) == {"refused"} and jti not in commanded
        if ("accepted" in heard and not accepted[jti]) or (refused and accepted[jti]):
            yield f"lost: the sender of {jti} heard {', '.join(heard)}, the history accepted it {accepted[jti]} times"


def _by_jti(client: Iterable[Sent]) -> dict[str, list[Sent]]:
    found: dict[str, list[Sent]] = {}
    for sent in client:
        found.setdefault(sent.jti, []).append(sent)
    return found


def doubled(ledgers: Ledgers) -> Iterator[str]:
    """One committed effect for each key, one for each step and time that operators began it; none while it stands."""
    for key, times in Counter(effect["key"] for effect in ledgers.effects).items():
        if times > 1:
            yield f"doubled: the key {key} has {times} committed effects"
    calls = _committed(ledgers)
    for (path, generation), times in Counter((call.path, call.generation) for call in calls).items():
        if times > 1:
            yield f"doubled: {path} ({generation}) was done {times} times"
    stands: set[str] = set()
    for call in calls:
        if call.undoes:
            stands.discard(call.path.removesuffix(UNDO))
        elif call.path in stands:
            yield f"doubled: {call.path} ({call.generation}) was done again before it was undone"
        else:
            stands.add(call.path)


def not_undone(ledgers: Ledgers) -> Iterator[str]:
    """What comes to nothing is undone, the last first; what stands in the end is what the mission says."""
    done: list[str] = []
    before = ""
    for call in _committed(ledgers):
        step = call.path.removesuffix(UNDO)
        if not call.undoes:
            done.append(step)
            before = ""
            continue
        if before in done and step in done and done.index(step) > done.index(before):
            yield f"not undone: {step} was undone after {before}, which was done before it"
        before = step
    if ledgers.told.state not in {"", "completed"}:
        left = sorted(_standing(ledgers) - _named(ledgers))
        if left:
            yield f"not undone: {', '.join(left)} still stands, and the mission ended as {ledgers.told.state}"


def _committed(ledgers: Ledgers) -> list[ToolCall]:
    """Return the calls whose effects the world saw, in its order."""
    return [found[1] for effect in ledgers.effects if (found := ledgers.call_of(effect)) is not None]


def _standing(ledgers: Ledgers) -> set[str]:
    """Return the steps whose effects stand and could be undone."""
    stands: set[str] = set()
    for call in _committed(ledgers):
        if call.undoes:
            stands.discard(call.path.removesuffix(UNDO))
        elif ledgers.tools[call.tool].compensated_by and call.path not in _for_good(ledgers):
            stands.add(call.path)
    return stands


def _for_good(ledgers: Ledgers) -> set[str]:
    """Return the steps that, as the operator is shown, were never to be undone."""
    records = ledgers.shown.records if ledgers.shown else ()
    return {one.path for one in records if one.effect and one.effect.undo is None and one.effect.undo_status == "none"}


def _named(ledgers: Ledgers) -> set[str]:
    """Return the steps that the operator was told could not be undone."""
    if ledgers.shown is None:
        return set()
    failed = {one.path for one in ledgers.shown.records if one.effect and one.effect.undo_status in GIVEN_UP}
    return failed | set(ledgers.shown.not_undone)


GIVEN_UP = {"failed", "given_up"}


def unended(ledgers: Ledgers) -> Iterator[str]:
    """It has ended, or waits for a stated reason; it does not hang on a workflow task."""
    if ledgers.told.state:
        return
    if ledgers.told.runs and ledgers.told.runs[-1].last in {"workflow_task_failed", "workflow_task_timed_out"}:
        yield "unended: it hangs on a workflow task"
    shown = ledgers.shown
    if shown is None or not (shown.waiting or shown.paused or shown.letter):
        yield "unended: it has not ended, and waits for nobody"


def disagreeing(ledgers: Ledgers) -> Iterator[str]:
    """What the operator is shown, and what was exported, is what the history says and the world saw."""
    if (shown := ledgers.shown) is not None:
        ended = shown.state if shown.state in OVER else ""
        if ended != ledgers.told.state and ledgers.told.state not in {"canceled", "terminated"}:
            yield f"disagreeing: the operator is shown {shown.state!r}, the history says {ledgers.told.state!r}"
        # What a child did stands in the ledgers of the child.
        own = [one for one in shown.records if one.kind != "mission"]
        armed = {one.path for one in own if one.effect and one.effect.undo_status == "armed"}
        if shown.state == "completed" and _standing(ledgers) != armed:
            yield f"disagreeing: {sorted(_standing(ledgers))} stands, and the operator is shown {sorted(armed)}"
        yield from (
            f"disagreeing: {one.path} is said not to have happened, and the world saw it"
            for one in shown.records
            if one.effect and one.effect.applied == "no" and one.path in _standing(ledgers)
        )
    if ledgers.record:
        yield from _unproven(ledgers)
    if ledgers.audit is not None:
        yield from _unaudited(ledgers)


def _unproven(ledgers: Ledgers) -> Iterator[str]:
    try:
        head = verify(ledgers.record.splitlines(keepends=True), ledgers.recorders)
    except Broken as broken:
        yield f"disagreeing: the record does not verify: {broken}"
        return
    if ledgers.audit is None or head.count != len(ledgers.audit):
        yield f"disagreeing: the record's head speaks of {head.count} entries"


def _unaudited(ledgers: Ledgers) -> Iterator[str]:
    audit = ledgers.audit or ()
    details = [(str(one["what"]), one.get("detail") or {}) for one in audit]
    ordered = {detail.get("key") for what, detail in details if what in {"action ordered", "compensation ordered"}}
    for effect in ledgers.effects:
        if effect["key"] not in ordered:
            yield f"disagreeing: the effect {effect['tool']} is not in the record"
    history = Counter(ruling.jti for _, ruling in ledgers.told.rulings if ruling.accepted)
    record = Counter(str(detail.get("jti")) for what, detail in details if what in COUNTED)
    for jti in history.keys() | record.keys():
        if history[jti] != record[jti]:
            yield f"disagreeing: {jti} counted {history[jti]} times in the history, {record[jti]} times in the record"
    last = next((str(one["what"]) for one in reversed(audit) if str(one["what"]).startswith("mission ")), "")
    if ledgers.told.state in OVER and last != f"mission {ledgers.told.state}":
        yield f"disagreeing: the history ended as {ledgers.told.state!r}, the record says {last!r}"


def unbounded(ledgers: Ledgers) -> Iterator[str]:
    """Runs, payloads and answers stay under what a server and a worker can bear."""
    for number, run in enumerate(ledgers.told.runs, 1):
        for what, size, most in (
            ("events", run.events, MOST_EVENTS),
            ("bytes", run.bytes, MOST_BYTES),
            ("bytes in one payload", run.largest, MOST_PAYLOAD),
        ):
            if size >= most:
                yield f"unbounded: run {number} has {size} {what}, {most} are too many"
    for question, size in ledgers.answers:
        if size >= MOST_ANSWER:
            yield f"unbounded: the answer to {question!r} has {size} bytes, {MOST_ANSWER} are too many"


LAWS: tuple[Callable[[Ledgers], Iterator[str]], ...] = (
    *(lost, doubled, unasked, unapproved, unsigned, uninvited, unended, not_undone, disagreeing, leaked, unbounded),
)
