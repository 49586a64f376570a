"""From a row to the document that a person can read, and back to the very bytes.

A document is `{_id, version, scope, index, body}`, and where there is something to say `derived` (index fields that
`Index` writes), `grams` (pairs of characters of search texts), `mark`, `checks`. `body` is the value of the row's
bytes as MongoDB's own types. A body whose bytes would not come back from such a value stands in `bytes` instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import msgspec
from bson import encode as to_bson
from bson.errors import BSONError
from bson.int64 import Int64

from dossier.errors import CanonicalError, DamagedError
from dossier.repository import Collection, Composite, IndexField, IndexValue, Put, Row, decode, encode
from dossier.repository.checking import Shape, present, shape_of

Document = dict[str, Any]

MAX_NATIVE = 12 * 1024 * 1024
"""Bytes of BSON up to which a body is stored as a value; a document of MongoDB has at most 16 MiB."""
MAX_NESTED = 90
"""Levels up to which a body is stored as a value; MongoDB takes about 180 in all."""
_ODD = (b'"$', b"\\u0000", b'"":')
"""What a body contains that has an odd name (and some that have none)."""
_DIGITS = bytes(48 if 48 <= code <= 57 else 32 for code in range(256))
_LONG = b"0" * 19
_NO_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")
_encoder = msgspec.json.Encoder(order="sorted", enc_hook=lambda value: _plain_int(value))


def _plain_int(value: object) -> int:
    """msgspec knows no subclass of int; BSON gives one for what does not fit in 32 bits."""
    if isinstance(value, Int64):
        return int(value)
    raise TypeError


# -- bodies --------------------------------------------------------------------------------------


def stored_body(body: bytes) -> Document:
    """`{"body": value}` if the value gives these bytes back, otherwise `{"bytes": body}` (law K1)."""
    try:
        value = decode(body)
        same = encode(value) == body
    except CanonicalError:
        same = False
    if not same:
        return {"bytes": body}
    # Within a value that JSON gives back, BSON changes nothing but these: names with a dollar (`{"$ref", "$id"}` comes
    # back as a reference), NUL and empty names, integers beyond 64 bits, what is too deep or too long.
    if any(map(body.__contains__, _ODD)) and _has_odd_name(value):
        return {"bytes": body}
    if not _is_shallow(body) and _depth(value) > MAX_NESTED:
        return {"bytes": body}
    if len(body) > 1_000_000 or _LONG in body.translate(_DIGITS):
        try:
            if len(to_bson({"body": value})) > MAX_NATIVE:
                return {"bytes": body}
        except (BSONError, OverflowError):
            return {"bytes": body}
    return {"body": value}


def _has_odd_name(value: Any) -> bool:
    if isinstance(value, dict):
        return any(not name or name[0] == "$" or "\0" in name or _has_odd_name(item) for name, item in value.items())
    return isinstance(value, list) and any(map(_has_odd_name, value))


def _is_shallow(body: bytes) -> bool:
    """Whether brackets alone show that a body is not deep; those within texts may leave that open."""
    left = body.translate(None, _NO_BRACKETS)
    for _ in range(MAX_NESTED):
        if not left:
            return True
        left = left.replace(b"[]", b"").replace(b"{}", b"")
    return False


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth


def body_of(document: Mapping[str, Any]) -> bytes:
    """The bytes that were put. DamagedError if somebody else wrote something that is no JSON into the document."""
    if "bytes" in document:
        return bytes(document["bytes"])
    try:
        return _encoder.encode(document["body"])
    except (KeyError, TypeError, UnicodeEncodeError):
        pass
    raise DamagedError(what="body")


# -- tables --------------------------------------------------------------------------------------


@attrs.frozen
class Table:
    """A declared collection with the paths of its fields in a document."""

    collection: Collection
    shape: Shape
    paths: Mapping[str, str]
    grams: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name of MongoDB's collection."""
        return stored_name(self.collection.name)

    def index(self, document: Mapping[str, Any]) -> dict[str, IndexValue]:
        """The index values that are present, as far as they were sent."""
        found = {name.replace("~", "."): _value(value) for name, value in document.get("index", {}).items()}
        if "derived" in document:
            found.update((name.replace("~", "."), _value(value)) for name, value in document["derived"].items())
        return found

    def row(self, document: Mapping[str, Any], *, bodies: bool = True) -> Row:
        """The row of a document."""
        body = body_of(document) if bodies else b""
        version = int(document["version"])
        return Row(self.collection.name, document["_id"], version, body, self.index(document), document["scope"])

    def columns(self, fields: Mapping[str, IndexValue]) -> tuple[Document, Document]:
        """`index` and `grams` for what a Put or an Index(all=True) writes."""
        index = {name.replace(".", "~"): value for name, value in present(fields).items()}
        grams = {
            name.replace(".", "~"): pairs(text)
            for name in self.grams
            if isinstance(text := fields.get(name), str) and text
        }
        return index, grams

    def document(self, put: Put, version: int) -> Document:
        """The document of a new row."""
        index, grams = self.columns(put.index)
        document = {"_id": put.id, "version": version, "scope": put.scope, "index": index, **stored_body(put.body)}
        if grams:
            document["grams"] = grams
        return document


def table_of(collection: Collection) -> Table:
    """The table of a declaration."""
    paths = {field.name: _path(field) for field in collection.fields}
    grams = {
        field.name: f"grams.{field.name.replace('.', '~')}" for field in collection.fields if field.type == "search"
    }
    return Table(collection, shape_of(collection), paths, grams)


def stored_name(collection: str) -> str:
    """MongoDB keeps names that begin with "system." to itself."""
    return f"_{collection}" if collection.startswith("system.") else collection


def pairs(text: str) -> list[str]:
    """Every pair of neighbouring characters, and the last character alone, so that each character begins one."""
    return sorted({text[place : place + 2] for place in range(len(text))})


def _path(field: IndexField) -> str:
    # A dot would mean a document within; "~" stands in no name of a field.
    return f"{'derived' if field.derived else 'index'}.{field.name.replace('.', '~')}"


def _value(value: Any) -> IndexValue:
    if type(value) is list:
        return tuple(int(item) if isinstance(item, Int64) else item for item in value)
    return int(value) if isinstance(value, Int64) else value


# -- declarations --------------------------------------------------------------------------------


def declared(collection: Collection) -> Document:
    """A declaration as it is stored."""
    return {
        "fields": [attrs.asdict(field) for field in collection.fields],
        "composites": [list(composite.fields) for composite in collection.composites],
        "unindexed": list(collection.unindexed),
    }


def declaration(document: Mapping[str, Any]) -> Collection:
    """The declaration that is stored."""
    return Collection(
        name=document["_id"],
        fields=tuple(IndexField(**field) for field in document["fields"]),
        composites=tuple(Composite(fields=tuple(names)) for names in document["composites"]),
        unindexed=tuple(document["unindexed"]),
    )
