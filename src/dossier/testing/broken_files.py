"""Repositories on a file that a crash finds in the wrong: the controls of the crash check.

Floor: testing. `FileOracle` is the oracle that writes its whole state to a new file at each commit and renames it,
which is right; each variant takes one physical short cut.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from dossier.errors import ExistsError, MissingArchiveError
from dossier.repository import Batch, Collection, Op, Receipt, Repository
from dossier.testing.oracle import Oracle
from dossier.testing.oracle_reader import Cell, Store

STEPS = ("written", "renamed")
Cells = dict[tuple[str, str], Cell]


class FileOracle(Oracle):
    """The oracle on a file. `broken` says whether the crash check must fail on it."""

    broken: ClassVar[bool] = False

    def __init__(self, path: Path, on_step: Callable[[str], None], store: Store) -> None:
        super().__init__(store)
        self._path, self._on_step = path, on_step

    @classmethod
    def driver(cls, url: str, *, mode: Literal["create", "rw", "r"], options: Mapping[str, Any]) -> Repository:
        """See `Driver`; the only option is `on_step`."""
        path = Path(url.partition(":")[2])
        if path.exists() is (mode == "create"):
            raise ExistsError if mode == "create" else MissingArchiveError
        store = Store()
        if mode != "create":
            store.declared, store.cells, store.keys = pickle.loads(path.read_bytes())
        repository = cls(path, options.get("on_step", lambda _: None), store)
        repository._save(store)
        return repository

    def declare(self, collections: Sequence[Collection]) -> tuple[str, ...]:
        """See `Repository.declare`."""
        lacking = super().declare(collections)
        self._save(self._store)
        return lacking

    def commit(self, batch: Batch, *, durable: bool = True) -> Receipt:
        """See `Repository.commit`."""
        receipt = super().commit(batch, durable=durable)
        self._save(self._store)
        return receipt

    def _save(self, store: Store) -> None:
        beside = self._path.with_suffix(".new")
        beside.write_bytes(pickle.dumps((store.declared, dict(store.cells), store.keys)))
        self._on_step("written")
        os.replace(beside, self._path)  # noqa: PTH105
        self._on_step("renamed")


class SavedLate(FileOracle):
    """Acknowledges a batch and writes it with the next one."""

    broken = True
    _late: Store | None = None

    def _save(self, store: Store) -> None:
        now = Store(dict(store.declared), dict(store.cells), store.keys)
        super()._save(self._late or now)
        self._late = now


class SavedByOperation(FileOracle):
    """Writes after each operation."""

    broken = True

    def _run(self, cells: Cells, ops: Iterable[Op]) -> None:
        for op in ops:
            self._apply(cells, op)
            self._save(Store(self._store.declared, dict(cells), self._store.keys))


class KeySavedLater(FileOracle):
    """Writes the rows first and the batch key in a second step."""

    broken = True

    def commit(self, batch: Batch, *, durable: bool = True) -> Receipt:
        """See `Repository.commit`."""
        keys = self._store.keys
        receipt = Oracle.commit(self, batch, durable=durable)
        self._save(Store(self._store.declared, self._store.cells, keys))
        self._save(self._store)
        return receipt


class KeySavedFirst(FileOracle):
    """Writes the batch key first and the rows in a second step: a repeat after a crash does nothing."""

    broken = True

    def _commit(self, batch: Batch) -> Receipt:
        keys = self._store.keys if batch.key is None else self._store.keys | {batch.key}
        self._save(Store(self._store.declared, self._store.cells, keys))
        return super()._commit(batch)
