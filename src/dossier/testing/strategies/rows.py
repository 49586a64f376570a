"""Hypothesis strategies of the repository contract: declarations, rows, batches, queries.

Floor: testing. Values come from small shared pools of edge values, so that rows collide, tie and half-match; batches
and queries are guided by the state that they meet, so that a good part of them is refused for one reason, or returns
some rows and not all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from hypothesis import strategies as st

from dossier.repository import (
    FALSE,
    TRUE,
    And,
    Batch,
    Check,
    Collection,
    Composite,
    Contains,
    Delete,
    Eq,
    Expr,
    Ge,
    Has,
    In,
    Index,
    IndexField,
    IndexValue,
    Lt,
    Not,
    Op,
    Or,
    Order,
    Prefix,
    Put,
    Query,
    Row,
    Shred,
    encode,
    fold,
)
from dossier.testing.oracle_reader import State

TEXTS = (
    "", "a", "A", "ab", "abc", "ABC", "b", "0", "10", "2", " ", "a b", "é", "e\u0301", "ß", "ss", "İ", "i\u0307",
    "%", "_", "a%", "a_", "a_b", "*", "a*", '"', 'a"b', "'", "\\", "-", "^a", "(a)", ":", "a:b", "AND", "OR", "NEAR",
    "单", "雄信", "单雄信", "花生", "\u200b", "\x01", "\x7f", "\ud7ff", "\ud7ffa", "\ue000", "\uffff", "\U00010000",
    "😀", "😀a", "𠮷", "\U0010ffff", "\U0010ffffa",
)  # fmt: skip
"""Short texts at the edges: ties under folding, wildcards, syntax of search engines, the ends of the code planes."""
INTS = (-(2**63), -(2**53) - 1, -10, -1, 0, 1, 2, 10, 2**53, 2**53 + 1, 2**63 - 2, 2**63 - 1)
IDS = (
    "a",
    "a1",
    "a10",
    "a2",
    "A",
    "b",
    "c",
    "d",
    "z",
    "é",
    "e\u0301",
    "%",
    "_",
    "'",
    "a b",
    "\uffff",
    "\U00010000",
    "😀",
)
SCOPES = ("s:core", "s:dealings", "t:core", "'")
NAMES = ("order", "group", "select", "rows", "a_b")
MARKS = (0, 1, 2, 3)

texts = st.sampled_from(TEXTS)
ints = st.sampled_from(INTS)
ids = st.sampled_from(IDS)
scopes = st.sampled_from(SCOPES)
search_texts = st.lists(texts, min_size=1, max_size=5).map(lambda parts: fold("".join(parts)))
_leaves = st.none() | st.booleans() | texts | st.integers(-(2**53) + 1, 2**53 - 1)
_keys = st.sampled_from(("a", "a:b", "a_b", "b", "z9", "core:name"))
values = st.recursive(_leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3))
bodies = st.dictionaries(_keys, values, max_size=4).map(encode)
"""Canonical bodies of a few bytes to a few hundred."""

_FIELDS = (
    IndexField(name="name"),
    IndexField(name="order"),
    IndexField(name="group", type="int"),
    IndexField(name="due", type="int", derived=True),
    IndexField(name="grade", derived=True),
    IndexField(name="open", type="bool"),
    IndexField(name="tags", many=True),
    IndexField(name="years", type="int", many=True),
    IndexField(name="seen", many=True, derived=True),
    IndexField(name="words", type="search"),
)
LATER = (
    IndexField(name="later"),
    IndexField(name="later_words", type="search"),
    IndexField(name="later_n", type="int"),
)


@st.composite
def collections(draw: st.DrawFn, *, name: str | None = None) -> Collection:
    """A declaration with four to ten fields (always `name`, `group`, `tags`, `words`) and up to two composites."""
    fixed = {"name", "group", "tags", "words"}
    fields = tuple(field for field in _FIELDS if field.name in fixed or draw(st.booleans()))
    single = [field.name for field in fields if not field.many and field.type != "search"]
    many = [field.name for field in fields if field.many]
    composites = []
    for _ in range(draw(st.integers(0, 2))):
        chain = draw(st.permutations(single))[: draw(st.integers(2, 3))]
        if draw(st.booleans()):
            chain = [draw(st.sampled_from(many)), *chain[:2]]
        composites.append(Composite(fields=tuple(chain)))
    plain = [name for name in single if not any(name in composite.fields for composite in composites)]
    unindexed = (draw(st.sampled_from(plain)),) if plain and draw(st.integers(0, 1)) > 0 else ()
    return Collection(
        name=name or draw(st.sampled_from(NAMES)), fields=fields, composites=tuple(composites), unindexed=unindexed
    )


_search = st.none() | search_texts
_bool = st.none() | st.booleans()
_text, _int = st.none() | texts | texts, st.none() | ints | ints
_text_set = st.none() | st.just(()) | st.sets(texts, max_size=4).map(lambda members: tuple(sorted(members)))
_int_set = st.none() | st.just(()) | st.sets(ints, max_size=4).map(lambda members: tuple(sorted(members)))


def field_values(field: IndexField) -> st.SearchStrategy[Any]:
    """Values of one field; absent comes as None, for a set also as the empty set."""
    if field.many:
        return _text_set if field.type == "text" else _int_set
    return {"search": _search, "bool": _bool, "text": _text, "int": _int}[field.type]


def indexes(draw: st.DrawFn, fields: Sequence[IndexField]) -> dict[str, IndexValue]:
    """Index values for some of the fields: left out, None, an empty set and a value are all told apart."""
    return {field.name: draw(field_values(field)) for field in fields if draw(st.integers(0, 5))}


def plain(collection: Collection) -> list[IndexField]:
    """The fields that `Put` writes."""
    return [field for field in collection.fields if not field.derived]


def derived(collection: Collection) -> list[IndexField]:
    """The fields that `Index` writes."""
    return [field for field in collection.fields if field.derived]


# -- populations (nothing in them is refused) --------------------------------------------------------


@st.composite
def populations(draw: st.DrawFn, collection: Collection) -> list[Batch]:
    """Batches that fill a collection: first puts in shuffled order, then some rewritten, indexed or deleted."""
    chosen = draw(st.lists(ids, min_size=4, max_size=14, unique=True))
    first: list[Op] = [_put(draw, collection, id, None) for id in chosen]
    second: list[Op] = []
    for id in draw(st.lists(st.sampled_from(chosen), max_size=10)):
        kind = draw(st.sampled_from(("put", "index", "index", "all", "delete")))
        if kind == "put":
            second.append(_put(draw, collection, id, None))
        elif kind == "delete":
            second.append(Delete(collection.name, id))
        else:
            second.append(_index(draw, collection, id, all=kind == "all"))
    return [Batch(tuple(first)), Batch(tuple(second))]


@st.composite
def reindexings(draw: st.DrawFn, collection: Collection, chosen: Sequence[str]) -> Batch:
    """`Index(all=True)` of each id with fresh values."""
    return Batch(tuple(_index(draw, collection, id, all=True) for id in chosen))


def _put(draw: st.DrawFn, collection: Collection, id: str, expect: int | None, version: int | None = None) -> Put:
    body = draw(bodies)
    return Put(collection.name, id, body, indexes(draw, plain(collection)), draw(scopes), expect, version)


def _index(draw: st.DrawFn, collection: Collection, id: str, *, all: bool) -> Index:
    fields = indexes(draw, (plain if all else derived)(collection))
    return Index(collection.name, id, fields, MARKS[-1] if all else draw(st.sampled_from(MARKS)), all)


@st.composite
def aged(draw: st.DrawFn, declared: Sequence[Collection]) -> Batch:
    """Rows that are at version 3 already, so that an expectation may be older than a row."""
    return Batch(tuple(_put(draw, one, id, 0, 3) for one in declared for id in IDS[:3]))


# -- batches with a flaw -----------------------------------------------------------------------------


@attrs.frozen
class Drawn:
    """A batch, and the flaw that was planted in it ("" for none) with its place."""

    batch: Batch
    flaw: str = ""
    at: int = 0


FLAWS = ("stale", "duplicate", "missing", "check", "check_absent", "delete")


@st.composite
def guided_batches(
    draw: st.DrawFn, declared: Sequence[Collection], state: State, *, keys: Sequence[str] = (), flaw: str | None = None
) -> Drawn:
    """A batch for `state`: operations that are met in order, and one that is refused where a `flaw` is asked for
    ("": none; None: in about half of the batches)."""
    held = {key: (cell.version, cell.scope) for key, cell in state.items()}
    ops = [_good(draw, declared, held) for _ in range(draw(st.integers(1, 5)))]
    flaw = draw(st.sampled_from((*FLAWS, *[""] * len(FLAWS)))) if flaw is None else flaw
    bad = _bad(draw, flaw, declared, {key: version for key, (version, _) in held.items()}) if flaw else None
    key = draw(st.sampled_from(keys)) if keys and draw(st.integers(0, 1)) > 0 else None
    if bad is None:
        return Drawn(Batch(tuple(ops), key))
    after = _good(draw, declared, held)
    return Drawn(Batch((*ops, bad, after), key), flaw, len(ops))


_KINDS = ("new", "new", "put", "put", "version", "index", "all", "delete", "check", "shred")


def _good(draw: st.DrawFn, declared: Sequence[Collection], held: dict[tuple[str, str], tuple[int, str]]) -> Op:
    """An operation that is met, given the versions and scopes that rows have by then; `held` is brought up to date."""
    collection = _pick(draw, declared)
    kind = draw(st.sampled_from(_KINDS))
    here = [id for name, id in held if name == collection.name]
    if here and kind != "new":
        # Every other time the row that was touched last: operations of one batch meet each other.
        id = here[-1] if draw(st.booleans()) else _pick(draw, here)
    else:
        id = draw(ids)
    key = (collection.name, id)
    now = held[key][0] if key in held else 0
    if kind == "index" or kind == "all":
        return _index(draw, collection, id, all=kind == "all")
    if kind == "check":
        return Check(collection.name, id, now)
    if kind == "delete" and now:
        del held[key]
        return Delete(collection.name, id, draw(st.sampled_from((now, None))))
    if kind == "shred":
        scope = draw(scopes)
        for gone in [one for one, (_, its) in held.items() if its == scope]:
            del held[gone]
        return Shred(scope)
    version = now + draw(st.integers(1, 9)) if kind == "version" else None
    put = _put(draw, collection, id, draw(st.sampled_from((now, None))), version)
    held.pop(key, None)
    held[key] = (now + 1 if version is None else version, put.scope)
    return put


def _bad(
    draw: st.DrawFn, flaw: str, declared: Sequence[Collection], versions: Mapping[tuple[str, str], int]
) -> Op | None:
    by_name = {collection.name: collection for collection in declared}
    present = sorted(versions)
    absent = sorted((name, id) for name in by_name for id in IDS if (name, id) not in versions)
    pool = absent if flaw in ("missing", "check_absent") else present
    if not pool:
        return None
    name, id = _pick(draw, pool)
    now = versions.get((name, id), 0)
    wrong = draw(st.sampled_from([v for v in (now - 1, now + 1, now + 7) if v > 0]))
    match flaw:
        case "stale" | "missing":
            return _put(draw, by_name[name], id, wrong)
        case "duplicate":
            return _put(draw, by_name[name], id, 0)
        case "check":
            return Check(name, id, draw(st.sampled_from((0, wrong))))
        case "check_absent":
            return Check(name, id, wrong)
        case _:
            return Delete(name, id, wrong)


# -- queries -----------------------------------------------------------------------------------------


# Written with plain draws: building and validating strategy objects per query costs ten times the query.


def _pick(draw: st.DrawFn, options: Sequence[Any]) -> Any:
    return options[draw(st.integers(0, len(options) - 1))]


def _near(draw: st.DrawFn, seen: Sequence[Any], pool: Sequence[Any]) -> Any:
    """Two times in three a value that is in the rows."""
    return _pick(draw, seen) if seen and draw(st.integers(0, 2)) > 0 else _pick(draw, pool)


def _comparison(draw: st.DrawFn, field: IndexField, rows: Sequence[Row]) -> Expr:
    """A comparison on one field with values that are in the rows, or near them."""
    name = field.name
    seen: list[Any] = [row.index[name] for row in rows if name in row.index]
    if field.type == "search":
        text = _near(draw, [text for text in seen if text], _FOLDED)
        start, length = draw(st.integers(0, len(text) - 1)), draw(st.integers(1, 4))
        return Contains(name, fold(text[start : start + length]) or text)
    if field.type == "bool":
        return Eq(name, _pick(draw, (True, False, None)))
    if not draw(st.integers(0, 6)):
        return Eq(name, None)
    pool: Sequence[Any] = TEXTS if field.type == "text" else INTS
    if field.many:
        return Has(name, _near(draw, [member for one in seen for member in one], pool))
    value = _near(draw, seen, pool)
    match draw(st.integers(0, 4 if field.type == "text" else 3)):
        case 0:
            return Eq(name, value)
        case 1:
            return Lt(name, value)
        case 2:
            return Ge(name, value)
        case 3:
            return In(name, tuple(_near(draw, seen, pool) for _ in range(draw(st.integers(0, 4)))))
        case _:
            return Prefix(name, value[: draw(st.integers(0, 3))])


def _expression(draw: st.DrawFn, collection: Collection, rows: Sequence[Row], depth: int) -> Expr:
    kind = draw(st.integers(0, 9 if depth else 4))
    if kind <= 3:
        return _comparison(draw, _pick(draw, collection.fields), rows)
    if kind == 4:
        return Not(_comparison(draw, _pick(draw, collection.fields), rows))
    if kind == 9:
        constant: Expr = _pick(draw, (TRUE, FALSE, Not(TRUE), Not(FALSE)))
        return constant
    terms = tuple(_expression(draw, collection, rows, depth - 1) for _ in range(draw(st.integers(1, 3))))
    joined = And(terms) if kind % 2 else Or(terms)
    return Not(joined) if kind == 8 else joined


_FOLDED = tuple(sorted({fold(text) for text in TEXTS} - {""}))


@st.composite
def queries(draw: st.DrawFn, collection: Collection, rows: Sequence[Row]) -> Query:
    """A query for a collection that holds `rows`; limits are small so that pages join."""
    single = [field.name for field in collection.fields if not field.many and field.type != "search"]
    order = Order(_pick(draw, single), draw(st.booleans())) if draw(st.integers(0, 3)) else None
    where = _expression(draw, collection, rows, 3)
    limit = _pick(draw, (1, 2, 3, 5, 50))
    bodies, index = draw(st.booleans()), draw(st.booleans())
    return Query(collection=collection.name, where=where, order=order, limit=limit, bodies=bodies, index=index)
