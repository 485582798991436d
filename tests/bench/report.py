"""How a benchmark says what it found."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence


def say(
    name: str,
    figure: float,
    unit: str,
    *,
    limit: float,
    at_least: bool = False,
    whole: bool = True,
    baseline: object = None,
    **more: object,
) -> bool:
    """Print one JSON object with the figure, its limit and the baseline of the same run; return whether it is met.

    What is not `whole`, because something was lost or done twice, is never met.
    """
    met = whole and (figure >= limit if at_least else figure <= limit)
    line = {"name": name, "figure": round(figure, 4), "unit": unit, "limit": limit, "met": met, "baseline": baseline}
    print(json.dumps(line | more), flush=True)  # noqa: T201 - this is what a benchmark is for
    return met


def note(text: str) -> None:
    """Say on standard error what is going on."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, min(len(ranked) - 1, round(share * len(ranked) + 0.5) - 1))]
