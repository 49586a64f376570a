"""How cost grows with size, and opening at size: `python -m benchmarks.sizes --n 10000 100000` (nightly: 1000000 too).

The first two thousand dossiers are registered through the desk. Further ones are written below it, on both sides alike:
rows of these with another id, number, name, address and yearly sales (their acts are left out, to spare the disk).
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from benchmarks.corpus import rename
from benchmarks.measure import Ratio
from benchmarks.opening import measure
from benchmarks.raw import Bundle
from benchmarks.speed import ALL, Pair, reads
from dossier.repository import Batch, Key, Put, Row, fold
from dossier_sqlite.search import tokens

TEMPLATES = 2000
STEP = 1000


def grow(pair: Pair, n: int) -> None:
    """Bring a pair of 2,000 registered dossiers to n."""
    ids = [id for (id,) in pair.source.execute("select id from c_dossiers order by rid limit ?", (TEMPLATES,))]
    repository = pair.archive.repository
    rows = [row for row in repository.get_many([Key("dossiers", id) for id in ids]) if row is not None]
    fields = pair.raw.declared["dossiers"].fields
    for start in range(pair.made, n, STEP):
        puts = [_copy(rows[i % len(rows)], i) for i in range(start, min(start + STEP, n))]
        repository.commit(Batch(tuple(puts)), durable=False)
        pair.raw.write(_bundle(puts, fields, start + 1))
    pair.made = n
    pair.take()


def _copy(row: Row, i: int) -> Put:
    id = f"{random.Random(i).getrandbits(128):032x}"
    index = dict(row.index)
    name, address = rename(i)
    old_name, old_sales = str(index["basic_name"]), index["bench_trade_annual_sales"]
    sales = 1000 + (i * 7919) % 20_000_000
    body = row.body.replace(old_name.encode(), name.encode())
    body = body.replace(f'"annual_sales":{old_sales}'.encode(), f'"annual_sales":{sales}'.encode())
    body = body.replace(str(index["number"]).encode(), f"KH-2025-{i:07d}".encode())
    body = body.replace(str(index["pseudonym"]).encode(), id[:16].encode())
    index |= {
        "number": f"KH-2025-{i:07d}",
        "pseudonym": id[:16],
        "basic_name": name,
        "search_name": fold(name),
        "search_address": fold(address),
        "bench_trade_annual_sales": sales,
    }
    return Put("dossiers", id, body, index, f"{id}:core", 0)


def _bundle(puts: list[Put], fields: Any, first: int) -> Bundle:
    rows, sets, texts = [], {}, {}
    for place, put in enumerate(puts):
        values = [None if field.many else put.index.get(field.name) for field in fields]
        rows.append((first + place, put.id, 1, *values, put.body))
    for field in fields:
        found = [(put.index[field.name], first + place) for place, put in enumerate(puts) if field.name in put.index]
        if field.many:
            sets[f"dossiers.{field.name}"] = sorted((value, rid) for values, rid in found for value in values)  # type: ignore[union-attr]
        elif field.type == "search":
            texts[f"dossiers.{field.name}"] = [(rid, tokens(str(text))) for text, rid in found]
    return Bundle({"dossiers": rows}, sets, texts)  # type: ignore[arg-type]


def sized(folder: Path, n: int) -> tuple[list[Ratio], dict[str, float]]:
    """The figures at one size."""
    folder.mkdir()
    pair = Pair(folder)
    start = time.perf_counter()
    pair.bulk(TEMPLATES, typed=True)
    grow(pair, n)
    print(f"n = {n}, built in {time.perf_counter() - start:.0f} s", flush=True)
    found = reads(pair, n, ALL - {"W6"}, scale=0.5)
    pair.close()
    return found, measure(str(pair.path))


def growth(found: dict[int, list[Ratio]]) -> Iterator[str]:
    """Each workload at each size: its cost over that of the smallest, over the raw side's own growth."""
    first = min(found)
    for place, base in enumerate(found[first]):
        cells = []
        for n in sorted(found):
            mine, theirs = found[n][place].micros
            cells.append(f"{(mine / base.micros[0]) / (theirs / base.micros[1]):.2f}")
        yield f"| {base.name} | {' | '.join(cells)} |"


def main(argv: list[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--record", type=Path, help="keep the figures in this JSON file")
    given = parser.parse_args(argv)
    sizes = sorted(given.n)
    folder = Path(tempfile.mkdtemp(prefix="dossier-bench-"))
    found: dict[int, list[Ratio]] = {}
    kept: list[dict[str, Any]] = []
    try:
        for n in sizes:
            found[n], opened = sized(folder / str(n), n)
            print(
                f"opening at {n}: {opened['open'] * 1000:.0f} ms (import {opened['import'] * 1000:.0f} ms,"
                f" first look {opened['first'] * 1000:.0f} ms), {opened['rss'] / 2**20:.0f} MiB",
                flush=True,
            )
            shutil.rmtree(folder / str(n))
            kept.append({"n": n, "open": opened, "workloads": [attrs.asdict(each) for each in found[n]]})
            if given.record:
                given.record.write_text(json.dumps(kept, indent=1) + "\n")
        print(f"| growth over raw's own | {' | '.join(map(str, sorted(found)))} |\n|---{'|---' * len(found)}|")
        print("\n".join(growth(found)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
