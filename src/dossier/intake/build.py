"""The rows of one customer become what the desk is to write: claims, records, and what is refused. Floor: intake.

What comes out does not depend on the order of the rows, but for which of two equals is called the repetition, and the
order of lines and claims, which follows the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import attrs

from dossier.errors import Problem
from dossier.intake.cells import Cells, Reader, Refused
from dossier.intake.compile import RecordReader, TableReader
from dossier.intake.gather import Group, Row, digest
from dossier.intake.plan import Plan
from dossier.intake.reasons import reason
from dossier.intake.report import Status
from dossier.intake.sources import Sheet
from dossier.model.values import Money
from dossier.model.values.plain import canonical


@attrs.frozen(repr=False)
class Said:
    """One value (or one member of a set, one part) of the field at `path`. `mark` its canonical bytes, `same` what it
    has in common with those it competes with, `many` a member, `only_blank` it is to fill a blank and nothing else,
    `observed` day or ""."""

    path: str
    value: Any
    mark: bytes
    same: bytes
    many: bool
    only_blank: bool
    observed: str


@attrs.frozen(repr=False)
class RecordDraft:
    """One record: `key` within its customer and kind, `values` as `record(kind, …)` takes them, `state` "" the first.
    `rows` are those it was made from."""

    kind: str
    key: str
    values: dict[str, Any]
    state: str
    rows: tuple[Row, ...]


@attrs.frozen(repr=False)
class Party:
    """All that is said of one customer. `key` "" where the rows belong to nobody."""

    key: str
    opens: bool
    said: tuple[Said, ...]
    records: tuple[RecordDraft, ...]
    accepted: tuple[Row, ...]
    refused: tuple[tuple[Row, Status, tuple[Problem, ...]], ...]
    repeated: tuple[tuple[Row, Problem], ...]


@attrs.define
class _Record:
    kind: str
    key: str
    head: dict[str, dict[bytes, tuple[Any, str]]] = attrs.field(factory=dict)
    lines: list[dict[str, Any]] = attrs.field(factory=list)
    state: dict[str, None] = attrs.field(factory=dict)
    total: tuple[str, str] = ("", "")
    headed: bool = False
    rows: list[Row] = attrs.field(factory=list)


@attrs.define
class _Heap:
    """What the rows say, gathered."""

    said: dict[str, dict[bytes, tuple[Said, list[Row]]]] = attrs.field(factory=dict)
    refuse: dict[str, None] = attrs.field(factory=dict)
    records: dict[tuple[str, str], _Record] = attrs.field(factory=dict)


class Builder:
    """Builds the parties of one import."""

    def __init__(self, plan: Plan, sheets: Sequence[Sheet], readers: Sequence[TableReader]) -> None:
        self._plan = plan
        self._sheets = sheets
        self._readers = readers
        self._headed = {r.kind for reader in readers for r in reader.records if r.head or not r.lines}

    def place(self, row: Row) -> str:
        """Where a row stands: file!sheet!row."""
        return self._sheets[row.table].place(row.number)

    def header(self, row: Row) -> list[str]:
        """The names of a row's columns."""
        return self._sheets[row.table].header

    def problem(self, row: Row, code: str, /, **facts: str | int) -> Problem:
        """A problem at a row."""
        return reason(code, self.place(row), **facts)

    def party(self, group: Group) -> Party:
        """All that the rows of a group say."""
        refused: list[tuple[Row, Status, tuple[Problem, ...]]] = []
        repeated: list[tuple[Row, Problem]] = []
        rows: list[Row] = []
        seen: Counter[tuple[int, bytes]] = Counter()
        times: dict[int, int] = {}
        for row in group.rows:
            mark = (row.table, digest(row.cells))
            times[row.ordinal] = seen[mark]
            seen[mark] += 1
            if times[row.ordinal] or (group.key.rpartition(":")[2] not in ("0", "") and self._by_content(row)):
                repeated.append((row, self.problem(row, "intake.duplicate")))
                if self._plan.duplicates == "quarantine" and not row.wrong:
                    refused.append((row, "quarantined", (self.problem(row, "intake.duplicate"),)))
                    continue
            if row.wrong:
                status: Status = "quarantined" if row.wrong in _NOBODY else "rejected"
                refused.append((row, status, (self.problem(row, row.wrong, **row.facts),)))
            else:
                rows.append(row)
        while True:
            heap, kept = self._heap(rows, times, refused)
            collided = self._collided(heap)
            if not collided:
                break
            refused.extend(collided)
            away = {row.ordinal for row, _, _ in collided}
            rows = [row for row in kept if row.ordinal not in away]
        opens = any(self._readers[row.table].plan.opens for row in kept)
        said = tuple(said for found in heap.said.values() for said, _ in found.values())
        records = tuple(_finished(record) for record in heap.records.values())
        return Party(group.key, opens, said, records, tuple(kept), tuple(refused), tuple(repeated))

    def _by_content(self, row: Row) -> bool:
        return self._readers[row.table].plan.by == "content"

    # -- reading rows -----------------------------------------------------------------------------

    def _heap(
        self, rows: Iterable[Row], times: dict[int, int], refused: list[tuple[Row, Status, tuple[Problem, ...]]]
    ) -> tuple[_Heap, list[Row]]:
        """What the rows say; those with a cell that cannot be taken are refused whole, with all such cells."""
        heap, kept = _Heap(), []
        for row in rows:
            wrong: list[Refused] = []
            fields = self._fields(row, heap, wrong)
            records = [
                (reader, *_record(reader, number, row, times[row.ordinal], wrong))
                for number, reader in enumerate(self._readers[row.table].records)
                if reader.when(row.cells)
            ]
            if wrong:
                problems = dict.fromkeys(self.problem(row, each.code, **each.facts) for each in wrong)
                refused.append((row, "rejected", tuple(problems)))
                continue
            kept.append(row)
            for said in fields:
                heap.said.setdefault(said.path, {}).setdefault(said.mark, (said, []))[1].append(row)
            for reader, key, head, line, state in records:
                _add(heap, reader, key, head, line, state, row)
        return heap, kept

    def _fields(self, row: Row, heap: _Heap, wrong: list[Refused]) -> list[Said]:
        reader, cells = self._readers[row.table], row.cells
        observed = _tried(reader.observed, cells, wrong) or "" if reader.observed is not None else ""
        found = []
        for field in reader.fields:
            value = _tried(field.read, cells, wrong)
            if value is not None:
                if field.collide == "refuse" and not field.many:
                    heap.refuse[field.path] = None
                mark = canonical(value)
                same = mark if field.many else b""
                found.append(Said(field.path, value, mark, same, field.many, field.collide == "fill", observed))
        for part in reader.parts:
            if not part.when(cells):
                continue
            leaves: dict[str, Any] = {}
            told = False
            for leaf, read, many, constant in part.leaves:
                value = _tried(read, cells, wrong)
                if value is not None:
                    leaves[leaf] = [value] if many else value
                    told = told or not constant
            # Constants alone say nothing: there is a part when a cell says something of it.
            if told:
                mark = _part_mark(leaves)
                same = canonical(leaves[part.identity]) if part.identity in leaves else mark
                found.append(Said(part.path, leaves, mark, same, True, False, observed))
        return found

    # -- collisions -------------------------------------------------------------------------------

    def _collided(self, heap: _Heap) -> list[tuple[Row, Status, tuple[Problem, ...]]]:
        found: dict[int, tuple[Row, Status, tuple[Problem, ...]]] = {}

        def aside(row: Row, code: str, **facts: str) -> None:
            found[row.ordinal] = (row, "quarantined", (self.problem(row, code, **facts),))

        for path in heap.refuse:
            if len(heap.said.get(path, ())) > 1:
                for _, rows in heap.said[path].values():
                    for row in rows:
                        aside(row, "intake.collision", field=path)
        for record in heap.records.values():
            wrong = next((name for name, values in record.head.items() if len(values) > 1), "")
            if not wrong and len(record.state) > 1:
                wrong = "state"
            for row in record.rows:
                if wrong:
                    aside(row, "intake.collision", field=f"{record.kind}/{wrong}")
                elif not record.headed and record.kind in self._headed:
                    aside(row, "intake.orphan", table=record.kind)
        return list(found.values())


