"""The rows of one customer brought together, in bounded memory, in the order in which the files first name it.

Floor: intake. Three passes over sorted runs: rows that say by another table whose they are (join), all rows by
customer, customers by their first row. Rows that belong to nobody come out one by one, equal ones together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import msgspec

from dossier.intake.cells import Reader, Refused
from dossier.intake.compile import TableReader
from dossier.intake.sorter import BUDGET, Sorter
from dossier.intake.sources import Sheet

_pack = msgspec.msgpack.Encoder().encode
_ORDINAL = 8


class Row(msgspec.Struct, array_like=True, gc=False):
    """One row on its way: `ordinal` its place in the whole import, `table` the number of its table, `wrong` why it
    cannot be taken ("" it can) and the facts of that."""

    ordinal: int
    table: int
    number: int
    cells: list[str]
    wrong: str = ""
    facts: dict[str, str | int] = {}


class _Owned(msgspec.Struct, array_like=True, gc=False):
    key: str
    row: Row


class _Bundle(msgspec.Struct, array_like=True, gc=False):
    key: str
    rows: list[Row]


_owned = msgspec.msgpack.Decoder(_Owned)
_bundle = msgspec.msgpack.Decoder(_Bundle)


@attrs.frozen
class Group:
    """The rows of one customer, in their order; `key` "" for rows that belong to nobody."""

    key: str
    rows: list[Row]


def digest(cells: Sequence[str]) -> bytes:
    """What a row says, in 16 bytes."""
    return hashlib.blake2b("\0".join(cells).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def gather(
    sheets: Mapping[str, Sheet],
    readers: Mapping[str, TableReader],
    joins: Mapping[str, tuple[tuple[str, Reader], ...]],
    *,
    budget: int = BUDGET,
) -> Iterator[Group]:
    """Groups in the order of their first rows. `joins`: table → (joining table, reader of its columns here)."""
    by_owner, by_join = Sorter(budget), Sorter(budget)
    try:
        _read(sheets, readers, joins, by_owner, by_join)
        _join(sheets, readers, by_join, by_owner)
        yield from _in_order(by_owner, budget)
    finally:
        by_owner.close()
        by_join.close()


def _read(
    sheets: Mapping[str, Sheet],
    readers: Mapping[str, TableReader],
    joins: Mapping[str, tuple[tuple[str, Reader], ...]],
    by_owner: Sorter,
    by_join: Sorter,
) -> None:
    ordinal = 0
    for table, (name, sheet) in enumerate(sheets.items()):
        reader = readers[name]
        targets = joins.get(name, ())
        for number, cells, wrong in sheet.rows:
            ordinal += 1
            row = Row(ordinal, table, number, cells, wrong, {"encoding": sheet.encoding} if wrong else {})
            if wrong:
                row.facts.update(got=len(cells), expected=len(sheet.header))
                _loose(by_owner, row)
                continue
            key = ""
            try:
                if reader.plan.by == "content":
                    key = "\0" + digest(cells).hex()
                else:
                    key = (reader.key or reader.own or _nothing)(cells) or ""
                    for other, columns in targets:
                        joined = columns(cells)
                        if joined and key:
                            by_join.add(_joint(other, joined) + b"\0", _pack(key))
            except Refused as refused:
                row.wrong, row.facts = refused.code, refused.facts
            if row.wrong or not key:
                row.wrong = row.wrong or "intake.no_key"
                row.facts = row.facts or {"column": ", ".join(_named(reader))}
                _loose(by_owner, row)
            elif reader.own is not None:
                by_join.add(_joint(name, key) + b"\1", row.ordinal.to_bytes(_ORDINAL, "big") + _pack(row))
            else:
                _owned_by(by_owner, key, row)


def _nothing(cells: Sequence[str]) -> str:
    return ""


def _named(reader: TableReader) -> tuple[str, ...]:
    plan = reader.plan
    return plan.key.sources if plan.key is not None else tuple(plan.join.on) if plan.join is not None else ()


def _joint(table: str, key: str) -> bytes:
    return hashlib.blake2b(f"{table}\0{key}".encode(), digest_size=16).digest()


def _join(sheets: Mapping[str, Sheet], readers: Mapping[str, TableReader], by_join: Sorter, by_owner: Sorter) -> None:
    """Give each joined row its owner: the one customer that fits. None or several: it belongs to nobody."""
    names = list(sheets)
    joint, owners = b"", set[str]()
    for key, payloads in by_join.groups():
        if key[:-1] != joint:
            joint, owners = key[:-1], set()
        if key[-1:] == b"\0":
            owners.update(msgspec.msgpack.decode(payload, type=str) for payload in payloads)
            continue
        for payload in payloads:
            row = msgspec.msgpack.decode(payload[_ORDINAL:], type=Row)
            plan = readers[names[row.table]].plan.join
            if len(owners) == 1:
                _owned_by(by_owner, next(iter(owners)), row)
                continue
            row.wrong = "intake.ambiguous" if owners else "intake.orphan"
            row.facts = {"table": plan.table if plan is not None else "-", "count": len(owners)}
            _loose(by_owner, row)


def _owned_by(by_owner: Sorter, key: str, row: Row) -> None:
    whose = hashlib.blake2b(key.encode(), digest_size=16).digest()
    by_owner.add(b"\0" + whose, row.ordinal.to_bytes(_ORDINAL, "big") + _pack(_Owned(key, row)))


def _loose(by_owner: Sorter, row: Row) -> None:
    by_owner.add(b"\1" + digest(row.cells), row.ordinal.to_bytes(_ORDINAL, "big") + _pack(_Owned("", row)))


def _in_order(by_owner: Sorter, budget: int) -> Iterator[Group]:
    by_first = Sorter(budget)
    try:
        for _, payloads in by_owner.groups():
            owned = [_owned.decode(payload[_ORDINAL:]) for payload in payloads]
            by_first.add(payloads[0][:_ORDINAL], _pack(_Bundle(owned[0].key, [each.row for each in owned])))
        for _, bundles in by_first.groups():
            for payload in bundles:
                bundle: Any = _bundle.decode(payload)
                if bundle.key.startswith("\0"):
                    # Told apart by what they say: equal rows are as many customers as there are rows.
                    for times, row in enumerate(bundle.rows):
                        yield Group(f"{bundle.key[1:]}:{times}", [row])
                else:
                    yield Group(bundle.key, bundle.rows)
    finally:
        by_first.close()
