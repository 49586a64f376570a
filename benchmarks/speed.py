"""W1 to W7 of an archive beside plain sqlite3, in one process, in turn: `python -m benchmarks.speed --n 10000`."""

from __future__ import annotations

import argparse
import random
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Set
from pathlib import Path
from typing import Any

import attrs

import dossier as ds
from benchmarks.corpus import GRADES, INDEXES, REGIONS, Customer, Plain, changes, customer, sections
from benchmarks.measure import Ratio, Side, alternate, ratio, settle, together
from benchmarks.raw import Raw
from dossier.repository import And, Contains, Query, fold

CHUNK = 1000
"""Dossiers made ready, written and taken over at a time."""
ROWS = 1000
"""Rows that the raw side writes in one transaction, as the archive does."""
ALL = frozenset({"W2", "W3", "W4", "W5", "W6", "W7"})
SECTIONS = ("basic", "characteristics", "business_status", "transaction_status", "preferences", "bench:trade")


class Pair:
    """An archive and a raw database that holds the same rows."""

    def __init__(self, folder: Path, *, level: Any = "session") -> None:
        self.folder = folder
        self.registry = sections()
        self.path = folder / "ours.db"
        self.archive = ds.create(
            str(self.path), zone="Asia/Shanghai", sections=self.registry, indexes=INDEXES, level=level
        )
        self.desk = self.archive.acting_as("王芳", role="service", purpose="serve")
        self.raw = Raw(folder / "raw.db", self.archive.indexing.collections())
        self.source = sqlite3.connect(self.path, isolation_level=None)
        self.source.row_factory = None
        self.since: dict[str, int] = {}
        self.raw.bundle(self.source, self.since)
        self.made = 0
        self.paged = 0
        """Rows on the first pages of the raw side less those of ours."""

    def close(self) -> None:
        """Close both."""
        self.source.close()
        self.archive.close()
        self.raw.conn.close()

    # -- making ready -----------------------------------------------------------------------------

    def inputs(self, customers: list[Customer], *, typed: bool) -> list[list[Any]]:
        """The changes that register these customers: all from a visit, a fifth of them from a form too."""

        def made(plain: Plain) -> list[Any]:
            return changes(plain, self.registry, self.archive.door, typed=typed)

        return [made(each.first) + [change.via("form") for change in made(each.second)] for each in customers]

    def take(self) -> Any:
        """The rows the archive has written since last time."""
        return self.raw.bundle(self.source, self.since)

    def next(self, many: int) -> list[Customer]:
        """Customers that were not registered yet."""
        found = [customer(i) for i in range(self.made, self.made + many)]
        self.made += many
        return found

    # -- writing ----------------------------------------------------------------------------------

    def bulk(self, many: int, *, typed: bool) -> tuple[Side, Side]:
        """W1: register customers in units, and write the same rows raw; texts that wait for the index are drained."""
        mine, theirs = Side(), Side()
        for start in range(0, many, CHUNK):
            customers = self.next(min(CHUNK, many - start))
            given = self.inputs(customers, typed=typed)
            settle()
            mine.time_one(lambda given=given: self._register(given), len(customers))  # type: ignore[misc]
            parts = split(self.take(), ROWS)
            settle()
            theirs.time_one(lambda parts=parts: [self.raw.write(part) for part in parts], len(customers))  # type: ignore[misc]
        return mine, theirs

    def _register(self, given: list[list[Any]]) -> None:
        with self.desk.unit() as unit:
            for changes_ in given:
                unit.register(None, *changes_, kind="organization", channel="visit")
        self.archive.repository.settle()  # type: ignore[attr-defined]

    def inserts(self, many: int) -> tuple[Side, Side]:
        """W2i: one durable insert at a time; what waits for the text index is drained at the end, in our time."""
        mine, theirs = Side(), Side()
        given = self.inputs(self.next(many), typed=True)
        settle()
        for changes_ in given:
            mine.time([lambda c=changes_: self.desk.register(None, *c, kind="organization", channel="visit")])  # type: ignore[misc]
            bundle = self.take()
            theirs.time([lambda b=bundle: self.raw.write(b)])  # type: ignore[misc]
        drained = Side()
        drained.time([self.archive.repository.settle])  # type: ignore[attr-defined]
        mine.cpu += drained.cpu
        return mine, theirs

    def updates(self, ids: list[str]) -> tuple[Side, Side]:
        """W2u: one durable update at a time, of two fields."""
        mine, theirs = Side(), Side()
        settle()
        for place, id in enumerate(ids):
            before = self._stored(id)
            change = ds.change(
                "bench:trade", annual_sales=before["f_bench_trade_annual_sales"] + 1, state=f"停滞{place}"
            )
            mine.time([lambda c=change, i=id: self.desk.update(i, c, channel="visit")])  # type: ignore[misc]
            update = self.raw.update(before, self._stored(id), self.take())
            theirs.time([lambda u=update: self.raw.change(u)])  # type: ignore[misc]
        return mine, theirs

    def _stored(self, id: str) -> sqlite3.Row:
        cursor = self.source.cursor()
        cursor.row_factory = sqlite3.Row
        row: sqlite3.Row = cursor.execute("select * from c_dossiers where id = ?", (id,)).fetchone()
        return row

    # -- reading ----------------------------------------------------------------------------------

    def typed(self, view: Any) -> None:
        """Look at every section of a view."""
        for key in SECTIONS:
            view.section(key)

    def consult(self, id: str) -> None:
        """W3: a dossier by its id, every section typed through the caller's mask."""
        self.typed(self.desk.consult(id))

    def find(self, region: str, grades: tuple[str, ...], least: int, *, second: bool) -> None:
        """W4: a page of fifty, every section of each hit typed; with `second` the page after it too."""
        where = (
            (ds.field("bench:trade/region") == region)
            & ds.field("bench:trade/credit").one_of(*grades)
            & (ds.field("bench:trade/annual_sales") >= least)
        )
        hits = self.desk.find(where=where, order="-bench:trade/annual_sales", limit=50)
        self.paged -= len(hits)
        for view in hits:
            self.typed(view)
        if second and hits.cursor:
            for view in self.desk.find(where=where, order="-bench:trade/annual_sales", limit=50, after=hits.cursor):
                self.typed(view)

    def page(self, region: str, grades: tuple[str, ...], least: int, *, second: bool) -> None:
        """W4 of the raw side, which holds the terms of our index: folded text."""
        region, grades = fold(region), tuple(fold(grade) for grade in grades)
        rows = self.raw.page(region, grades, least, None)
        self.paged += len(rows)
        if second and len(rows) == 50:
            self.raw.page(region, grades, least, (rows[-1][1], rows[-1][0]))

    def search(self, path: str, text: str) -> int:
        """W5: a page of fifty whose text holds another, the basic data of each typed."""
        hits = self.desk.find(where=ds.field(path).contains(text), limit=50)
        for view in hits:
            view.section("basic")
        return len(hits)

    def ids(self, column: str, text: str) -> int:
        """W5 at the repository: ids of fifty rows whose text holds another."""
        query = Query(collection="dossiers", where=Contains(column, text), limit=50, bodies=False, index=False)
        return len(self.archive.repository.find(query).rows)

    def lazy(self, id: str, revision: int) -> None:
        """W6: one field of an earlier version."""
        _ = self.desk.history(id, known=revision).view.number

    def field(self, id: str, revision: int) -> None:
        """W6: one section of an earlier version."""
        _ = self.desk.history(id, known=revision).view.section("bench:trade").state

    def whole(self, id: str, revision: int) -> None:
        """W6: every section of an earlier version."""
        self.typed(self.desk.history(id, known=revision).view)


