"""Growth as pictures: `python -m benchmarks.plots` draws docs/explanation/performance/*.svg from what was recorded, and
fills in the table of docs/explanation/performance.md.

Reads `benchmarks/recorded/large.json` and `sizes.json`, written by `--record` of `benchmarks.large` and
`benchmarks.sizes`. Nothing is measured here; ratios and peak memory are shown, no times.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import attrs

from benchmarks.large import table

ROOT = Path(__file__).parent.parent
RECORDED = ROOT / "benchmarks" / "recorded"
PAGE = ROOT / "docs" / "explanation" / "performance.md"
TARGET = PAGE.with_suffix("")
COLOURS = ("#2563a8", "#c2571a", "#2f7d4f", "#8a3ea8", "#a8892b")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 56, 168, 44, 44


@attrs.frozen
class Chart:
    """Lines over `sizes` of archives, ascending: `lines` name → value by size, as many as were measured; `limit` a
    target, drawn dashed."""

    title: str
    unit: str
    sizes: Sequence[int]
    lines: dict[str, Sequence[float]]
    limit: float | None = None

    def svg(self) -> str:
        """The picture: sizes on a logarithmic axis, values from nought."""
        top = self._top()
        out = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
            f' font-size="12" role="img" aria-label="{escape(self.title)}">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            f'<text x="{LEFT}" y="22" font-size="14" fill="#222222">{escape(self.title)}</text>',
        ]
        for step in range(5):
            value = top * step / 4
            y = self._y(value, top)
            out.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#dddddd"/>')
            out.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#555555">{value:g}</text>')
        out.append(f'<text x="{LEFT}" y="{TOP - 8}" fill="#555555">{escape(self.unit)}</text>')
        for size in self.sizes:
            x = self._x(size)
            out.append(
                f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#555555">{size:,}</text>'
            )
        middle = (LEFT + WIDTH - RIGHT) / 2
        out.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle" fill="#555555">dossiers</text>')
        if self.limit is not None:
            y = self._y(self.limit, top)
            out.append(
                f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#777777"'
                ' stroke-dasharray="5 4"/>'
            )
            out.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y + 4:.1f}" fill="#777777">target {self.limit:g}</text>')
        for place, (name, values) in enumerate(self.lines.items()):
            colour = COLOURS[place % len(COLOURS)]
            points = [(self._x(size), self._y(value, top)) for size, value in zip(self.sizes, values, strict=False)]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
            out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
            key = HEIGHT - BOTTOM - 16 * (len(self.lines) - 1 - place)
            out.append(f'<rect x="{WIDTH - RIGHT + 8}" y="{key - 9}" width="10" height="10" fill="{colour}"/>')
            label = f"{name} ({values[-1]:.3g})"
            out.append(f'<text x="{WIDTH - RIGHT + 23}" y="{key}" fill="#222222">{escape(label)}</text>')
        return "\n".join([*out, "</svg>", ""])

    def _top(self) -> float:
        highest = max(value for values in self.lines.values() for value in values)
        highest = max(highest, self.limit or 0)
        power = 10 ** math.floor(math.log10(highest))
        return next(power * step for step in (1, 1.6, 2, 3, 4, 6, 8, 10, 12) if power * step >= highest * 1.05)

    def _x(self, size: int) -> float:
        low, high = math.log10(self.sizes[0]), math.log10(self.sizes[-1])
        return LEFT + 24 + (WIDTH - RIGHT - LEFT - 48) * (math.log10(size) - low) / (high - low)

    @staticmethod
    def _y(value: float, top: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top


def growth(found: list[dict[str, Any]], names: dict[str, str], cost: Any) -> dict[str, list[float]]:
    """Each cost over that at the smallest size."""
    return {label: [cost(each, name) / cost(found[0], name) for each in found] for name, label in names.items()}


def of_each(figures: dict[str, Any], name: str) -> float:
    """CPU seconds a dossier of what is done with a whole archive."""
    return float(figures[name]["cpu"] / figures["imported" if name == "import" else "n"])


def charts() -> dict[str, Chart]:
    """All pictures by file name."""
    large = json.loads((RECORDED / "large.json").read_text())
    sizes = [each["n"] for each in large]
    reads = {"find": "a found page", "show": "a shown card", "records": "a page of records"}
    whole = {"import": "import", "digest": "digest", "copy": "copy"}
    drawn = {
        "reads.svg": Chart(
            "Reading: cost over that of the smallest archive", "times", sizes,
            growth(large, reads, lambda each, name: each["reads"][name]), 1.5,
        ),
        "whole.svg": Chart(
            "Whole archive: cost a dossier over that of the smallest", "times", sizes,
            {
                label: [of_each(each, name) / of_each(large[0], name) for each in large if name in each]
                for name, label in whole.items()
            },
        ),
        "memory.svg": Chart(
            "Peak memory of a process that does nothing else", "MiB", sizes,
            {label: [each[name]["rss"] for each in large if name in each] for name, label in whole.items()}, 200,
        ),
    }  # fmt: skip
    small = json.loads((RECORDED / "sizes.json").read_text())
    named = {
        "W2i one insert": "insert", "W2u one update": "update", "W3 consult, typed, session": "consult",
        "W4 find, first page": "page of fifty", "W5 name, 4 characters, against FTS5": "part of a name",
    }  # fmt: skip

    def over_raw(each: dict[str, Any], name: str) -> float:
        (one,) = [work for work in each["workloads"] if work["name"] == name]
        return float(one["by_cpu"])

    drawn["raw.svg"] = Chart(
        "Growth over that of plain sqlite3", "times", [each["n"] for each in small], growth(small, named, over_raw), 1.3
    )
    return drawn


def page() -> str:
    """The page with its table."""
    found = json.loads((RECORDED / "large.json").read_text())
    before, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- figures -->")
    _, _, after = rest.partition("<!-- /figures -->")
    return f"{before}<!-- figures -->\n{table(found)}\n<!-- /figures -->{after}"


def main() -> None:
    """Draw them."""
    TARGET.mkdir(exist_ok=True)
    for name, chart in charts().items():
        (TARGET / name).write_text(chart.svg(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
