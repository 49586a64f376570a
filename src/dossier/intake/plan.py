"""The plan of an import: what the columns of each table mean. TOML in, checked attrs objects out. Floor: intake.

Unknown names are refused with the nearest one that is known; nothing is guessed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import attrs
from cattrs import (
    AttributeValidationNote,
    ClassValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)

from dossier.errors import InputError, Problem
from dossier.intake.reasons import reason
from dossier.model.fields import nearest_name

Kind = Literal["person", "organization", "group"]
_ROUNDS = 4
"""How often a plan is read again without what was wrong in it."""

Collide = Literal["both", "fill", "refuse", "earliest", "latest"]


@attrs.frozen(kw_only=True)
class Cell:
    """Where a value comes from and how it is read. A bare text in the plan is a column.

    `column`, or `columns` put together with `join`, or a constant `value`, or `multiply`, the exact product of several
    columns (times the sum of those in `sum_of`, less `discount`, a column with a rate), or `sum = "lines"`, the sum of
    the amounts of a record's lines.

    `null` words that mean blank (beside those of the plan); `map` replaces words, `otherwise` those it does not have;
    `format` of a date as strptime has it, `add_days` after it; `currency`, `unit`; `prefix` before the text;
    `digits` cuts the noise of a float beyond so many significant digits; `integer_text`: `17850.0` is the text 17850;
    `as_written`: a text that looks like a number is kept as it is; `strip` blanks around a key.

    `collide`: what becomes of a value that differs from another row's or from the archive's: `both` are kept as
    claims, `fill` only what is blank, `refuse` the rows. Of a record's own fields: `earliest`, `latest` or `refuse`
    (`both` refuses too: a record has one date).
    """

    column: str = ""
    columns: tuple[str, ...] = ()
    join: str = " "
    value: str = ""
    multiply: tuple[str, ...] = ()
    sum_of: tuple[str, ...] = ()
    discount: str = ""
    sum: str = ""
    null: tuple[str, ...] = ()
    map: Mapping[str, str] = attrs.field(factory=dict)
    otherwise: str = ""
    format: str = ""
    add_days: int = 0
    currency: str = ""
    unit: str = ""
    prefix: str = ""
    digits: int = 0
    integer_text: bool = False
    as_written: bool = False
    strip: bool = False
    collide: Collide = "both"

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it reads."""
        named = (self.column, *self.columns, *self.multiply, *self.sum_of, self.discount)
        return tuple(name for name in named if name)


@attrs.frozen(kw_only=True)
class When:
    """A condition on one column; all that is given must hold."""

    column: str
    equals: tuple[str, ...] = ()
    not_equals: tuple[str, ...] = ()
    prefix: str = ""
    not_prefix: str = ""


@attrs.frozen(kw_only=True)
class PartPlan:
    """Parts of a field, one a row: `field` such as basic/phones, `set` its leaves. A row with none makes no part."""

    field: str
    set: Mapping[str, Cell]
    when: When | None = None


@attrs.frozen(kw_only=True)
class RecordPlan:
    """Records: rows with the same `key` of one customer are one record; without a key each row is one.

    `set` its own fields, `lines` one line a row, `state` the state it is to have.
    """

    kind: str
    key: Cell | None = None
    when: When | None = None
    set: Mapping[str, Cell] = attrs.field(factory=dict)
    lines: Mapping[str, Cell] = attrs.field(factory=dict)
    state: Cell | None = None


@attrs.frozen(kw_only=True)
class JoinPlan:
    """Whose a row is, by another table: `on` own column → column of `table`."""

    table: str
    on: Mapping[str, str]


@attrs.frozen(kw_only=True)
class TablePlan:
    """One table: a CSV file or a sheet. Whose a row is says `key`, or `join`, or `by = "content"` (each row is a
    customer of its own, told apart by what it says). `opens = false`: its rows alone open no dossier.
    `optional`: it may be left out when files are given. `header` the row with the names of the columns (0: the first
    that is not blank). `encoding` of a text file where the verdict is not certain; `delimiter` where it is no comma (in
    .tsv no tab). `merged` cells of a workbook: their rows are put aside (`report`) or the value is filled in (`fill`).
    `observed` says when a row was seen to be true."""

    key: Cell | None = None
    join: JoinPlan | None = None
    by: Literal["", "content"] = ""
    sheet: str = ""
    encoding: str = ""
    delimiter: str = ""
    header: int = 0
    opens: bool = True
    optional: bool = False
    observed: Cell | None = None
    fields: Mapping[str, Cell] = attrs.field(factory=dict)
    parts: tuple[PartPlan, ...] = ()
    records: tuple[RecordPlan, ...] = ()
    merged: Literal["report", "fill"] = "report"


