"""What a cold process needs to open an archive and look one dossier up: `python -m benchmarks.opening PATH`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

_COLD = "import sys; from benchmarks.opening import cold; cold(sys.argv[1])"


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
                    "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                }
            )
        )


def measure(path: str, times: int = 5) -> dict[str, float]:
    """The best of several fresh processes, by part."""
    found: list[dict[str, float]] = []
    for _ in range(times):
        run = subprocess.run([sys.executable, "-c", _COLD, path], check=True, capture_output=True, text=True)
        found.append(json.loads(run.stdout))
    return {name: min(each[name] for each in found) for name in found[0]}


if __name__ == "__main__":
    for name, value in measure(sys.argv[1]).items():
        print(f"{name}: {value / 2**20:.1f} MiB" if name == "rss" else f"{name}: {value * 1000:.0f} ms")
