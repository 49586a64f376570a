"""Where events go: changes into their own batch, reads into the lane of this process.

Floor: desk.
"""

from __future__ import annotations

import hashlib
import heapq
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final, Literal

import msgspec

from dossier.errors import (
    ConflictError,
    DamagedError,
    LockedError,
    MissingArchiveError,
    RepositoryError,
)
from dossier.ledger import Chain, Event, LaneReport, unseal, verify_lane
from dossier.model.clock import Environment, instant
from dossier.repository import Batch, Lane, Lanes, Op, Put, Reader, Repository, encode

Level = Literal["durable", "committed", "session"]
LEVELS: Final = ("durable", "committed", "session")
SESSION_EVENTS: Final = 256
"""Events that a session gathers before they are written."""
FOLD_ROWS: Final = 500
_LANES_BACK: Final = 32
_TRIES: Final = 20


def event_row(lane: str, seq: int, line: bytes) -> Put:
    """The row of an event; (lane, seq) is its compare-and-swap, so a fork of a chain cannot be stored."""
    return Put("events", f"{lane}/{seq:012d}", line, {}, "", 0)


def lanes_within(reader: Reader) -> Iterator[str]:
    """Names of the lanes whose events are rows."""
    start = ""
    while rows := list(reader.scan("events", start=start, limit=1, bodies=False)):
        name = rows[0].id.partition("/")[0]
        yield name
        start = f"{name}0"  # "0" follows "/"


