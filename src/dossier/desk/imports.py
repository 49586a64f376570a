"""The counter that takes in files (M71, M77): what a plan made of their rows becomes acts and records.

Floor: desk. Ids are derived from a salt of the archive and the source's keys, so the same rows always mean the same
dossiers and records; what a source last said of a dossier is remembered beside it, so saying it again changes nothing,
also where the desk has corrected it since. Every batch is complete in itself: whoever was interrupted runs it again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from dossier.desk.imported import Importing
from dossier.desk.recording import shape_hash
from dossier.desk.writing import Writing
from dossier.errors import InputError
from dossier.intake import Plan, Report, load_plan
from dossier.intake.build import Builder
from dossier.intake.compile import check_columns, joining_reader, table_reader, wrong_paths
from dossier.intake.gather import gather
from dossier.intake.reasons import reason
from dossier.intake.report import Notice, Rejects
from dossier.intake.sources import Sheet, is_text, open_table
from dossier.model.fields import nearest_name
from dossier.policy import Decision

File = str | os.PathLike[str]
Progress = Callable[[int], None]
"""Called with the number of rows dealt with so far."""


class ImportsCounter:
    """Imports by declared plans: `desk.imports.plan("retail.toml", "lines.csv.gz").apply()`."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def plan(self, plan: Plan | File, files: File | Mapping[str, File]) -> PlannedImport:
        """An import by a plan (a TOML file, or what `load_plan` gave). `files`: one for all tables (a text file
        for those that are not optional), or a path by table.

        InputError with every typo of the plan, and for a table without a file.
        """
        registry = self._writing.archive.registry
        if isinstance(plan, Plan):
            loaded, name = plan, plan.name
            if wrong := wrong_paths(loaded, registry, name):
                raise InputError(wrong)
        else:
            name = Path(plan).name
            loaded = load_plan(Path(plan), check=lambda read, called: wrong_paths(read, registry, called))
        if isinstance(files, Mapping):
            missing = [key for key, table in loaded.tables.items() if key not in files and not table.optional]
            problems = [reason("intake.files", name, table=table) for table in missing]
            for extra in [key for key in files if key not in loaded.tables]:
                problems.append(reason("intake.key", name, name=extra, nearest=nearest_name(extra, loaded.tables)))
            if problems:
                raise InputError(problems)
            paths = {table: Path(files[table]) for table in loaded.tables if table in files}
        else:
            path = Path(files)
            needed = [key for key, table in loaded.tables.items() if not table.optional]
            paths = dict.fromkeys(needed if is_text(path) and needed else loaded.tables, path)
        return PlannedImport(self._writing, loaded, paths)


class PlannedImport:
    """One plan over one set of files. `dry_run` and `apply` do the same work; only `apply` writes. `check` looks at
    what can be wrong before the first row."""

    def __init__(self, writing: Writing, plan: Plan, paths: Mapping[str, Path]) -> None:
        self._writing = writing
        self._plan = plan
        self._paths = paths

    def check(self) -> None:
        """Raise what `apply` would raise before it takes a row: DeniedError, InputError for files and columns."""
        self._permitted()
        self._opened()

    def dry_run(self, *, rejects: File | None = None, progress: Progress | None = None) -> Report:
        """What `apply` would do now, with its counts and its file of `rejects`; nothing is written to the archive."""
        return self._run(False, rejects, progress)

    def apply(self, *, rejects: File | None = None, progress: Progress | None = None) -> Report:
        """Import. Interrupted, it is run again: what was done is found unchanged and the rest is done.

        `rejects`: a new CSV file for every row that was not taken and every repeated one, with place, reason, remedy.
        InputError where a file cannot be read at all (then nothing was written); DeniedError.
        """
        return self._run(True, rejects, progress)

    def _run(self, write: bool, rejects: File | None, progress: Progress | None) -> Report:
        plan, archive, reading = self._plan, self._writing.archive, self._writing.reading
        decision = self._permitted()
        shape = shape_hash(["import", "apply" if write else "dry_run"])
        archive.recorder.read(reading.event("import", decision, shape=shape))
        registry = archive.registry
        sheets, notices = self._opened()
        readers = {table: table_reader(plan, table, sheet.header, registry) for table, sheet in sheets.items()}
        builder = Builder(plan, list(sheets.values()), list(readers.values()))
        with Rejects(Path(rejects) if rejects is not None else None) as out:
            importing = Importing(self._writing, plan, builder, out, decision, write=write)
            seen = 0
            for group in gather(sheets, readers, _joins(plan, sheets)):
                importing.take(builder.party(group))
                seen += len(group.rows)
                if progress is not None:
                    progress(seen)
            importing.finish()
            return Report(
                counts=importing.counts, reasons=dict(sorted(out.reasons.items())), notices=tuple(notices),
                written=write,
            )  # fmt: skip

    def _permitted(self) -> Decision:
        # The report tells who is in the archive already, so whoever imports must be one who may look.
        reading = self._writing.reading
        reading.permit("consult", called="import", everywhere=True)
        return reading.permit("collect", called="import")

    def _opened(self) -> tuple[dict[str, Sheet], list[Notice]]:
        """The tables with their headers, and what somebody should know about them."""
        plan = self._plan
        sheets = {table: open_table(path, plan.tables[table]) for table, path in self._paths.items()}
        notices: list[Notice] = []
        for table, sheet in sheets.items():
            place = sheet.place(1).rpartition("!")[0]
            unused = check_columns(plan, table, sheet.header, place)
            notices.extend(sheet.notices)
            if unused:
                notices.append(Notice(place, reason("intake.unused", place, count=len(unused))))
        return sheets, notices


def _joins(plan: Plan, sheets: Mapping[str, Sheet]) -> dict[str, tuple[tuple[str, Callable[..., object]], ...]]:
    """Table → the tables that are joined to it, with the reader of the columns they are joined by."""
    found: dict[str, tuple[tuple[str, Callable[..., object]], ...]] = {}
    for name, table in plan.tables.items():
        if table.join is not None and name in sheets:
            other = table.join.table
            read = joining_reader(plan, other, name, sheets[other].header)
            found[other] = (*found.get(other, ()), (name, read))
    return found