_NOBODY = frozenset({"intake.no_key", "intake.orphan", "intake.ambiguous", "intake.merged_row"})
"""Rows that can be read but not placed."""


def _record(
    reader: RecordReader, number: int, row: Row, times: int, wrong: list[Refused]
) -> tuple[str, dict[str, tuple[Any, str]], dict[str, Any], str]:
    """(key, own fields, line, state) that a row says of a record."""
    cells = row.cells
    if reader.key is not None:
        before = len(wrong)
        key = _tried(reader.key, cells, wrong) or ""
        if not key and len(wrong) == before:
            wrong.append(Refused("intake.no_key", column=reader.kind))
    else:
        key = f"{number}:{digest(cells).hex()}:{times}"
    head = {name: (value, how) for name, read, how in reader.head if (value := _tried(read, cells, wrong)) is not None}
    line = {name: value for name, read in reader.lines if (value := _tried(read, cells, wrong)) is not None}
    return key, head, line, (_tried(reader.state, cells, wrong) or "") if reader.state is not None else ""


def _tried(read: Reader, cells: Cells, wrong: list[Refused]) -> Any:
    """What a reader finds in a row; None, and the reason noted, where it refuses."""
    try:
        return read(cells)
    except Refused as found:
        wrong.append(found)
    return None


