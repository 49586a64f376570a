"""Where events go: changes into their own batch, reads into the lane of this process (DESIGN "The ledger").

Floor: desk.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Literal

from dossier.errors import ConflictError, LockedError, MissingArchiveError, OutcomeUnknown, RepositoryError
from dossier.ledger import Chain, Event, LaneReport, unseal, verify_lane
from dossier.model.clock import Environment, instant
from dossier.repository import Batch, Lane, Lanes, Op, Put, Repository, encode

Level = Literal["durable", "committed", "session"]
LEVELS: Final = ("durable", "committed", "session")
SESSION_EVENTS: Final = 256
"""Events that a session gathers before they are written."""
FOLD_ROWS: Final = 500
_LANES_BACK: Final = 32


def event_row(lane: str, seq: int, line: bytes) -> Put:
    """The row of an event; (lane, seq) is its compare-and-swap, so a fork of a chain cannot be stored."""
    return Put("events", f"{lane}/{seq:012d}", line, {}, "", 0)


class Recorder:
    """Seals and keeps the events of one archive handle: one write lane, one read lane."""

    def __init__(
        self, repository: Repository, environment: Environment, *, level: Level, reads: str | None, policy: str
    ) -> None:
        self._repository = repository
        self._environment = environment
        self.level: Level = level
        self._reads = reads
        self.policy = policy
        self.lock = threading.RLock()
        self._write = self._new_lane()
        self._read = Chain("r" + environment.random(8).hex())
        self._lane: Lane | None = None
        self._own_lane = isinstance(repository, Lanes)
        self._waiting: list[bytes] = []

    def _new_lane(self) -> Chain:
        # Write lanes sort by when they began, so that the latest events are found without reading the rest.
        began = int(self._environment.now().timestamp() * 1_000_000)
        return Chain(f"w{max(began, 0):014x}{self._environment.random(4).hex()}")

    # -- writes -----------------------------------------------------------------------------------

    @contextmanager
    def writing(self, events: Sequence[Event]) -> Iterator[list[Op]]:
        """Seal events for a batch; if the block fails, the chain stands where it stood."""
        with self.lock:
            mark = self._write.mark()
            rows: list[Op] = []
            for event in events:
                line = self._write.next(event)
                rows.append(event_row(self._write.name, self._write.seq, line))
            kept = False
            try:
                yield rows
                kept = True
            except RepositoryError as error:
                if not isinstance(error, OutcomeUnknown):
                    self._write.rewind(mark)
                    kept = True
                raise
            except ConflictError:
                self._write.rewind(mark)
                kept = True
                raise
            finally:
                if not kept:
                    # Nobody knows whether these events stand; the next ones begin a lane of their own.
                    self._write = self._new_lane()

    # -- reads ------------------------------------------------------------------------------------

    def read(self, event: Event) -> None:
        """Keep the event of a read or a refusal, as the level of the archive demands, before the view goes out."""
        with self.lock:
            if self._read.seq == 0:
                self._append(self._opening())
            mark = self._read.mark()
            line = self._read.next(event)
            try:
                self._append(line)
            except BaseException:
                self._read.rewind(mark)
                raise

    def flush(self) -> None:
        """Write what a session has gathered."""
        with self.lock:
            if self._waiting:
                waiting, self._waiting = self._waiting, []
                self._keep(waiting, durable=False)

    def close(self) -> None:
        """End the read lane with a closing event; a session without one is a gap (A4)."""
        with self.lock:
            if self._read.seq:
                self._append(self._read.next(self._plain("close")))
                self.flush()
            if self._lane is not None:
                self._lane.close()
                self._lane = None

    def _append(self, line: bytes) -> None:
        if self.level == "session":
            self._waiting.append(line)
            if self._read.seq > 1 and len(self._waiting) < SESSION_EVENTS:
                return
            self.flush()
        else:
            self._keep([line], durable=self.level == "durable")

    def _keep(self, lines: list[bytes], *, durable: bool) -> None:
        if not self._own_lane:
            first = self._read.seq - len(lines) + 1
            rows = tuple(event_row(self._read.name, first + n, line) for n, line in enumerate(lines))
            self._repository.commit(Batch(rows), durable=durable)
            return
        if self._lane is None:
            assert isinstance(self._repository, Lanes)
            self._lane = self._repository.lane(self._read.name, at=self._reads)
        self._lane.append(lines, durable=durable)

    def _opening(self) -> bytes:
        return self._read.next(self._plain("open"))

    def _plain(self, verb: str) -> Event:
        at = instant(self._environment.now())
        return Event(actor="", at=at, lane="", outcome="allowed", policy=self.policy, seq=0, verb=verb)

    def last_recorded(self) -> str:
        """The latest instant that any of the last write lanes recorded ("" for none)."""
        latest, stop = "", "x"
        for _ in range(_LANES_BACK):
            rows = list(self._repository.scan("events", start="w", stop=stop, descending=True, limit=1))
            if not rows:
                break
            latest = max(latest, unseal(rows[0].body)[0].at)
            stop = rows[0].id.partition("/")[0]
        return latest

    # -- the whole ledger -------------------------------------------------------------------------

    def lanes(self) -> list[str]:
        """Names of all lanes: those in the archive, idle lane files, and the one of this process."""
        self.flush()
        found: dict[str, None] = {}
        start = ""
        while rows := list(self._repository.scan("events", start=start, limit=1, bodies=False)):
            name = rows[0].id.partition("/")[0]
            found[name] = None
            start = f"{name}0"  # "0" follows "/"
        if self._own_lane:
            assert isinstance(self._repository, Lanes)
            found.update(dict.fromkeys(self._repository.idle_lanes(at=self._reads)))
            if self._lane is not None:
                found[self._read.name] = None
        return sorted(found)

    def lines(self, name: str) -> Iterator[bytes]:
        """The stored lines of a lane in order; memory does not grow with the archive."""
        folded = 0
        for row in self._repository.scan("events", start=f"{name}/", stop=f"{name}0"):
            folded += 1
            yield row.body
        if self._own_lane and name.startswith("r"):
            yield from self._filed(name)[folded:]

    def _filed(self, name: str) -> list[bytes]:
        """The lines of a lane that has a file; a folded one has none any more."""
        assert isinstance(self._repository, Lanes)
        try:
            return self._repository.read_lane(name, at=self._reads)
        except MissingArchiveError:
            return []

    def verify(self) -> list[LaneReport]:
        """Verify every lane. LedgerError names the first event that does not follow."""
        return [verify_lane(name, self.lines(name)) for name in self.lanes()]

    def fold(self) -> int:
        """Bring idle lanes into the archive; how many lanes were folded. A fold cut short is taken up again."""
        if not self._own_lane:
            return 0
        assert isinstance(self._repository, Lanes)
        folded = 0
        for name in self._repository.idle_lanes(at=self._reads):
            lines = self._repository.read_lane(name, at=self._reads)
            for start in range(0, len(lines), FOLD_ROWS):
                rows = [event_row(name, start + n + 1, line) for n, line in enumerate(lines[start : start + FOLD_ROWS])]
                digest = hashlib.sha256(b"\n".join(lines[start : start + FOLD_ROWS])).hexdigest()
                self._repository.commit(Batch(tuple(rows), key=f"fold/{name}/{start}/{digest[:16]}"))
            try:
                self._repository.drop_lane(name, at=self._reads)
            except LockedError:
                continue
            folded += 1
        return folded

    def events(self) -> Iterator[Event]:
        """Every event of every lane, lane by lane."""
        for name in self.lanes():
            for line in self.lines(name):
                yield unseal(line)[0]


def shape_hash(shape: object) -> str:
    """The hash of a query's form: operators and fields, no operands (16 hex characters)."""
    return hashlib.sha256(encode(shape)).hexdigest()[:16]
