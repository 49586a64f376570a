"""A plan against the sections of a registry and the header of a table: paths and columns looked up once. Floor: intake.

Typos in paths and columns are refused before anything is read, each with the nearest name.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence

import attrs

from dossier.codec import SectionRegistry
from dossier.errors import InputError, Problem
from dossier.intake import cells
from dossier.intake.cells import Cells, Columns, Reader
from dossier.intake.plan import Cell, Plan, TablePlan
from dossier.intake.reasons import reason
from dossier.model.fields import FieldSpec, Shape, nearest_name
from dossier.model.records import PREFIX, states

_LIKE = 0.75
"""How like a column must be to be named in an error: others may be values of a file that has no header."""


@attrs.frozen
class FieldReader:
    """One field: `many` where a row gives one member of it."""

    path: str
    collide: str
    many: bool
    read: Reader


@attrs.frozen
class PartReader:
    """One part of a field a row: its leaves."""

    path: str
    identity: str
    when: Callable[[Cells], bool]
    leaves: list[tuple[str, Reader, bool, bool]]
    """(leaf, reader, whether it holds members, whether it is a constant)."""


@attrs.frozen
class RecordReader:
    """What a row says of a record."""

    kind: str
    when: Callable[[Cells], bool]
    key: Reader | None
    head: Sequence[tuple[str, Reader, str]]
    lines: list[tuple[str, Reader]]
    state: Reader | None
    total: str
    """The field that is the sum of the lines' amounts ("" none)."""
    currency: str


@attrs.frozen
class TableReader:
    """Everything that a row of one table says."""

    name: str
    plan: TablePlan
    key: Reader | None
    own: Reader | None
    """The columns that join it to another table."""
    fields: list[FieldReader]
    parts: list[PartReader]
    records: list[RecordReader]
    observed: Reader | None


def wrong_paths(plan: Plan, registry: SectionRegistry, name: str) -> list[Problem]:
    """Every section, field, kind of record and state that there is not."""
    problems: list[Problem] = []
    for key, table in plan.tables.items():
        where = f"{name}/{key}"
        for path, cell in table.fields.items():
            _field(registry, plan.kind, path, f"{where}/fields", problems)
            _collide(cell, ("both", "fill", "refuse"), f"{where}/fields", problems)
        for part in table.parts:
            field = _field(registry, plan.kind, part.field, f"{where}/parts", problems)
            if field is not None:
                _names(part.set, field.fields, f"{where}/parts/set", problems)
        for record in table.records:
            spec = registry.find(PREFIX + record.kind, None)
            if spec is None:
                kinds = [s.key.removeprefix(PREFIX) for s in registry.specs() if s.key.startswith(PREFIX)]
                nearest = nearest_name(record.kind, kinds)
                problems.append(reason("intake.key", f"{where}/records", name=record.kind[:60], nearest=nearest))
                continue
            _names(record.set, spec.fields, f"{where}/records/set", problems)
            lines = spec.fields.get("lines")
            _names(record.lines, lines.fields if lines is not None else {}, f"{where}/records/lines", problems)
            for cell in record.set.values():
                _collide(cell, ("both", "refuse", "earliest", "latest"), f"{where}/records/set", problems)
            if record.state is not None:
                given = [*record.state.map.values(), record.state.value, record.state.otherwise]
                for state in [word for word in given if word and word not in states(record.kind)]:
                    nearest = nearest_name(state, states(record.kind))
                    problems.append(reason("intake.key", f"{where}/records/state", name=state[:60], nearest=nearest))
    return problems


def _field(registry: SectionRegistry, kind: str, path: str, where: str, problems: list[Problem]) -> FieldSpec | None:
    section, _, name = path.partition("/")
    spec = registry.find(section, kind)
    found = spec.fields.get(name) if spec is not None else None
    if found is None or found.declared.shape is Shape.COMPUTED:
        known = [f"{s.key}/{f}" for s in registry.specs() if s.kind in (None, kind) and not s.key.startswith(PREFIX)
                 for f, field in s.fields.items() if field.declared.shape is not Shape.COMPUTED]  # fmt: skip
        problems.append(reason("intake.key", where, name=path[:80], nearest=nearest_name(path, known)))
        return None
    if found.declared.shape is Shape.SERIES:
        problems.append(reason("intake.value", where, expected=f"a field without periods, not {path}"))
    return found


