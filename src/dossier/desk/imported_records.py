"""Records that an import enters, leaves as they are, or corrects: a record that said otherwise is cancelled, never
overwritten, and the new one entered beside it.

Floor: desk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from dossier.codec.documents import Document
from dossier.desk.changes import Draft
from dossier.desk.records import parse_draft, scope_of
from dossier.desk.stored import StoredEntry, StoredRecord, encode_stored, record_index, stored_entry, stored_record
from dossier.errors import InputError, Problem
from dossier.intake import Party, RecordDraft
from dossier.intake.gather import Row
from dossier.intake.reasons import reason
from dossier.intake.report import Status
from dossier.model.records import PREFIX, states
from dossier.repository import Key, Op, Put, encode
from dossier.repository import Row as Stored

if TYPE_CHECKING:
    from dossier.desk.imported import Importing

CANCELLED = "cancelled"


@attrs.frozen(repr=False)
class Entering:
    """One record to be entered, or (with `moves`) one that is only to be followed up."""

    dossier: str
    kind: str
    record: str
    document: Document
    path: tuple[str, ...]
    """States after the first (or after the present one)."""
    rows: tuple[Row, ...]
    replaces: Stored | None = None
    moves: Stored | None = None

    @property
    def size(self) -> int:
        """How many operations it takes."""
        return 2 + len(self.path) + (2 if self.replaces else 0)

    def ops(self, run: Importing, act: str, at: str) -> list[Op]:
        """What is to be written."""
        told: dict[str, Any] = {
            "channel": run.plan.channel,
            "told_by": run.plan.told_by or run.plan.name,
            "because": run.plan.because,
        }
        actor = run.actor.id
        ops: list[Op] = []
        if self.moves is not None:
            return self._followed(self.moves, self.path, act, at, actor, told, "")
        if self.replaces is not None:
            ops.extend(self._followed(self.replaces, (CANCELLED,), act, at, actor, told, f"record:{self.record}"))
        scope = scope_of(self.dossier, self.kind)
        row = f"{self.dossier}/{self.record}"
        spec = run.archive.registry.spec(PREFIX + self.kind)
        path = (next(iter(states(self.kind))), *self.path)
        head = StoredRecord(
            at=at, entered=msgspec.Raw(encode(self.document)), entries=len(path), kind=self.kind, opened=act,
            state=path[-1], version=spec.version,
        )  # fmt: skip
        index = record_index(self.dossier, self.kind, path[-1], self.document)
        ops.append(Put("records", row, encode_stored(head), index, scope, 0))
        for number, state in enumerate(path, 1):
            verb = "enter" if number == 1 else "follow_up"
            entry = StoredEntry(act=act, actor=actor, at=at, state=state, verb=verb, **told)
            ops.append(Put("entries", f"{row}/{number:06d}", encode_stored(entry), {}, scope, 0))
        return ops

    def _followed(
        self, row: Stored, path: tuple[str, ...], act: str, at: str, actor: str, told: Mapping[str, Any], note: str
    ) -> list[Op]:
        head = stored_record(row.body)
        ops: list[Op] = []
        for state in path:
            head.state = state
            head.entries += 1
            entry = StoredEntry(act=act, actor=actor, at=at, note=note, state=state, verb="follow_up", **told)
            ops.append(Put("entries", f"{row.id}/{head.entries:06d}", encode_stored(entry), {}, row.scope, 0))
        index = record_index(self.dossier, head.kind, head.state, head.fields(), str(row.index.get("due") or ""))
        ops.append(Put("records", row.id, encode_stored(head), index, row.scope, row.version))
        return ops


@attrs.frozen(repr=False)
class Unfit:
    """Rows of a record that cannot be taken, and why."""

    rows: tuple[Row, ...]
    status: Status
    problems: tuple[Problem, ...]


def plan_records(run: Importing, dossier: str, party: Party, *, known: bool) -> tuple[list[Entering], list[Unfit]]:
    """What has to be done about the records of a party, and those that cannot be taken."""
    ids = [run.derived("record", dossier, draft.kind, draft.key, "0") for draft in party.records]
    rows: list[Stored | None] = [None] * len(ids)
    if known:
        for at in range(0, len(ids), 500):
            keys = [Key("records", f"{dossier}/{record}") for record in ids[at : at + 500]]
            rows[at : at + 500] = run.archive.repository.get_many(keys)
    found: list[Entering] = []
    unfit: list[Unfit] = []
    for draft, record, row in zip(party.records, ids, rows, strict=True):
        problems, document = _document(run, draft)
        path = _path(draft.kind, next(iter(states(draft.kind))), draft.state)
        if problems:
            unfit.append(Unfit(draft.rows, "rejected", problems))
        elif path is None:
            unfit.append(_stuck(draft, draft.state))
        elif row is None:
            found.append(Entering(dossier, draft.kind, record, document, path, draft.rows))
        else:
            changed = _changed(run, dossier, draft, record, row, document, path)
            if isinstance(changed, Unfit):
                unfit.append(changed)
            elif changed is not None:
                found.append(changed)
    return found, unfit


def _stuck(draft: RecordDraft, state: str) -> Unfit:
    return Unfit(draft.rows, "quarantined", (reason("intake.record_state", "", state=state),))


def _document(run: Importing, draft: RecordDraft) -> tuple[tuple[Problem, ...], Document]:
    problems: tuple[Problem, ...] = ()
    try:
        return (), parse_draft(run.archive, Draft(draft.kind, draft.values))[1]
    except InputError as error:
        problems = error.problems
    return problems, {}


def _changed(
    run: Importing, dossier: str, draft: RecordDraft, record: str, row: Stored, document: Document,
    path: tuple[str, ...],
) -> Entering | Unfit | None:  # fmt: skip
    """What to do about a record that was imported before; None where it says the same."""
    number = 0
    repository = run.archive.repository
    while True:
        record_next = run.derived("record", dossier, draft.kind, draft.key, str(number + 1))
        (later,) = repository.get_many([Key("records", f"{dossier}/{record_next}")])
        if later is None:
            break
        record, row, number = record_next, later, number + 1
    head = stored_record(row.body)
    if _plain(head.fields()) == _plain(document):
        if not draft.state or draft.state == head.state or draft.state == _last_told(run, row):
            return None
        onward = _path(draft.kind, head.state, draft.state)
        if onward is None:
            return _stuck(draft, draft.state)
        return Entering(dossier, draft.kind, record, document, onward, draft.rows, moves=row)
    if CANCELLED not in states(draft.kind) and head.state != CANCELLED:
        return _stuck(draft, CANCELLED)
    replaces = row if head.state != CANCELLED else None
    return Entering(dossier, draft.kind, record_next, document, path, draft.rows, replaces=replaces)


def _last_told(run: Importing, row: Stored) -> str:
    """The state that the source last gave a record."""
    state = ""
    for entry in run.archive.repository.scan("entries", start=f"{row.id}/", stop=f"{row.id}0"):
        known = stored_entry(entry.body)
        if known.told_by == (run.plan.told_by or run.plan.name):
            state = known.state
    return state


def _plain(document: Document) -> tuple[bytes, list[bytes]]:
    """What a record says, whatever the order of its lines."""
    lines: list[Any] = document.get("lines", [])
    said = {name: value for name, value in document.items() if name != "lines"}
    return encode(said), sorted(encode({k: v for k, v in line.items() if k != "key"}) for line in lines)


def _path(kind: str, start: str, end: str) -> tuple[str, ...] | None:
    """The states after `start` that lead to `end`, the shortest way; None where nothing does."""
    if not end or start == end:
        return ()
    table = states(kind)
    ways: list[tuple[str, ...]] = [(state,) for state in table.get(start, ())]
    seen = {start}
    while ways:
        way = ways.pop(0)
        if way[-1] == end:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways.extend((*way, state) for state in table.get(way[-1], ()))
    return None
