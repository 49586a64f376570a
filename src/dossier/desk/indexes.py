"""What files are found by: the index values of a file or of a linked set, and writing them anew where they lag behind.

Floor: desk. A linked set is found under its survivor, by what it shows together; its other members carry `into`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby
from typing import TYPE_CHECKING, Final

from dossier.codec.linked import combine
from dossier.codec.state import Head, State, head_of
from dossier.codec.upgrade import upgrade
from dossier.desk.stored import record_index, stored_entry, stored_record, stored_tie, tie_index
from dossier.errors import ConflictError, LockedError
from dossier.model.clock import day_of
from dossier.repository import (
    MAX_BATCH,
    And,
    Batch,
    Check,
    Eq,
    Index,
    IndexValue,
    Key,
    Lt,
    Not,
    Op,
    Query,
    Reader,
    Repository,
    Row,
    decode,
)

if TYPE_CHECKING:
    from dossier.desk.archive import Archive

_CHUNK: Final = 100
_TRIES: Final = 40

Terms = dict[str, IndexValue]


def shown_terms(archive: Archive, bodies: Sequence[tuple[bytes, bytes]]) -> tuple[Head, Terms, Terms]:
    """Index values, core and special, of what files (the survivor's first) show together on the archive's day."""
    registry, indexing = archive.registry, archive.indexing
    today = day_of(archive.now(), archive.zone)
    cores = [State.decode(core) for core, _ in bodies]
    apart = [State.decode(special) if special else State() for _, special in bodies]
    core, special = cores[0], apart[0]
    head = core.head
    if len(bodies) > 1 or "" < core.until <= today:
        heads = [state.head for state in cores]
        core = combine(head, cores, registry, today)
        special = combine(head, apart, registry, today, heads=heads)
        core.until = min([state.until for state in (core, special) if state.until], default="")
        head = core.head
    else:
        upgrade(core, registry, head.kind, head.versions)
        upgrade(special, registry, head.kind, head.versions)
    return head, indexing.whole(head, core, registry), indexing.apart(head, special, registry)


def reindex(archive: Archive) -> int:
    """Fill index columns again from what is stored, while others work: a row that is changed meanwhile is taken
    anew. Resumable: doing a row twice changes nothing."""
    done = 0
    for rows in _chunks(archive.repository.scan("dossiers")):
        _refill(archive, rows)
        done += len(rows)
    for collection, terms in (("records", _record_terms), ("relations", _tie_terms), ("staff", _staff_terms)):
        for rows in _chunks(archive.repository.scan(collection)):
            _realign(archive, rows, terms)
    archive.kept(_counted(archive.repository), force=True)
    return done


def renew(archive: Archive) -> None:
    """Index again the files of which a span of validity began or ended up to today, so that they are found by what
    they show."""
    today = day_of(archive.now(), archive.zone)
    due = And((Not(Eq("until", None)), Lt("until", today + "~")))
    after: str | None = None
    while True:
        page = archive.repository.find(Query(collection="dossiers", where=due, limit=_CHUNK, after=after))
        if page.rows:
            _refill(archive, page.rows)
        after = page.cursor
        if after is None:
            return


def _refill(archive: Archive, rows: Sequence[Row]) -> None:
    ops = [op for row in rows for op in _terms(archive, row)]
    if len(ops) >= MAX_BATCH or not _kept(archive, ops):
        for row in rows:
            _refill_one(archive, row)


def _refill_one(archive: Archive, row: Row) -> None:
    for _ in range(_TRIES):
        (now,) = archive.repository.get_many([Key("dossiers", row.id)])
        if now is None or _kept(archive, _terms(archive, now)):
            return
        archive.renew()
    raise LockedError(path="dossiers")


def _realign(archive: Archive, rows: Sequence[Row], terms: Callable[[Reader, Row], Terms]) -> None:
    """Index rows by their bodies, those that are not."""
    for row in rows:
        now: Row | None = row
        for _ in range(_TRIES):
            if now is None or (wanted := terms(archive.repository, now)) == dict(now.index):
                break
            check = Check(now.collection, now.id, now.version)
            if _kept(archive, [check, Index(now.collection, now.id, wanted, 0, True)]):
                break
            archive.renew()
            (now,) = archive.repository.get_many([Key(row.collection, row.id)])
        else:
            raise LockedError(path=row.collection)


def _record_terms(repository: Reader, row: Row) -> Terms:
    head, due = stored_record(row.body), ""
    for line in repository.scan("entries", start=f"{row.id}/", stop=f"{row.id}0"):
        due = stored_entry(line.body).due or due
    return record_index(row.id.partition("/")[0], head.kind, head.state, head.fields(), due)


def _tie_terms(repository: Reader, row: Row) -> Terms:
    return tie_index(stored_tie(row.body))


def _staff_terms(repository: Reader, row: Row) -> Terms:
    """A pseudonym stands nowhere else, and stays."""
    return {**row.index, "name": decode(row.body)["name"]}


def _counted(repository: Repository) -> Iterator[str]:
    """The dossiers that have records or computed facts, each once."""
    records = (row.id.partition("/")[0] for row in repository.scan("records", bodies=False))
    facts = (row.id for row in repository.scan("facts", bodies=False))
    return (dossier for dossier, _ in groupby(merge(records, facts)))


def _terms(archive: Archive, row: Row) -> list[Op]:
    """Operations that index a file by what it shows, and fail if that changes before they are kept."""
    head = head_of(row.body)
    cores = [row] if head.into else [row, *_below(archive, head)]
    apart = archive.repository.get_many([Key("special", core.id) for core in cores])
    bodies = [(core.body, special.body if special else b"") for core, special in zip(cores, apart, strict=True)]
    shown, core_terms, special_terms = shown_terms(archive, bodies)
    foreign = archive.indexing.foreign
    ops: list[Op] = [Check("dossiers", core.id, core.version) for core in cores]
    ops.append(Index("dossiers", row.id, core_terms | foreign(row.index, archive.registry, shown), 0, True))
    if apart[0] is not None:
        kept = foreign(apart[0].index, archive.registry, shown)
        ops.append(Index("special", row.id, special_terms | kept, 0, True))
    return ops


def _below(archive: Archive, head: Head) -> list[Row]:
    """The rows of all files that were merged into a file, at any remove."""
    found: list[Row] = []
    waiting = list(head.linked)
    while waiting:
        rows = [row for row in archive.repository.get_many([Key("dossiers", d) for d in waiting]) if row is not None]
        found.extend(rows)
        waiting = [below for row in rows for below in head_of(row.body).linked]
    return found


def _kept(archive: Archive, ops: Sequence[Op]) -> bool:
    try:
        archive.repository.commit(Batch((archive.guard(), *ops)), durable=False)
        return True
    except ConflictError:
        return False


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
