"""Importing again: nothing twice, exactly what changed, and after any interruption the same archive."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from intake_support import ROWS, desk_of, environment, fresh, numbers, planned, real, shop

import dossier as ds
from dossier.repository import Batch
from dossier.testing.law_ledger import Checker, Watch
from dossier.testing.place import Reach


def _apply(archive: ds.Archive, files: tuple[Path, Path]) -> dict[str, int]:
    return numbers(desk_of(archive).imports.plan(*files).apply())


def test_the_same_rows_in_any_order_change_nothing(tmp_path: Path) -> None:
    with fresh("memory:") as archive:
        first = _apply(archive, shop(tmp_path))
        assert first == {"rows": 5, "accepted": 5, "created": 3, "records": 4}
        digest = archive.digest()
        for number, order in enumerate(itertools.islice(itertools.permutations(ROWS), 0, 120, 7)):
            again = _apply(archive, shop(tmp_path / str(number), order))
            assert again == {"rows": 5, "accepted": 5, "unchanged": 3}
            assert archive.digest() == digest


def test_one_cell_changed_changes_exactly_that(tmp_path: Path) -> None:
    with fresh("memory:") as archive:
        desk = desk_of(archive)
        _apply(archive, shop(tmp_path))
        before = {hit.id: (hit.revision, [(r.id, r.state) for r in hit.records()]) for hit in desk.find()}
        rows = [row.replace("墨,7", "墨,8") for row in ROWS]
        assert _apply(archive, shop(tmp_path / "2", rows)) == {
            "rows": 5, "accepted": 5, "updated": 1, "unchanged": 2, "corrected": 1,
        }  # fmt: skip
        after = {hit.id: (hit.revision, [(r.id, r.state) for r in hit.records()]) for hit in desk.find()}
        (changed,) = [each for each in before if before[each] != after[each]]
        assert before[changed][0] == after[changed][0]
        assert sorted(state for _, state in after[changed][1]) == ["cancelled", "open"]
        view = desk.consult(changed)
        assert view.transaction_status.total == ds.Money("8")
        # The value that was there stays readable; saying the new one again changes nothing.
        assert {str(r.content.amount.amount) for r in view.records()} == {"7", "8"}
        digest = archive.digest()
        assert _apply(archive, shop(tmp_path / "3", rows))["unchanged"] == 3
        assert archive.digest() == digest


def test_a_field_that_changed_is_a_new_claim_and_the_old_stays_in_the_history(tmp_path: Path) -> None:
    with fresh("memory:") as archive:
        desk = desk_of(archive)
        _apply(archive, shop(tmp_path))
        rows = [row.replace("秦琼", "秦叔宝") for row in ROWS]
        counts = _apply(archive, shop(tmp_path / "2", rows))
        assert counts == {"rows": 5, "accepted": 5, "updated": 1, "unchanged": 2}
        (hit,) = desk.find(name="叔宝")
        assert hit.basic.name.full == "秦叔宝"
        assert hit.revision == 2
        assert desk.history(hit, known=1).view.basic.name.full == "秦琼"


def test_what_the_desk_corrected_is_not_undone_by_the_same_file(tmp_path: Path) -> None:
    with fresh("memory:") as archive:
        desk = desk_of(archive)
        files = shop(tmp_path)
        _apply(archive, files)
        (hit,) = desk.find(name="秦琼")
        desk.update(hit.number, ds.change("basic", name=ds.UNSET))
        digest = archive.digest()
        assert _apply(archive, files)["unchanged"] == 3
        assert archive.digest() == digest
        assert desk.consult(hit.id).basic.name is None


def test_a_copy_knows_what_was_imported_into_its_origin(tmp_path: Path) -> None:
    files = shop(tmp_path)
    with fresh("memory:") as archive:
        _apply(archive, files)
        archive.copy("memory:copied")
    with ds.open("memory:copied", level="session") as copy:
        desk_of(copy)
        digest = copy.digest()
        assert _apply(copy, files)["unchanged"] == 3
        assert copy.digest() == digest


def test_a_dry_run_counts_what_apply_does_and_writes_nothing(tmp_path: Path) -> None:
    rows = [*ROWS, "c4,罗成,135****0000,o1,2026-13-01,纸,1", ",无名,1,o1,2026-01-01,纸,1", ROWS[0]]
    with fresh("memory:") as archive:
        job = desk_of(archive).imports.plan(*shop(tmp_path, rows))
        digest = archive.digest()
        dry = job.dry_run(rejects=tmp_path / "dry.csv")
        assert archive.digest() == digest and not dry.written
        done = job.apply(rejects=tmp_path / "done.csv")
        assert dry.counts == done.counts and dry.reasons == done.reasons
        assert (tmp_path / "dry.csv").read_bytes() == (tmp_path / "done.csv").read_bytes()
        assert numbers(done) == {
            "rows": 8, "accepted": 6, "rejected": 1, "quarantined": 1, "duplicated": 1, "created": 3, "records": 4,
        }  # fmt: skip
        again = job.dry_run()
        assert again.counts == job.apply().counts


def _reopened(url: str, seed: str) -> ds.Archive:
    """The same empty archive each time, opened by a process of its own."""
    fresh(url).close()
    return ds.open(url, level="session", environment=environment(seed))


class _Killed(BaseException):
    pass


def _dying(archive: ds.Archive, batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the archive keeps so many batches, and then the process is gone."""
    left = [batches]
    commit = archive.repository.commit

    def counted(batch: Batch, **options: Any) -> Any:
        if left[0] == 0:
            raise _Killed
        left[0] -= 1
        return commit(batch, **options)

    monkeypatch.setattr(archive.repository, "commit", counted)


