"""What an import did, in numbers, and the file of the rows that were not taken. Floor: intake."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Literal

import attrs

from dossier.errors import InputError, Problem
from dossier.intake.reasons import reason

Status = Literal["rejected", "quarantined", "duplicate"]


@attrs.frozen
class Notice:
    """Something about a file or sheet that somebody should know though nothing of it was lost."""

    place: str
    problem: Problem


@attrs.define(kw_only=True)
class Counts:
    """Of one import. `rows` read = accepted + rejected + quarantined; `duplicated` rows equal an earlier one and are
    counted among these too. `corrected` records replace one that said otherwise, which is cancelled."""

    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    quarantined: int = 0
    duplicated: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    records: int = 0
    corrected: int = 0


@attrs.frozen(kw_only=True)
class Report:
    """The outcome of `dry_run` (nothing was written) or `apply`: counts, reasons → rows, notices."""

    counts: Counts
    reasons: dict[str, int]
    notices: tuple[Notice, ...]
    written: bool


HEAD = ("place", "status", "code", "zh", "en", "fix_zh", "fix_en", "row")


class Rejects:
    """The file for people: each row not taken (and each repeated one) with place, reasons, remedies and its cells.

    CSV in UTF-8 with a byte order mark. An existing file is not overwritten. Its cells are customers' data:
    its owner alone may read it.
    """

    def __init__(self, path: Path | None) -> None:
        self.reasons: dict[str, int] = {}
        self._file: IO[str] | None = None
        self._path = path

    def __enter__(self) -> Rejects:
        if self._path is not None:
            self._file = _new(self._path)
            self._writer = csv.writer(self._file)
            self._writer.writerow(HEAD)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, status: Status, problems: Sequence[Problem], header: list[str], cells: list[str]) -> None:
        """Note one row and all that is wrong with it."""
        for code in {problem.code for problem in problems}:
            self.reasons[code] = self.reasons.get(code, 0) + 1
        if self._file is not None:
            names = [*header, *(f"+{n}" for n in range(1, len(cells) - len(header) + 1))]
            row = json.dumps(dict(zip(names, cells, strict=False)), ensure_ascii=False)
            said = [(each.code, each.zh, each.en, each.fix_zh, each.fix_en) for each in problems]
            listed = ("; ".join(dict.fromkeys(texts)) for texts in zip(*said, strict=True))
            texts = (problems[0].path, status, *listed, row)
            self._writer.writerow([text.encode("utf-8", "backslashreplace").decode() for text in texts])


def _new(path: Path) -> IO[str]:
    found: IO[str] | None = None
    try:
        found = open(path, "x", encoding="utf-8-sig", newline="", opener=_private)  # noqa: SIM115
    except FileExistsError:
        pass
    if found is None:
        raise InputError([reason("intake.exists", path.name, what=path.name)])
    return found


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
