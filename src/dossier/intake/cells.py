"""How one value is read from the cells of a row, with its precision kept. Floor: intake.

A reader gives the typed value, None for blank, or raises `Refused` with the code and column; what the cell holds stays
out of it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

from dossier.intake.plan import Cell, When
from dossier.model.fields import FieldSpec
from dossier.model.problems import BadValue
from dossier.model.values import Money, PartialDate, PersonName, Phone, Quantity, Rating, Ref, Region, Span, Term
from dossier.model.values.numbers import exact
from dossier.model.values.text import SHORT, check_text

Cells = Sequence[str]
Reader = Callable[[Cells], Any]
ERRORS = frozenset(
    {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!", "#FIELD!", "#ERROR!"}
)
NULLS = frozenset({"NULL", "null", "None", "NaN", "nan", "<NA>", "\\N", "(null)"})
_WHOLE = re.compile(r"-?\d+\.0+\Z", re.ASCII)
_POWER = re.compile(r"-?\d+(?:\.\d+)?[eE][+-]?\d+\Z", re.ASCII)
_PLAIN = re.compile(r"-?\d{1,17}(?:\.\d{1,40})?\Z", re.ASCII)
_EXACT = 15
"""Significant digits that a number cell keeps for certain."""
_REMEMBER = 4096


class Refused(Exception):
    """A cell that cannot be taken. Never leaves this floor."""

    def __init__(self, code: str, /, **facts: str | int) -> None:
        self.code = code
        self.facts = facts
        super().__init__(code)


class Columns:
    """The columns of a table by name."""

    def __init__(self, names: Sequence[str], null: Sequence[str]) -> None:
        self._at = {name: at for at, name in enumerate(names)}
        self.null = tuple(null)

    def at(self, name: str) -> int:
        """The place of a column."""
        return self._at[name]


# -- text -----------------------------------------------------------------------------------------


def texts(columns: Columns, name: str, null: Sequence[str], *, key: bool = False, strip: bool = True) -> Reader:
    """A reader of one cell as text; "" for blank. Error cells, undeclared null words and padded keys are refused."""
    at = columns.at(name)
    blank = frozenset({*columns.null, *null})

    def read(cells: Cells) -> str:
        given = cells[at]
        text = given.strip()
        if not text or text in blank:
            return ""
        if text in ERRORS:
            raise Refused("intake.error_cell", column=name)
        if text in NULLS:
            raise Refused("intake.null_word", column=name)
        if key and not strip and text != given:
            raise Refused("intake.padded", column=name)
        return text

    return read


def words(columns: Columns, cell: Cell, *, key: bool = False, wordy: bool = True) -> Reader:
    """A reader of text: one column, several put together, or a constant; mapped, and whole numbers told from text."""
    if cell.value:
        return lambda cells: cell.value
    names = cell.columns or (cell.column,)
    readers = [texts(columns, name, cell.null, key=key, strip=cell.strip or not key) for name in names]
    safe = [_number_text(cell, name) if wordy else _same for name in names]

    after = _after(cell)
    if len(readers) == 1:
        one, ok = readers[0], safe[0]

        def alone(cells: Cells) -> str | None:
            text = one(cells)
            return after(ok(text)) if text else None

        return alone

    def read(cells: Cells) -> str | None:
        found = [ok(text) for ok, reader in zip(safe, readers, strict=True) if (text := reader(cells))]
        return after(cell.join.join(found)) if found and not (key and len(found) < len(readers)) else None

    return read


def _after(cell: Cell) -> Callable[[str], str]:
    """What is done with a text that was read: mapped, prefixed."""
    if not cell.map:
        return (lambda text: cell.prefix + text) if cell.prefix else _same

    def mapped(text: str) -> str:
        found = cell.map.get(text, cell.otherwise)
        if not found:
            raise Refused("intake.map", column=cell.column or ", ".join(cell.columns))
        return cell.prefix + found

    return mapped


def _same(text: str) -> str:
    return text


def _number_text(cell: Cell, name: str) -> Callable[[str], str]:
    """Text that a spreadsheet kept as a number: refused, or brought back where the plan vouches for it."""

    def check(text: str) -> str:
        if cell.as_written or text[-1] not in "0123456789":
            return text
        if _WHOLE.match(text):
            digits = text.partition(".")[0]
            if not cell.integer_text or len(digits.lstrip("-")) > _EXACT:
                raise Refused("intake.lost_digits", column=name)
            return digits
        if _POWER.match(text) and ("+" in text or "." in text):
            raise Refused("intake.lost_digits", column=name)
        return text

    return check


# -- numbers --------------------------------------------------------------------------------------


def numbers(columns: Columns, cell: Cell) -> Reader:
    """A reader of an exact number: of one column, or the product of several less a discount."""
    names = cell.multiply or (cell.column,)
    if cell.value:
        constant = exact(cell.value)
        return lambda cells: constant
    factors = [(texts(columns, name, cell.null), name) for name in names]
    addends = [(texts(columns, each, cell.null), each) for each in cell.sum_of]
    rate = (texts(columns, cell.discount, cell.null), cell.discount) if cell.discount else None
    context = Context(prec=cell.digits or 60)

    def read(cells: Cells) -> Decimal | None:
        total: Decimal | None = None
        for reader, name in factors:
            text = reader(cells)
            if not text:
                return None
            number = _decimal(text, name, context)
            total = number if total is None else total * number
        if addends and total is not None:
            given = [(text, name) for reader, name in addends if (text := reader(cells))]
            total *= sum((_decimal(text, name, context) for text, name in given), Decimal())
        if rate is not None and total is not None and (text := rate[0](cells)):
            total *= 1 - _decimal(text, rate[1], context)
        return total

    return read


def _decimal(text: str, name: str, context: Context) -> Decimal:
    if _PLAIN.match(text):
        return context.plus(Decimal(text))
    code = ""
    try:
        return context.plus(Money.parse(text).amount)
    except BadValue as bad:
        code = bad.reason
    raise Refused(code, column=name)


# -- typed ----------------------------------------------------------------------------------------


def typed(columns: Columns, cell: Cell, field: FieldSpec) -> Reader:
    """A reader of the value of a field, or of one member of it."""
    kind: Any = field.type
    name = cell.column or (cell.columns or cell.multiply or ("-",))[0]
    if kind is Money:
        return _amounts(columns, cell, name, lambda amount: Money(amount, cell.currency or "CNY"))
    if kind is Quantity:
        if cell.unit:
            return _amounts(columns, cell, name, lambda amount: Quantity(amount, cell.unit))
        return _remembered(words(columns, cell, wordy=False), Quantity.parse, name)
    if kind is PartialDate:
        return _remembered(words(columns, cell, wordy=False), _dates(cell), name)
    wordy = kind in (str, Phone, PersonName, Ref, Term)
    return _remembered(words(columns, cell, wordy=wordy), _maker(kind, field), name)


def _maker(kind: Any, field: FieldSpec) -> Callable[[str], Any]:
    if kind is str:
        limit = field.limit or SHORT
        return lambda text: check_text(text, limit)
    if kind is Term:
        return lambda text: Term.parse(text, vocabulary=field.declared.vocabulary)
    if kind is bool:
        return lambda text: _truth(text)
    if kind is int:
        return lambda text: int(exact(text).to_integral_exact())
    if kind in (Phone, PersonName, Rating, Ref, Region, Span) or hasattr(kind, "parse"):
        parse: Callable[[str], Any] = kind.parse
        return parse
    return lambda text: text


def _truth(text: str) -> bool:
    found = {"true": True, "1": True, "是": True, "yes": True, "false": False, "0": False, "否": False, "no": False}
    if text.lower() not in found:
        raise BadValue("value.unreadable")
    return found[text.lower()]


def _amounts(columns: Columns, cell: Cell, name: str, make: Callable[[Decimal], Any]) -> Reader:
    read = numbers(columns, cell)
    used = [] if cell.value else [*(cell.multiply or (cell.column,)), *cell.sum_of, *filter(None, [cell.discount])]
    places = [columns.at(each) for each in used]
    known: dict[tuple[str, ...], Any] = {}

    def reader(cells: Cells) -> Any:
        given = tuple([cells[place] for place in places])
        if given not in known:
            if len(known) >= _REMEMBER:
                known.clear()
            amount = read(cells)
            known[given] = None if amount is None else _tried(make, amount, name)
        return known[given]

    return reader


def _remembered(read: Reader, make: Callable[[str], Any], name: str) -> Reader:
    """The same text makes the same value; a few thousand are kept."""
    known: dict[str, Any] = {}

    def reader(cells: Cells) -> Any:
        text = read(cells)
        if text is None:
            return None
        found = known.get(text)
        if found is None:
            if len(known) >= _REMEMBER:
                known.clear()
            found = known[text] = _tried(make, text, name)
        return found

    return reader


def _tried(make: Callable[[Any], Any], given: Any, name: str) -> Any:
    code, details = "value.unreadable", {}
    try:
        return make(given)
    except BadValue as bad:
        code, details = bad.reason, dict(bad.details)
    except (ValueError, TypeError, ArithmeticError):
        pass
    raise Refused(code, column=name, **details)


def _dates(cell: Cell) -> Callable[[str], PartialDate]:
    def read(text: str) -> PartialDate:
        if not cell.format:
            # What a workbook gives for a day: 2015-10-27 00:00:00.
            plain = text.removesuffix(" 00:00:00")
            found = PartialDate.parse(plain)
            return PartialDate.of(_later(found)) if cell.add_days else found
        day: dt.date | None = None
        try:
            day = dt.datetime.strptime(text, cell.format).date()
        except ValueError:
            pass
        if day is None:
            raise Refused("intake.date", column=cell.column or "-")
        return PartialDate.of(day + dt.timedelta(days=cell.add_days))

    def _later(found: PartialDate) -> dt.date:
        if found.day is None or found.earliest is None:
            raise Refused("intake.date", column=cell.column or "-")
        return found.earliest + dt.timedelta(days=cell.add_days)

    return read


def moments(columns: Columns, cell: Cell) -> Reader:
    """A reader of the day on which a row was seen to be true, as ISO text."""
    read = words(columns, cell, wordy=False)
    dates = _dates(cell)
    name = cell.column or "-"

    def day(text: str) -> str:
        found = dates(text)
        if found.earliest is None or found.day is None:
            raise Refused("intake.date", column=name)
        return found.earliest.isoformat()

    return _remembered(read, day, name)


# -- conditions -----------------------------------------------------------------------------------


def condition(columns: Columns, when: When | None) -> Callable[[Cells], bool]:
    """Whether a row meets a condition."""
    if when is None:
        return lambda cells: True
    at = columns.at(when.column)
    equals, unlike = frozenset(when.equals), frozenset(when.not_equals)

    def holds(cells: Cells) -> bool:
        text = cells[at].strip()
        return (
            (not equals or text in equals)
            and text not in unlike
            and (not when.prefix or text.startswith(when.prefix))
            and (not when.not_prefix or not text.startswith(when.not_prefix))
        )

    return holds


def mapping(columns: Columns, plan: Mapping[str, Cell], fields: Mapping[str, FieldSpec]) -> list[tuple[str, Reader]]:
    """(field, reader) of each entry of a `set` or `lines` table."""
    return [(name, typed(columns, cell, fields[name])) for name, cell in plan.items() if not cell.sum]
