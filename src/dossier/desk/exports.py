"""The counter that writes customers to files (M139): `desk.exports.write("customers.xlsx")`.

Floor: desk. Only what the caller's views show leaves, by the one read path; each page is on record before it is
written, and all of it on the disk of the ledger before the file has its name.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs

from dossier.desk.changes import fits
from dossier.desk.exports_columns import HEAD, RECORD_HEAD, Layout, Sections, layout, sections_of
from dossier.desk.exports_files import format_of, writing
from dossier.desk.finding import Condition, Plan, current_numbers, field
from dossier.desk.reading import Reading
from dossier.desk.recording import shape_hash
from dossier.desk.records import RecordView, record_order, record_view
from dossier.desk.transfer import Progress
from dossier.desk.views import DossierView, behind
from dossier.errors import InputError, Lang, ReadableFieldError
from dossier.model.fields import SectionSpec
from dossier.model.problems import problem
from dossier.model.records import PREFIX
from dossier.policy import Decision
from dossier.repository import And, Eq, Expr, In, Query

PAGE: Final = 200
"""Files on one page of an export: one state of the archive, one event."""
_NOTE: Final = 10_000
Subject = tuple[str, int, str]


@attrs.frozen
class Exported:
    """What was written: `rows` lines without the line of labels; `columns` by their paths, in order; `withheld` the
    paths that were left out, or stand as withheld for a kind of party whose field the caller may not read."""

    path: Path
    format: str
    rows: int
    columns: tuple[str, ...]
    withheld: tuple[str, ...]


class ExportsCounter:
    """Exports of one actor's desk."""

    def __init__(self, reading: Reading) -> None:
        self._archive = reading.archive
        self._reading = reading
        self._both: tuple[Decision, Decision] | None = None
        """The decision to export, and what of it the actor may look at; kept, for masks are remembered by it."""

    def write(
        self,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,
        name: str | None = None,
        where: Condition | None = None,
        order: str | None = None,
        fields: Sequence[str] | None = None,
        records: str | None = None,
        lang: Lang | None = None,
        because: str = "",
        progress: Progress | None = None,
    ) -> Exported:
        """Write the customers that `name`, `where` and `order` find (as for `desk.find`) to a new file.

        `format` csv, jsonl or xlsx, else by the file's ending; `fields` paths of leaves, fields or sections (all that
        the caller may read without it); `records` a kind: its records, a line each, instead of the customers, `fields`
        naming theirs; `lang` zh or en of labels and words; `because` why: its keyed hash is on record, not the text;
        `progress` is called with customers done and in all.

        In the order of numbers unless another is asked for; records of one customer newest first, or by id where the
        caller may not read when they were. Each page of customers is one state, their records are read after it; what
        changed meanwhile may be shown as it was or as it is. DeniedError; ReadableFieldError for a field named here
        that may not be read; InputError with all that is wrong with the question; ExistsError, MissingFolderError,
        ReadOnlyError, StorageFullError, LimitError (XLSX) for the file, and nothing is left of it then.
        """
        target, words = Path(path), lang or self._archive.lang
        decision = self._permit()
        kind = format_of(target, format)
        _check(words, because)
        if name is not None:
            named = field("basic/name").contains(name)
            where = named if where is None else where & named
        spec = self._archive.registry.spec(PREFIX + records) if records is not None else None
        try:
            plan = self._plan(decision, where, order)
            made = self._layout(decision, spec, fields, words)
        except ReadableFieldError as error:
            self._reading.refuse(decision, "export", shape_hash(["export", error.path]))
            raise
        columns = tuple(column.path for column in made.columns)
        shape = shape_hash(["export", plan.shape, records or "", list(columns), kind])
        reason = self._reason(because)
        total = self._archive.repository.count(plan.query.collection, plan.query.where) if progress is not None else 0
        rows = done = 0
        with writing(target, kind, made.columns, words, self._archive.environment.now()) as table:
            for views, last in self._pages(plan.query, decision):
                event = self._reading.event("export", decision, subjects=self._subjects(views, made, spec), shape=shape)
                event.reason = reason
                self._archive.recorder.read(event, durable=last)
                for view in views:
                    for head, sections in self._lines(view, spec):
                        table.add(head, sections)
                        rows += 1
                done += len(views)
                if progress is not None:
                    progress(done, max(done, total))
        return Exported(target, kind, rows, columns, made.withheld)

    # -- inner steps ------------------------------------------------------------------------------

    def _permit(self) -> Decision:
        """Who exports must be one who may look, and gets what he may both export and look at."""
        export = self._reading.permit("export", called="export")
        consult = self._reading.permit("consult", called="export")
        if self._both is None or self._both[0] is not export:
            self._both = export, self._archive.judge.both(export, consult)
        return self._both[1]

    def _plan(self, decision: Decision, where: Condition | None, order: str | None) -> Plan:
        archive = self._archive
        archive.valid_today()
        made = partial(
            archive.finder.plan, decision, where=where, limit=PAGE,
            current=partial(current_numbers, archive.repository), guard=self._reading.guard(decision),
        )  # fmt: skip
        plan = made(order=order)
        # A number never changes: no customer is passed over or met twice while others write.
        return made(order="number") if order is None and plan.query.collection == "dossiers" else plan

    def _layout(self, decision: Decision, spec: SectionSpec | None, fields: Sequence[str] | None, lang: Lang) -> Layout:
        guard = self._reading.guard(decision)
        if guard is not None:
            # A column for what may be read of some customer; of the others it stands as withheld.
            decision = attrs.evolve(decision, masks=guard.layout.masks(guard.ruling.best))
        if spec is None:
            specs = [each for each in self._archive.registry.specs() if not each.key.startswith(PREFIX)]
            return layout(specs, HEAD, decision, fields, lang)
        if not decision.mask(spec):
            raise ReadableFieldError(path=spec.key, field=spec.key, role="", verb="export", verb_zh="导出")
        return layout([spec], RECORD_HEAD, decision, fields, lang, prefix=f"{spec.key}/")

    def _pages(self, query: Query, decision: Decision) -> Iterator[tuple[list[DossierView], bool]]:
        """Pages of views, and whether each is the last; one empty page where nothing is found."""
        cursor: str | None = None
        while True:
            views, cursor = self._reading.page(attrs.evolve(query, after=cursor), decision, called="export")
            yield views, cursor is None
            if cursor is None:
                return

    def _subjects(self, views: Sequence[DossierView], made: Layout, spec: SectionSpec | None) -> tuple[Subject, ...]:
        """Everybody on a page with what is given out of his file. Of records too: that somebody has none is told."""
        masks: dict[tuple[str, int], str] = {}
        found = []
        for view in views:
            seen = behind(view)
            key = view.kind, id(seen.decision)
            if key not in masks:
                specs = self._archive.registry.specs(view.kind) if spec is None else (spec,)
                masks[key] = made.given(specs, seen.decision)
            found.append((seen.head.pseudonym, seen.head.rev, masks[key]))
        return tuple(found)

    def _lines(self, view: DossierView, spec: SectionSpec | None) -> Iterator[tuple[Mapping[str, str], Sections]]:
        """The lines of one customer: himself, or his records of a kind."""
        if spec is None:
            yield {name: getattr(view, name) for name in HEAD}, sections_of(view)
            return
        members = self._reading.members(view.id) if behind(view).head.linked else [view.id]
        whose: Expr = Eq("dossier", members[0]) if len(members) == 1 else In("dossier", tuple(members))
        kind = spec.key.removeprefix(PREFIX)
        where, order = And((whose, Eq("kind", kind))), record_order(self._archive, kind, behind(view).decision)
        query = Query(collection="records", where=where, order=order, limit=PAGE)
        while True:
            page = self._archive.repository.find(query)
            for row in page.rows:
                record = record_view(self._archive, row, behind(view).decision)
                yield {"number": view.number, "state": record.state, "opened": record.opened}, partial(_content, record)
            if page.cursor is None:
                return
            query = attrs.evolve(query, after=page.cursor)

    def _reason(self, because: str) -> str:
        """What the event keeps of a reason: a hash that shows later whether it was this one, and nothing else."""
        if not because:
            return ""
        return hmac.new(self._archive.manifest.staff_key, because.encode(), hashlib.sha256).hexdigest()[:32]


def _content(record: RecordView, key: str) -> Any:
    return record.content


def _check(lang: object, because: object) -> None:
    problems = []
    if lang not in ("zh", "en"):
        problems.append(problem("export.lang", "lang"))
    if not fits(because, _NOTE):
        problems.append(problem("told.text", "because", limit=_NOTE))
    if problems:
        raise InputError(problems)
