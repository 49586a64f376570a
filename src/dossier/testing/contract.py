"""`RepositoryContract`: the conformance suite of a repository as a pytest class.

Floor: testing. Its whole use:

    from dossier.testing import RepositoryContract
    from dossier_sqlite import STEPS, open_sqlite

    class TestSqlite(RepositoryContract):
        driver = staticmethod(open_sqlite)          # the Driver on trial
        steps = STEPS                               # names that its option `on_step` is called with, () if it has none

        def url(self, folder):                      # an address inside an empty folder
            return f"sqlite:{folder / 'a.db'}"

Nothing else is asked for. `outlives = False` says that a store does not outlive its process (the memory repository):
crashes become exceptions. `foreign` and `small_disk` give what only the plugin can make, `spoil` damages a store; where
they give None (False), the test is skipped and says so. `examples` scales the random tests; the Hypothesis profile
decides phases and seed.
"""

# Law tests carry the number of their law.
# ruff: noqa: N802

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import ClassVar

import pytest

from dossier.repository import Capabilities, Driver
from dossier.testing.crash import can_fork
from dossier.testing.law_atomic import check_K4_all_or_nothing, check_K4_batch_key
from dossier.testing.law_bytes import check_K1_bytes
from dossier.testing.law_crash import check_K4_crash, check_K4_interrupted
from dossier.testing.law_machine import check_machine
from dossier.testing.law_manners import (
    check_backup,
    check_capabilities,
    check_checks,
    check_driver,
    check_foreign,
    check_fork,
    check_lane_killed,
    check_lanes,
    check_life,
)
from dossier.testing.law_processes import check_K4_full_disk, check_K4_killed, check_K5_processes
from dossier.testing.law_queries import check_K6_queries
from dossier.testing.law_scan import check_K8_digest_inputs
from dossier.testing.law_threads import check_K4_seen_whole, check_K5_one_winner
from dossier.testing.place import Place, Places

needs_fork = pytest.mark.skipif(not can_fork(), reason="this system cannot fork")


class RepositoryContract:
    """See the module."""

    driver: ClassVar[Driver]
    steps: ClassVar[tuple[str, ...]] = ()
    outlives: ClassVar[bool] = True
    examples: ClassVar[int] = 25

    def url(self, folder: Path) -> str:
        """An address inside `folder`, which is empty."""
        raise NotImplementedError

    def foreign(self, folder: Path) -> str | None:
        """The address of something in `folder` that is no archive, None where there is no such thing."""
        return None

    def small_disk(self, folder: Path) -> AbstractContextManager[Path | None]:
        """A folder on a disk of 4 to 16 MB, None where none can be made."""
        return nullcontext(None)

    def elsewhere(self, folder: Path) -> str:
        """Where lanes may lie that do not lie beside the store: a folder, or what the repository takes for one."""
        return str(folder / "lanes")

    def spoil(self, folder: Path) -> bool:
        """Damage the closed store in `folder` so that its own check must find it; False where it has none."""
        return False

    @pytest.fixture
    def places(self, tmp_path: Path) -> Places:
        """Fresh places in folders of their own."""
        numbers = itertools.count()

        def place() -> Place:
            folder = tmp_path / f"{next(numbers)}"
            folder.mkdir()
            return Place(type(self).driver, self.url(folder))

        return place

    @pytest.fixture
    def offered(self, places: Places) -> Iterator[Capabilities]:
        """What the repository declares."""
        with closing(places().create()) as repository:
            yield repository.capabilities

    @pytest.mark.law("K1")
    def test_K1_bytes(self, places: Places) -> None:
        check_K1_bytes(places, examples=self.examples)

    @pytest.mark.law("K4")
    def test_K4_all_or_nothing(self, places: Places) -> None:
        check_K4_all_or_nothing(places, examples=self.examples)

    @pytest.mark.law("K4")
    def test_K4_batch_key(self, places: Places) -> None:
        check_K4_batch_key(places, examples=self.examples)

    @pytest.mark.law("K4")
    def test_K4_seen_whole(self, places: Places) -> None:
        check_K4_seen_whole(places)

    @pytest.mark.law("K4")
    @needs_fork
    def test_K4_crash(self, places: Places) -> None:
        if self.outlives:
            check_K4_crash(places, steps=self.steps)
        elif self.steps:
            check_K4_interrupted(places, steps=self.steps)
        else:
            pytest.skip("neither outlives its process nor declares steps to interrupt it at")

    @pytest.mark.law("K4")
    @needs_fork
    def test_K4_killed(self, places: Places) -> None:
        if not self.outlives:
            pytest.skip("the store ends with its process")
        check_K4_killed(places)

    @pytest.mark.law("K4")
    def test_K4_full_disk(self, tmp_path: Path) -> None:
        with self.small_disk(tmp_path) as folder:
            if folder is None:
                pytest.skip("no small disk can be made here")
            check_K4_full_disk(Place(type(self).driver, self.url(folder)), folder)

    @pytest.mark.law("K5")
    def test_K5_one_winner(self, places: Places) -> None:
        check_K5_one_winner(places)

    @pytest.mark.law("K5")
    @needs_fork
    def test_K5_processes(self, places: Places, offered: Capabilities) -> None:
        if not offered.processes:
            pytest.skip("one process only, as it declares")
        check_K5_processes(places)

    @pytest.mark.law("K6")
    def test_K6_queries(self, places: Places) -> None:
        check_K6_queries(places, examples=2 * self.examples)

    @pytest.mark.law("K8")
    def test_K8_digest_inputs(self, places: Places) -> None:
        check_K8_digest_inputs(places, examples=self.examples)

    @pytest.mark.law("K4")
    @pytest.mark.law("K6")
    def test_machine(self, places: Places) -> None:
        crashes = self.outlives and bool(self.steps) and can_fork()
        check_machine(places, examples=self.examples, crashes=crashes)

    def test_driver(self, places: Places) -> None:
        check_driver(places)

    def test_foreign(self, tmp_path: Path) -> None:
        url = self.foreign(tmp_path)
        if url is None:
            pytest.skip("nothing else can stand at such an address")
        check_foreign(Place(type(self).driver, url))

    def test_life(self, places: Places) -> None:
        check_life(places)

    @needs_fork
    def test_fork(self, places: Places) -> None:
        check_fork(places)

    def test_capabilities(self, places: Places) -> None:
        check_capabilities(places)

    def test_lanes(self, places: Places, offered: Capabilities, tmp_path: Path) -> None:
        if not offered.lanes:
            pytest.skip("no lanes, as it declares")
        check_lanes(places, self.elsewhere(tmp_path))

    @needs_fork
    def test_lane_killed(self, places: Places, offered: Capabilities) -> None:
        if not (offered.lanes and self.outlives):
            pytest.skip("no lanes that outlive a process, as it declares")
        check_lane_killed(places)

    def test_backup(self, places: Places, offered: Capabilities, tmp_path: Path) -> None:
        if not offered.backup:
            pytest.skip("no backup, as it declares")
        check_backup(places, str(tmp_path / "copy.db"))

    def test_checks(self, tmp_path: Path) -> None:
        place = Place(type(self).driver, self.url(tmp_path))
        if not check_checks(place, lambda: self.spoil(tmp_path)):
            pytest.skip("no check of its own")