@attrs.frozen(kw_only=True)
class Plan:
    """What an import is: `name` of the source (part of every key), tables, how its facts were told, and what kind of
    party its dossiers are about, with which stage and standing they begin.

    `duplicates`: rows equal to an earlier one are reported and `keep` counting, or are put aside (`quarantine`).
    """

    name: str
    tables: Mapping[str, TablePlan]
    kind: Kind
    stage: Literal["prospect", "active", "dormant", "closed"] = "prospect"
    standing: Literal["customer", "contact", "indirect"] = "customer"
    channel: str = "import"
    told_by: str = ""
    because: str = ""
    null: tuple[str, ...] = ()
    duplicates: Literal["keep", "quarantine"] = "keep"

    def columns(self, table: str) -> dict[str, None]:
        """The columns that the plan reads of a table, as an ordered set."""
        plan = self.tables[table]
        cells = [plan.key, plan.observed, *plan.fields.values()]
        whens: list[When | None] = []
        for part in plan.parts:
            cells.extend(part.set.values())
            whens.append(part.when)
        for record in plan.records:
            cells.extend([record.key, record.state, *record.set.values(), *record.lines.values()])
            whens.append(record.when)
        named = [name for cell in cells if cell is not None for name in cell.sources]
        named.extend(when.column for when in whens if when is not None)
        named.extend(plan.join.on if plan.join is not None else ())
        for other in self.tables.values():
            if other.join is not None and other.join.table == table:
                named.extend(other.join.on.values())
        return dict.fromkeys(named)


Check = Callable[[Plan, str], Sequence[Problem]]
"""What else is wrong with a plan of this name: paths and kinds that a registry does not have."""


def load_plan(source: str | Path, *, check: Check | None = None) -> Plan:
    """A plan from a TOML file. InputError with every typo, each with the nearest name, and with what `check` finds,
    also where there are typos elsewhere."""
    path = Path(source)
    text: str | None = None
    line = 0
    document: dict[str, Any] = {}
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError):
        pass
    except tomllib.TOMLDecodeError as error:
        line = _line(str(error))
    if text is None:
        raise InputError([reason("intake.missing", path.name)])
    if line:
        raise InputError([reason("intake.toml", path.name, line=line)])
    given = document.get("kind")
    plan, problems = _read(document, path.name)
    if plan is not None and not problems:
        problems += _checked(plan, path.name)
    if plan is not None and check is not None:
        # Where the kind is a typo, that one is meant to which most of it belongs.
        kinds = [document["kind"]] if document["kind"] == given else get_args(Kind)
        found = [list(check(attrs.evolve(plan, kind=kind), path.name)) for kind in kinds]
        fewest = min(found, key=len)
        problems += fewest
    if plan is None or problems:
        raise InputError(dict.fromkeys(problems))
    return plan


def _read(document: dict[str, Any], name: str) -> tuple[Plan | None, list[Problem]]:
    """The plan of a document, without what is wrong in it, and that; None where nothing is left."""
    problems: list[Problem] = []
    for _ in range(_ROUNDS):
        found: Exception | None = None
        try:
            return _converter.structure(document, Plan), problems
        except Exception as error:
            found = error
        places: list[tuple[str | int, ...]] = []
        _explain(found, name, problems, (), places)
        if any(len(place) < 2 and place[:1] in ((), ("name",), ("tables",)) for place in places):
            break
        for place in sorted(places, key=repr, reverse=True):
            _drop(document, place)
        # A plan of no kind is looked at as one of persons.
        document.setdefault("kind", "person")
    return None, problems


def _drop(document: Any, place: tuple[str | int, ...]) -> None:
    *steps, last = place
    holder = document
    try:
        for step in steps:
            holder = holder[step]
        del holder[last]
    except (LookupError, TypeError):
        pass  # it went with what it stood in


