"""Creating, opening and keeping an archive.

Floor: desk. `create` never overwrites, `open` never creates; one archive, one tenant; no global connection.
"""

from __future__ import annotations

import base64
import datetime as dt
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from dossier.codec import Door, SectionRegistry, default_registry
from dossier.desk.acting import Context
from dossier.desk.changes import fits
from dossier.desk.desk import Desk
from dossier.desk.facts import refresh
from dossier.desk.finding import Finder
from dossier.desk.indexes import reindex, renew
from dossier.desk.keeping import copy_archive, digest_of, mark_restored
from dossier.desk.layout import DERIVATION, Indexing
from dossier.desk.manifest import KEY, Manifest, encode_manifest, read_manifest, rewrite
from dossier.desk.numbers import Numbers
from dossier.desk.policies import policy_put, read_policy, to_enforce
from dossier.desk.recording import LEVELS, Level, Recorder
from dossier.desk.staff import Staff, default_roles
from dossier.desk.transfer import Progress
from dossier.errors import (
    ConflictError,
    ExistsError,
    InputError,
    LockedError,
    NotPicklableError,
    Problem,
    ReadOnlyError,
    UnsupportedError,
)
from dossier.model.clock import Environment, as_instant, day_of, instant
from dossier.model.numbering import NumberScheme
from dossier.model.problems import problem
from dossier.model.records import KINDS as RECORD_KINDS
from dossier.policy import KINDS, PURPOSES, Judge, Policy, standard
from dossier.policy.never import EXCEPTIONS
from dossier.repository import (
    BacksUp,
    Batch,
    Check,
    Put,
    Repository,
    open_repository,
)

if TYPE_CHECKING:
    from dossier.desk.verifying import Verification
    from dossier.desk.work import Work

_TRIES: Final = 8
log: Final = logging.getLogger("dossier")
log.addHandler(logging.NullHandler())


def registry() -> SectionRegistry:
    """A fresh registry with the kernel's sections and records; register your own classes on it."""
    made = default_registry()
    for kind in RECORD_KINDS:
        made.register(kind)
    return made


