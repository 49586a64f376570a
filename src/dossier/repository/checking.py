"""What every repository checks in the same way: declarations, batches, options, lanes; queries stand in `asking`.

Floor: repository. Plugins call these functions and so agree on every refusal; none of them reads or writes rows.
`check_batch` is on the hot path of a bulk import (about 2 µs a row with eight fields).
"""

from __future__ import annotations

import re
from collections.abc import Collection as Members
from collections.abc import Iterable, Mapping
from operator import lt

import attrs

from dossier.errors import CanonicalError, InputError, LimitError, Problem, QueryError
from dossier.repository.rows import (
    INT64,
    MAX_BATCH,
    MAX_BODY,
    MAX_SEARCH,
    MAX_TERM,
    Batch,
    Check,
    Collection,
    Composite,
    Delete,
    Index,
    IndexField,
    IndexValue,
    Put,
    Shred,
)

_NAME = re.compile(r"[a-z][a-z0-9_.:-]{0,99}\Z")
_LANE = re.compile(r"[a-z0-9-]{1,100}\Z")
_OPS = (Index, Delete, Check)


# -- declarations --------------------------------------------------------------------------------


@attrs.frozen
class Shape:
    """A collection made ready for checking. `put`, `derived` and `every` give the kind of a field name that a Put or
    an Index(all=True), an Index, and a query may carry: text, int, bool, search, and `text*`, `int*` for sets."""

    collection: Collection
    put: Mapping[str, str]
    derived: Mapping[str, str]
    every: Mapping[str, str]


def shape_of(collection: Collection) -> Shape:
    """The shape of a declaration. QueryError if it names a field twice or not at all, a set of bool or search,
    two sets in one composite, or a search field or a derived name where none may stand."""
    if not _NAME.match(collection.name):
        raise QueryError(what="the name of a collection is [a-z][a-z0-9_.:-]*, at most 100 characters")
    every: dict[str, str] = {}
    for field in collection.fields:
        where = f"{collection.name}.{field.name}"
        if not _NAME.match(field.name):
            raise QueryError(what="the name of a field is [a-z][a-z0-9_.:-]*", path=collection.name)
        if field.name in every:
            raise QueryError(what=f"{field.name} is declared twice", path=where)
        if field.type not in ("text", "int", "bool", "search") or (field.many and field.type in ("bool", "search")):
            raise QueryError(what=f"{field.name} cannot be of this type", path=where)
        every[field.name] = f"{field.type}*" if field.many else field.type
    for composite in collection.composites:
        kinds = [every.get(name, "") for name in composite.fields]
        sets = sum(kind.endswith("*") for kind in kinds)
        if (
            len(set(kinds)) == 0
            or "" in kinds
            or "search" in kinds
            or sets > 1
            or len({*composite.fields}) < len(kinds)
        ):
            raise QueryError(what="a composite index names declared fields once, one set at most", path=collection.name)
    for name in collection.unindexed:
        if name not in every:
            raise QueryError(what=f"{name} is not declared", path=f"{collection.name}.{name}")
    derived = {field.name: every[field.name] for field in collection.fields if field.derived}
    put = {name: kind for name, kind in every.items() if name not in derived}
    return Shape(collection, put, derived, every)


def widen(old: Collection | None, new: Collection) -> tuple[Collection, tuple[IndexField, ...]]:
    """The declaration that holds both, and the fields that only `new` has. Nothing is ever dropped.

    QueryError if a field is declared with another type than before.
    """
    shape_of(new)
    if old is None:
        return new, new.fields
    known = {field.name: field for field in old.fields}
    added: list[IndexField] = []
    for field in new.fields:
        before = known.get(field.name)
        if before is None:
            added.append(field)
        elif before != field:
            raise QueryError(what=f"{field.name} is declared with another type", path=f"{new.name}.{field.name}")
    composites: tuple[Composite, ...] = (*old.composites, *(c for c in new.composites if c not in old.composites))
    fresh = {field.name for field in added}
    named = {field.name for field in new.fields}
    unindexed = tuple(
        sorted(
            {name for name in old.unindexed if name in new.unindexed or name not in named}
            | {name for name in new.unindexed if name in fresh}
        )
    )
    merged = Collection(name=new.name, fields=(*old.fields, *added), composites=composites, unindexed=unindexed)
    return merged, tuple(added)


# -- batches -------------------------------------------------------------------------------------


def check_batch(shapes: Mapping[str, Shape], batch: Batch) -> None:
    """Refuse a batch that no repository may write, before anything is touched.

    LimitError: more than 1,000 operations, a body over 4 MiB, a term too long, an int outside int64.
    QueryError: a collection or field that is not declared, a value of another type, a set that is not sorted,
    a derived field in a Put or an Index(all=True), a version below 1, an empty scope to shred. CanonicalError: NUL or
    lone surrogate.
    """
    if len(batch.ops) > MAX_BATCH:
        raise LimitError(what="operations in one batch", limit=MAX_BATCH)
    if batch.key is not None:
        _check_term("batch key", batch.key, "")
    for op in batch.ops:
        if not isinstance(op, Put):
            if isinstance(op, Shred):
                _check_term("scope", op.scope, "")
                continue
            if not isinstance(op, _OPS):
                raise QueryError(what="not an operation")
        shape = shapes.get(op.collection)
        if shape is None:
            raise QueryError(what="the collection is not declared", path=str(op.collection)[:100])
        key = op.id
        if type(key) is not str or not key or len(key) > MAX_TERM or not key.isascii() or "\0" in key:
            _check_term("id", key, op.collection)
        if isinstance(op, Put):
            if type(op.body) is not bytes:
                raise QueryError(what="a body is bytes", path=op.collection)
            if len(op.body) > MAX_BODY:
                raise LimitError(what="bytes of a body", limit=MAX_BODY, path=op.collection)
            _check_values(shape.put, op.index, op.collection)
            scope = op.scope
            if type(scope) is not str or len(scope) > MAX_TERM or not scope.isascii() or "\0" in scope:
                _check_term("scope", scope, op.collection)
            if op.expect is not None and (type(op.expect) is not int or not 0 <= op.expect < INT64):
                raise QueryError(what="expect is 0, a version or None", path=op.collection)
            if op.version is not None and (type(op.version) is not int or not 1 <= op.version < INT64):
                raise QueryError(what="a version counts from 1", path=op.collection)
        elif isinstance(op, Index):
            _check_values(shape.put if op.all else shape.derived, op.fields, op.collection)
            if type(op.mark) is not int or not -INT64 <= op.mark < INT64:
                raise LimitError(what="mark", limit=INT64 - 1, path=op.collection)
        elif not (op.expect is None and isinstance(op, Delete)) and (
            type(op.expect) is not int or not 0 <= op.expect < INT64
        ):
            raise QueryError(what="expect is 0 or a version", path=op.collection)


