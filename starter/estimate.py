"""`gonogo estimate`: what a mission may take. The reckoning is `language/estimate.py`."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import settings
from starter.mission_file import read_mission
from starter.options import Json
from starter.output import document
from starter.problem import DONE

if TYPE_CHECKING:
    from contracts.money import Past
    from language.bounds import Span
    from language.estimate import Estimate
    from language.forecast import Forecast

File = Annotated[Path, typer.Argument(metavar="FILE", help="A mission's file or folder.", show_default=False)]
NOTE = "When nothing fails and nobody asks for changes. What fails is undone: 6 events more for each effect.\n"


def estimate(file: File, *, as_json: Json = False) -> int:
    """Say what a mission may take: agents, actions, gates, events, time, how risky each action is."""
    import asyncio

    from language.forecast import told as foretold
    from starter.foreseen import usual

    found, before, risks = asyncio.run(_reckoned(file))
    if as_json:
        document({**found.model_dump(mode="json"), "before": before, "risks": risks})
    else:
        told = [*rows(found), ("before", usual(before))]
        weighed = [f"risk of {one.step}  {foretold(one)}\n" for one in risks]
        sys.stdout.write("".join([*(f"{what:16}{much}\n" for what, much in told), *weighed, NOTE]))
    return DONE


async def _reckoned(file: Path) -> "tuple[Estimate, Past, tuple[Forecast, ...]]":
    from language.estimate import estimate as reckon
    from language.forecast import forecasts
    from language.freeze import freeze
    from starter.foreseen import remembered, spends

    definition, workspace = read_mission(file)
    plan = freeze(definition, workspace)
    before = await remembered(settings(), definition.mission)
    return reckon(plan, await spends(plan, workspace, settings(), before)), before, forecasts(plan)


def rows(found: "Estimate") -> list[tuple[str, str]]:
    from contracts.money import amount

    return [
        ("agents' runs", spelt(found.agents)),
        ("actions", spelt(found.actions)),
        ("gates", spelt(found.gates)),
        ("history events", spelt(found.events)),
        ("tokens", spelt(found.tokens)),
        ("cost", f"{amount('usd', found.usd_least)} to {_most(found.usd_most)}"),
        ("time at gates", f"{lasting(found.waiting_least)} to {lasting(found.waiting_most)}"),
    ]


def _most(usd: float | None) -> str:
    from contracts.money import amount

    return "nobody knows: a model has no limit or no price" if usd is None else amount("usd", usd)


def spelt(span: "Span") -> str:
    if span.most is None:
        return f"{span.least} or more: nobody knows how long a list or a plan will be"
    return str(span.least) if span.least == span.most else f"{span.least} to {span.most}"


def lasting(seconds: float | None) -> str:
    """Return a time as people write it."""
    from contracts.duration import show_duration

    return "for ever: a gate may have no timeout" if seconds is None else show_duration(timedelta(seconds=seconds))
