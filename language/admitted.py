"""Hold a plan that an agent made against policy: what it says is a finding, or is put to the people whom it names.

Pure: who asks hands over how. Where something is denied outright nobody is asked, since the executor would refuse it
whatever they said. `activities/plans.py` asks for missions, a rehearsal for itself.
"""

from collections.abc import Callable

from contracts.plan import Plan
from contracts.planned import LoadedPlan, PlanOrder
from contracts.policy import Answer, Question, approval_of, stands_in
from language.questions import Models, at_its_gate, questions

Ask = Callable[[Question], Answer]


def admitted(order: PlanOrder, loaded: LoadedPlan, ask: Ask, models: Models) -> LoadedPlan:
    """Return a plan that loaded with what policy says of its steps, and with what follows from that.

    What people approved word for word before the mission began is not asked again by itself.
    """
    asked = [(one, ask(one)) for one in questions(_as_planned(order.plan, loaded), models)]
    answers = tuple(at_its_gate(question, answer) if order.defers else answer for question, answer in asked)
    unmet = [one for one in answers if not one.allowed()]
    said = tuple(f"{one.at}: {one}" for one in unmet)
    if not order.defers or any(one.outcome == "deny" for one in unmet):
        steps = () if unmet else loaded.steps
        return loaded.model_copy(update={"policy": answers, "findings": said, "steps": steps})
    if all(stands_in(one, order.approved) for one in unmet):
        return loaded.model_copy(update={"policy": answers})
    return loaded.model_copy(update={"policy": answers, "wanting": said, "approval": approval_of(unmet)})


def _as_planned(plan: Plan, loaded: LoadedPlan) -> Plan:
    """Return a mission's plan as if it had been started with the steps that were planned.

    None of them starts a mission, and those that the mission starts were asked about when it was.
    """
    definition = plan.definition.model_copy(update={"steps": loaded.steps})
    return plan.model_copy(update={"definition": definition, "missions": {}})
