"""What a mission that has ended leaves to one that begins anew from one of its steps.

The law: what was good is kept, as it was done by the mission that did it, and never undone by another; what was undone
is not good. Pure; `starter/rerun.py` reads the one and starts the other.
"""

from datetime import datetime
from typing import cast

from contracts.plan import Carried, Plan
from contracts.record import Record
from workflows.governance.tally import Gatebook
from workflows.interpreter.command import reopen
from workflows.interpreter.course import scope_of
from workflows.interpreter.journal import SETTLED, Journal
from workflows.interpreter.ports import Ports
from workflows.interpreter.scope import Mission
from workflows.interpreter.sense import Senseless
from workflows.interpreter.spot import Spot, spot


def kept(records: tuple[Record, ...], plan: Plan, step: str, now: datetime) -> Carried:
    """Return what is carried over when a mission begins anew from a step. Raises `Senseless` or `Unknown`."""
    journal = Journal(records, order=max((record.order for record in records), default=0))
    # Nothing is asked of the world here: the journal alone is edited.
    scope = scope_of(plan, Mission("", "", ""), cast("Ports", None), journal, Gatebook())
    place = spot(step, scope)
    _demand_settled(place, journal)
    journal.begin_anew(place.behind(journal))
    around = set(place.around())
    left = [record.path for record in journal.records() if record.status not in SETTLED and record.path not in around]
    journal.begin_anew(left)
    reopen(place, scope, now)
    for record in journal.records():
        _demand_good(record, place)
        journal.update(record.path, **_as_done_by_another(record))
    return Carried(records=journal.records(), revision=journal.revision, order=journal.order)


def _demand_settled(place: Spot, journal: Journal) -> None:
    """Refuse to begin after a step that was not done."""
    for level in place.levels:
        for step in level.before():
            path = f"{level.parent}/{step.step}" if level.parent else step.step
            if journal.settled(path) is None:
                raise Senseless(f"{path} comes before {place.path} and was not done; begin from there")


def _demand_good(record: Record, place: Spot) -> None:
    effect = record.effect
    if effect is not None and effect.undo_status not in {"none", "armed"}:
        raise Senseless(f"{record.path} was undone, and comes before {place.path}; begin from there")
    if isinstance(record.output, dict) and set(record.output) == {"cut"}:
        raise Senseless(f"what {record.path} gave is too large to be read from outside; begin from there")


def _as_done_by_another(record: Record) -> dict[str, object]:
    effect = record.effect.model_copy(update={"undo": None, "undo_status": "none"}) if record.effect else None
    return {"effect": effect, "grant": None, "locks": None, "generation": 0}
