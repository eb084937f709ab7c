"""Read what a gate says of who must decide, its seats and whom it excludes, of its clock, and of silence in the end.

The rest is read by `step_form.py`.
"""

from contracts.gate import CLOCKS, Clock, Excluded, LastResort
from contracts.step import DEAD_LETTER, LAST_RESORTS, REFUSE
from language.form import Form
from language.name import nearest
from language.silence import APPROVING_WORDS

WHO: dict[str, tuple[Excluded, ...]] = {"requester": ("requester",), "author": ("requester", "author"), "nobody": ()}
"""Whom each word excludes. The requester may decide only where the gate says that it excludes nobody."""
MOST_SEATS = 100


def seats(form: Form) -> dict[str, int]:
    """Return how many of each role must approve."""
    inner = form.form("from", "'from'")
    if inner is None:
        return {}
    if inner.data == {} and isinstance(inner.value.data, dict):
        inner.add("BAD_VALUE", "'from' is empty", inner.value.place, "write 'ROLE: 1', or leave it out")
    found = {role: inner.integer(role, 1, MOST_SEATS, 1) for role in inner.data}
    if sum(found.values()) > MOST_SEATS:
        inner.add("BAD_VALUE", f"'from' asks for {sum(found.values())} people", inner.value.place, "at most 100 decide")
    return found


def when_paused(form: Form) -> Clock:
    """Return what becomes of a gate's clock while its mission is paused."""
    word = form.text("when_paused") or CLOCKS[0]
    for clock in CLOCKS:
        if word == clock:
            return clock
    mend = f"write one of: {', '.join(CLOCKS)}"
    form.add("BAD_VALUE", f"'when_paused' is '{word[:80]}'", form.data["when_paused"].place, mend)
    return CLOCKS[0]


def excluded(form: Form) -> tuple[Excluded, ...]:
    """Return who may not decide."""
    words = form.texts("exclude", required="exclude" in form.data)
    for word in words:
        if word not in WHO:
            meant = nearest(word, WHO)
            mend = f"did you mean '{meant}'?" if meant else f"write one of: {', '.join(WHO)}"
            form.add("BAD_VALUE", f"'exclude' is '{word[:80]}'", form.data["exclude"].place, mend)
    if "nobody" in words and len(words) > 1:
        form.add("BAD_VALUE", "'exclude' names somebody and nobody", form.data["exclude"].place, "write one of them")
    if words == ("nobody",):
        return ()
    return WHO["author"] if "author" in words else WHO["requester"]


def last_resort(form: Form) -> LastResort:
    """Return what silence on a rung comes to."""
    said = form.text("on_timeout") or REFUSE
    if said not in LAST_RESORTS:
        approves = said.lower() in APPROVING_WORDS
        code = "SILENCE_APPROVES" if approves else "BAD_VALUE"
        message = f"'on_timeout: {said[:80]}' " + ("takes silence for consent" if approves else "is no last resort")
        form.add(code, message, form.data["on_timeout"].place, "write 'refuse' or 'dead_letter'")
    return "dead_letter" if said == DEAD_LETTER else "refuse"
