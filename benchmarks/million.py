"""A large archive, quickly: the rows of two thousand registered customers again and again under new ids and numbers.

`python -m benchmarks.million PATH --n 1000000`, then `python -m benchmarks.opening PATH`. Names repeat, so the archive
serves to measure opening and reads by id, not searches.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

import dossier as ds
from benchmarks.corpus import INDEXES, changes, customer, sections
from dossier.repository import Batch, Put, Row

SEED = 2_000
OPS = 990


def main() -> None:
    """Build the archive and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--n", type=int, default=1_000_000)
    asked = parser.parse_args()
    begun = time.perf_counter()
    registry = sections()
    with ds.create(asked.path, zone="Asia/Shanghai", sections=registry, indexes=INDEXES, level="session") as archive:
        desk = archive.acting_as("王芳", role="service", purpose="serve")
        with desk.unit() as unit:
            for i in range(SEED):
                plain, door = customer(i), archive.door
                unit.register(None, *changes(plain.first, registry, door, typed=True), kind="organization")
        fill(archive, asked.n)
        print(f"{asked.n} dossiers in {time.perf_counter() - begun:.0f} s")


def fill(archive: Any, n: int) -> None:
    """Copies of what is there, until there are `n` dossiers."""
    repository = archive.repository
    cores = list(repository.scan("dossiers"))
    beside: dict[str, list[Row]] = {}
    for name in ("special", "acts"):
        for row in repository.scan(name):
            beside.setdefault(row.id.partition("/")[0], []).append(row)
    ops: list[Put] = []
    for made in range(len(cores), n):
        core = cores[made % len(cores)]
        ops.extend(copies(core, beside[core.id], made))
        if len(ops) > OPS - 5:
            repository.commit(Batch(tuple(ops)), durable=False)
            ops = []
    if ops:
        repository.commit(Batch(tuple(ops)))
    repository.settle()


def copies(core: Row, others: list[Row], made: int) -> list[Put]:
    """The rows of one dossier as those of another."""
    dossier, number, pseudonym = os.urandom(16).hex(), f"KH-1999-{made:07d}", os.urandom(8).hex()
    old_number, old_pseudonym = str(core.index["number"]).encode(), str(core.index["pseudonym"]).encode()
    found = []
    for row in (core, *others):
        body = row.body.replace(old_number, number.encode()).replace(old_pseudonym, pseudonym.encode())
        index = dict(row.index)
        if row is core:
            index |= {"number": number, "pseudonym": pseudonym}
        row_id, scope = row.id.replace(core.id, dossier), row.scope.replace(core.id, dossier)
        found.append(Put(row.collection, row_id, body, index, scope, 0))
    return found


if __name__ == "__main__":
    main()
