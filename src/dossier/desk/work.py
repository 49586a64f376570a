"""The unit of work: what one batch holds, and how a batch that lost a race is made anew.

Floor: desk. An *intent* is a function that, given fresh rows, says what is to be written. It mints nothing that its
caller was already told (ids, numbers), so it can run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from dossier.codec.state import Head, State
from dossier.desk.acting import Loaded
from dossier.errors import ConflictError, NotFoundError
from dossier.ledger import Event
from dossier.repository import MAX_BATCH, Batch, Key, Op, Put, Row

if TYPE_CHECKING:
    from dossier.desk.archive import Archive

T = TypeVar("T")
TRIES = 40
ROOM = MAX_BATCH - 40
"""Operations after which a unit writes its batch; an intent needs fewer than forty."""


class Work:
    """Operations and events of one batch, and the dossiers it has loaded."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.ops: list[Op] = []
        self.events: list[Event] = []
        self.loaded: dict[str, Loaded] = {}
        self.stale: dict[str, None] = {}
        """Dossiers whose computed facts are to be refreshed once the batch is kept."""

    def load(self, dossier: str) -> Loaded:
        """The dossier as this batch will leave it. NotFoundError if there is none."""
        found = self.loaded.get(dossier)
        if found is None:
            core, special = self.archive.repository.get_many([Key("dossiers", dossier), Key("special", dossier)])
            if core is None:
                raise NotFoundError()
            found = self.loaded[dossier] = as_loaded(core, special)
        return found

    def fresh(self, dossier: str, head: Head) -> Loaded:
        """A dossier that begins with this batch."""
        loaded = self.loaded[dossier] = Loaded(dossier, State(head), State())
        return loaded

    def overlay(self, row: Row) -> Row:
        """The row as this batch will leave it."""
        for op in reversed(self.ops):
            if isinstance(op, Put) and (op.collection, op.id) == (row.collection, row.id):
                return Row(op.collection, op.id, (op.expect or 0) + 1, op.body, op.index, op.scope)
        return row

    def commit(self, *, durable: bool = True) -> None:
        """Write the batch. ConflictError without fields: a race was lost and the intents may run again."""
        archive = self.archive
        if not self.ops and not self.events:
            return
        with archive.recorder.writing(self.events) as rows:
            archive.repository.commit(Batch((archive.guard(), *self.ops, *rows)), durable=durable)
        archive.kept(self.stale)


def as_loaded(core: Row, special: Row | None) -> Loaded:
    """Rows as a dossier to be changed."""
    return Loaded(
        core.id,
        State.decode(core.body),
        State.decode(special.body) if special else State(),
        core.version,
        special.version if special else 0,
        dict(core.index),
        dict(special.index) if special else {},
        core.body,
        special.body if special else b"",
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

    def run(self, intent: Intent[T]) -> T:
        """Run an intent now, write it later."""
        before = (len(self._work.ops), len(self._work.events))
        try:
            result = intent(self._work)
        except BaseException:
            # What a refused verb had prepared must not go out with the others.
            del self._work.ops[before[0] :], self._work.events[before[1] :]
            self._work.loaded.clear()
            self._replay()
            raise
        self._intents.append(intent)
        if len(self._work.ops) + len(self._work.events) > ROOM:
            self.flush()
        return result

    def _replay(self) -> None:
        """Load again what earlier verbs of the unit had changed, from their own operations."""
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