def test_interrupted_at_any_batch_the_import_ends_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dossier.desk.imported.FULL", 40)
    monkeypatch.setattr("dossier.desk.imported.RECORDS", 3)
    rows = [f"c{n % 7},名{n % 7},1390000111{n % 7},o{n},2026-01-{n % 28 + 1:02d},纸,{n}.005" for n in range(60)]
    files = shop(tmp_path, rows)
    with _reopened("memory:whole", "first") as archive:
        whole = _apply(archive, files)
        digest = archive.digest()
    batches = 0
    while True:
        url = f"memory:killed{batches}"
        archive = _reopened(url, "first")
        with monkeypatch.context() as patch:
            _dying(archive, batches, patch)
            try:
                counts = _apply(archive, files)
                assert counts == whole
                break
            except _Killed:
                pass
        with ds.open(url, level="session", environment=environment(f"later{batches}")) as later:
            counts = _apply(later, files)
            assert counts["rows"] == whole["rows"]
            assert later.digest() == digest, f"after {batches} batches"
        batches += 1
    assert batches > 8


_CHILD = """
import sys
from intake_support import desk_of, environment
import dossier as ds
with ds.open(sys.argv[1], level="session", environment=environment("child")) as archive:
    desk_of(archive).imports.plan(sys.argv[2], sys.argv[3]).apply(progress=lambda rows: print(rows, flush=True))
"""


def test_killed_by_the_system_the_import_is_run_again(tmp_path: Path) -> None:
    plan = Path(__file__).parents[2] / "examples" / "plans" / "retail.toml"
    table = real("retail", "one_day_2010-12-01.csv")
    fresh(str(tmp_path / "a.db")).close()
    fresh(str(tmp_path / "b.db")).close()
    places = [str(Path(__file__).parent), *sys.path]
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path / "a.db"), str(plan), str(table)],
        stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
    )  # fmt: skip
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) > 1500:
            child.send_signal(signal.SIGKILL)
            break
    child.wait()
    child.stdout.close()
    digests = []
    for name in ("a.db", "b.db"):
        with ds.open(str(tmp_path / name), level="session", environment=environment("later")) as archive:
            planned(archive, "retail", table).apply()
            digests.append(archive.digest())
            assert desk_of(archive).ledger.verify().events > 90
    assert digests[0] == digests[1]


@pytest.mark.law("K11")
def test_K11_an_independent_checker_finds_every_act_and_event_of_an_import(tmp_path: Path) -> None:
    watch, reach = Watch(), Reach()
    with fresh("memory:") as archive:
        watch(archive)
        for number, rows in enumerate((ROWS, [row.replace("墨,7", "墨,8").replace("秦琼", "秦叔宝") for row in ROWS])):
            _apply(archive, shop(tmp_path / str(number), rows))
        booked = tmp_path / "bookings.csv"
        lines = real("hotel", "hotel_bookings_stirwin.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        booked.write_text("".join(lines[:80]), encoding="utf-8")
        planned(archive, "hotel", booked).apply()
        checker = Checker(archive.registry)
        for actor in archive.staff.all():
            checker.staff[actor.id] = actor.pseudonym
            checker.acting[actor.pseudonym] = ("manager", "manage")
        for batch in watch.batches:
            checker.check(batch, reach)
        assert reach["register"] > 60 and reach["update"] == 1
        assert desk_of(archive).ledger.verify().events > 60