def _names(given: Mapping[str, Cell], fields: Mapping[str, FieldSpec], where: str, problems: list[Problem]) -> None:
    for name in given:
        if name not in fields:
            problems.append(reason("intake.key", where, name=name[:60], nearest=nearest_name(name, fields)))


def _collide(cell: Cell, words: tuple[str, ...], where: str, problems: list[Problem]) -> None:
    if cell.collide not in words:
        problems.append(reason("intake.value", f"{where}/collide", expected=", ".join(words)))


def check_columns(plan: Plan, table: str, header: list[str], place: str) -> list[str]:
    """The columns that the plan does not use. InputError for those it names that are not there, or are there twice."""
    wanted = plan.columns(table)
    problems = []
    for name in wanted:
        if name not in header:
            near = difflib.get_close_matches(name, header, 1, _LIKE)
            if near:
                problems.append(reason("intake.column", place, column=name, nearest=near[0]))
            else:
                problems.append(reason("intake.no_column", place, column=name, table=table))
        elif header.count(name) > 1:
            problems.append(reason("intake.header", place, column=name))
    if problems:
        raise InputError(problems)
    return [name for name in header if name and name not in wanted]


def table_reader(plan: Plan, name: str, header: list[str], registry: SectionRegistry) -> TableReader:
    """The readers of one table; paths and columns were checked."""
    table = plan.tables[name]
    columns = Columns(header, plan.null)
    joined = table.join
    return TableReader(
        name,
        table,
        cells.words(columns, table.key, key=True) if table.key is not None else None,
        cells.words(columns, Cell(columns=tuple(joined.on), join="\0", integer_text=True, strip=True), key=True)
        if joined is not None
        else None,
        [_field_reader(columns, registry, plan, path, cell) for path, cell in table.fields.items()],
        _part_readers(columns, registry, plan, table),
        _record_readers(columns, registry, table),
        cells.moments(columns, table.observed) if table.observed is not None else None,
    )


def joining_reader(plan: Plan, other: str, table: str, header: list[str]) -> Reader:
    """Reads in table `other` the columns that rows of `table` are joined to it by."""
    joined = plan.tables[table].join
    assert joined is not None
    cell = Cell(columns=tuple(joined.on.values()), join="\0", integer_text=True, strip=True)
    return cells.words(Columns(header, plan.null), cell, key=True)


def _field_reader(columns: Columns, registry: SectionRegistry, plan: Plan, path: str, cell: Cell) -> FieldReader:
    section, _, name = path.partition("/")
    field = registry.spec(section, plan.kind).fields[name]
    many = field.declared.shape is not Shape.ONE
    return FieldReader(path, cell.collide, many, cells.typed(columns, cell, field))


def _part_readers(columns: Columns, registry: SectionRegistry, plan: Plan, table: TablePlan) -> list[PartReader]:
    found = []
    for part in table.parts:
        section, _, name = part.field.partition("/")
        field = registry.spec(section, plan.kind).fields[name]
        leaves = [
            (leaf, cells.typed(columns, cell, inner), inner.declared.shape is not Shape.ONE, bool(cell.value))
            for leaf, cell in part.set.items()
            for inner in (field.fields[leaf],)
        ]
        found.append(PartReader(part.field, field.declared.identity, cells.condition(columns, part.when), leaves))
    return found


def _record_readers(columns: Columns, registry: SectionRegistry, table: TablePlan) -> list[RecordReader]:
    found = []
    for record in table.records:
        spec = registry.spec(PREFIX + record.kind)
        head = [
            (name, cells.typed(columns, cell, spec.fields[name]), cell.collide)
            for name, cell in record.set.items()
            if not cell.sum
        ]
        sums = [(name, cell.currency) for name, cell in record.set.items() if cell.sum]
        lines = cells.mapping(columns, record.lines, spec.fields["lines"].fields) if record.lines else []
        found.append(
            RecordReader(
                record.kind,
                cells.condition(columns, record.when),
                cells.words(columns, record.key, key=True) if record.key is not None else None,
                head,
                lines,
                cells.words(columns, record.state) if record.state is not None else None,
                sums[0][0] if sums else "",
                sums[0][1] if sums else "",
            )
        )
    return found
