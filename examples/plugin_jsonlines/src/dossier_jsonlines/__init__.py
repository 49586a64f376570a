"""A repository on one file of JSON lines: one line a batch or a declaration. See README.md for what it promises.

What the lines come to is held by the repository in memory; this module keeps the file in step with it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import attrs

from dossier import errors
from dossier import repository as rows
from dossier.repository.checking import check_options
from dossier.repository.memory import open_memory

STEPS = ("line.half", "line.written", "line.synced", "anew.written", "anew.renamed")
"""Names that the option `on_step` is called with, between the physical steps of a write."""
HEADER = b'{"dossier":"jsonlines","format":1}\n'
OPS: dict[str, Any] = {kind.__name__: kind for kind in (rows.Put, rows.Index, rows.Delete, rows.Shred)}


def open_jsonlines(url: str, *, mode: str, options: Mapping[str, Any]) -> JsonLinesRepository:
    """The driver of the scheme `jsonlines`; see `Driver` for the errors. `jsonlines:PATH` is one file."""
    check_options(options, ("on_step",))
    return JsonLinesRepository(Path(rows.split(url)[1].removeprefix("//")), mode, options.get("on_step"))


class JsonLinesRepository:
    """See `Repository`. Reads go to memory, which also knows a closed repository and a forked process."""

    capabilities = rows.Capabilities(durable=True)

    def __init__(self, path: Path, mode: str, on_step: Any) -> None:
        if path.exists() is (mode == "create"):
            raise errors.ExistsError if mode == "create" else errors.MissingArchiveError
        if not path.parent.is_dir():
            raise errors.MissingFolderError
        self._path, self._writable, self._on_step = path, mode != "r", on_step or (lambda step: None)
        self._turn = threading.Lock()
        self._declared: dict[str, rows.Collection] = {}
        self._batch: rows.Batch | None = None  # that is being committed
        self._memory = open_memory("memory:", mode="create", options={"on_step": self._at})
        self._lock = _locked(path) if self._writable else None
        try:
            if mode == "create":
                _written(path, [HEADER])
            self._size = self._replay()
        except BaseException:
            self.close()
            raise
        self.get_many, self.find, self.count = self._memory.get_many, self._memory.find, self._memory.count
        self.scan, self.snapshot = self._memory.scan, self._memory.snapshot

    def commit(self, batch: rows.Batch, *, durable: bool = True) -> rows.Receipt:
        """See `Repository.commit`. Every commit waits for the disk."""
        with self._turn:
            if not self._writable:
                raise errors.ReadOnlyError
            self._batch = batch
            try:
                return self._memory.commit(batch)
            finally:
                self._batch = None

    def declare(self, collections: Sequence[rows.Collection]) -> tuple[str, ...]:
        """See `Repository.declare`."""
        with self._turn:
            new = {one.name: one for one in collections if self._declared.get(one.name) != one}
            if new and not self._writable:
                raise errors.ReadOnlyError
            lacking = self._memory.declare(collections)
            if new:
                try:
                    self._append(_line({"declare": [attrs.asdict(one) for one in new.values()]}))
                except BaseException:
                    self.close()  # memory knows more than the file: nothing may build on it
                    raise
                self._declared |= new
            return lacking

    def close(self) -> None:
        """See `Repository.close`."""
        self._memory.close()
        if self._lock is not None:
            self._lock.close()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise errors.NotPicklableError(what="JsonLinesRepository")

    def _at(self, step: str) -> None:
        """Memory calls this when it can refuse nothing any more, before it shows the rows; an error takes them back."""
        if step == "commit.before" and self._batch is not None:
            ops = [_plain(op) for op in self._batch.ops if not isinstance(op, rows.Check)]
            self._append(_line({"key": self._batch.key, "ops": ops}))
            if any(isinstance(op, rows.Shred) for op in self._batch.ops):
                self._write_anew()

    def _append(self, line: bytes) -> None:
        half = len(line) // 2
        parts = {"line.half": line[:half], "line.written": line[half:]}
        try:
            with self._path.open("r+b", buffering=0) as file:
                file.seek(self._size)
                for step, part in parts.items():
                    if file.write(part) != len(part):
                        raise OSError(errno.ENOSPC, "")
                    self._on_step(step)
                os.fsync(file.fileno())
            self._size += len(line)
            self._on_step("line.synced")
            return
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            os.truncate(self._path, self._size)
        raise errors.StorageFullError if full else errors.OutcomeUnknown

    def _replay(self) -> int:
        """Read the file; the place behind its last whole line. What is left of a torn one is cut off by a writer."""
        size = 0
        for number, line in enumerate(_lines(self._path)):
            if (number == 0) is not (line == HEADER):
                raise errors.DamagedError(what="line") if number else errors.NotAnArchiveError
            size += len(line)
            said = rows.decode(line)
            if made := {one["name"]: _collection(**one) for one in said.get("declare", ())}:
                self._memory.declare(list(made.values()))
                self._declared |= made
            elif number:
                self._memory.commit(rows.Batch(tuple(_op(*one) for one in said["ops"]), said["key"]))
        if not size:
            raise errors.NotAnArchiveError
        if self._writable:
            os.truncate(self._path, size)
        return size

    def _write_anew(self) -> None:
        """Write the file without what shredded scopes held: their rows are still put, empty, and shredded again."""
        scope_of: dict[tuple[str, str], str] = {}
        told: dict[str, list[list[Any]]] = defaultdict(list)  # by scope
        facts: dict[tuple[str, str], list[list[Any]]] = defaultdict(list)  # by row: they go where the row goes
        kept = [rows.decode(line) for line in _lines(self._path)]
        for one in (op for said in kept for op in said.get("ops", ())):
            key = (one[1], one[2]) if one[0] != "Shred" else ("", "")
            if one[0] == "Put":
                scope_of[key] = one[5]
                told[one[5]].append(one)
            elif one[0] == "Index":
                facts[key].append(one)
            elif one[0] == "Delete":
                told[scope_of.pop(key, "")] += facts.pop(key, [])
            else:
                for row in [row for row, scope in scope_of.items() if scope == one[1]]:
                    told[scope_of.pop(row)] += facts.pop(row, [])
                for gone in told.pop(one[1], ()):
                    gone[3:5] = [{}, {} if gone[0] == "Put" else gone[4]]
        beside = self._path.with_name(f"{self._path.name}-new")
        self._size = _written(beside, [HEADER, *map(_line, kept[1:])])
        self._on_step("anew.written")
        beside.replace(self._path)
        self._on_step("anew.renamed")


def _written(path: Path, lines: list[bytes]) -> int:
    with path.open("wb", buffering=0) as file:
        size = file.write(b"".join(lines))
        os.fsync(file.fileno())
        return size


def _locked(path: Path) -> Any:
    try:
        lock = path.with_name(f"{path.name}-lock").open("ab")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock
    except BlockingIOError:
        lock.close()
        raise errors.LockedError from None
    except PermissionError:
        raise errors.ReadOnlyError from None


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))


def _line(said: dict[str, Any]) -> bytes:
    return rows.encode(said) + b"\n"


def _plain(op: rows.Op) -> list[Any]:
    """["Put", collection, id, body, index, …]: the fields of an operation in their order, its body as JSON."""
    held = attrs.evolve(op, body=rows.decode(op.body)) if isinstance(op, rows.Put) else op
    return [type(op).__name__, *(getattr(held, each.name) for each in attrs.fields(type(op)))]


def _op(kind: str, *values: Any) -> Any:
    made = OPS[kind](*values)
    if kind == "Put":
        return attrs.evolve(made, body=rows.encode(made.body), index=_index(made.index))
    return attrs.evolve(made, fields=_index(made.fields)) if kind == "Index" else made


def _index(held: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in held.items()}


def _collection(name: str, fields: Any, composites: Any, unindexed: Any) -> rows.Collection:
    made = [rows.Composite(fields=tuple(one["fields"])) for one in composites]
    every = [rows.IndexField(**one) for one in fields]
    return rows.Collection(name=name, fields=tuple(every), composites=tuple(made), unindexed=tuple(unindexed))
