"""Read a canary. Its parts are steps that the whole names, orders and answers for: they have no name of their own."""

from typing import TYPE_CHECKING, Any

from contracts.canary import MOST_STAGES, Canary
from contracts.definition import ActionStep, AgentStep, CanaryStep, GroupStep, Step
from contracts.step import Retry
from language.form import Form, described, spare
from language.yaml_source import Value

if TYPE_CHECKING:
    from language.step_form import StepReader

OF_THE_WHOLE = ("step", "needs", "output", "default", "when", "on_failure")
MOST = 1_000_000


def read_canary(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    inner = form.form("canary", "a canary")
    if inner is None:
        return GroupStep(**common, steps=())
    reader.nodes[inner.value.place] = inner.value
    taken: set[str] = set()
    do = part(reader, inner, "do", taken)
    canary = Canary(
        stages=stages(inner),
        sandbox=part(reader, inner, "sandbox", taken) if inner.take("sandbox") else None,
        do=do,
        last=last(reader, inner, do),
        bake=spare(inner.duration("bake", required=True), Retry().most),
        probe=probe(reader, inner, taken),
        healthy=inner.text("healthy", required=True),
        incident=part(reader, inner, "incident", taken),
    )
    inner.done()
    return CanaryStep(**common, canary=canary)


def stages(form: Form) -> tuple[int, ...]:
    """Return the stages: whole numbers, each larger than the one before."""
    mend = "write numbers that grow, such as [1, 10, 50, 100]"
    items = form.items("stages", required=True)
    found: list[int] = []
    for item in items[:MOST_STAGES]:
        if type(item.data) is not int:
            form.wrong(item, f"a stage is a whole number, not {described(item)}", mend)
        elif not (found[-1] if found else 0) < item.data <= MOST:
            after = f"does not come after {found[-1]}" if found else f"is none of 1 to {MOST}"
            form.add("BAD_VALUE", f"the stage {item.data} {after}", item.place, mend)
        else:
            found.append(item.data)
    written = form.data.get("stages")
    if written is not None and written.data == []:
        form.add("BAD_VALUE", "'stages' is empty", written.place, mend)
    if written is not None and len(items) > MOST_STAGES:
        form.add("BAD_VALUE", f"more than {MOST_STAGES} stages", written.place, "take larger steps")
    return tuple(found) or (1,)


def part(reader: "StepReader", form: Form, key: str, taken: set[str]) -> ActionStep:
    """Return a part that must be an action."""
    step = read_part(reader, form, key, taken)
    if isinstance(step, ActionStep):
        return step
    if step is not None:
        message, mend = f"the '{key}' of a canary is an action", f"write '{key}: {{action: …}}'"
        form.add("STEP_KIND", message, form.data[key].place, mend)
    return missing(form, key)


def probe(reader: "StepReader", form: Form, taken: set[str]) -> ActionStep | AgentStep:
    """Return the part that looks: an agent, or an action."""
    step = read_part(reader, form, "probe", taken)
    if isinstance(step, ActionStep | AgentStep):
        return step
    if step is not None:
        message = "the 'probe' of a canary is an agent, or an action that only reads"
        form.add("STEP_KIND", message, form.data["probe"].place, "write 'probe: {agent: …, task: …}'")
    return missing(form, "probe")


def read_part(reader: "StepReader", form: Form, key: str, taken: set[str]) -> Step | None:
    value = form.take(key, required=key != "sandbox")
    if value is None:
        return None
    for name in OF_THE_WHOLE:
        if isinstance(value.data, dict) and name in value.data:
            message = f"'{name}' is of the whole step, not of its '{key}'"
            form.add("BAD_VALUE", message, value.key_places[name], "write it beside 'canary', or leave it out")
    return reader.step(unnamed(value), taken, named=False)


def unnamed(value: Value) -> Value:
    """Return a part without the keys that it may not have, so that none of them means anything."""
    if not isinstance(value.data, dict):
        return value
    kept = {key: inner for key, inner in value.data.items() if key not in OF_THE_WHOLE}
    return Value(value.place, kept, value.key_places)


def missing(form: Form, key: str) -> ActionStep:
    """Return the stand-in for a part that could not be read."""
    return ActionStep(step=key, action="", place=form.value.place)


def last(reader: "StepReader", form: Form, do: ActionStep) -> ActionStep | None:
    """Return `do` as it is at the last stage. Its YAML is that of `do`, with this for its approval."""
    gate = form.form("last", "the gate of the last stage")
    if gate is None:
        return None
    whole = form.value.find("do")
    keys = whole.data if isinstance(whole.data, dict) else {}
    places = {**whole.key_places, "approval": form.value.key_places["last"]}
    reader.nodes[gate.value.place] = Value(gate.value.place, {**keys, "approval": gate.value}, places)
    return do.model_copy(update={"approval": reader.gate(gate), "place": gate.value.place})
