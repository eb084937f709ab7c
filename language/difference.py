"""What changes in meaning between two missions: who is asked, what happens to the world, where control goes.

Pure, and typed data only: `starter/diff.py` words it, and a gate that shows a plan can. Steps are compared by their
names; how a file is laid out, its comments and its places mean nothing. Keys of new kinds of steps are compared by
themselves; `ABOUT` says what they concern.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from typing import Any, Literal

from pydantic import BaseModel, JsonValue

from contracts.base import Message
from contracts.definition import Definition, ParallelStep, Step
from contracts.duration import show_duration
from contracts.step import BaseStep
from contracts.workspace import Workspace
from language.forecast import forecasts, told
from language.freeze import freeze
from language.named import named
from language.steps import called_names, children, targets

Happened = Literal["added", "removed", "moved", "changed"]
About = Literal["authority", "effect", "flow", "work", "words"]

IN_PLACE = "a list in place"
HIDDEN = frozenset(("place", "source", "step", "steps", "parallel"))
AUTHORITY = (
    "approval facilitator gate approvers required escalation on_timeout on_reject autonomy team allow revise routine"
)
QUORUM = "from exclude reject_quorum on_changes approvals author"
EFFECT = "kind action with compensate tool effect compensated_by idempotency verdict mission on_parent_close"
FLOW = "locks needs if then else do until max_iterations on_max below_floor watch inputs stages bake healthy accept"
PARTY = "members moderator options consensus threshold judge turns rounds least_rounds stall on_stall"
WORDS = "description version manual resource"
SHOWN = frozenset(("message", "context"))
ASKED = frozenset(("gate.approvers", "approval.approvers"))
ABOUT: Mapping[About, frozenset[str]] = {
    "authority": frozenset((*AUTHORITY.split(), *QUORUM.split())),
    "effect": frozenset(EFFECT.split()),
    "flow": frozenset((*FLOW.split(), *PARTY.split())),
    "words": frozenset(WORDS.split()),
}
"""What the keys concern, the gravest first; whatever is not here is work."""


class Change(Message):
    """One change. `step` is empty for the mission itself; `key` is empty for a whole step, else a path of keys.

    `before` and `after` are values as an author writes them; of a moved step, where it stands.
    """

    happened: Happened
    about: About
    step: str = ""
    key: str = ""
    before: JsonValue = None
    after: JsonValue = None


@dataclass(frozen=True)
class Value:
    """The value of a key, and whether it is what the key's absence would mean."""

    data: JsonValue
    usual: bool


@dataclass(frozen=True)
class Spot:
    """A step, the step that holds it with the number of the list in there, and whether its place in that says when."""

    step: Step
    holder: str
    ordered: bool


def difference(before: Definition | None, after: Definition) -> tuple[Change, ...]:
    """Return what changes from one mission to another, or from nothing."""
    old = spots(before) if before else {}
    new = spots(after)
    ambiguous = repeated(old) | repeated(new)
    old, new = by_key(old, ambiguous), by_key(new, ambiguous)
    found = [*heads(before, after)]
    found += [whole("removed", key, spot) for key, spot in old.items() if key not in new]
    for key, spot in new.items():
        found += [*changed(key, old[key], spot)] if key in old else [whole("added", key, spot)]
    found += moved(old, new)
    return tuple(found)


def contracts(before: Definition, here: Workspace, after: Definition, there: Workspace) -> tuple[Change, ...]:
    """Return what changes in the agents and tools that both missions name, where their workspaces differ."""
    agents, tools = (old & new for old, new in zip(named(before), named(after), strict=True))
    pairs = [(f"agents.{name}", here.agents[name], there.agents[name]) for name in sorted(agents)]
    pairs += [(f"tools.{name}", here.tools[name], there.tools[name]) for name in sorted(tools)]  # type: ignore[misc]
    return tuple(change for prefix, old, new in pairs for change in compared(flat(old), flat(new), "", f"{prefix}."))


def risks(before: Definition, here: Workspace, after: Definition, there: Workspace) -> Iterator[Change]:
    """Yield where an action of both missions may come to another risk, or to other people, than before."""
    old, new = ({one.step: told(one) for one in forecasts(freeze(*pair))} for pair in ((before, here), (after, there)))
    for step in (step for step in new if step in old and old[step] != new[step]):
        yield Change(happened="changed", about="authority", step=step, key="risk", before=old[step], after=new[step])


def spots(definition: Definition) -> dict[str, Spot]:
    """Return every step by its path, in the order of writing."""
    called = called_names(definition)
    found: dict[str, Spot] = {}

    def visit(steps: tuple[Step, ...], path: str, holder: str, *, beside: bool) -> None:
        graph = beside or any(step.needs is not None for step in steps if step.step not in called)
        for step in steps:
            own = f"{path}/{step.step}"
            found[own] = Spot(step, holder, ordered=not graph and step.step not in called)
            for key, inner in lists(step):
                slot = f".{key}" if key else ""
                visit(inner, own + slot, step.step + slot, beside=isinstance(step, ParallelStep))

    visit(definition.steps, "", "", beside=False)
    return found