def split(bundle: Any, rows: int) -> list[Any]:
    """A bundle as several, each of about so many rows, cut between dossiers."""
    dossiers = bundle.rows["dossiers"]
    total = sum(map(len, bundle.rows.values()))
    each = max(1, len(dossiers) * rows // total)
    parts = []
    for start in range(0, len(dossiers), each):
        chosen = dossiers[start : start + each]
        ids, rids = {row[1] for row in chosen}, {row[0] for row in chosen}
        special = [row for row in bundle.rows.get("special", []) if row[1] in ids]
        apart = {row[0] for row in special}
        events = bundle.rows["events"]
        parts.append(
            attrs.evolve(
                bundle,
                rows={
                    "dossiers": chosen,
                    "special": special,
                    "acts": [row for row in bundle.rows["acts"] if row[1][:32] in ids],
                    "events": events[start : start + each],
                },
                sets={
                    name: [pair for pair in pairs if pair[1] in (rids if name.startswith("dossiers") else apart)]
                    for name, pairs in bundle.sets.items()
                },
                texts={name: [text for text in texts if text[0] in rids] for name, texts in bundle.texts.items()},
            )
        )
    return parts


def run(pair: Pair, n: int, wanted: Set[str], *, scale: float = 1.0) -> list[Ratio]:
    """All wanted workloads at size n; W1 is measured on the last of them."""
    found: list[Ratio] = []
    part = min(n // 2, 20_000)
    if n > 2 * part:
        pair.bulk(n - 2 * part, typed=True)
    _note(found, "W1 bulk, typed", 1.5, pair.bulk(part, typed=True))
    _note(found, "W1 bulk, through the door", 2.2, pair.bulk(part, typed=False))
    return found + reads(pair, n, wanted, scale=scale)


def reads(pair: Pair, n: int, wanted: Set[str] = ALL, *, scale: float = 1.0) -> list[Ratio]:
    """The workloads on an archive that is filled."""
    found: list[Ratio] = []
    rnd = random.Random(1)

    def note(name: str, target: float, sides: tuple[Side, Side]) -> None:
        _note(found, name, target, sides)

    ids = [id for (id,) in pair.source.execute("select id from c_dossiers order by rid limit ?", (n,))]

    def some(many: float) -> list[str]:
        return [rnd.choice(ids) for _ in range(max(int(many * scale), 30))]

    if "W2" in wanted:
        note("W2i one insert", 1.5, pair.inserts(int(400 * scale)))
        note("W2u one update", 1.6, pair.updates(some(400)))
    if "W3" in wanted:
        chosen = some(2000)
        note("W3 consult, typed, session", 2.0, alternate(calls(pair.consult, chosen), calls(pair.raw.get, chosen)))
    if "W4" in wanted:
        asked = [
            (rnd.choice(REGIONS), tuple(rnd.sample(GRADES, 2)), rnd.choice((200_000, 500_000, 1_000_000)))
            for _ in range(int(100 * scale) + 20)
        ]
        for name, second in (("first page", False), ("and the page after it", True)):
            note(
                f"W4 find, {name}",
                1.4,
                alternate(
                    [lambda a=a, s=second: pair.find(*a, second=s) for a in asked],  # type: ignore[misc]
                    [lambda a=a, s=second: pair.page(*a, second=s) for a in asked],  # type: ignore[misc]
                    block=10,
                ),
            )
        if pair.paged:
            raise SystemExit(f"the two sides do not answer alike: {pair.paged} rows more on the raw side")
    if "W5" in wanted:
        search(pair, rnd, n, note, scale)
    if "W6" in wanted:
        versions(pair, some, note)
    if "W7" in wanted:
        by, sums = ("bench_trade_region", "bench_trade_credit"), ("bench_trade_annual_sales",)
        grouped: Any = pair.archive.repository
        mine = [lambda: grouped.aggregate("dossiers", And(()), by=by, sums=sums)] * 10
        note("W7 group by", 1.3, alternate(mine, [pair.raw.groups] * 10, block=1))
    return found


def _note(found: list[Ratio], name: str, target: float, sides: tuple[Side, Side]) -> None:
    figure = ratio(name, target, *sides)
    found.append(figure)
    print(figure.line(), f"{figure.micros[0]:.0f} / {figure.micros[1]:.0f} us", flush=True)


def calls(function: Callable[..., Any], values: list[str]) -> list[Callable[[], Any]]:
    """One call a value."""
    return [lambda v=value: function(v) for value in values]  # type: ignore[misc]


def search(pair: Pair, rnd: random.Random, n: int, note: Callable[..., None], scale: float) -> None:
    """W5: names and addresses, four characters and two."""
    rids = [rnd.randrange(1, n + 1) for _ in range(max(int(40 * scale), 10))]
    asked = f"select f_basic_name, f_search_address from c_dossiers where rid in ({','.join(map(str, rids))})"
    names, addresses = zip(*pair.source.execute(asked), strict=True)
    needles = {
        "name, 4 characters": ("basic/name", "search_name", [name[2:6] for name in names]),
        "address, 4 characters": ("basic/addresses", "search_address", [text[6:10] for text in addresses]),
        "name, 2 characters": ("basic/name", "search_name", [name[3:5] for name in names]),
    }
    whole: dict[str, tuple[float, list[tuple[Side, Side]]]] = {}

    def told(name: str, against: str, target: float, sides: tuple[Side, Side]) -> None:
        note(f"W5 {name}, against {against}", target, sides)
        kind = "all three" if "ids alone" not in name else "all three, ids alone"
        whole.setdefault(f"W5 {kind}, against {against}", (target, []))[1].append(sides)

    for name, (path, column, texts) in needles.items():
        mine = [lambda t=t, p=path: pair.search(p, t) for t in texts]  # type: ignore[misc]
        found = [lambda t=t, c=column: pair.raw.match(c, t, bodies=True) for t in texts]  # type: ignore[misc]
        told(name, "FTS5", 1.5, alternate(mine, found, block=5))
        bare = [lambda t=t, c=column: pair.ids(c, t) for t in texts]  # type: ignore[misc]
        matched = [lambda t=t, c=column: pair.raw.match(c, t, bodies=False) for t in texts]  # type: ignore[misc]
        told(f"{name}, ids alone", "FTS5", 1.5, alternate(bare, matched, block=5))
        scanned = [lambda t=t, c=column: pair.raw.like(c, t) for t in texts[:12]]  # type: ignore[misc]
        told(name, "LIKE", 0.02, alternate(mine[:12], scanned, block=2))
        told(f"{name}, ids alone", "LIKE", 0.02, alternate(bare[:12], scanned, block=2))
    for name, (target, parts) in whole.items():
        note(name, target, (together([mine for mine, _ in parts]), together([other for _, other in parts])))


def versions(pair: Pair, some: Callable[[float], list[str]], note: Callable[..., None]) -> None:
    """W6: a version behind two acts and behind two hundred."""
    for acts in (2, 200):
        chosen = list(dict.fromkeys(some(30)))[: 30 if acts == 2 else 5]
        for id in chosen:
            for number in range(acts):
                pair.desk.update(id, ds.change("bench:trade", room=f"房{number}"), channel="visit")
        pair.raw.write(pair.take())
        keys = [(id, f"{id}/{1:08x}") for id in chosen] * (600 // len(chosen))
        raw = [lambda k=key: pair.raw.act(k) for _, key in keys]  # type: ignore[misc]
        for name, target, read in (
            ("head", 2.0, pair.lazy),
            ("one field", 2.0, pair.field),
            ("typed", 3.0, pair.whole),
        ):
            mine = [lambda i=id, r=read: r(i, 1) for id, _ in keys]  # type: ignore[misc]
            note(f"W6 behind {acts} acts, {name}", target, alternate(mine, raw))


def committed(folder: Path, n: int, many: int) -> Ratio:
    """W3 at level committed: a consult with its event kept, against a raw read and a raw durable insert."""
    pair = Pair(folder, level="committed")
    pair.bulk(n, typed=True)
    ids = [id for (id,) in pair.source.execute("select id from c_dossiers order by rid limit ?", (n,))]
    rnd = random.Random(2)
    conn = pair.raw.conn
    conn.execute("create table read(seq integer primary key, line text)")

    def read(id: str) -> None:
        pair.raw.get(id)
        conn.execute("begin immediate")
        conn.execute("insert into read(line) values (?)", ("x" * 500,))
        conn.execute("commit")

    chosen = [rnd.choice(ids) for _ in range(many)]
    figure = ratio("W3 consult, typed, committed", 1.0, *alternate(calls(pair.consult, chosen), calls(read, chosen)))
    pair.close()
    return figure


def main(argv: list[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--w", default=",".join(sorted(ALL)), help="which workloads")
    parser.add_argument("--scale", type=float, default=1.0, help="how many calls of each workload")
    parser.add_argument("--keep", action="store_true", help="leave the databases in the folder")
    parser.add_argument("--folder", help="where the databases are made; default a temporary folder")
    given = parser.parse_args(argv)
    folder = Path(given.folder or tempfile.mkdtemp(prefix="dossier-bench-"))
    try:
        (folder / "all").mkdir(parents=True)
        pair = Pair(folder / "all")
        print(f"n = {given.n}\n| workload | CPU | p10 | target | |\n|---|---|---|---|---|")
        run(pair, given.n, set(given.w.split(",")), scale=given.scale)
        for side, name in ((pair.path, "ours"), (pair.raw.path, "raw")):
            size = sum(p.stat().st_size for p in side.parent.glob(f"{side.name}*") if p.is_file())
            print(f"{name}: {size // max(pair.made, 1)} bytes a dossier", flush=True)
        pair.close()
        if "W3" in given.w:
            (folder / "committed").mkdir()
            figure = committed(folder / "committed", min(given.n, 2000), int(500 * given.scale))
            print(figure.line(), f"{figure.micros[0]:.0f} / {figure.micros[1]:.0f} us", flush=True)
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
