"""An import and the archive it leaves, at several sizes: `python -m benchmarks.large --n 10000 100000 1000000`.

Invoice lines as of an online shop (`benchmarks.retail`), two orders a customer, are imported by the plan of
`examples/plans/retail.toml`. Beside it: *rows*, plain sqlite3 that writes the same durable rows already made, in as
large transactions; and up to a hundred thousand customers what one would write by hand (`benchmarks.shops`): plain
sqlite3, SQLAlchemy, Django. Every step is a process of its own, so that its peak memory is its own. `--record FILE`
keeps the figures.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import dossier as ds
from benchmarks import retail
from benchmarks.measure import Side
from benchmarks.raw import Raw
from benchmarks.shops import SHOPS, spent
from dossier_sqlite.search import tokens

PLAN = Path(__file__).parent.parent / "examples" / "plans" / "retail.toml"
KEPT = ("dossiers", "special", "acts", "events", "records", "entries", "facts", "requests")
ROWS = 900
ACT = {"role": "manager", "purpose": "serve"}
STEPS = ("import", "reads", "digest", "copy")
BY_HAND = 100_000
"""Customers up to which the whole file is imported, by other programs too, which hold it in memory. A larger archive
holds the rows of these customers several times over, under other ids and numbers; `FURTHER` are imported into it."""
FURTHER = 20_000
FILLED = ("dossiers", "special", "acts", "records", "entries", "facts")


# -- steps of ours, each in a process of its own ----------------------------------------------------


def step_import(lines: Path, db: Path) -> dict[str, float]:
    """Import, into a new archive where there is none; nothing waits for the search index afterwards."""
    if db.exists():
        opened = ds.open(db, level="session")
    else:
        opened = ds.create(db, zone="Europe/London", level="session")
    with opened as archive:
        job = archive.acting_as("Importer", **ACT).imports.plan(PLAN, lines)
        begun = time.process_time()
        report = job.apply()
        archive.repository.settle()  # type: ignore[attr-defined]
        spent = time.process_time() - begun
    counts = report.counts
    return {"cpu": spent, "dossiers": counts.created, "records": counts.records, "rows": counts.rows}


def fill(db: Path, times: int) -> None:
    """The rows of an archive again and again, `times` in all, under ids that are the same digits in turn and numbers of
    other years. Written below the archive, for that is many times faster. Events are left out (a chain cannot be
    copied), and what an import remembers."""
    conn = sqlite3.connect(db, isolation_level=None)
    conn.execute("pragma synchronous=off")
    conn.create_function("crc32", 1, lambda text: zlib.crc32(text.encode()), deterministic=True)
    conn.create_function("tokens", 1, tokens, deterministic=True)
    last = {name: conn.execute(f"select coalesce(max(rid), 0) from c_{name}").fetchone()[0] for name in FILLED}
    named = dict(conn.execute("select name, coalesce(sql, '') from sqlite_schema where type = 'table'"))
    sets = [name for name in named if name.startswith("s_dossiers.")]
    texts = [name for name, sql in named.items() if name.startswith("t_dossiers.") and "virtual" in sql.lower()]
    for turn in range(1, times):
        conn.execute("begin immediate")
        for name in FILLED:
            columns = [column for _, column, *_ in conn.execute(f"pragma table_info(c_{name})")]
            values = ", ".join(_again(name, column, turn, last) for column in columns)
            conn.execute(f"insert into c_{name} select {values} from c_{name} where rid <= {last[name]} order by rid")
        many, before = last["dossiers"], turn * last["dossiers"]
        for name in sets:
            conn.execute(f'insert into "{name}" select value, rid + {before} from "{name}" where rid <= {many}')
        for name in texts:
            column = f'"f_{name.partition(".")[2]}"'
            chosen = f"select rid, tokens({column}) from c_dossiers where rid > {before} and {column} is not null"
            conn.execute(f'insert into "{name}"(rowid, text) {chosen}')
        conn.execute("commit")
    conn.close()


def _again(name: str, column: str, turn: int, last: dict[str, int]) -> str:
    """What stands in a column of a row that is written again."""

    def turned(what: str) -> str:
        return f"substr({what}, {turn + 1}, {32 - turn}) || substr({what}, 1, {turn}) || substr({what}, 33)"

    number = f"'KH-{1990 + turn}' || substr(f_number, 8)"
    made = {
        "rid": f"rid + {turn * last[name]}", "id": turned("id"), "scope": turned("scope"),
        "scope_key": f"crc32({turned('scope')})", "f_dossier": turned("f_dossier"), "f_number": number,
        "f_pseudonym": f"substr(f_pseudonym, {turn + 1}) || substr(f_pseudonym, 1, {turn})",
    }  # fmt: skip
    if name == "dossiers":
        made["body"] = f"cast(replace(cast(body as text), f_number, {number}) as blob)"
    return made.get(column, f'"{column}"')


def step_reads(lines: Path, db: Path) -> dict[str, float]:
    """CPU in microseconds of a found page, a shown dossier, a page of records."""
    source = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    many = source.execute("select max(rid) from c_dossiers").fetchone()[0]
    rnd = random.Random(3)
    asked = [rnd.randrange(1, many + 1) for _ in range(400)]
    numbers = [source.execute("select f_number from c_dossiers where rid = ?", (rid,)).fetchone()[0] for rid in asked]
    source.close()
    with ds.open(db, level="session") as archive:
        desk = archive.acting_as("Reader", **ACT)

        def find(country: str) -> None:
            where = (ds.field("basic/addresses/region") == country) & (ds.field("stage") == "active")
            for hit in desk.find(where=where, order="-transaction_status/total", limit=50):
                hit.section("basic")

        def show(number: str) -> None:
            desk.card(number)

        def page(number: str) -> None:
            desk.consult(number).records("order")

        countries = [name for name, _ in retail.COUNTRIES[:5]] * 20  # of these a page is full at every size
        return {
            "find": _each(find, countries), "show": _each(show, numbers), "records": _each(page, numbers),
        }  # fmt: skip


def _each(call: Callable[[str], None], values: list[str]) -> float:
    """The least CPU a call, in microseconds, of four passes over the values after one to warm up."""
    for value in values[: len(values) // 4]:
        call(value)
    passes = []
    for _ in range(4):
        side = Side()
        side.time([lambda v=value: call(v) for value in values])  # type: ignore[misc]
        passes.append(side.mean * 1e6)
    return min(passes)


def step_digest(lines: Path, db: Path) -> dict[str, float]:
    """The digest of the whole archive."""
    with ds.open(db, level="session") as archive:
        begun = time.process_time()
        archive.digest()
        return {"cpu": time.process_time() - begun}


def step_copy(lines: Path, db: Path) -> dict[str, float]:
    """A copy as a new archive, removed again."""
    target = db.with_name("copy.db")
    with ds.open(db, level="session") as archive:
        begun = time.process_time()
        archive.copy(target)
        spent = time.process_time() - begun
    for file in target.parent.glob(f"{target.name}*"):
        file.unlink() if file.is_file() else shutil.rmtree(file)
    return {"cpu": spent}


def alone(step: str, lines: Path, db: Path) -> dict[str, float]:
    """A step in a fresh process: its figures, `wall` seconds, `rss` peak memory in MiB."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.large", "--step", step, str(lines), str(db)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return {**json.loads(done.stdout), "wall": time.perf_counter() - begun}


