"""K12: CPU of fresh processes that import dossier, against those that import what it stands on.

`python -m benchmarks.imports`
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys

TIMES = 20
TARGET = 1.6


def cpu(code: str) -> float:
    """CPU seconds of one fresh process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONDONTWRITEBYTECODE": ""})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure in turn and print the ratio of the medians; the second line loads what `import dossier` puts off."""
    codes = ("import attrs, cattrs, msgspec", "import dossier", "import dossier; dossier.open")
    found = [[cpu(code) for code in codes] for _ in range(TIMES + 1)][1:]
    base, *others = (statistics.median(times) for times in zip(*found, strict=True))
    for code, mine in zip(codes[1:], others, strict=True):
        print(f"| K12 `{code}` | {mine / base:.2f} | ≤ {TARGET} | {mine * 1000:.0f} / {base * 1000:.0f} ms")


if __name__ == "__main__":
    main()
