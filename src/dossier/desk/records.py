"""Records at the desk: entering, following up, paging (M33-M37, M62, M78).

Floor: desk. A record is a row of its own; adding one never advances the dossier's version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from dossier.codec import lens
from dossier.codec.documents import Document
from dossier.desk.changes import Draft
from dossier.desk.finding import open_cursor, seal_cursor
from dossier.desk.layout import MILLIONTHS, core_scope, dealings_scope
from dossier.desk.stored import (
    AMOUNTS,
    StoredEntry,
    StoredRecord,
    countable,
    encode_stored,
    record_index,
    stored_entry,
    stored_record,
)
from dossier.errors import InputError, NotFoundError
from dossier.model.problems import problem
from dossier.model.records import PREFIX, states
from dossier.model.withheld import WITHHELD
from dossier.policy import Decision
from dossier.repository import And, Eq, In, Key, Op, Order, Put, Query, Row, decode, encode

if TYPE_CHECKING:
    from dossier.desk.archive import Archive
    from dossier.desk.reading import Reading

DEALINGS = frozenset({"order", "contract", "payment", "receivable", "return_case"})


@attrs.frozen
class Entry:
    """One entry of a record: when, by whom (name), which state it led to, what was noted."""

    at: str
    by: str
    verb: str
    state: str
    note: str | None = attrs.field(repr=False)


@attrs.frozen
class RecordView:
    """A record as its caller may see it: `content` has the fields of its kind, withheld ones as WITHHELD."""

    id: str
    dossier: str
    kind: str
    state: str
    content: Any = attrs.field(repr=False)
    opened: str
    entries: int


@attrs.frozen
class RecordPage:
    """Records, newest first (by id for whoever may not read when they were), and the cursor of the next page."""

    rows: tuple[RecordView, ...]
    cursor: str | None

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def scope_of(dossier: str, kind: str) -> str:
    """Dealings may outlive the person's data; everything else goes with the core."""
    return dealings_scope(dossier) if kind in DEALINGS else core_scope(dossier)


def parse_draft(archive: Archive, draft: Draft) -> tuple[str, Document]:
    """(kind, canonical fields) of a draft. InputError with all its problems."""
    spec = archive.registry.spec(PREFIX + draft.kind)
    section, problems = archive.door.parse_section(spec, draft.values)
    if problems:
        raise InputError(problems)
    document: Document = decode(archive.registry.codec(spec).dump(section))
    if not countable(document.get("amount")):
        limit = f"{AMOUNTS // MILLIONTHS:,}"
        raise InputError([problem("record.amount", f"{PREFIX}{draft.kind}/amount", limit=limit)])
    for name, value in document.items():
        if type(value) is list and value and type(value[0]) is dict and name == "lines":
            for number, line in enumerate(value, 1):
                line["key"] = f"{number:04d}"
    return draft.kind, document


def enter_ops(
    archive: Archive,
    dossier: str,
    record: str,
    kind: str,
    document: Document,
    *,
    verb: str,
    act: str,
    at: str,
    actor: str,
    told: Mapping[str, Any],
) -> list[Op]:
    """The head and first entry of a new record."""
    spec = archive.registry.spec(PREFIX + kind)
    state = next(iter(states(kind)))
    head = StoredRecord(
        at=at,
        entered=msgspec.Raw(encode(document)),
        entries=1,
        kind=kind,
        opened=act,
        state=state,
        version=spec.version,
    )
    entry = StoredEntry(act=act, actor=actor, at=at, state=state, verb=verb, **told)
    scope = scope_of(dossier, kind)
    row = f"{dossier}/{record}"
    return [
        Put("records", row, encode_stored(head), record_index(dossier, kind, state, document), scope, 0),
        Put("entries", f"{row}/{1:06d}", encode_stored(entry), {}, scope, 0),
    ]


