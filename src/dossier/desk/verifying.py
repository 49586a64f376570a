"""Verifying an archive: every row against every other.

Floor: desk. `archive.verify()`. It streams one snapshot and keeps no more than one dossier's acts at a time, and the id
of each thing that was handed in and waits for a file: that each act has its event and each event its act is told by
sums over both, and only where those differ are they looked up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence, Set
from typing import TYPE_CHECKING, Final

import attrs
import msgspec

from dossier.desk.recording import lanes_within
from dossier.desk.transfer import COPIED, Progress
from dossier.desk.verifying_numbers import numbers
from dossier.desk.verifying_rows import Rows, Said, kind_token, token
from dossier.errors import DamagedError, LedgerError, Problem
from dossier.ledger import Event, unseal, verify_lane
from dossier.model.problems import problem
from dossier.model.records import PREFIX
from dossier.repository import TRUE, Checks, Reader, Row

if TYPE_CHECKING:
    from dossier.desk.archive import Archive

LISTED: Final = 1000
"""The most problems that a verification lists; how many more there are is the last of them."""
_STEP: Final = 1000
_BUCKETS: Final = 4096
_LOOKED: Final = 64
"""Buckets that are looked into where acts and events differ."""


@attrs.frozen
class Verification:
    """What was looked at, and what is wrong: codes and places, never values. A place is a collection and a row, files
    and people by their pseudonyms.

    `gaps` are lanes of reads that nobody writes any more and that have no closing event: whoever wrote one was stopped,
    or its end is lost (A4). That is no problem by itself, but what was read at its end may be missing.
    """

    rows: int
    dossiers: int
    acts: int
    events: int
    problems: tuple[Problem, ...]
    gaps: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether no problem was found."""
        return not self.problems


@attrs.define
class _Found:
    """Problems, the first of them listed."""

    problems: list[Problem] = attrs.field(factory=list)
    more: int = 0

    def add(self, code: str, path: str, **facts: str) -> None:
        if len(self.problems) < LISTED:
            self.problems.append(problem(f"verify.{code}", path, **facts))
        else:
            self.more += 1

    def all(self) -> tuple[Problem, ...]:
        more = [problem("verify.more", "", count=self.more)] if self.more else []
        return (*self.problems, *more)


class _Handed:
    """What was handed in and no file took at once: the ids of what waits, and how much should, for a file takes each
    by an act of placing."""

    def __init__(self, waiting: Set[str]) -> None:
        self.waiting = waiting
        self.open = 0

    def note(self, event: Event) -> None:
        if event.verb == "place":
            self.open -= 1
        elif event.verb == "collect":
            self.open += sum(not pseudonym for pseudonym, _, _ in event.subjects)


class _Sums:
    """The sums of the digests of everything that was said, in buckets by digest."""

    def __init__(self) -> None:
        self.buckets = [0] * _BUCKETS

    def __call__(self, token: bytes, place: str) -> None:
        digest = hashlib.sha256(token).digest()
        self.buckets[_bucket(digest)] += int.from_bytes(digest, "big")


class _Listed:
    """What was said whose digest falls into one of some buckets: how often, and where."""

    def __init__(self, buckets: frozenset[int]) -> None:
        self._buckets = buckets
        self.held: dict[bytes, list[str]] = {}

    def __call__(self, token: bytes, place: str) -> None:
        digest = hashlib.sha256(token).digest()
        if _bucket(digest) in self._buckets:
            self.held.setdefault(digest, []).append(place)


