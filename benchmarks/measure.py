"""Timing of two sides in turn: CPU of the process and the 10th percentile of the clock, both a call."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Sequence

import attrs


@attrs.define
class Side:
    """What was measured of one side. `cpu` seconds of all calls, `walls` seconds of each."""

    cpu: float = 0.0
    calls: int = 0
    walls: list[float] = attrs.field(factory=list)

    def time(self, calls: Iterable[Callable[[], object]]) -> None:
        """Run and measure calls."""
        walls = self.walls
        begun = time.process_time()
        for call in calls:
            start = time.perf_counter()
            call()
            walls.append(time.perf_counter() - start)
            self.calls += 1
        self.cpu += time.process_time() - begun

    def time_one(self, call: Callable[[], object], items: int) -> None:
        """Run one call that does the work of several items."""
        start, begun = time.perf_counter(), time.process_time()
        call()
        self.cpu += time.process_time() - begun
        self.walls.append((time.perf_counter() - start) / items)
        self.calls += items

    @property
    def mean(self) -> float:
        """CPU seconds a call."""
        return self.cpu / max(self.calls, 1)

    @property
    def p10(self) -> float:
        """The 10th percentile of the clock."""
        ordered = sorted(self.walls)
        return ordered[len(ordered) // 10] if ordered else 0.0


@attrs.frozen
class Ratio:
    """One figure: ours over the other side's."""

    name: str
    target: float
    by_cpu: float
    by_p10: float
    micros: tuple[float, float]

    def line(self) -> str:
        """The figure as one line of a table."""
        fits = [side <= self.target for side in (self.by_cpu, self.by_p10)]
        met = "met" if all(fits) else "missed" if not any(fits) else f"missed by {'p10' if fits[0] else 'CPU'}"
        return f"| {self.name} | {self.by_cpu:.2f} | {self.by_p10:.2f} | ≤ {self.target:g} | {met} |"


def ratio(name: str, target: float, ours: Side, other: Side) -> Ratio:
    """Compare two sides."""
    return Ratio(name, target, ours.mean / other.mean, ours.p10 / other.p10, (ours.mean * 1e6, other.mean * 1e6))


def alternate(
    ours: Sequence[Callable[[], object]], other: Sequence[Callable[[], object]], *, block: int = 25
) -> tuple[Side, Side]:
    """Run both lists in turn, a block of each at a time."""
    mine, theirs = Side(), Side()
    settle()
    for call in (*ours[:3], *other[:3]):
        call()
    for start in range(0, max(len(ours), len(other)), block):
        mine.time(ours[start : start + block])
        theirs.time(other[start : start + block])
    return mine, theirs


def together(sides: Sequence[Side]) -> Side:
    """Several measurements as one: a workload of all their calls."""
    found = Side()
    for side in sides:
        found.cpu += side.cpu
        found.calls += side.calls
        found.walls += side.walls
    return found


def settle() -> None:
    """Put what the measuring program itself holds out of the collector's way."""
    gc.collect()
    gc.freeze()
