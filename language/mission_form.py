"""Read a step that starts another mission. What all steps have is read by `step_form.py`."""

from typing import TYPE_CHECKING, Any, cast, get_args

from contracts.child import OnParentClose
from contracts.definition import Allowance, MissionStep, Step
from language.form import Form
from language.name import nearest

if TYPE_CHECKING:
    from language.step_form import StepReader


def read_mission(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    del reader
    return MissionStep(
        **common,
        mission=form.text("mission"),
        **{"with": form.mapping("with") or {}},
        accept=form.texts("accept", required=True),
        on_parent_close=on_parent_close(form),
        allow=allow(form),
    )


def on_parent_close(form: Form) -> OnParentClose:
    """Return what this mission's end means for the child. The author says it: no choice is right for all."""
    word, known = form.text("on_parent_close", required=True), get_args(OnParentClose)
    if word in known:
        return cast(OnParentClose, word)
    if word:
        meant = nearest(word, known)
        mend = f"did you mean '{meant}'?" if meant else f"write one of: {', '.join(known)}"
        form.add("BAD_VALUE", f"'on_parent_close' is '{word[:80]}'", form.data["on_parent_close"].place, mend)
    return "undo"


def allow(form: Form) -> Allowance | None:
    inner = form.form("allow", "'allow'")
    if inner is None:
        return None
    found = Allowance(agents=inner.texts("agents"), tools=inner.texts("tools"))
    inner.done()
    return found
