"""What people approved of a plan that an agent made, for whoever acts in it to check.

Pure. The law: what was approved of one plan goes along with calls inside it and with no other; `activities/assent.py`
does not take the mission's word for that.
"""

from contracts.call import Assent
from contracts.planning import ASSENT, PLANNING, STEPS
from contracts.record import Record
from workflows.interpreter.journal import Journal


def assent_to_plan(path: str, journal: Journal) -> Assent | None:
    """Return what people approved of the plan that a path lies in; none where policy wanted nothing approved."""
    around = path.rpartition("/")[0]
    while around:
        plan = _carried_out(around, journal)
        if plan is not None:
            return _assent(plan, journal)
        around = around.rpartition("/")[0]
    return None


def _carried_out(path: str, journal: Journal) -> Record | None:
    """Return the record of the plan that is carried out at a path."""
    number = 1
    while (record := journal.get(f"{path}/plan[{number}]")) is not None:
        if record.kind == PLANNING and record.status == "succeeded":
            return record
        number += 1
    return None


def _assent(plan: Record, journal: Journal) -> Assent | None:
    asked = journal.get(plan.output[ASSENT]) if ASSENT in plan.output else None
    if asked is None or asked.grant is None:
        return None
    return Assent(grant=asked.grant, steps=tuple(plan.output["plan"][STEPS]))