def _checked(plan: Plan, name: str) -> list[Problem]:
    """What no type says: each table has one way of telling whose a row is, joins name tables."""
    problems = [reason("intake.required", name, name="tables")] if not plan.tables else []
    for key, table in plan.tables.items():
        where = f"{name}/tables/{key}"
        if sum((table.key is not None, table.join is not None, bool(table.by))) != 1:
            problems.append(reason("intake.required", where, name='key, join, by = "content"'))
        if table.join is not None:
            other = plan.tables.get(table.join.table)
            if other is None or other.key is None:
                nearest = nearest_name(table.join.table, [n for n, t in plan.tables.items() if t.key is not None])
                problems.append(reason("intake.key", f"{where}/join", name=table.join.table, nearest=nearest))
            if not table.join.on:
                problems.append(reason("intake.required", f"{where}/join", name="on"))
    return problems


def _line(message: str) -> int:
    digits = message.rpartition("line ")[2].partition(",")[0]
    return int(digits) if digits.isdigit() else 1


# -- from TOML to objects -------------------------------------------------------------------------


class _Mistyped(Exception):
    def __init__(self, expected: str) -> None:
        self.expected = expected
        super().__init__(expected)


def _made() -> Converter:
    made = Converter(forbid_extra_keys=True, detailed_validation=True)

    def exactly(kind: type, expected: str) -> Any:
        def hook(value: Any, _: Any) -> Any:
            if type(value) is not kind:
                raise _Mistyped(expected)
            return value

        return hook

    made.register_structure_hook(str, exactly(str, "text"))
    made.register_structure_hook(int, exactly(int, "a whole number"))
    made.register_structure_hook(bool, exactly(bool, "true or false"))
    cell = made.gen_structure_attrs_fromdict(Cell)

    def read_cell(value: Any, kind: Any) -> Any:
        if type(value) is str:
            return Cell(column=value)
        if type(value) is not dict:
            raise _Mistyped("a column or a table")
        read: Cell = cell(value, kind)
        ways = [read.column, read.columns, read.value, read.multiply, read.sum]
        if sum(map(bool, ways)) != 1:
            raise _Mistyped("one of column, columns, value, multiply, sum")
        if read.sum not in ("", "lines"):
            raise _Mistyped('sum = "lines"')
        return read

    made.register_structure_hook(Cell, read_cell)

    def sequence(value: Any, kind: Any) -> Any:
        if type(value) is not list:
            raise _Mistyped("a list")
        found, wrong = [], []
        for number, each in enumerate(value):
            try:
                found.append(made.structure(each, kind.__args__[0]))
            except Exception as error:
                error.add_note(IterableValidationNote("", number, kind.__args__[0]))
                wrong.append(error)
        if wrong:
            raise IterableValidationError("", wrong, kind)
        return tuple(found)

    def word(value: Any, kind: Any) -> Any:
        if value not in kind.__args__:
            raise _Mistyped(" | ".join(filter(None, kind.__args__)))
        return value

    made.register_structure_hook_func(lambda kind: getattr(kind, "__origin__", None) is tuple, sequence)
    made.register_structure_hook_func(lambda kind: getattr(kind, "__origin__", None) is Literal, word)
    return made


_converter = _made()


def _explain(
    found: BaseException,
    path: str,
    problems: list[Problem],
    place: tuple[str | int, ...],
    places: list[tuple[str | int, ...]],
) -> None:
    """Turn what cattrs raised into problems at their places; nothing of a value goes in. `places`: what a plan would
    have to do without."""
    if isinstance(found, ForbiddenExtraKeysError):
        names = [each.name for each in attrs.fields(found.cl)]
        for extra in sorted(found.extra_fields):
            problems.append(reason("intake.key", path, name=extra[:60], nearest=nearest_name(extra, names)))
            places.append((*place, extra))
    elif isinstance(found, ClassValidationError | IterableValidationError):
        for inner in found.exceptions:
            step = _step(inner)
            if step is None:
                _explain(inner, path, problems, place, places)
            else:
                _explain(inner, f"{path}/{step}", problems, (*place, step), places)
    elif isinstance(found, KeyError):
        problems.append(reason("intake.required", path, name=path.rpartition("/")[2]))
        places.append(place if len(place) == 1 else place[:-1])
    elif isinstance(found, _Mistyped):
        problems.append(reason("intake.value", path, expected=found.expected))
        places.append(place)
    else:
        problems.append(reason("intake.value", path, expected="another value (see the reference of plans)"))
        places.append(place)


def _step(found: BaseException) -> str | int | None:
    for note in getattr(found, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return note.name
        if isinstance(note, IterableValidationNote):
            return note.index
    return None
