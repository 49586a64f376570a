"""The unit of work: what one batch holds, and how a batch that lost a race is made anew.

Floor: desk. An *intent* is a function that, given fresh rows, says what is to be written. It mints nothing that its
caller was already told (ids, numbers), so it can run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from dossier.codec.state import Head, State
from dossier.desk.facts import stale
from dossier.desk.layout import Indexing
from dossier.desk.loaded import Loaded
from dossier.errors import ConflictError, NotFoundError, RepositoryError, UnitEndedError
from dossier.ledger import Event
from dossier.repository import MAX_BATCH, Batch, Key, Op, Put, Row

if TYPE_CHECKING:
    from dossier.desk.archive import Archive

T = TypeVar("T")
TRIES = 40
ROOM = MAX_BATCH - 40
"""Operations after which a unit writes its batch: most intents need fewer than forty."""


class Work:
    """Operations and events of one batch, and the dossiers it has loaded."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        # Taken before anything is judged or read: who is dismissed while the batch is made does not get it written.
        self._guard = archive.guard() if archive.writable else None
        self.ops: list[Op] = []
        self.events: list[Event] = []
        self.loaded: dict[str, Loaded] = {}
        self.stale: dict[str, None] = {}
        """Dossiers whose computed facts are to be refreshed once the batch is kept."""
        self.answers: dict[str, tuple[str, Any]] = {}
        """Requests carried out in this batch: what was asked, what was answered."""

    def load(self, dossier: str) -> Loaded:
        """The dossier as this batch will leave it. NotFoundError if there is none."""
        found = self.loaded.get(dossier)
        if found is None:
            keys = [Key(collection, dossier) for collection in ("dossiers", "special", "facts")]
            core, special, facts = self.archive.repository.get_many(keys)
            if core is None:
                raise NotFoundError()
            found = self.loaded[dossier] = as_loaded(core, special, facts)
        return found

    def fresh(self, dossier: str, head: Head) -> Loaded:
        """A dossier that begins with this batch."""
        loaded = self.loaded[dossier] = Loaded(dossier, State(head), State())
        return loaded

    def row(self, collection: str, row_id: str) -> Row | None:
        """A row as this batch will leave it, None where there is none."""
        for op in reversed(self.ops):
            if isinstance(op, Put) and (op.collection, op.id) == (collection, row_id):
                return Row(op.collection, op.id, (op.expect or 0) + 1, op.body, op.index, op.scope)
        (row,) = self.archive.repository.get_many([Key(collection, row_id)])
        return row

    def commit(self, *, durable: bool = True) -> None:
        """Write the batch. ConflictError without fields: a race was lost and the intents may run again."""
        archive = self.archive
        if not self.ops and not self.events:
            return
        with archive.recorder.writing(self.events) as rows:
            ops = (self._guard or archive.guard(), *self.ops, *map(stale, self.stale), *rows)
            archive.repository.commit(Batch(ops), durable=durable)
        try:
            archive.kept(self.stale)
        except RepositoryError:
            # The batch is kept; its facts are marked as stale, and whoever reads them computes them.
            archive.log_code("facts.stale")


def as_loaded(core: Row, special: Row | None, facts: Row | None = None) -> Loaded:
    """Rows as a dossier to be changed."""
    return Loaded(
        core.id,
        State.decode(core.body),
        State.decode(special.body) if special else State(),
        core.version,
        special.version if special else 0,
        {name: value for name, value in core.index.items() if name not in Indexing.derived},
        dict(special.index) if special else {},
        core.body,
        special.body if special else b"",
        facts.body if facts else b"",
    )


Intent = Callable[[Work], T]


def perform(archive: Archive, intents: Sequence[Intent[Any]], work: Work | None = None) -> list[Any]:
    """Run intents into one batch and write it; again on fresh rows while races are lost.

    With `work`, the intents have run already; their results come back only where they had to run again.
    """
    results: list[Any] = []
    for attempt in range(TRIES):
        if work is None:
            work = Work(archive)
            results = [intent(work) for intent in intents]
        conflict = _lost(work)
        if conflict is None:
            return results
        if conflict.fields:
            raise conflict
        archive.renew()
        work = None
        if attempt > 2:
            time.sleep(min(0.05, 0.001 * 2 ** (attempt // 4)))
    raise ConflictError(path="dossiers")


def _lost(work: Work) -> ConflictError | None:
    try:
        work.commit()
        return None
    except ConflictError as error:
        return error


class Unit:
    """Several verbs in one batch of at most 1,000 rows; a larger unit writes several, each complete in itself (K11)."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._work = Work(archive)
        self._intents: list[Intent[Any]] = []
        self._ended = False

    def end(self) -> None:
        """Take nothing more in; what was not written is given up."""
        self._ended = True
        self._intents, self._work = [], Work(self._archive)

    def run(self, intent: Intent[T]) -> T:
        """Run an intent now, write it later. UnitEndedError once the unit is over."""
        if self._ended:
            raise UnitEndedError()
        result = self._tried(intent)
        if self._size > MAX_BATCH - 1 and self._intents:
            # Together they are too many: the earlier ones go first, and this one begins the next batch.
            self._replay()
            self.flush()
            result = self._tried(intent)
        self._intents.append(intent)
        if self._size > ROOM:
            self.flush()
        return result

    def pending(self, dossier: str) -> Loaded | None:
        """The dossier as the unit will leave it, if one of its verbs has begun or loaded it."""
        return self._work.loaded.get(dossier)

    def numbered(self, number: str) -> str:
        """The id of a dossier of this unit by its registration number, "" if it has none."""
        return next((id for id, loaded in self._work.loaded.items() if loaded.head.number == number), "")

    @property
    def _size(self) -> int:
        return len(self._work.ops) + len(self._work.stale) + len(self._work.events)

    def _tried(self, intent: Intent[T]) -> T:
        done = False
        try:
            result = intent(self._work)
            done = True
            return result
        finally:
            if not done:
                # What a refused verb had prepared must not go out with the others.
                self._replay()

    def _replay(self) -> None:
        """Run the earlier verbs of the unit again, from what is stored."""
        work = Work(self._archive)
        for intent in self._intents:
            intent(work)
        self._work = work

    def flush(self) -> None:
        """Write what was gathered."""
        if self._intents:
            intents, work = self._intents, self._work
            self._intents, self._work = [], Work(self._archive)
            perform(self._archive, intents, work)