def lists(step: Step) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """Yield the lists that a step holds, each with the key of the target that it is."""
    inline = {key: target for key, target in targets(step).items() if not isinstance(target, str)}
    yield from inline.items()
    yield from (("", inner) for inner in children(step) if inner not in inline.values())


def repeated(found: dict[str, Spot]) -> set[str]:
    """Return the names that more than one step has: they were made from agents and tools."""
    counts = Counter(spot.step.step for spot in found.values())
    return {name for name, count in counts.items() if count > 1}


def by_key(found: dict[str, Spot], ambiguous: set[str]) -> dict[str, Spot]:
    """Return steps by their names; those with names that were made twice, by their paths."""
    return {path.strip("/") if spot.step.step in ambiguous else spot.step.step: spot for path, spot in found.items()}


def heads(before: Definition | None, after: Definition) -> Iterator[Change]:
    """Yield what changes in the mission itself; of a new one its name alone."""
    if before is None:
        yield Change(happened="added", about="words", key="mission", after=after.mission)
    else:
        yield from compared(flat(before), flat(after), "")


def whole(happened: Happened, key: str, spot: Spot) -> Change:
    """Return the change that a step comes or goes, with the keys that it has."""
    keys = flat(spot.step)
    data: JsonValue = {name: value.data for name, value in keys.items() if not value.usual or name == "kind"}
    about: About = "effect" if spot.step.kind == "action" else "authority" if ASKED & keys.keys() else "flow"
    before, after = (data, None) if happened == "removed" else (None, data)
    return Change(happened=happened, about=about, step=key, before=before, after=after)


def changed(key: str, before: Spot, after: Spot) -> Iterator[Change]:
    yield from compared(flat(before.step), flat(after.step), key)


def compared(before: dict[str, Value], after: dict[str, Value], step: str, prefix: str = "") -> Iterator[Change]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if (old or Value(None, usual=True)).data == (new or Value(None, usual=True)).data:
            continue
        if (old is None and new and new.usual) or (new is None and old and old.usual):
            continue
        yield Change(
            happened="changed",
            about=about(key),
            step=step,
            key=prefix + key,
            before=old.data if old else None,
            after=new.data if new else None,
        )


def about(key: str) -> About:
    """Return what a key concerns: the gravest of what its parts do, and a gate's deadline is authority."""
    parts = set(key.split("."))
    if parts & SHOWN:
        return "work"
    return next((kind for kind, words in ABOUT.items() if parts & words), "work")


def moved(old: dict[str, Spot], new: dict[str, Spot]) -> list[Change]:
    """Return the steps that stand in another list, or elsewhere in a list that is run in order."""
    both = [key for key in new if key in old]
    found = [place(key, old, new) for key in both if old[key].holder != new[key].holder]
    for holder in dict.fromkeys(new[key].holder for key in both):
        stayed = {key for key in both if old[key].holder == new[key].holder == holder}
        stayed = {key for key in stayed if old[key].ordered and new[key].ordered}
        before, after = ([key for key in spots_ if key in stayed] for spots_ in (old, new))
        blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
        kept = {key for block in blocks for key in before[block.a : block.a + block.size]}
        found += [place(key, old, new) for key in after if key not in kept]
    return found


def place(key: str, old: dict[str, Spot], new: dict[str, Spot]) -> Change:
    return Change(happened="moved", about="flow", step=key, before=where(key, old), after=where(key, new))


def where(key: str, found: dict[str, Spot]) -> str:
    """Return where a step stands: in which other one, after which."""
    siblings = [other for other, spot in found.items() if spot.holder == found[key].holder]
    number = siblings.index(key)
    after = f"after {siblings[number - 1]}" if number else "first"
    holder = found[key].holder
    return f"{after} in {holder}" if holder else after


def flat(model: BaseModel) -> dict[str, Value]:
    """Return the keys of a model and of the models in it, by their paths as an author writes them."""
    found: dict[str, Value] = {}
    for name, field in type(model).model_fields.items():
        if name in HIDDEN:
            continue
        value, key = getattr(model, name), field.alias or name
        if isinstance(value, BaseStep):
            continue  # it has a spot of its own
        if isinstance(value, BaseModel):
            found |= {f"{key}.{inner}": item for inner, item in flat(value).items()}
        else:
            usual = not field.is_required() and value == field.get_default(call_default_factory=True)
            found[key] = Value(written(value), usual=usual)
    return found


def written(value: Any) -> JsonValue:
    """Return a value as an author writes it."""
    match value:
        case timedelta():
            return show_duration(value)
        case BaseStep():
            return value.step
        case BaseModel():
            return {key: item.data for key, item in flat(value).items()}
        case tuple() | list():
            steps = value and all(isinstance(item, BaseStep) for item in value)
            return IN_PLACE if steps else [written(item) for item in value]
        case dict():
            return {key: written(item) for key, item in value.items()}
        case _:
            return value  # type: ignore[no-any-return]
