"""Finding: from what a caller asks to a query of the repository, refused where it names what he may not read.

Floor: desk. N2, N3: refusal depends on the query and the policy only; row conditions are ANDed outside the caller's
expression; a cursor is bound to archive, actor, policy and query (GUARANTEES 2).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import attrs

from dossier.codec import SectionRegistry
from dossier.desk.layout import DERIVED_FIELDS, MILLIONTHS, SEARCHES, Indexing
from dossier.errors import CursorError, InputError, QueryError, ReadableFieldError
from dossier.model.fields import SectionSpec, nearest_name
from dossier.model.problems import problem
from dossier.model.values import Money, PartialDate, Phone
from dossier.policy import Decision
from dossier.repository import (
    And,
    Contains,
    Eq,
    Expr,
    Ge,
    Has,
    In,
    Lt,
    Not,
    Or,
    Order,
    Prefix,
    Query,
    fold,
)

HEAD = {"number": "number", "kind": "kind", "standing": "standing", "stage": "stage"}
Operand = str | int | bool | Decimal | Money | PartialDate
_MONEY = frozenset({"transaction_status/total", "transaction_status/arrears"})


@attrs.frozen
class Condition:
    """A condition on fields, combined with `&`, `|`, `~`. Made from `field(...)`."""

    op: str
    path: str = ""
    operands: tuple[Any, ...] = attrs.field(default=(), repr=False)
    terms: tuple[Condition, ...] = ()

    def __and__(self, other: Condition) -> Condition:
        return Condition("and", terms=(self, other))

    def __or__(self, other: Condition) -> Condition:
        return Condition("or", terms=(self, other))

    def __invert__(self) -> Condition:
        return Condition("not", terms=(self,))

    def __bool__(self) -> bool:
        raise TypeError("combine conditions with & | ~, not with and, or, not")


@attrs.frozen(eq=False)
class Field:
    """An indexed field by its path: `field("basic/addresses/region") == "华东"`."""

    path: str

    def __eq__(self, value: object) -> Condition:  # type: ignore[override]
        return Condition("eq", self.path, (value,))

    def __ne__(self, value: object) -> Condition:  # type: ignore[override]
        return Condition("not", terms=(Condition("eq", self.path, (value,)),))

    def __lt__(self, value: Operand) -> Condition:
        return Condition("lt", self.path, (value,))

    def __ge__(self, value: Operand) -> Condition:
        return Condition("ge", self.path, (value,))

    def __le__(self, value: Operand) -> Condition:
        return (self < value) | Condition("eq", self.path, (value,))

    def __gt__(self, value: Operand) -> Condition:
        return (self >= value) & ~Condition("eq", self.path, (value,))

    def __hash__(self) -> int:
        return hash(self.path)

    def one_of(self, *values: Operand) -> Condition:
        """One of the values (none: never)."""
        return Condition("in", self.path, values)

    def starts_with(self, text: str) -> Condition:
        """Text that begins so."""
        return Condition("prefix", self.path, (text,))

    def contains(self, text: str) -> Condition:
        """A part of a searchable text: `basic/name`, `basic/addresses`."""
        return Condition("contains", self.path, (text,))

    def absent(self) -> Condition:
        """No value."""
        return Condition("absent", self.path)


def field(path: str) -> Field:
    """An indexed field to ask for, by path without part keys: `basic/industry`, `basic/addresses/region`,
    `transaction_status/total`; or `number`, `kind`, `stage`, `standing`."""
    return Field(path)


@attrs.frozen
class Plan:
    """A query of the repository, and what it was asked as: `shape` operators and fields without operands."""

    query: Query
    shape: Any

    @property
    def fingerprint(self) -> bytes:
        """What binds a cursor to the query it came from."""
        query = self.query
        return hashlib.sha256(repr((query.collection, query.where, query.order)).encode()).digest()


class Finder:
    """Compiles what a caller asks, once per archive and registry."""

    def __init__(self, indexing: Indexing, registry: SectionRegistry) -> None:
        self._columns = {column.path: column for column in indexing.columns.values()}
        self._specs: dict[str, list[SectionSpec]] = {}
        for spec in registry.specs():
            self._specs.setdefault(spec.key, []).append(spec)
        self._derived = {f.name.replace("transaction_status_", "transaction_status/"): f for f in DERIVED_FIELDS}

    def plan(
        self,
        decision: Decision,
        *,
        where: Condition | None,
        order: str | None,
        limit: int,
        bodies: bool = True,
    ) -> Plan:
        """The query for a caller. ReadableFieldError for a field he may not read, QueryError for one without index,
        InputError for an operand that does not fit."""
        shape: list[Any] = []
        homes: set[str] = set()
        said = self._expr(decision, where, shape, homes) if where is not None else And(())
        sort = self._order(decision, order, shape, homes) if order else None
        if len(homes) > 1:
            raise QueryError(what="two compartments")
        if not isinstance(limit, int) or not 1 <= limit <= 1000:
            raise InputError([problem("find.limit", "limit", limit=1000)])
        home = homes.pop() if homes else "core"
        collection = "dossiers" if home == "core" else "special"
        full: Expr = And((Eq("into", None), said)) if home == "core" else said
        query = Query(collection=collection, where=full, order=sort, limit=limit, bodies=bodies and home == "core")
        return Plan(query, [shape, order or "", limit])

    # -- conditions -------------------------------------------------------------------------------

    def _expr(self, decision: Decision, asked: Condition, shape: list[Any], homes: set[str]) -> Expr:
        if asked.terms:
            inner: list[Any] = []
            terms = tuple(self._expr(decision, term, inner, homes) for term in asked.terms)
            shape.append([asked.op, inner])
            if asked.op == "not":
                return Not(terms[0])
            return And(terms) if asked.op == "and" else Or(terms)
        shape.append([asked.op, asked.path])
        if asked.op == "contains":
            return self._contains(decision, asked, homes)
        name, many, kind = self._column(decision, asked.path, homes)
        operands = [_operand(value, kind, asked.path) for value in asked.operands]
        return _atom(asked.op, name, many, operands, asked.path)

    def _contains(self, decision: Decision, asked: Condition, homes: set[str]) -> Expr:
        (text,) = asked.operands
        for name, paths in SEARCHES.items():
            heads = {path.removesuffix("/text").replace("[*]", "") for path in paths}
            if asked.path in heads or asked.path in {p.replace("[*]", "") for p in paths}:
                for path in paths:
                    self._readable(decision, path, asked.path)
                if type(text) is not str or not fold(text):
                    raise InputError([problem("find.text", asked.path)])
                homes.add("core")
                return Contains(name, fold(text))
        raise QueryError(path=asked.path, what="contains")

    def _order(self, decision: Decision, order: str, shape: list[Any], homes: set[str]) -> Order:
        descending = order.startswith("-")
        path = order.removeprefix("-")
        name, many, _ = self._column(decision, path, homes)
        if many:
            raise QueryError(path=path, what="order by several values")
        return Order(name, descending)

    def _column(self, decision: Decision, path: str, homes: set[str]) -> tuple[str, bool, str]:
        if path in HEAD:
            return HEAD[path], False, "text"
        derived = self._derived.get(path)
        if derived is not None:
            self._readable(decision, path, path)
            homes.add("core")
            return derived.name, False, "money" if path in _MONEY else derived.type
        column = self._columns.get(path)
        if column is None:
            known = [*HEAD, *self._derived, *self._columns]
            raise QueryError(path=nearest_name(path, known), what="no such index field; nearest in path")
        section = path.partition("/")[0]
        self._readable(decision, f"{section}/{column.leaf.pattern}", path)
        homes.add(column.compartment)
        return column.name, column.many, "money" if column.leaf.type is Money else column.type

    def _readable(self, decision: Decision, path: str, named: str) -> None:
        """Every class of the section that has the leaf must let the caller read it, whatever a row turns out to be."""
        section, _, name = path.partition("/")
        for spec in self._specs.get(section, ()):
            bit = spec.bits.get(name)
            if bit is not None and not decision.mask(spec) >> bit & 1:
                raise ReadableFieldError(path=named, field=named, role="", verb="find", verb_zh="查找")


def _atom(op: str, name: str, many: bool, operands: list[str | int], path: str) -> Expr:
    if op == "absent":
        return Eq(name, None)
    if many:
        if op == "eq":
            return Has(name, operands[0])
        if op == "in":
            return Or(tuple(Has(name, value) for value in operands))
        raise QueryError(path=path, what=f"{op} on several values")
    if op == "eq":
        return Eq(name, operands[0])
    if op == "in":
        return In(name, cast("tuple[str, ...]", tuple(operands)))
    if op == "prefix":
        return Prefix(name, str(operands[0]))
    return Lt(name, operands[0]) if op == "lt" else Ge(name, operands[0])


def _operand(value: Any, kind: str, path: str) -> str | int:
    if kind == "money":
        amount = value.amount if isinstance(value, Money) else value
        if type(amount) not in (int, Decimal):
            raise InputError([problem("value.type", path, expected="Money", got=type(value).__name__)])
        return int(amount * MILLIONTHS)
    if isinstance(value, PartialDate):
        value = value.text("en")
    elif isinstance(value, Phone):
        value = value.number or value.given
    wanted = int if kind == "int" else str
    if type(value) is not wanted:
        raise InputError([problem("value.type", path, expected=wanted.__name__, got=type(value).__name__)])
    return value


# -- cursors --------------------------------------------------------------------------------------


def seal_cursor(key: bytes, binding: Sequence[bytes], inner: str) -> str:
    """A cursor for one caller and one query: the repository's own, authenticated (HMAC-SHA256)."""
    raw = inner.encode()
    tag = hmac.new(key, b"\0".join((*binding, raw)), hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(tag + raw).decode()


def open_cursor(key: bytes, binding: Sequence[bytes], cursor: str) -> str:
    """The repository's cursor. CursorError if it was altered or belongs to another caller or query."""
    try:
        blob = base64.urlsafe_b64decode(cursor.encode())
    except (ValueError, UnicodeEncodeError, AttributeError):
        blob = b""
    tag, raw = blob[:16], blob[16:]
    wanted = hmac.new(key, b"\0".join((*binding, raw)), hashlib.sha256).digest()[:16]
    if len(tag) != 16 or not hmac.compare_digest(tag, wanted):
        raise CursorError(what="cursor")
    return raw.decode()