def present(fields: Mapping[str, IndexValue]) -> dict[str, IndexValue]:
    """The fields that are present: None and the empty set count as absent."""
    return {name: value for name, value in fields.items() if value is not None and value != ()}


def _check_values(kinds: Mapping[str, str], values: Mapping[str, IndexValue], collection: str) -> None:
    for name, value in values.items():
        kind = kinds.get(name, "")
        if not (kind and (value is None or _fits(kind, value))):
            raise _unfit(kind, name, value, collection)


def _fits(kind: str, value: IndexValue) -> bool:
    """Whether a value that is present may stand in a field of this kind."""
    if isinstance(value, str):
        if len(value) > (MAX_TERM if kind == "text" else MAX_SEARCH if kind == "search" else -1):
            return False
        return "\0" not in value and (value.isascii() or encodes(value))
    if isinstance(value, tuple):
        if kind == "text*" or kind == "int*":
            item = kind[:-1]
            return all(_fits(item, each) for each in value) and all(map(lt, value, value[1:]))
        return False
    if isinstance(value, bool):
        return kind == "bool"
    return kind == "int" and isinstance(value, int) and -INT64 <= value < INT64


def _unfit(kind: str, name: str, value: IndexValue, collection: str) -> QueryError | LimitError | CanonicalError:
    """Why a value may not stand in a field of this kind ("" where the field is not declared)."""
    if not kind:
        return QueryError(what=f"{str(name)[:100]} is not declared, or not written by this operation", path=collection)
    path = f"{collection}.{name}"
    if isinstance(value, str) and kind in ("text", "search"):
        limit = MAX_TERM if kind == "text" else MAX_SEARCH
        if len(value) > limit:
            return LimitError(what=f"characters of {name}", limit=limit, path=path)
        return CanonicalError(what=f"NUL or lone surrogate in {name}", path=path)
    if isinstance(value, int) and not isinstance(value, bool) and kind == "int":
        return LimitError(what=f"size of {name}", limit=INT64 - 1, path=path)
    if isinstance(value, tuple) and kind in ("text*", "int*"):
        for item in value:
            if item is None or not _fits(kind[:-1], item):
                return _unfit(kind[:-1], name, item, collection)
        return QueryError(what=f"the set {name} is not sorted without repetition", path=path)
    return QueryError(what=f"a value of {name} is not of the declared type", path=path)


def encodes(text: str) -> bool:
    """Whether a text has no lone surrogate."""
    try:
        text.encode()
        return True
    except UnicodeEncodeError:
        return False


def _check_term(what: str, value: object, path: str) -> None:
    if type(value) is not str or not (value or (what == "scope" and path)):
        raise QueryError(what=f"{what} must be text that is not empty", path=path)
    if len(value) > MAX_TERM:
        raise LimitError(what=f"characters of {what}", limit=MAX_TERM, path=path)
    if "\0" in value or not encodes(value):
        raise CanonicalError(what=f"NUL or lone surrogate in {what}", path=path)


# -- options and lanes ---------------------------------------------------------------------------


def check_options(options: Mapping[str, object], known: Members[str]) -> None:
    """InputError that lists every option which the repository does not know."""
    problems = [
        Problem(
            code="option.unknown",
            path=f"options.{str(name)[:100]}",
            zh="未知选项",
            en="unknown option",
            fix_zh=f"可用选项: {', '.join(sorted(known)) or '无'}",
            fix_en=f"known options: {', '.join(sorted(known)) or 'none'}",
        )
        for name in sorted(options)
        if name not in known
    ]
    if problems:
        raise InputError(problems)


def mistyped_option(name: str, *, zh: str, en: str) -> InputError:
    """The InputError for an option that has another type than the repository wants (`zh`, `en` say which)."""
    return InputError(
        [
            Problem(
                code="option.type",
                path=f"options.{name}",
                zh=f"须为{zh}",
                en=f"must be {en}",
                fix_zh="更正该选项",
                fix_en="correct the option",
            )
        ]
    )


def check_lane(name: str) -> None:
    """QueryError unless a lane name is [a-z0-9-], 1 to 100 characters."""
    if type(name) is not str or not _LANE.match(name):
        raise QueryError(what="the name of a lane is [a-z0-9-], 1 to 100 characters")


def check_lines(lines: Iterable[bytes]) -> None:
    """CanonicalError unless each line is bytes, not empty, without a line feed."""
    for line in lines:
        if type(line) is not bytes or not line or b"\n" in line:
            raise CanonicalError(what="a line of a lane")