def verify(archive: Archive, progress: Progress | None) -> Verification:
    """See `Archive.verify`."""
    found = _Found()
    counts = dict.fromkeys(COPIED, 0)
    events = 0
    with archive.repository.snapshot() as state:
        total = sum(state.count(name, TRUE) for name in COPIED) if progress is not None else 0

        def passed(row: Row) -> None:
            counts[row.collection] += 1
            if progress is not None and (done := sum(counts.values())) % _STEP == 0:
                progress(min(done, total), total)

        acts, recorded = _Sums(), _Sums()
        try:
            rows = Rows(archive, state, found.add, acts, passed)
            rows.run()
            numbers(state, found.add)
            handed = _Handed(rows.waiting)
            events = _lanes(state, found, recorded, passed, handed)
            if handed.open > len(rows.waiting):
                found.add("event", "unplaced")
            differ = [n for n in range(_BUCKETS) if acts.buckets[n] != recorded.buckets[n]]
            if differ:
                _compare(archive, state, found, differ)
        except DamagedError as error:
            found.add("store", "", what=str(error.facts.get("what", "")))
    read, gaps = _read_lanes(archive, found)
    events += read
    if isinstance(archive.repository, Checks):
        for code in archive.repository.check():
            found.add("store", "", what=code)
    if progress is not None:
        progress(total, total)
    return Verification(sum(counts.values()), counts["dossiers"], counts["acts"], events, found.all(), gaps)


def _lanes(state: Reader, found: _Found, said: Said, passed: Callable[[Row], None], handed: _Handed) -> int:
    """Walk the lanes of changes and say what they tell; how many events they have."""
    events = 0
    for name in lanes_within(state):
        rows = state.scan("events", start=f"{name}/", stop=f"{name}0")
        if not name.startswith("w"):
            for row in rows:
                passed(row)  # verified with what of its lane is a file still
            continue
        lines = _told(rows, said, passed, handed)
        try:
            events += verify_lane(name, lines).events
        except LedgerError as error:
            found.add("ledger", f"events/{name}/{error.facts['seq']}")
        events += sum(1 for _ in lines)  # what stands behind a break is still told
    return events


def _read_lanes(archive: Archive, found: _Found) -> tuple[int, tuple[str, ...]]:
    """Walk the lanes of reads, rows and files alike; how many events they have, and which were not closed."""
    events, gaps = 0, []
    for name in archive.recorder.lanes():
        if name.startswith("w"):
            continue
        try:
            report = verify_lane(name, archive.recorder.lines(name))
            events += report.events
            if not report.closed and archive.recorder.idle(name):
                gaps.append(f"events/{name}")
        except LedgerError as error:
            found.add("ledger", f"events/{name}/{error.facts['seq']}")
    return events, tuple(gaps)


def _told(rows: Iterator[Row], said: Said, passed: Callable[[Row], None], handed: _Handed) -> Iterator[bytes]:
    """The lines of a lane; what each tells of an act is said."""
    for row in rows:
        passed(row)
        event = _event(row.body)
        if event is not None and event.act and event.outcome == "allowed":
            handed.note(event)
            for pseudonym, rev, mask in event.subjects:
                for run in mask.split(";") if pseudonym and PREFIX in mask else ():
                    if run.startswith(PREFIX):
                        said(kind_token(event.act, pseudonym, run), f"events/{row.id}")
                if pseudonym or event.act in handed.waiting:
                    said(token(event.act, pseudonym, rev, event.at, event.verb, event.actor), f"events/{row.id}")
        yield row.body


def _event(line: bytes) -> Event | None:
    try:
        return unseal(line)[0]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _compare(archive: Archive, state: Reader, found: _Found, differ: Sequence[int]) -> None:
    """Walk again, and look up what only one side said. Of many buckets that differ the first are looked into."""
    looked = frozenset(differ[:_LOOKED])
    acts, recorded = _Listed(looked), _Listed(looked)
    rows = Rows(archive, state, _ignore, acts, _ignore)
    rows.run()
    _lanes(state, _Found(), recorded, _ignore, _Handed(rows.waiting))
    for code, these, those in (("act", acts.held, recorded.held), ("event", recorded.held, acts.held)):
        for digest, places in these.items():
            for place in places[len(those.get(digest, ())) :]:
                found.add(code, place)
    found.more += len(differ) - len(looked)


def _ignore(*_: object) -> None:
    """Takes what is not asked for."""


def _bucket(digest: bytes) -> int:
    return int.from_bytes(digest[:2], "big") % _BUCKETS