class Recorder:
    """Seals and keeps the events of one archive handle: one write lane, one read lane, each with a lock of its own,
    so that a reader never waits for a commit."""

    def __init__(
        self, repository: Repository, environment: Environment, *, level: Level, reads: str | None, policy: str
    ) -> None:
        self._repository = repository
        self._environment = environment
        self.level: Level = level
        self._reads = reads
        self.policy = policy
        self._writing = threading.RLock()
        self._reading = threading.RLock()
        self._write = self._new_lane()
        self._read = self._new_reads()
        self._lane: Lane | None = None
        self._own_lane = isinstance(repository, Lanes)
        self._waiting: list[Event] = []

    def _new_lane(self) -> Chain:
        # Write lanes sort by when they began, so that the latest events are found without reading the rest.
        began = int(self._environment.now().timestamp() * 1_000_000)
        return Chain(f"w{max(began, 0):014x}{self._environment.random(4).hex()}")

    def _new_reads(self) -> Chain:
        return Chain("r" + self._environment.random(8).hex())

    # -- writes -----------------------------------------------------------------------------------

    @contextmanager
    def writing(self, events: Sequence[Event]) -> Iterator[list[Op]]:
        """Seal events for a batch; if the block fails, the chain stands where it stood."""
        with self._writing:
            chain = self._write
            mark = chain.mark()
            settled = False
            try:
                yield [event_row(chain.name, chain.seq, line) for line in map(chain.next, events)]
                settled = True
            except (ConflictError, RepositoryError):
                chain.rewind(mark)
                settled = True
                raise
            finally:
                if not settled:
                    # Nobody knows whether these events stand; the next ones begin a lane of their own.
                    self._write = self._new_lane()

    # -- reads ------------------------------------------------------------------------------------

    def read(self, event: Event, *, durable: bool = False) -> None:
        """Keep the event of a read or a refusal, as the level of the archive demands, before the view goes out.
        `durable`: this one and all before it are on the disk then, whatever the level."""
        with self._reading:
            if durable:
                self._keep([*self._waiting, event], durable=True)
                self._waiting = []
                return
            if self.level != "session":
                self._keep([event], durable=self.level == "durable")
                return
            if not self._read.seq:
                self._keep([], durable=False)
            self._waiting.append(event)
            if len(self._waiting) >= SESSION_EVENTS:
                kept = False
                try:
                    self.flush()
                    kept = True
                finally:
                    if not kept:
                        # What was read is not given out; the events of what was go to the next lane.
                        self._waiting.pop()

    def host(self, verb: str) -> None:
        """Keep the event of something that the host did to the whole archive."""
        self.read(self.plain(verb))

    def flush(self) -> None:
        """Write what a session has gathered."""
        with self._reading:
            if self._waiting:
                self._keep(self._waiting, durable=False)
                self._waiting = []

    def close(self) -> None:
        """End the read lane with a closing event; a session without one is a gap (A4)."""
        with self._reading:
            try:
                if self._read.seq or self._waiting:
                    self._keep([*self._waiting, self.plain("close")], durable=self.level == "durable")
                    self._waiting = []
            finally:
                if self._lane is not None:
                    self._lane.close()
                    self._lane = None

    def _keep(self, events: Sequence[Event], *, durable: bool) -> None:
        """Seal events and append them, the opening one before the first. A lane in which that failed gets no more."""
        began = self._read.seq
        kept = False
        try:
            said = events if began else [self.plain("open"), *events]
            self._append([self._read.next(event) for event in said], durable=durable)
            kept = True
        finally:
            if not kept:
                self._abandon(empty=not began)

    def _append(self, lines: list[bytes], *, durable: bool) -> None:
        if not self._own_lane:
            first = self._read.seq - len(lines) + 1
            rows = tuple(event_row(self._read.name, first + n, line) for n, line in enumerate(lines))
            self._repository.commit(Batch(rows), durable=durable)
            return
        if self._lane is None:
            assert isinstance(self._repository, Lanes)
            self._lane = self._repository.lane(self._read.name, at=self._reads)
        self._lane.append(lines, durable=durable)

    def _abandon(self, *, empty: bool) -> None:
        """Begin another chain and lane. Nobody knows what stands of an append that failed, so its lane ends where it
        is, without a closing event, and its numbers are never given again."""
        name, self._read = self._read.name, self._new_reads()
        lane, self._lane = self._lane, None
        if lane is None:
            return
        lane.close()
        if empty and isinstance(self._repository, Lanes):
            # While nothing can be kept, every reader who is turned away would leave an empty lane behind.
            try:
                if not any(True for _ in self._filed(name) or ()):
                    self._repository.drop_lane(name, at=self._reads)
            except RepositoryError:
                pass

    def plain(self, verb: str) -> Event:
        """An event of the host or of the library itself."""
        at = instant(self._environment.now())
        return Event(actor="", at=at, lane="", outcome="allowed", policy=self.policy, seq=0, verb=verb)

    def last_recorded(self) -> str:
        """The latest instant that any of the last write lanes recorded ("" for none)."""
        latest, stop = "", "x"
        for _ in range(_LANES_BACK):
            rows = list(self._repository.scan("events", start="w", stop=stop, descending=True, limit=1))
            if not rows:
                break
            latest = max(latest, _event(rows[0].body).at)
            stop = rows[0].id.partition("/")[0]
        return latest

    # -- the whole ledger -------------------------------------------------------------------------

    def lanes(self) -> list[str]:
        """Names of all lanes: those in the archive, idle lane files, and the one of this process."""
        self.flush()
        found = dict.fromkeys(lanes_within(self._repository))
        if self._own_lane:
            assert isinstance(self._repository, Lanes)
            found.update(dict.fromkeys(self._repository.idle_lanes(at=self._reads)))
            with self._reading:
                if self._lane is not None:
                    found[self._read.name] = None
        return sorted(found)

    def idle(self, name: str) -> bool:
        """Whether nobody writes a lane that `lanes` named. Where lanes are not the repository's nobody can tell."""
        return self._own_lane and name not in (self._read.name, self._write.name)

    def lines(self, name: str) -> Iterator[bytes]:
        """The stored lines of a lane in order; memory does not grow with the archive."""
        # The file is opened before the rows are read: if it is folded meanwhile, it still tells what it held.
        filed = self._filed(name)
        folded = 0
        for row in self._repository.scan("events", start=f"{name}/", stop=f"{name}0"):
            folded += 1
            yield row.body
        yield from islice(filed or (), folded, None)

    def _filed(self, name: str) -> Iterator[bytes] | None:
        """The lines of a lane that has a file; None where there is none (any more)."""
        if isinstance(self._repository, Lanes) and name.startswith("r"):
            try:
                return self._repository.read_lane(name, at=self._reads)
            except MissingArchiveError:
                pass
        return None

    def _last_row(self, name: str) -> int:
        """The number of the last event of a lane that is a row (0 for none)."""
        rows = list(
            self._repository.scan("events", start=f"{name}/", stop=f"{name}0", descending=True, limit=1, bodies=False)
        )
        return int(rows[0].id.rpartition("/")[2]) if rows else 0

    def verify(self) -> list[LaneReport]:
        """Verify every lane. LedgerError names the first event that does not follow."""
        return [verify_lane(name, self.lines(name)) for name in self.lanes()]

    def events(self) -> Iterator[Event]:
        """Every event of every lane, lane by lane."""
        for name in self.lanes():
            yield from map(_event, self.lines(name))

    def tail(self, limit: int) -> list[Event]:
        """The last events of all lanes by time, newest last. Of each lane only its end is kept in memory."""
        ends = (_event(line) for name in self.lanes() for line in self._end(name, limit))
        return heapq.nlargest(limit, ends, key=lambda event: (event.at, event.lane, event.seq))[::-1]

    def _end(self, name: str, limit: int) -> Iterator[bytes]:
        filed = self._filed(name)
        beyond = deque(islice(filed, self._last_row(name), None) if filed is not None else (), maxlen=limit)
        yield from beyond
        if limit > len(beyond):
            rows = self._repository.scan(
                "events", start=f"{name}/", stop=f"{name}0", descending=True, limit=limit - len(beyond)
            )
            yield from (row.body for row in rows)

    # -- folding ----------------------------------------------------------------------------------

    def fold(self, *, guard: Callable[[], Op], renew: Callable[[], None]) -> int:
        """Bring idle lanes into the archive; how many lanes were folded. A fold cut short is taken up again.

        `guard` gives the Check of each batch, `renew` looks at the manifest after a lost race.
        """
        if not isinstance(self._repository, Lanes):
            return 0
        return sum(self._fold(name, guard, renew) for name in self._repository.idle_lanes(at=self._reads))

    def _fold(self, name: str, guard: Callable[[], Op], renew: Callable[[], None]) -> bool:
        """Hold the lane, so that it neither grows nor is folded by another, and drop it when all of it is a row."""
        assert isinstance(self._repository, Lanes)
        try:
            lane = self._repository.lane(name, at=self._reads)
            try:
                done = any(self._folded(name, guard, renew) for _ in range(_TRIES))
            finally:
                lane.close()
            if done:
                self._repository.drop_lane(name, at=self._reads)
            return done
        except LockedError:
            return False  # somebody else has it: he folds it, or whoever opens the archive next

    def _folded(self, name: str, guard: Callable[[], Op], renew: Callable[[], None]) -> bool:
        seq = self._last_row(name)
        beyond = islice(self._filed(name) or (), seq, None)
        while chunk := list(islice(beyond, FOLD_ROWS)):
            rows = [event_row(name, seq + n, line) for n, line in enumerate(chunk, 1)]
            digest = hashlib.sha256(b"\n".join(chunk)).hexdigest()
            try:
                self._repository.commit(Batch((guard(), *rows), key=f"fold/{name}/{seq}/{digest[:16]}"))
            except ConflictError:
                break
            seq += len(chunk)
        else:
            return True
        renew()
        return False


def _event(line: bytes) -> Event:
    try:
        return unseal(line)[0]
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise DamagedError(what="event")


def shape_hash(shape: object) -> str:
    """The hash of a query's form: operators and fields, no operands (16 hex characters)."""
    return hashlib.sha256(encode(shape)).hexdigest()[:16]
