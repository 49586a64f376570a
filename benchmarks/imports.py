"""K12: CPU of fresh processes that import dossier, against those that import what it stands on.

`python -m benchmarks.imports`
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

TIMES = 20
TARGET = 1.6


def cpu(code: str) -> float:
    """CPU seconds of one fresh process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure both in turn and print the ratio of the medians."""
    ours, base = "import dossier", "import attrs, cattrs, msgspec"
    cpu(ours), cpu(base)
    pairs = [(cpu(ours), cpu(base)) for _ in range(TIMES)]
    mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"| K12 import | {mine / other:.2f} | ≤ {TARGET} | {mine * 1000:.0f} / {other * 1000:.0f} ms")


if __name__ == "__main__":
    main()