class Archive:
    """An open archive: one store, one tenant. Made by `create` and `open`; usable from several threads.

    After `fork` the first call in the child raises ForkedError. Pickling raises NotPicklableError.
    """

    def __init__(
        self,
        repository: Repository,
        manifest: Manifest,
        version: int,
        *,
        sections: SectionRegistry,
        indexing: Indexing,
        environment: Environment,
        level: Level,
        reads: str | None,
        lang: Literal["zh", "en"],
        writable: bool,
        settled: bool,
    ) -> None:
        self.repository = repository
        self.manifest = manifest
        self.registry = sections
        self.indexing = indexing
        self.environment = environment
        self.lang = lang
        self.writable = writable
        self.zone = ZoneInfo(manifest.zone)
        self.judge = Judge(read_policy(repository, manifest.policy), sections.specs(), exceptions=manifest.exceptions)
        self.door = Door(sections)
        self.finder = Finder(indexing, sections)
        self.context = Context(sections, indexing, self.zone, environment.random)
        self.recorder = Recorder(repository, environment, level=level, reads=reads, policy=manifest.policy)
        self.staff = Staff(self)
        self._numbers = Numbers(
            repository, NumberScheme(manifest.numbers), settled=settled, guard=self.guard, renew=self.renew
        )
        self._version = version
        self._pid = os.getpid()
        self._last = ""
        self._day = ("", "")
        """The first and last instant of the day for which searches are right."""
        self._clock = threading.Lock()
        self._closed = False

    # -- work -------------------------------------------------------------------------------------

    def acting_as(self, name: str, *, role: str, purpose: str = "") -> Desk:
        """The desk of somebody under one role and purpose ("" none). Enrols him on first use unless the archive is
        for enrolled staff only or he was dismissed from the role (DeniedError). A desk stops with the commit that
        dismisses its actor. The host authenticates; the library records."""
        if purpose and purpose not in PURPOSES:
            raise InputError([problem("actor.purpose", "purpose", words=", ".join(PURPOSES))])
        return Desk(self, self.staff.acting(name, role), role, purpose)

    @property
    def policy(self) -> Policy:
        """The policy in force. `desk.policies` puts another in its place."""
        return self.judge.policy

    def reindex(self) -> int:
        """Fill the index columns again from the stored states, while others work; how many dossiers were done."""
        return reindex(self)

    def digest(self) -> str:
        """SHA-256 over what the archive holds (K8), in hex; equal for a copy on any backend."""
        return digest_of(self.repository)

    def verify(self, *, progress: Progress | None = None) -> Verification:
        """Check every row against every other: bodies, versions, states, index values, facts, ledger, acts and events,
        and what the store says of itself. What is wrong stands in `problems`; nothing is changed. On record.

        `progress` is called with rows done and in all. Memory grows only with what was handed in and waits for a file
        (an id each).
        """
        from dossier.desk.verifying import verify

        self.recorder.host("verify")
        return verify(self, progress)

    def copy(
        self,
        url: str | os.PathLike[str],
        *,
        options: Mapping[str, object] | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Copy everything to a new archive at `url`, on any backend: a new archive id, `derived_from` this one (K8).

        It is one state of this archive, though others write meanwhile. Interrupted, it is run again and goes on where
        it stopped; until it is done nobody can open it (UnfinishedCopyError). `progress` is called with rows done and
        in all. ExistsError where anything else is there. On record.
        """
        self.recorder.host("copy")
        copy_archive(self, os.fspath(url), options=options, progress=progress)

    def backup(self, target: str | os.PathLike[str]) -> None:
        """A consistent copy of the store at the path `target` while it is in use (M133). ExistsError if it exists.

        Whoever opens it for writing must say where numbers go on (K10). On record.
        """
        if not isinstance(self.repository, BacksUp):
            raise UnsupportedError(what="backup")
        self.recorder.host("backup")
        for _ in range(_TRIES):
            try:
                self.repository.backup(os.fspath(target), then=mark_restored(self))
                return
            except ConflictError:
                pass  # the manifest changed before the copy began
        raise LockedError(path="manifest")

    def close(self) -> None:
        """End the session of the ledger and let go of the store. Idempotent; in a forked child it lets go only."""
        if not self._closed:
            self._closed = True
            try:
                if self._pid == os.getpid():
                    self.recorder.close()
            finally:
                self.repository.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise NotPicklableError(what="Archive")

    def __repr__(self) -> str:
        return f"<Archive {self.manifest.id}>"

    # -- for the desk -----------------------------------------------------------------------------

    def moment(self) -> str:
        """The present instant, never at or before one this handle has given out (K7)."""
        with self._clock:
            now = instant(self.environment.now())
            if now <= self._last:
                now = instant(dt.datetime.fromisoformat(self._last) + dt.timedelta(microseconds=1))
            self._last = now
            return now

    def now(self) -> str:
        """The present instant, not before the last one recorded through this handle."""
        return max(instant(self.environment.now()), self._last)

    def not_before(self, *moments: str) -> str:
        """The latest of these instants; what is recorded from now on comes behind it."""
        latest = max(moments)
        with self._clock:
            self._last = max(self._last, latest)
        return latest

    def resume_clock(self) -> None:
        """Go on behind the last act recorded, though the clock was set back."""
        self._last = self.recorder.last_recorded()

    def new_id(self) -> str:
        """A random id (uuid4 without dashes: it tells nothing of when)."""
        raw = bytearray(self.environment.random(16))
        raw[6] = raw[6] & 0x0F | 0x40
        raw[8] = raw[8] & 0x3F | 0x80
        return raw.hex()

    def number(self, kind: str) -> str:
        """The next registration number."""
        year = self.environment.now().astimezone(self.zone).year
        return self._numbers.take(year=year, kind=kind)

    def numbers_within(self, work: Work, kind: str, count: int) -> list[str]:
        """The next `count` registration numbers, taken by the batch itself."""
        year = self.environment.now().astimezone(self.zone).year
        lease, floor = self._numbers.lease_keys(year=year, kind=kind)
        rows = work.row(lease.collection, lease.id), work.row(floor.collection, floor.id)
        numbers, put = self._numbers.reserve(*rows, count, year=year, kind=kind)
        work.ops.append(put)
        return numbers

    def guard(self) -> Check:
        """The Check on the manifest that stands in every batch: an older process never writes past a newer one."""
        if not self.writable:
            raise ReadOnlyError()
        return Check(KEY.collection, KEY.id, self._version)

    def renew(self) -> None:
        """After a lost race: look whether it was the manifest that changed. NewerFormatError if it is too new."""
        self.manifest, self._version = read_manifest(self.repository, writing=True)
        self._enforce()

    def notice(self) -> None:
        """Somebody's row says that another policy was put in force: from now on it judges here too."""
        if read_manifest(self.repository, writing=False)[0].policy != self.manifest.policy:
            self.manifest, self._version = read_manifest(self.repository, writing=self.writable)
        self._enforce()

    def _enforce(self) -> None:
        digest = self.manifest.policy
        if digest != self.judge.policy.digest:
            policy = read_policy(self.repository, digest)
            self.judge = Judge(policy, self.registry.specs(), exceptions=self.manifest.exceptions)
            self.recorder.policy = digest

    def kept(self, stale: Iterable[str], *, force: bool = False) -> None:
        """A batch was kept: bring computed facts up to date (`force`: their index values too, whatever they are)."""
        refresh(self.repository, stale, force=force)

    def valid_today(self) -> None:
        """Before a search, once a day: files are found by what is valid today. Not where nothing may be written."""
        now = self.now()
        if self.writable and not self._day[0] <= now <= self._day[1]:
            renew(self)
            today = dt.date.fromisoformat(day_of(now, self.zone))
            self._day = (
                as_instant(today, self.zone, path="today"),
                as_instant(today, self.zone, path="today", end=True),
            )

    def rewrite(self, change: Callable[[Manifest], Manifest], commit: Callable[[Put], object] | None = None) -> None:
        """Change the manifest, alone or with what `commit` writes beside it; see `rewrite` in its module."""
        self.manifest, self._version = rewrite(self.repository, change, commit or self._alone)
        self._enforce()

    def _alone(self, put: Put) -> None:
        self.repository.commit(Batch((put,)))

    def redeclare(self, declared: str) -> None:
        """Note in the manifest what is declared and filled, by the rules of this program."""
        self.rewrite(lambda m: msgspec.structs.replace(m, declared=declared, derivation=DERIVATION))

    def log_code(self, code: str) -> None:
        """Tell the host, by a code, of something that needs no answer."""
        log.warning(code)

    def settle_numbers(self, first: int) -> None:
        """Say where serials go on after a restore."""
        self.rewrite(lambda m: msgspec.structs.replace(m, restored=False), lambda put: self._numbers.settle(first, put))


def create(
    url: str | os.PathLike[str],
    *,
    zone: str = "UTC",
    numbers: str = "KH-{year}-{serial:05}",
    roles: Mapping[str, str] | None = None,
    staff: Literal["open", "enrolled"] = "open",
    policy: Policy | str | os.PathLike[str] | None = None,
    exceptions: Sequence[str] = (),
    sections: SectionRegistry | None = None,
    indexes: Sequence[Sequence[str]] = (),
    level: Level = "committed",
    reads: str | None = None,
    environment: Environment | None = None,
    lang: Literal["zh", "en"] = "zh",
    options: Mapping[str, object] | None = None,
) -> Archive:
    """Create an archive at an address: a path (SQLite), `memory:`, or what a plugin brings.

    `zone` IANA time zone of days and deadlines; `numbers` the scheme of registration numbers; `roles` your words for
    role kinds, beside the kinds themselves; `policy` an object of `dossier.policy` or the path of a TOML file (else
    `standard`), which nobody sets alone afterwards (P12); `exceptions` to what no policy can lift, recorded for good:
    "M124", sales may look things up; `indexes` composite indexes as lists of field paths, the sorting field
    last; `level` how read events are kept; `reads` a folder for them elsewhere. InputError, ExistsError,
    UnknownSchemeError, ReadOnlyError.
    """
    environment = environment or Environment()
    sections = sections or registry()
    indexing = Indexing(sections, indexes)
    _check(zone, roles, level, staff, exceptions)
    words = {**default_roles(), **(roles or {})}
    enforced = to_enforce(policy, sections, words, exceptions) if policy is not None else standard()
    NumberScheme(numbers)
    repository = open_repository(os.fspath(url), mode="create", options=options)
    try:
        repository.declare(indexing.collections())
        manifest = Manifest(
            created=instant(environment.now()),
            declared=indexing.digest(),
            derivation=DERIVATION,
            exceptions=tuple(sorted(set(exceptions))),
            id=environment.random(16).hex(),
            numbers=numbers,
            policy=enforced.digest,
            roles=words,
            secret=base64.b64encode(environment.random(32)).decode(),
            sections={f"{s.key}": s.version for s in sections.specs()},
            staff=staff,
            staff_secret=base64.b64encode(environment.random(32)).decode(),
            zone=zone,
        )
        _first(repository, manifest, policy_put(enforced))
    except BaseException:
        repository.close()
        raise
    return Archive(
        repository, manifest, 1, sections=sections, indexing=indexing, environment=environment, level=level,
        reads=reads, lang=lang, writable=True, settled=True,
    )  # fmt: skip


def _first(repository: Repository, manifest: Manifest, policy: Put) -> None:
    try:
        repository.commit(Batch((Put(KEY.collection, KEY.id, encode_manifest(manifest), {}, "", 0), policy)))
        return
    except ConflictError:
        pass
    raise ExistsError()


def open(
    url: str | os.PathLike[str],
    *,
    mode: Literal["rw", "r"] = "rw",
    sections: SectionRegistry | None = None,
    indexes: Sequence[Sequence[str]] = (),
    level: Level = "committed",
    reads: str | None = None,
    numbers_from: int | None = None,
    environment: Environment | None = None,
    lang: Literal["zh", "en"] = "zh",
    options: Mapping[str, object] | None = None,
) -> Archive:
    """Open an archive that exists. `mode="r"` reads only: give `reads=` a folder where read events can be kept.

    `numbers_from`: after a restore, the serial with which registering goes on (K10). MissingArchiveError,
    NotAnArchiveError, NewerFormatError, ReadOnlyError, UnknownSchemeError.
    """
    environment = environment or Environment()
    sections = sections or registry()
    problems = []
    if mode not in ("rw", "r"):
        problems.append(problem("archive.mode", "mode", words="rw, r"))
    if level not in LEVELS:
        problems.append(problem("archive.level", "level", words=", ".join(LEVELS)))
    problems.extend(serial_problems(numbers_from))
    if problems:
        raise InputError(problems)
    indexing = Indexing(sections, indexes)
    writable = mode == "rw"
    repository = open_repository(os.fspath(url), mode=mode, options=options)
    try:
        manifest, version = read_manifest(repository, writing=writable)
        archive = Archive(
            repository, manifest, version, sections=sections, indexing=indexing, environment=environment, level=level,
            reads=reads, lang=lang, writable=writable, settled=not manifest.restored,
        )  # fmt: skip
        archive.resume_clock()
        if writable:
            _up_to_date(archive)
            if numbers_from is not None:
                archive.settle_numbers(numbers_from)
            archive.recorder.fold(guard=archive.guard, renew=archive.renew)
    except BaseException:
        repository.close()
        raise
    return archive


def _up_to_date(archive: Archive) -> None:
    """Declare and fill what this program indexes beyond what the archive has, or derives in another way; others meet
    the new manifest. Another composite index alone fills nothing anew.

    The manifest says "" from before the declaration until all is filled: whoever opens the archive after a crash in
    between fills it again.
    """
    wanted, before = archive.indexing.digest(), archive.manifest
    if before.declared == wanted and before.derivation == DERIVATION:
        return
    archive.redeclare("")
    behind = archive.repository.declare(archive.indexing.collections())
    if not before.declared or before.derivation != DERIVATION or "dossiers" in behind or "special" in behind:
        archive.reindex()
    archive.redeclare(wanted)


def serial_problems(numbers_from: int | None) -> list[Problem]:
    """What is wrong with a `numbers_from` (nothing, or one problem)."""
    if numbers_from is not None and (type(numbers_from) is not int or numbers_from < 1):
        return [problem("archive.numbers_from", "numbers_from")]
    return []


def _check(zone: str, roles: Mapping[str, str] | None, level: str, staff: str, exceptions: Sequence[str]) -> None:
    problems = []
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, TypeError, ValueError, OSError):
        problems.append(problem("archive.zone", "zone"))
    if roles is not None and not _are_roles(roles):
        problems.append(problem("archive.roles", "roles", words=", ".join(KINDS)))
    if level not in LEVELS:
        problems.append(problem("archive.level", "level", words=", ".join(LEVELS)))
    if staff not in ("open", "enrolled"):
        problems.append(problem("archive.staff", "staff", words="open, enrolled"))
    if isinstance(exceptions, str) or not set(exceptions) <= set(EXCEPTIONS):
        problems.append(problem("archive.exceptions", "exceptions", words=", ".join(EXCEPTIONS)))
    if problems:
        raise InputError(problems)


def _are_roles(roles: object) -> bool:
    return isinstance(roles, Mapping) and all(fits(k, 200) and k and v in list(KINDS) for k, v in roles.items())
