"""Two things measured against each other in one run, so that a busy machine slows both."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles

Racer = Callable[[], object]
"""Does something once, to be awaited or not. A float is the seconds by its own watch."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `measured` is what the bar is about, usually a ratio."""

    what: str
    ours: str
    baseline: str
    measured: float
    spread: str
    bar: float | None

    def cells(self) -> tuple[str, ...]:
        bar = "" if self.bar is None else f"{self.bar:g}"
        verdict = "" if self.bar is None else "met" if self.measured <= self.bar else "MISSED"
        return self.what, self.ours, self.baseline, f"{self.measured:.2f}", self.spread, bar, verdict


async def race(
    what: str, ours: Racer, baseline: Racer, *, bar: float | None, rounds: int = 80, each: int = 15
) -> Row:
    """Take turns, `each` times in each round, and change who begins. Three rounds warm up.

    A round's time is the median of its calls; the ratio is the median of the rounds' ratios, and the spread
    is the middle half of those.
    """
    times: list[tuple[float, float]] = []
    for number in range(rounds + 3):
        took = [0.0, 0.0]
        for place in (0, 1) if number % 2 else (1, 0):
            took[place] = median([await _seconds((ours, baseline)[place]) for _ in range(each)])
        times.append((took[0], took[1]))
    mine, theirs = zip(*times[3:], strict=True)
    low, middle, high = quantiles([a / b for a, b in times[3:]], n=4)
    return Row(what, _ms(median(mine)), _ms(median(theirs)), middle, f"{low:.2f}-{high:.2f}", bar)


async def _seconds(racer: Racer) -> float:
    began = time.perf_counter()
    outcome = racer()
    if inspect.isawaitable(outcome):
        await outcome
    took = time.perf_counter() - began
    return outcome if isinstance(outcome, float) else took


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.{0 if seconds > 0.1 else 2}f} ms"


def table(rows: list[Row]) -> str:
    """The rows under one another, in columns."""
    cells = [("what", "ours", "baseline", "ratio", "middle half", "bar", ""), *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in cells]
    return "\n".join("  ".join(line).rstrip() for line in lines)
