"""What every repository checks in a query in the same way, and the cursor that belongs to it.

Floor: repository.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from dossier.errors import CursorError, QueryError
from dossier.repository.checking import Shape, encodes
from dossier.repository.query import And, Contains, Eq, Expr, Ge, Has, In, Lt, Not, Or, Prefix, Query
from dossier.repository.rows import INT64, MAX_DEPTH, MAX_SEARCH, IndexScalar

MAX_PAGE: Final = 1000
"""Rows a page."""
MAX_NODES: Final = 500
"""Nodes of one condition; long lists of values belong into one `In`."""
MAX_VALUES: Final = 10_000
"""Values of one `In`."""

_json = msgspec.json.Encoder()


def shape_named(shapes: Mapping[str, Shape], collection: str) -> Shape:
    """The shape of a collection. QueryError if it is not declared."""
    shape = shapes.get(collection)
    if shape is None:
        raise QueryError(what="the collection is not declared", path=str(collection)[:100])
    return shape


def check_query(shapes: Mapping[str, Shape], query: Query) -> Shape:
    """The shape of the collection asked for. QueryError, naming the field, for what is not of the closed language;
    the cursor is opened by `open_cursor`."""
    shape = shape_named(shapes, query.collection)
    if type(query.limit) is not int or not 1 <= query.limit <= MAX_PAGE:
        raise QueryError(what=f"a page has 1 to {MAX_PAGE} rows", path=query.collection)
    check_where(shape, query.where)
    if query.order is not None and shape.every.get(query.order.field) not in ("text", "int", "bool"):
        name = str(query.order.field)[:100]
        raise QueryError(what=f"rows cannot be ordered by {name}", path=f"{query.collection}.{name}")
    return shape


def check_where(shape: Shape, where: Expr) -> None:
    """QueryError, naming the field, for an operator or value that the declared field does not answer."""
    nodes = _check_expr(shape, where, 1)
    if nodes > MAX_NODES:
        raise QueryError(what=f"a condition has at most {MAX_NODES} parts", path=shape.collection.name)


def check_aggregate(shape: Shape, where: Expr, by: Sequence[str], sums: Sequence[str]) -> None:
    """QueryError unless `by` names single fields and `sums` int fields."""
    check_where(shape, where)
    for name in by:
        if shape.every.get(name) not in ("text", "int", "bool"):
            raise QueryError(what=f"rows cannot be grouped by {str(name)[:100]}", path=shape.collection.name)
    for name in sums:
        if shape.every.get(name) != "int":
            raise QueryError(what=f"{str(name)[:100]} cannot be summed", path=shape.collection.name)


_KINDS: Mapping[type, tuple[str, ...]] = {
    Eq: ("text", "int", "bool"),
    Lt: ("text", "int"),
    Ge: ("text", "int"),
    In: ("text", "int"),
    Prefix: ("text",),
    Has: ("text*", "int*"),
    Contains: ("search",),
}
_TYPES: Mapping[str, type] = {"text": str, "int": int, "bool": bool, "text*": str, "int*": int, "search": str}


def _check_expr(shape: Shape, where: Expr, depth: int) -> int:
    if depth > MAX_DEPTH:
        raise QueryError(what=f"a condition is at most {MAX_DEPTH} deep", path=shape.collection.name)
    if isinstance(where, And | Or):
        return 1 + sum(_check_expr(shape, term, depth + 1) for term in where.terms)
    if isinstance(where, Not):
        return 1 + _check_expr(shape, where.term, depth + 1)
    kind = type(where)
    allowed = _KINDS.get(kind)
    if allowed is None:
        raise QueryError(what="not an operator of the closed language", path=shape.collection.name)
    name = where.field
    declared = shape.every.get(name)
    if declared is None:
        raise QueryError(what=f"{str(name)[:100]} is not declared", path=shape.collection.name)
    if isinstance(where, Eq) and where.value is None and declared != "search":
        return 1
    if declared not in allowed:
        raise QueryError(what=f"{name} does not answer {kind.__name__}", path=f"{shape.collection.name}.{name}")
    if isinstance(where, In):
        if type(where.values) is not tuple or len(where.values) > MAX_VALUES:
            raise QueryError(what=f"In takes a tuple of at most {MAX_VALUES} values", path=name)
        for value in where.values:
            _check_operand(shape, name, declared, value)
    elif isinstance(where, Contains):
        if not where.needle:
            raise QueryError(what=f"an empty needle for {name}", path=f"{shape.collection.name}.{name}")
        _check_operand(shape, name, declared, where.needle)
    else:
        _check_operand(shape, name, declared, where.value)
    return 1


def _check_operand(shape: Shape, name: str, declared: str, value: object) -> None:
    fits = type(value) is _TYPES[declared]
    if fits and isinstance(value, str):
        fits = len(value) <= MAX_SEARCH and "\0" not in value and (value.isascii() or encodes(value))
    elif fits and isinstance(value, int):
        fits = -INT64 <= value < INT64
    if not fits:
        raise QueryError(what=f"a value that {name} cannot have", path=f"{shape.collection.name}.{name}")


# -- cursors -------------------------------------------------------------------------------------


def make_cursor(query: Query, value: IndexScalar, id: str) -> str:
    """The cursor after the row with order value `value` and `id`: opaque text, bound to collection, where, order."""
    place = _json.encode((value, id))
    return base64.urlsafe_b64encode(_seal(query, place) + place).decode().rstrip("=")


def open_cursor(shape: Shape, query: Query) -> tuple[IndexScalar, str] | None:
    """(order value, id) of the last row of the page before; None for the first page.

    CursorError for a cursor that was altered or belongs to another collection, condition or order.
    """
    if query.after is None:
        return None
    opened = _opened(query, query.after)
    if opened is None:
        raise CursorError(path=query.collection)
    value, id = opened
    kind = "" if query.order is None else shape.every[query.order.field]
    if value is not None and (kind == "" or type(value) is not _TYPES[kind]):
        raise CursorError(path=query.collection)
    return value, id


def _opened(query: Query, after: str) -> tuple[IndexScalar, str] | None:
    try:
        raw = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4))
        seal, place = raw[:12], raw[12:]
        if base64.urlsafe_b64encode(raw).decode().rstrip("=") != after or not hmac.compare_digest(
            seal, _seal(query, place)
        ):
            return None
        return msgspec.json.decode(place, type=tuple[str | int | bool | None, str])
    except (binascii.Error, ValueError, TypeError, AttributeError, msgspec.MsgspecError):
        return None


def _seal(query: Query, place: bytes) -> bytes:
    order = None if query.order is None else (query.order.field, query.order.descending)
    shape = _json.encode((query.collection, _plain(query.where), order))
    return hashlib.blake2b(shape + b"\0" + place, digest_size=12, person=b"dossier-cursor").digest()


def _plain(where: Expr) -> list[object]:
    if isinstance(where, And | Or):
        return [type(where).__name__, *map(_plain, where.terms)]
    if isinstance(where, Not):
        return ["Not", _plain(where.term)]
    if isinstance(where, In):
        return ["In", where.field, list(where.values)]
    if isinstance(where, Contains):
        return ["Contains", where.field, where.needle]
    return [type(where).__name__, where.field, where.value]
