"""Finding: from what a caller asks to a query of the repository, refused where it names what he may not read.

Floor: desk. N2, N3: refusal depends on the query and the policy only; row conditions are ANDed outside the caller's
expression; a cursor is bound to archive, actor, policy and query.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from dossier.codec import SectionRegistry
from dossier.desk.comparing import WORDS, Comparer
from dossier.desk.guarding import Guard
from dossier.desk.layout import SEARCHES, Column, Indexing
from dossier.desk.terms import CURRENCY, NUMBER, WORD
from dossier.errors import CursorError, DamagedError, InputError, Problem, ReadableFieldError
from dossier.model.fields import SectionSpec, nearest_name, shown_path
from dossier.model.problems import problem, type_name
from dossier.policy import Decision
from dossier.policy.atoms import conj
from dossier.repository import And, Contains, Eq, Expr, In, Key, Not, Or, Order, Query, Reader, fold

_LINKS = 64
_CHUNK = 1000
_SEARCHED: Final = {"basic/name": "search_name", "basic/addresses": "search_address"}
"""What can be asked by part, and the text index that answers."""
_ORDERED = frozenset({"text", "word", "day", "monthday", "money", "number"})


@attrs.frozen
class Condition:
    """A condition on fields, combined with `&`, `|`, `~`. Made from `field(...)`."""

    op: str
    path: str = ""
    operands: tuple[Any, ...] = attrs.field(default=(), repr=False)
    terms: tuple[Condition, ...] = ()

    def __and__(self, other: Condition) -> Condition:
        return Condition("and", terms=(self, _condition(other)))

    def __or__(self, other: Condition) -> Condition:
        return Condition("or", terms=(self, _condition(other)))

    def __invert__(self) -> Condition:
        return Condition("not", terms=(self,))

    def __bool__(self) -> bool:
        raise TypeError("combine conditions with & | ~, not with and, or, not")


@attrs.frozen(eq=False)
class Field:
    """An indexed field by its path: `field("basic/addresses/region") == "华东"`.

    Operands are given as values of the field are: text, or the value's own type. Not every operator fits every field;
    `find` says which do.
    """

    path: str

    def __eq__(self, value: object) -> Condition:  # type: ignore[override]
        return Condition("eq", self.path, (value,))

    def __ne__(self, value: object) -> Condition:  # type: ignore[override]
        return Condition("ne", self.path, (value,))

    def __lt__(self, value: object) -> Condition:
        return Condition("lt", self.path, (value,))

    def __le__(self, value: object) -> Condition:
        return Condition("le", self.path, (value,))

    def __gt__(self, value: object) -> Condition:
        return Condition("gt", self.path, (value,))

    def __ge__(self, value: object) -> Condition:
        return Condition("ge", self.path, (value,))

    def __hash__(self) -> int:
        return hash(self.path)

    def one_of(self, *values: object) -> Condition:
        """One of the values (none: never)."""
        return Condition("in", self.path, values)

    def starts_with(self, text: str) -> Condition:
        """Text that begins so."""
        return Condition("prefix", self.path, (text,))

    def contains(self, text: str) -> Condition:
        """A part of a searchable text: `basic/name` (other names as well), `basic/addresses`."""
        return Condition("contains", self.path, (text,))

    def absent(self) -> Condition:
        """No value."""
        return Condition("absent", self.path)


def field(path: str) -> Field:
    """An indexed field to ask for, by path without part keys: `basic/industry`, `basic/addresses/region`,
    `transaction_status/total`; or `number`, `kind`, `stage`, `standing`.

    A birthday is `basic/born/monthday`; the currency of an amount is the amount's path with `/currency` behind it.
    InputError where `path` is no text; whether there is such a field is said by `find`.
    """
    if type(path) is not str:
        raise InputError([problem("value.type", "field", expected="text", got=type_name(path))])
    return Field(path)


def _condition(given: object) -> Condition:
    if not isinstance(given, Condition):
        raise InputError([problem("find.where", "where", got=type_name(given))])
    return given


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


@attrs.define
class _Asking:
    """One query while it is compiled. `current` gives the numbers that files read under now."""

    decision: Decision
    guard: Guard | None
    current: Callable[[Sequence[str]], Sequence[str]]
    guards: list[Expr] = attrs.field(factory=list)
    homes: dict[str, str] = attrs.field(factory=dict)
    problems: list[Problem] = attrs.field(factory=list)


class Finder:
    """Compiles what a caller asks, once per archive and registry."""

    def __init__(self, indexing: Indexing, registry: SectionRegistry) -> None:
        self._specs: dict[str, list[SectionSpec]] = {}
        for spec in registry.specs():
            self._specs.setdefault(spec.key, []).append(spec)
        self._comparer = Comparer()
        self._columns = {
            name: Column(name, name, "", "core", False, NUMBER if name == "number" else WORD, ())
            for name in ("number", *WORDS)
        }
        for column in (*indexing.columns.values(), *indexing.computed.values()):
            self._columns[column.path] = column
            if column.kind.family == "money" and not column.many:
                path = f"{column.path}/currency"
                self._columns[path] = attrs.evolve(column, path=path, kind=CURRENCY)

    def plan(
        self,
        decision: Decision,
        *,
        where: Condition | None,
        order: str | None,
        limit: int,
        current: Callable[[Sequence[str]], Sequence[str]],
        guard: Guard | None = None,
    ) -> Plan:
        """The query for a caller. ReadableFieldError for a field he may not read; otherwise InputError with all that
        is wrong with the question. Where what he may read hangs on the dossier, `guard` cuts the rows, outside of what
        he asks: no Not of his turns it round (N2, N5)."""
        asking = _Asking(decision, guard, current)
        shape: list[Any] = []
        said = self._expr(asking, _condition(where), shape, False) if where is not None else And(())
        sort = self._order(asking, order) if order is not None else None
        problems = asking.problems
        if len(asking.homes) > 1:
            special = next(path for home, path in asking.homes.items() if home != "core")
            problems.append(problem("find.apart", special))
        if type(limit) is not int or not 1 <= limit <= 1000:
            problems.append(problem("find.limit", "limit", limit=1000))
        if problems:
            raise InputError(problems)
        home = next(iter(asking.homes), "core")
        collection = "dossiers" if home == "core" else "special"
        full: Expr = And((Eq("into", None), said))
        if guard is not None:
            full = And((Eq("into", None), conj([guard.visible(), *asking.guards]), said))
        query = Query(collection=collection, where=full, order=sort, limit=limit, bodies=home == "core", index=False)
        return Plan(query, [shape, order or "", limit])

    # -- conditions -------------------------------------------------------------------------------

    def _expr(self, asking: _Asking, asked: Condition, shape: list[Any], negated: bool) -> Expr:
        if asked.terms:
            inner: list[Any] = []
            inside = negated or asked.op == "not"
            terms = tuple(self._expr(asking, term, inner, inside) for term in asked.terms)
            shape.append([asked.op, inner])
            if asked.op == "not":
                return Not(terms[0])
            return And(terms) if asked.op == "and" else Or(terms)
        if asked.op == "contains":
            shape.append([asked.op, asked.path])
            return self._contains(asking, asked)
        column = self._column(asking, asked.path)
        if column is None:
            return Or(())
        shape.append([asked.op, column.path])
        if column.compartment != "core" and (negated or asked.op in ("ne", "absent")):
            asking.problems.append(problem("find.negated", column.path))
        operands = asked.operands
        if column.path == "number" and asked.op in ("eq", "ne", "in") and all(type(each) is str for each in operands):
            operands = tuple(asking.current(operands))
        return self._comparer.compare(column, asked.op, operands, asking.problems)

    def _contains(self, asking: _Asking, asked: Condition) -> Expr:
        path, (text,) = asked.path.replace("[*]", ""), asked.operands
        name = _SEARCHED.get(path.removesuffix("/text"))
        if name is None:
            if self._column(asking, path) is not None:
                asking.problems.append(problem("find.contains", shown_path(path), fields=", ".join(_SEARCHED)))
            return Or(())
        for searched in SEARCHES[name]:
            self._readable(asking, searched, path)
        asking.homes.setdefault("core", path)
        if type(text) is not str:
            asking.problems.append(problem("value.type", path, expected="text", got=type_name(text)))
            return Or(())
        if not fold(text):
            asking.problems.append(problem("find.text", path))
        return Contains(name, fold(text))

    def _order(self, asking: _Asking, order: str) -> Order | None:
        if type(order) is not str:
            asking.problems.append(problem("value.type", "order", expected="text", got=type_name(order)))
            return None
        column = self._column(asking, order.removeprefix("-"))
        if column is None:
            return None
        if column.many or column.kind.family not in _ORDERED:
            asking.problems.append(problem("find.order", column.path))
        return Order(column.name, order.startswith("-"))

    def _column(self, asking: _Asking, asked: str) -> Column | None:
        path = asked.replace("[*]", "")
        column = self._columns.get(path)
        if column is None:
            below = [known for known in self._columns if path and known.startswith(path)]
            nearest = nearest_name(path, below or self._columns)
            asking.problems.append(problem("find.unknown", shown_path(*asked.split("/")), nearest=nearest))
            return None
        if column.pattern:
            self._readable(asking, f"{path.partition('/')[0]}/{column.pattern}", path)
        asking.homes.setdefault(column.compartment, path)
        return column

    def _readable(self, asking: _Asking, path: str, named: str) -> None:
        """Every class of the section that has the leaf must let the caller read it, whatever a row turns out to be."""
        guard = asking.guard
        section, _, name = path.partition("/")
        for spec in self._specs.get(section, ()):
            bit = spec.bits.get(name)
            if bit is None or asking.decision.mask(spec) >> bit & 1:
                continue
            if guard is not None and guard.may(spec, bit):
                asking.guards.append(guard.readable(spec, bit))
            else:
                raise ReadableFieldError(path=named, field=named, role="", verb="find", verb_zh="查找")


def current_numbers(repository: Reader, numbers: Sequence[str]) -> list[str]:
    """Each number, or where its file was merged into another the number under which both read now."""
    moved: dict[str, str] = {}
    for start in range(0, len(numbers), _CHUNK):
        where = And((In("number", tuple(numbers[start : start + _CHUNK])), Not(Eq("into", None))))
        for row in repository.find(Query(collection="dossiers", where=where, limit=_CHUNK, bodies=False)).rows:
            moved[str(row.index["number"])] = _survivor(repository, str(row.index["into"]))
    return [moved.get(number, number) for number in numbers]


def _survivor(repository: Reader, dossier: str) -> str:
    """The number of the file that a linked one reads as."""
    for _ in range(_LINKS):
        (row,) = repository.get_many([Key("dossiers", dossier)])
        if row is None:
            break
        if not row.index.get("into"):
            return str(row.index["number"])
        dossier = str(row.index["into"])
    raise DamagedError(what="link")


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