def follow_ops(
    archive: Archive,
    row: Row,
    *,
    state: str | None,
    note: str,
    due: str,
    act: str,
    at: str,
    actor: str,
    told: Mapping[str, Any],
) -> list[Op]:
    """The next entry of a record and its new head. InputError for a state that may not follow."""
    head = stored_record(row.body)
    table = states(head.kind)
    if state is not None and state != head.state and state not in table.get(head.state, ()):
        raise InputError(
            [problem("record.state", f"{PREFIX}{head.kind}/state", allowed=_words(table.get(head.state, ())))]
        )
    head.state = state or head.state
    head.entries += 1
    dossier = row.id.partition("/")[0]
    entry = StoredEntry(act=act, actor=actor, at=at, due=due, note=note, state=head.state, verb="follow_up", **told)
    index = record_index(dossier, head.kind, head.state, head.fields(), due or str(row.index.get("due") or ""))
    return [
        Put("records", row.id, encode_stored(head), index, row.scope, row.version),
        Put("entries", f"{row.id}/{head.entries:06d}", encode_stored(entry), {}, row.scope, 0),
    ]


def record_view(archive: Archive, row: Row, decision: Decision) -> RecordView:
    """The record behind a row, projected; WITHHELD where this program does not know its kind (K2)."""
    head = stored_record(row.body)
    spec = archive.registry.find(PREFIX + head.kind)
    content: Any = WITHHELD
    if spec is not None:
        through = lens(spec, decision.mask(spec))
        content = through.show(through.load(head.entered))
    dossier, _, record = row.id.partition("/")
    return RecordView(record, dossier, head.kind, head.state, content, head.at, head.entries)


def record_order(archive: Archive, kind: str | None, decision: Decision) -> Order | None:
    """Newest first where the caller may read when each record of a kind (None: of any) was; else by id, for an order
    tells of what it follows (N1)."""
    specs = archive.registry.specs() if kind is None else (archive.registry.spec(PREFIX + kind),)
    for spec in specs:
        if spec.key.startswith(PREFIX) and "at" in spec.bits and not decision.mask(spec) >> spec.bits["at"] & 1:
            return None
    return Order("at", descending=True)


def record_page(
    reading: Reading, dossiers: list[str], kind: str | None, limit: int, after: str | None, decision: Decision
) -> RecordPage:
    """A page of records of a (linked) dossier."""
    archive = reading.archive
    where: list[Any] = [Eq("dossier", dossiers[0]) if len(dossiers) == 1 else In("dossier", tuple(dossiers))]
    if kind is not None:
        archive.registry.spec(PREFIX + kind)
        where.append(Eq("kind", kind))
    binding = (reading.actor.id.encode(), encode([dossiers, kind or ""]), decision.policy_digest.encode())
    inner = open_cursor(archive.manifest.key, binding, after) if after is not None else None
    query = Query(
        collection="records",
        where=And(tuple(where)),
        order=record_order(archive, kind, decision),
        limit=limit,
        after=inner,
    )
    page = archive.repository.find(query)
    rows = tuple(record_view(archive, row, decision) for row in page.rows)
    cursor = seal_cursor(archive.manifest.key, binding, page.cursor) if page.cursor else None
    return RecordPage(rows, cursor)


def entries_of(archive: Archive, row_id: str, decision: Decision) -> list[Entry]:
    """The entries of a record, oldest first. Notes are shown to those who may read the record's text."""
    head = _record_row(archive, row_id)
    spec = archive.registry.find(PREFIX + stored_record(head.body).kind)
    text = spec.bits.get("text") if spec is not None else None
    open_text = spec is not None and text is not None and bool(decision.mask(spec) >> text & 1)
    found = []
    for row in archive.repository.scan("entries", start=f"{row_id}/", stop=f"{row_id}0"):
        entry = stored_entry(row.body)
        by = archive.staff.by_id(entry.actor)
        found.append(Entry(entry.at, by, entry.verb, entry.state, entry.note if open_text else None))
    return found


def _record_row(archive: Archive, row_id: str) -> Row:
    (row,) = archive.repository.get_many([Key("records", row_id)])
    if row is None:
        raise NotFoundError()
    return row


def _words(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "-"
