"""The stored forms of a record, a versioned head and insert-only entries, and of a tie between two dossiers.

Floor: desk.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec

from dossier.desk.layout import MILLIONTHS, date_text
from dossier.errors import DamagedError
from dossier.repository import IndexValue

AMOUNTS: Final = 2**63
"""Amounts of records stay below this in millionths, either way, so that every sum counts each of them in full."""


class StoredRecord(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """The head of a record. `opened` act that entered it, `at` when, `entries` how many followed."""

    at: str
    entered: msgspec.Raw = msgspec.Raw(b"{}")
    entries: int = 0
    kind: str
    opened: str
    state: str
    version: tuple[int, int]

    def fields(self) -> dict[str, Any]:
        """The record's own fields as JSON."""
        found: dict[str, Any] = msgspec.json.decode(self.entered)
        return found


class StoredEntry(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One entry: who, when, what was noted, which state it led to."""

    act: str
    actor: str
    at: str
    because: str = ""
    channel: str = "desk"
    due: str = ""
    evidence: list[str] = []
    note: str = ""
    observed: str = ""
    state: str
    told_by: str = ""
    verb: str


class Telling(msgspec.Struct, kw_only=True, gc=False):
    """Who said when until when a tie lasts, and how he knew."""

    act: str
    actor: str
    at: str
    because: str
    channel: str
    evidence: list[str]
    observed: str
    told_by: str
    until: str


class StoredTie(Telling, kw_only=True, gc=False):
    """A tie as it was told last: `a` and `b` ids of dossiers, `before` what was told of its end earlier."""

    a: str
    b: str
    before: list[Telling] = []
    kind: str
    note: str
    since: str


_encoder = msgspec.json.Encoder(order="sorted")
_record = msgspec.json.Decoder(StoredRecord)
_entry = msgspec.json.Decoder(StoredEntry)
_tie = msgspec.json.Decoder(StoredTie)


def encode_stored(stored: StoredRecord | StoredEntry) -> bytes:
    """Canonical body."""
    return _encoder.encode(stored)


def stored_record(body: bytes) -> StoredRecord:
    """A record head from its row."""
    try:
        return _record.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise DamagedError(what="record")


def stored_entry(body: bytes) -> StoredEntry:
    """A record entry from its row."""
    try:
        return _entry.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise DamagedError(what="entry")


def stored_tie(body: bytes) -> StoredTie:
    """A tie from its row."""
    try:
        return _tie.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise DamagedError(what="relation")


def tie_index(tie: StoredTie) -> dict[str, IndexValue]:
    """What of a tie is indexed."""
    return {"ends": tuple(sorted((tie.a, tie.b))), "kind": tie.kind}


def countable(money: dict[str, str] | None) -> bool:
    """Whether an amount (None: there is none) can be counted in sums."""
    return money is None or abs(_scaled(money)) < AMOUNTS


def _scaled(money: dict[str, str]) -> int:
    return int(Decimal(money["amount"]) * MILLIONTHS)


def record_index(dossier: str, kind: str, state: str, fields: dict[str, Any], due: str = "") -> dict[str, IndexValue]:
    """What of a record is indexed: day texts, amount in millionths of its currency, rating in hundredths of full."""
    index: dict[str, IndexValue] = {"dossier": dossier, "kind": kind, "state": state}
    if "at" in fields:
        index["at"] = date_text(fields["at"])
    if due or "due" in fields:
        index["due"] = due or date_text(fields["due"])
    if "by" in fields:
        index["by"] = fields["by"]
    money = fields.get("amount")
    if money is not None:
        index["amount"] = _scaled(money)
        index["currency"] = money.get("currency", "CNY")
    rating = fields.get("rating")
    if rating is not None:
        index["rating"] = rating["value"] * 100 // rating.get("scale", 5)
    return index
