"""Four processes that register at once: no number twice, nobody left behind. `python -m benchmarks.writers`."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

import dossier as ds
from benchmarks.corpus import INDEXES, sections

WRITERS = 4
SECONDS = 10.0


def work(path: str, begin: float, end: float, answers: Any) -> None:
    """One writer: registers until the time is over; answers with the numbers it was given."""
    numbers = []
    with ds.open(path, sections=sections(), indexes=INDEXES) as archive:
        desk = archive.acting_as("王芳", role="service")
        while time.time() < begin:
            time.sleep(0.001)
        while time.time() < end:
            numbers.append(desk.register("恒达商贸有限公司", kind="organization").number)
    answers.put(numbers)


def main() -> None:
    """Start the writers and print each one's share."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="dossier-bench-") as folder:
        path = str(Path(folder) / "shared.db")
        ds.create(path, sections=sections(), indexes=INDEXES).close()
        begin = time.time() + 5
        answers = context.Queue()
        writers = [context.Process(target=work, args=(path, begin, begin + SECONDS, answers)) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        found = [answers.get() for _ in writers]
        for writer in writers:
            writer.join()
    every = [number for numbers in found for number in numbers]
    shares = sorted(len(numbers) * WRITERS / len(every) for numbers in found)
    print(f"registered {len(every)}, different numbers {len(set(every))}")
    print("shares of a fair part: " + ", ".join(f"{share:.2f}" for share in shares), "(target: none below 0.5)")


if __name__ == "__main__":
    main()
