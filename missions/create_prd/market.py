"""The market analyst: how large a market is, how fast it grows, and how sure a source of figures lets us be of that.

Law: every figure of the answer comes from the one source that was handed over. The mission asks for several sources
at once and takes the first answer that is sure enough.
"""

from math import exp, log
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall

Segment = dict[str, Any]
YEARS_AHEAD = 3
STALE_AFTER = 4
"""Years after which figures say nothing of today."""


async def size_up(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Size the market by the figures of one source; `task` says nothing that the figures do not."""
    del tools
    brief = call.context["brief"]
    (figures,) = (value for name, value in call.context.items() if name != "brief")
    answer = sized(figures, brief["year"])
    observe(
        f"{figures['source']}: {answer['reachable']:,} of {answer['total']:,} EUR a year are within reach, "
        f"growing by {answer['growth']:.1%} a year; confidence {answer['confidence']:.2f}",
        source=figures["source"],
    )
    return answer


def sized(figures: dict[str, Any], year: int) -> dict[str, Any]:
    """Add the segments up. Money is EUR a year; growth is a share a year; all from one source."""
    segments = sorted(figures["segments"], key=lambda segment: str(segment["name"]))
    served = [segment for segment in segments if segment["served"]]
    growth, fit = _growth(served or segments)
    reachable = sum(map(_worth, served))
    return {
        "source": figures["source"],
        "as_of": figures["as_of"],
        "total": sum(map(_worth, segments)),
        "reachable": reachable,
        "growth": round(growth, 4),
        "forecast": round(reachable * (1 + growth) ** YEARS_AHEAD),
        "ours": round(sum(_worth(segment) * segment["share"] for segment in served)),
        "segments": [{"name": one["name"], "worth": _worth(one), "served": one["served"]} for one in segments],
        "confidence": round(_confidence(figures, served, fit, year), 3),
    }


def _worth(segment: Segment) -> int:
    """Return what a segment spends in the last year that is known."""
    spend = segment["spend"]
    return round(segment["accounts"] * spend[max(spend, key=int)]) if spend else 0


def _growth(segments: list[Segment]) -> tuple[float, float]:
    """Fit a constant rate to the totals of the years that all of them know, by least squares of the logarithms.

    Returns it with R squared, which is 0 below three years: any two points lie on a line.
    """
    told = [segment for segment in segments if segment["spend"]]
    years = sorted(set.intersection(*(set(map(int, segment["spend"])) for segment in told))) if told else []
    points = [(year, log(sum(one["accounts"] * one["spend"][str(year)] for one in told))) for year in years]
    if len(points) < 2:
        return 0.0, 0.0
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in points) / spread
    left = sum((y - middle_y - slope * (x - middle_x)) ** 2 for x, y in points)
    around = sum((y - middle_y) ** 2 for _, y in points)
    fit = (1 - left / around if around else 1.0) if len(points) > 2 else 0.0
    return exp(slope) - 1, fit


def _confidence(figures: dict[str, Any], served: list[Segment], fit: float, year: int) -> float:
    """Weigh how many served segments have figures, how fresh these are, and how steady their growth is."""
    told = [segment for segment in served if segment["spend"]]
    coverage = len(told) / len(served) if served else 0.0
    freshness = max(0.0, 1 - max(0, year - figures["as_of"]) / STALE_AFTER)
    return float(coverage * (0.3 + 0.4 * freshness + 0.3 * max(0.0, fit)))