# -- the other sides --------------------------------------------------------------------------------


def rows(db: Path) -> float:
    """CPU seconds of plain sqlite3 that writes the same rows, as they are, in transactions of as many."""
    source = sqlite3.connect(db, isolation_level=None)
    with ds.open(db, level="session") as archive:
        raw = Raw(db.with_name("rows.db"), archive.indexing.collections(), kept=KEPT)
    totals = {name: source.execute(f'select count(*) from "c_{name}"').fetchone()[0] for name in raw.declared}
    steps = max(1, sum(totals.values()) // ROWS)
    limits = {name: -(-total // steps) for name, total in totals.items()}
    since: dict[str, int] = {}
    side = Side()
    for _ in range(steps + 1):
        bundle = raw.bundle(source, since, limits=limits)
        if not bundle.rows:
            break
        side.time([lambda bundle=bundle: raw.write(bundle)])  # type: ignore[misc]
    written = sum(raw.conn.execute(f'select count(*) from "{name}"').fetchone()[0] for name in raw.declared)
    if written != sum(totals.values()):
        raise SystemExit(f"the raw side wrote {written} rows of {sum(totals.values())}")
    raw.conn.close()
    source.close()
    for file in db.parent.glob("rows.db*"):
        file.unlink()
    return side.cpu


# -- all of it --------------------------------------------------------------------------------------


def sized(folder: Path, n: int) -> dict[str, Any]:
    """All figures at one size."""
    folder.mkdir(parents=True)
    lines, db = folder / "lines.csv", folder / "archive.db"
    imported = n
    retail.write(lines, min(n, BY_HAND))
    if n > BY_HAND:
        imported = FURTHER
        alone("import", lines, db)
        fill(db, n // BY_HAND)
        retail.write(lines, FURTHER, begin=BY_HAND)
    figures: dict[str, Any] = {"n": n, "imported": imported}
    for step in STEPS:
        figures[step] = alone(step, lines, db)
        print(f"{n} {step}: {json.dumps(figures[step])}", file=sys.stderr, flush=True)
    figures["bytes"] = db.stat().st_size
    if n <= BY_HAND:
        figures["rows"] = rows(db) / n
        for name in SHOPS:
            figures[name] = alone(name, lines, folder / f"{name}.db")
    others = {name: figures[name] for name in ("rows", *SHOPS) if name in figures}
    print(f"{n} {json.dumps(others)}", file=sys.stderr, flush=True)
    return figures


def cost(figures: dict[str, Any]) -> float:
    """CPU seconds of importing a customer."""
    return float(figures["import"]["cpu"] / figures["imported"])


def table(found: list[dict[str, Any]]) -> str:
    """The figures as a table of ratios."""
    base = found[0]["reads"]
    heads = [f"{each['n']:,}" for each in found]
    out = [f"| | target | {' | '.join(heads)} |", f"|---|---|{'---|' * len(found)}"]

    def line(name: str, target: str, value: Callable[[dict[str, Any]], str]) -> None:
        out.append(f"| {name} | {target} | {' | '.join(map(value, found))} |")

    def ready(figures: dict[str, Any]) -> str:
        return f"{figures['rows'] / cost(figures):.2f}" if "rows" in figures else ""

    def by_hand(figures: dict[str, Any], name: str) -> str:
        return f"{figures[name]['cpu'] / figures['n'] / cost(figures):.2f}" if name in figures else ""

    def whole(figures: dict[str, Any], name: str) -> str:
        if name not in figures:
            return ""
        first = found[0][name]["cpu"] / found[0]["n"]
        return f"{figures[name]['cpu'] / figures['n'] / first:.2f}"

    line("import, speed over sqlite3 with the rows ready made", "≥ 0.6", ready)
    for name in SHOPS:
        line(f"import, speed over {name} by hand", "", partial(by_hand, name=name))
    line("import, cost a dossier over that of the smallest", "", lambda f: f"{cost(f) / cost(found[0]):.2f}")
    line("import, peak memory", "≤ 250 MB, flat", lambda f: f"{f['import']['rss']:.0f} MiB")
    for name in ("find", "show", "records"):
        line(f"{name}, cost over that of the smallest", "≤ 1.5", lambda f, k=name: f"{f['reads'][k] / base[k]:.2f}")  # type: ignore[misc]
    for name in ("digest", "copy"):
        line(f"{name}, peak memory", "≤ 200 MB", lambda f, k=name: f"{f[k]['rss']:.0f} MiB" if k in f else "")  # type: ignore[misc]
        line(f"{name}, cost a dossier over that of the smallest", "", partial(whole, name=name))
    line("bytes a dossier", "", lambda f: f"{f['bytes'] / f['n']:,.0f}")
    return "\n".join(out)


def main(argv: list[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--folder", type=Path, help="where files are made; default a temporary folder")
    parser.add_argument("--record", type=Path, help="keep the figures in this JSON file")
    parser.add_argument("--step", nargs=3, metavar=("STEP", "LINES", "DB"), help="one step alone, as JSON")
    given = parser.parse_args(argv)
    if given.step:
        step, lines, db = given.step
        ours = {"import": step_import, "reads": step_reads, "digest": step_digest, "copy": step_copy}
        if step in ours:
            figures = ours[step](Path(lines), Path(db))
        else:
            figures = {"cpu": spent(step, Path(lines), Path(db))}
        print(json.dumps({**figures, "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    folder = given.folder or Path(tempfile.mkdtemp(prefix="dossier-bench-"))
    found = []
    try:
        for n in sorted(given.n):
            found.append(sized(folder / str(n), n))
            shutil.rmtree(folder / str(n))
            if given.record:
                given.record.write_text(json.dumps(found, indent=1) + "\n")
        print(table(found))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
