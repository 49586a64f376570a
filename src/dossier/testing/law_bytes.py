"""K1 at the repository: a body comes back as the very bytes that were put.

Floor: testing.
"""

# The names of checks carry the number of their law.
# ruff: noqa: N802

from __future__ import annotations

from contextlib import closing

from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.errors import LimitError
from dossier.repository import (
    MAX_BODY,
    MAX_DEPTH,
    Batch,
    Collection,
    Index,
    IndexField,
    Key,
    Put,
    Query,
    Reader,
    encode,
)
from dossier.testing.place import Place, Places, raises, run, same
from dossier.testing.strategies import TEXTS, bodies, ids

COLLECTION = Collection(name="bytes", fields=(IndexField(name="due", type="int", derived=True),))


def check_K1_bytes(places: Places, *, examples: int = 25, profile: settings | None = None) -> None:
    """Bodies drawn and edge bodies come back byte for byte by every read, after a re-open and a re-index too."""

    @given(st.dictionaries(ids, bodies, min_size=1, max_size=8))
    def law(drawn: dict[str, bytes]) -> None:
        _keeps(places(), drawn, reopen=False)

    run(law, examples=examples, profile=profile)
    _keeps(places(), edge_bodies(), reopen=True)
    _limit(places())


def edge_bodies() -> dict[str, bytes]:
    """Bodies at the limits of canonical JSON: depth, int range, every edge text as value, one of a megabyte."""
    deep: object = None
    for _ in range(MAX_DEPTH - 1):
        deep = {"a": deep}
    big = 2**53 - 1
    return {
        "deep": encode(deep),
        "empty": encode({}),
        "ints": encode({"a": [big, -big, 0, -1], "b": {"a": big}}),
        "bare": encode("text"),
        "order": encode({"a": 1, "a0": 2, "a:b": 3, "a_b": 4, "aa": 5, "b": 6}),
        "texts": encode({"all": list(TEXTS), "one": "".join(TEXTS)}),
        "escapes": encode({"a": '\b\f\n\r\t\x1f\x7f\u2028\u2029"\\/</script>'}),
        "looks": encode({"a": ["1", "1.0", "true", "null", "2020-01-01T00:00:00Z", "NaN", " 1"], "id": "x"}),
        "long": encode({"a": "档" * 300_000}),
    }


def _keeps(place: Place, drawn: dict[str, bytes], *, reopen: bool) -> None:
    with closing(place.create()) as repository:
        repository.declare([COLLECTION])
        puts = tuple(Put(COLLECTION.name, id, body, {}, "s") for id, body in drawn.items())
        repository.commit(Batch(puts), durable=False)
        repository.commit(Batch(tuple(Index(COLLECTION.name, id, {"due": 1}, 1) for id in drawn)), durable=False)
        _reads(repository, drawn)
        with repository.snapshot() as reader:
            _reads(reader, drawn)
    if reopen:
        with closing(place.open("r")) as repository:
            _reads(repository, drawn)


def _reads(reader: Reader, drawn: dict[str, bytes]) -> None:
    for row in reader.get_many([Key(COLLECTION.name, id) for id in drawn]):
        if row is not None:
            same(f"get_many, body of {row.id!r}", row.body, drawn[row.id])
    for row in reader.scan(COLLECTION.name):
        same(f"scan, body of {row.id!r}", row.body, drawn[row.id])
    for row in reader.find(Query(collection=COLLECTION.name, limit=1000)).rows:
        same(f"find, body of {row.id!r}", row.body, drawn[row.id])


def _limit(place: Place) -> None:
    largest = b'"' + b"x" * (MAX_BODY - 2) + b'"'
    with closing(place.create()) as repository:
        repository.declare([COLLECTION])
        repository.commit(Batch((Put(COLLECTION.name, "a", largest, {}, "s"),)), durable=False)
        row = repository.get_many([Key(COLLECTION.name, "a")])[0]
        same("a body of the largest size", None if row is None else row.body == largest, True)
        more = Batch((Put(COLLECTION.name, "b", largest + b" ", {}, "s"),))
        raises(LimitError, lambda: repository.commit(more), "a body over the limit")