def _add(
    heap: _Heap,
    reader: RecordReader,
    key: str,
    head: dict[str, tuple[Any, str]],
    line: dict[str, Any],
    state: str,
    row: Row,
) -> None:
    record = heap.records.setdefault((reader.kind, key), _Record(reader.kind, key))
    record.rows.append(row)
    record.headed = record.headed or bool(reader.head) or not reader.lines
    if line:
        record.lines.append(line)
    if state:
        record.state[state] = None
    if reader.total:
        record.total = (reader.total, reader.currency)
    for name, (value, how) in head.items():
        known = record.head.setdefault(name, {})
        mark = canonical(value)
        if how in ("earliest", "latest") and known:
            ((other, (there, _)),) = known.items()
            later = _day(value) > _day(there)
            if later == (how == "latest") and mark != other:
                known.clear()
                known[mark] = (value, how)
        else:
            known[mark] = (value, how)


def _day(value: Any) -> tuple[Any, ...]:
    earliest = getattr(value, "earliest", None)
    if earliest is not None:
        return (earliest.isoformat(),)
    amount = getattr(value, "amount", None)
    return (amount,) if amount is not None else (canonical(value).decode(),)


def _finished(record: _Record) -> RecordDraft:
    values: dict[str, Any] = {name: next(iter(known.values()))[0] for name, known in record.head.items()}
    if record.lines:
        values["lines"] = record.lines
    name, currency = record.total
    if name:
        amounts = [line["amount"] for line in record.lines if "amount" in line]
        if amounts:
            values[name] = Money(sum((each.amount for each in amounts), Decimal()), currency or amounts[0].currency)
    return RecordDraft(record.kind, record.key, values, next(iter(record.state), ""), tuple(record.rows))


def _part_mark(leaves: dict[str, Any]) -> bytes:
    said = []
    for name in sorted(leaves):
        value = leaves[name]
        said.append(name.encode() + b"=" + canonical(value[0] if type(value) is list else value))
    return b"\n".join(said)
