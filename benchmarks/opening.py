"""What a cold process needs to open an archive and look one dossier up: `python -m benchmarks.opening PATH`.

`import dossier` loads the desk at its first use, so most modules are loaded within the time of `open`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

_COLD = "import sys; from benchmarks.opening import cold; cold(sys.argv[1])"


def _peak() -> int:
    """Peak bytes of this process (what `getrusage` says would include the parent's, from before the exec)."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def cold(path: str) -> None:
    """In the fresh process: open, find one, consult; prints seconds and peak bytes as JSON."""
    start = time.perf_counter()
    import dossier as ds
    from benchmarks.corpus import INDEXES, sections

    imported = time.perf_counter()
    with ds.open(path, sections=sections(), indexes=INDEXES, level="session") as archive:
        opened = time.perf_counter()
        desk = archive.acting_as("王芳", role="service", purpose="serve")
        number = next(iter(desk.find(limit=1))).number
        assert desk.consult(number).basic.name
        used = time.perf_counter()
        print(
            json.dumps(
                {
                    "import": imported - start,
                    "open": opened - imported,
                    "first": used - opened,
                    "rss": _peak(),
                }
            )
        )


def measure(path: str, times: int = 5) -> dict[str, float]:
    """The best of several fresh processes, by part."""
    found: list[dict[str, float]] = []
    kept = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
    for _ in range(times + 1):
        command = [sys.executable, "-c", _COLD, path]
        run = subprocess.run(command, check=True, capture_output=True, text=True, env=kept)
        found.append(json.loads(run.stdout))
    del found[0]  # the first one compiled the modules and folded what lanes lay about
    return {name: min(each[name] for each in found) for name in found[0]}


if __name__ == "__main__":
    for name, value in measure(sys.argv[1]).items():
        print(f"{name}: {value / 2**20:.1f} MiB" if name == "rss" else f"{name}: {value * 1000:.0f} ms")
