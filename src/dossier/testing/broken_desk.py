"""Desks that are wrong on purpose: proof that the laws of the desk find what they are there to find.

Floor: testing. Each variant replaces one piece of the library while its `broken()` is open, says what is wrong, and
names the check that must fail (`law`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import attrs
import msgspec

from dossier.codec import linked, state
from dossier.codec.acts import Replay, StoredAct
from dossier.codec.state import State
from dossier.desk import archive as archive_module
from dossier.desk import history, keeping, origins, transfer, views, writing
from dossier.desk.archive import Archive
from dossier.desk.changes import change
from dossier.desk.history import History
from dossier.desk.merges import MergesCounter
from dossier.desk.numbers import Numbers
from dossier.desk.parts import Keys
from dossier.desk.reading import Reading
from dossier.desk.work import Work
from dossier.desk.writing import Writing
from dossier.model import resolution
from dossier.model.claims import Claim
from dossier.model.clock import instant
from dossier.repository import Batch, Op, Put, Reader, Row, encode

Replace = tuple[Any, str, Any]
"""(owner, name, what stands there instead)."""


@attrs.frozen
class BrokenDesk:
    """One wrong desk. `law` is the check that must fail."""

    name: str
    law: str
    what: str
    pieces: Callable[[], Sequence[Replace]]

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Break the library for a while."""
        with ExitStack() as stack:
            for owner, name, instead in self.pieces():
                stack.enter_context(patch.object(owner, name, instead))
            yield

    def __str__(self) -> str:
        return self.name


VARIANTS: list[BrokenDesk] = []


def _variant(law: str) -> Callable[[Callable[[], Sequence[Replace]]], Callable[[], Sequence[Replace]]]:
    def note(pieces: Callable[[], Sequence[Replace]]) -> Callable[[], Sequence[Replace]]:
        VARIANTS.append(BrokenDesk(pieces.__name__, law, str(pieces.__doc__), pieces))
        return pieces

    return note


# -- K7: history ---------------------------------------------------------------------------------------


@_variant("K7_history")
def forgotten_withdrawals() -> Sequence[Replace]:
    """The replay does not end what an act withdrew."""
    apply = Replay.apply

    def forget(self: Replay, stored: StoredAct) -> None:
        apply(self, msgspec.structs.replace(stored, withdraws=[], retracts=[]))

    return [(Replay, "apply", forget)]


@_variant("K7_history")
def forgotten_marks() -> Sequence[Replace]:
    """The replay does not set marks."""
    apply = Replay.apply

    def forget(self: Replay, stored: StoredAct) -> None:
        apply(self, msgspec.structs.replace(stored, marks=[]))

    return [(Replay, "apply", forget)]


@_variant("K7_history")
def forgotten_answers() -> Sequence[Replace]:
    """The replay leaves the claims of a part where they were made, though somebody said whose they are."""
    apply = Replay.apply

    def forget(self: Replay, stored: StoredAct) -> None:
        apply(self, msgspec.structs.replace(stored, answers=[]))

    return [(Replay, "apply", forget)]


@_variant("K7_history")
def clock_goes_back() -> Sequence[Replace]:
    """Recorded time is what the clock says, also where somebody set it back."""
    return [
        (Archive, "moment", lambda self: instant(self.environment.now())),
        (Archive, "not_before", lambda self, *moments: moments[0]),
    ]


@_variant("K7_history")
def session_forgets_time() -> Sequence[Replace]:
    """A new session does not look when the last act was recorded."""
    return [(Archive, "resume_clock", lambda self: None)]


@_variant("K7_history")
def always_valid() -> Sequence[Replace]:
    """Spans of validity are not looked at."""
    return [(state, "valid_on", lambda *given: True), (history, "valid_on", lambda *given: True)]


@_variant("K7_history")
def valid_before_it_was_seen() -> Sequence[Replace]:
    """On a past day a claim holds though nobody had seen anything yet."""
    valid_on = resolution.valid_on
    return [(history, "valid_on", lambda source, day, seen=None: valid_on(source, day))]


@_variant("K7_history")
def spans_pass_unseen() -> Sequence[Replace]:
    """What a span of validity changed since the last act is not looked at again."""
    return [(state, "next_change", lambda claims, today: "")]


@_variant("K7_history")
def knows_later_acts() -> Sequence[Replace]:
    """What was known then is resolved over all acts, also later ones."""
    acts_of = History._acts_of

    def all_of(self: History, member: str, suffix: str) -> list[StoredAct]:
        known, self._known = self._known, None
        self.__dict__.pop("_bound", None)
        try:
            return acts_of(self, member, suffix)
        finally:
            self._known = known
            self.__dict__.pop("_bound", None)

    return [(History, "_acts_of", all_of)]


@_variant("K7_history")
def questions_are_answers() -> Sequence[Replace]:
    """Whoever bears the name of a known person is that person."""
    key = Keys._key

    def same_part(self: Keys, field: Any, path: str, same: str, questions: Any) -> str:
        asked: dict[str, str] = {}
        found = key(self, field, path, same, asked)
        return next(iter(asked.values()), found)

    return [(Keys, "_key", same_part)]


@_variant("K7_history")
def rivals_lost_by_merging() -> Sequence[Replace]:
    """The view of merged files shows what their claims come to, but not the claims beside it."""
    combine = linked.combine

    def alone(*given: Any, **named: Any) -> State:
        made = combine(*given, **named)
        made.rivals = {}
        return made

    from dossier.desk import reading

    return [(reading, "combine", alone)]


@_variant("K7_history")
def acts_without_marks() -> Sequence[Replace]:
    """The list of acts does not say what was marked."""
    act = History._act

    def silent(self: History, *given: Any) -> Any:
        return attrs.evolve(act(self, *given), marked=())

    return [(History, "_act", silent)]


@_variant("K7_history")
def origin_of_the_day() -> Sequence[Replace]:
    """An origin says that a claim was observed when it was recorded, and names no evidence."""
    origin_of = origins.origin_of

    def plain(source: Any, marks: int) -> Any:
        return attrs.evolve(origin_of(source, marks), observed=source.at, evidence=())

    return [(views, "origin_of", plain)]


# -- K9: resolution ------------------------------------------------------------------------------------


@_variant("K9_order")
def last_arrival() -> Sequence[Replace]:
    """A field shows what came last."""

    def last(claims: Sequence[Claim], ranking: str) -> Claim | None:
        return max(claims, key=lambda claim: (claim.source.at, claim.source.act), default=None)

    return [(state, "resolve", last)]


@_variant("K9_order")
def first_of_equals() -> Sequence[Replace]:
    """Among channels of one rank the first to speak is believed."""
    order_key = resolution.order_key

    def rank_only(claim: Claim, ranking: str) -> Any:
        key = order_key(claim, ranking)
        return key[:3] if key is not None else None

    return [(resolution, "order_key", rank_only)]


@_variant("K9_order")
def arrival_supersedes() -> Sequence[Replace]:
    """A claim by the same channel that came later puts an older one out of sight, though the older was seen later."""
    def by_arrival(older: Claim, newer: Claim) -> bool:
        a, b = older.source, newer.source
        return a.channel == b.channel and (b.at, b.act) > (a.at, a.act)

    return [(resolution, "superseded", by_arrival)]


@_variant("K9_merge")
def merge_moves_claims() -> Sequence[Replace]:
    """A merge copies what the absorbed file says into the survivor."""
    merge = MergesCounter.merge

    def move(self: MergesCounter, survivor: Any, absorbed: Any, **told: Any) -> Any:
        desk = self._reading.archive.acting_as("陈静", role="manager", purpose="manage")
        name = desk.consult(absorbed).basic.name
        view = merge(self, survivor, absorbed, **told)
        if isinstance(name, str):
            desk.update(view.id, change("basic", name=name))
        return view

    return [(MergesCounter, "merge", move)]


@_variant("K9_merge")
def merge_reads_the_survivor() -> Sequence[Replace]:
    """Behind a merged field only the survivor's claims are listed."""
    return [(Reading, "members", lambda self, dossier: [dossier])]


# -- K5: writers ---------------------------------------------------------------------------------------


@_variant("K5_threads")
def versions_only() -> Sequence[Replace]:
    """A view that is not the newest conflicts, whatever the change names."""

    def by_version(self: Writing, basis: Any, work: Any, loaded: Any, prepared: Any) -> None:
        from dossier.errors import ConflictError

        if basis.head.rev != loaded.head.rev:
            raise ConflictError([path for item in prepared for path in item.fields])

    return [(Writing, "unchanged", by_version)]


@_variant("K5_threads")
def last_writer_wins() -> Sequence[Replace]:
    """A view is not compared with anything."""
    return [(Writing, "unchanged", lambda *given: None)]


@_variant("K5_threads")
def requests_forgotten() -> Sequence[Replace]:
    """A request id is not remembered."""

    def forget(self: Writing, called: str, request_id: Any, intent: Any, *rest: Any) -> Any:
        return self.run(intent)

    return [(Writing, "once", forget)]


@_variant("K5_fields")
def first_change_only() -> Sequence[Replace]:
    """Of several changes only the first is looked at for what changed since the view."""
    unchanged = Writing.unchanged

    def first(self: Writing, basis: Any, work: Any, loaded: Any, prepared: Sequence[Any]) -> None:
        unchanged(self, basis, work, loaded, prepared[:1])

    return [(Writing, "unchanged", first)]


@_variant("K5_fields")
def only_values_collide() -> Sequence[Replace]:
    """Two changes of the members of one set, or of the parts of one field, are no collision."""
    from dossier.desk.loaded import changed_since

    def whole(now: Any, then: Any, paths: Sequence[str]) -> list[str]:
        return [path for path in changed_since(now, then, paths) if path.partition("/")[2] in ("scope", "sales")]

    return [(writing, "changed_since", whole)]


@_variant("K5_requests")
def request_without_verb() -> Sequence[Replace]:
    """A request id used under another verb is taken for the same request."""
    once = Writing.once

    def one_space(self: Writing, called: str, *rest: Any) -> Any:
        return once(self, "any", *rest)

    return [(Writing, "once", one_space)]


@_variant("K5_hidden")
def conflict_tells_all() -> Sequence[Replace]:
    """A conflict names fields that the loser may not read."""
    return [(Writing, "_readable", lambda *given: True)]


@_variant("K5_hidden")
def unseen_means_changed() -> Sequence[Replace]:
    """A field that the view did not carry counts as changed."""
    return [(Writing, "_special_at", lambda *given: b"")]


# -- K10: numbers --------------------------------------------------------------------------------------


@_variant("K10_handles")
def lease_without_cas() -> Sequence[Replace]:
    """A lease is taken whoever took one meanwhile, and each handle reads it once."""

    def first_lease(self: Numbers, series: str) -> tuple[int, int]:
        return 1, 1 << 30

    return [(Numbers, "_lease", first_lease)]


@_variant("K10_restore")
def backup_forgets_itself() -> Sequence[Replace]:
    """A backup does not know that it is one."""
    return [(archive_module, "mark_restored", lambda *given: None)]


# -- K11: events ---------------------------------------------------------------------------------------


@_variant("K11_events")
def event_without_mask() -> Sequence[Replace]:
    """The event of a change does not say which fields it touched."""
    return [(writing, "written_mask", lambda *given: "")]


@_variant("K11_events")
def act_without_event() -> Sequence[Replace]:
    """A change of several dossiers in one batch has one event."""
    commit = Work.commit

    def cut(self: Work, **options: Any) -> None:
        del self.events[1:]
        commit(self, **options)

    return [(Work, "commit", cut)]


@_variant("K11_events")
def event_beside_the_batch() -> Sequence[Replace]:
    """The events of a change are written after it."""
    commit = Work.commit

    def late(self: Work, **options: Any) -> None:
        events, self.events = self.events, []
        commit(self, **options)
        with self.archive.recorder.writing(events) as rows:
            self.archive.repository.commit(Batch(tuple(rows)))

    return [(Work, "commit", late)]


@_variant("K11_events")
def event_of_another() -> Sequence[Replace]:
    """The event of a change names somebody who works here, whoever it was."""
    event = Reading.event

    def wrong(self: Reading, *given: Any, **named: Any) -> Any:
        made = event(self, *given, **named)
        made.actor = self.archive.staff.all()[0].pseudonym
        return made

    return [(Reading, "event", wrong)]


@_variant("K11_events")
def event_without_rules() -> Sequence[Replace]:
    """The event of a change does not say which rules decided."""
    event = Reading.event

    def silent(self: Reading, *given: Any, **named: Any) -> Any:
        made = event(self, *given, **named)
        made.rules = ()
        return made

    return [(Reading, "event", silent)]


@_variant("K11_refusals")
def settle_looks_first() -> Sequence[Replace]:
    """Who asks about a number that is not there is told so before anybody asks whether he may ask."""
    from dossier.desk.claims import ClaimsCounter

    settle = ClaimsCounter.settle

    def looks(self: ClaimsCounter, dossier: Any, path: str, **told: Any) -> Any:
        return settle(self, self._reading.resolve(dossier), path, **told)

    return [(ClaimsCounter, "settle", looks)]


@_variant("K11_refusals")
def silent_refusal() -> Sequence[Replace]:
    """A refusal is not put on record."""
    return [(Reading, "refuse", lambda *given, **named: None)]


@_variant("K11_refusals")
def refusal_leaves_staff() -> Sequence[Replace]:
    """A refused call leaves a row behind."""
    refuse = Reading.refuse

    def leave(self: Reading, *given: Any, **named: Any) -> None:
        refuse(self, *given, **named)
        put = Put("unplaced", instant(self.archive.environment.now()), b"{}", {}, "", None)
        self.archive.repository.commit(Batch((put,)))

    return [(Reading, "refuse", leave)]


# -- K2, K3, K8 ----------------------------------------------------------------------------------------


@_variant("K2_survival")
def drops_the_unknown() -> Sequence[Replace]:
    """A state keeps only what the kernel knows."""
    decode = State.decode.__func__  # type: ignore[attr-defined]

    def forget(cls: type[State], body: bytes) -> State:
        found: State = decode(cls, body)
        found.raw = {key: raw for key, raw in found.raw.items() if ":" not in key}
        return found

    return [(State, "decode", classmethod(forget))]


@_variant("K2_survival")
def drops_marks_of_the_unknown() -> Sequence[Replace]:
    """A state keeps values of a pack, but not the marks on them."""
    encode_state = State.encode

    def forget(self: State) -> bytes:
        from_pack = [path for path in self.marks if ":" in path and "pack:stay" not in self.documents]
        for path in from_pack:
            del self.marks[path]
        return encode_state(self)

    return [(State, "encode", forget)]


@_variant("K2_survival")
def drops_absences_of_the_unknown() -> Sequence[Replace]:
    """A state keeps values of a pack, but not why there is none."""
    encode_state = State.encode

    def forget(self: State) -> bytes:
        if "pack:stay" not in self.documents:
            self.absent = {path: reason for path, reason in self.absent.items() if ":" not in path}
        return encode_state(self)

    return [(State, "encode", forget)]


@_variant("K2_survival")
def newer_major_is_read() -> Sequence[Replace]:
    """A section of a newer major is shown as if it were known."""
    return [(views, "opaque", lambda *given: False), (linked, "opaque", lambda *given: False)]


@_variant("K2_survival")
def reindex_forgets_columns() -> Sequence[Replace]:
    """Index values of another program are dropped."""
    from dossier.desk.layout import Indexing

    return [(Indexing, "foreign", lambda *given: {})]


@_variant("K3_desk")
def loud_paths() -> Sequence[Replace]:
    """The repr of what was said shows members of sets."""
    from dossier.desk.claims import Statement

    return [(Statement, "__repr__", lambda self: f"Statement({self.path})")]


@_variant("K3_desk")
def log_of_asked_names() -> Sequence[Replace]:
    """A logger of another name is told, in small letters and cut short, what was looked for."""
    import logging

    resolve = Reading.resolve

    def telling(self: Reading, target: Any) -> str:
        if isinstance(target, str):
            logging.getLogger("store").debug("asked for %s", target.casefold()[:10])
        return resolve(self, target)

    return [(Reading, "resolve", telling)]


@_variant("K3_desk")
def loud_error() -> Sequence[Replace]:
    """An error carries what it was given."""
    from dossier.errors import NotFoundError

    def known(self: Reading, target: Any, *rest: Any) -> str:
        if isinstance(target, str) and not target.startswith("KH-") and len(target) != 32:
            raise NotFoundError(path=target)
        return real(self, target, *rest)

    real = Reading.known
    return [(Reading, "known", known)]


@_variant("K8_digest")
def digest_of_ids() -> Sequence[Replace]:
    """The digest does not look at bodies."""
    import hashlib

    def by_id(repository: Any) -> str:
        ids = [(c, row.id, row.version) for c in keeping.HELD for row in repository.scan(c)]
        return hashlib.sha256(repr(ids).encode()).hexdigest()

    return [(archive_module, "digest_of", by_id)]


@_variant("K8_digest")
def digest_of_last_rows() -> Sequence[Replace]:
    """The digest looks at the last row of each collection."""
    import hashlib

    def by_last(repository: Any) -> str:
        last = [(c, [(r.id, r.version, r.body) for r in repository.scan(c)][-1:]) for c in keeping.HELD]
        return hashlib.sha256(repr(last).encode()).hexdigest()

    return [(archive_module, "digest_of", by_last)]


@_variant("K8_digest")
def copy_without_leases() -> Sequence[Replace]:
    """A copy does not know which numbers were given."""
    return [(transfer, "COPIED", tuple(name for name in transfer.COPIED if name != "leases"))]


@_variant("K10_threads")
def lease_of_each_thread() -> Sequence[Replace]:
    """Threads that share a handle take numbers from it without waiting for each other."""
    def take(self: Numbers, *, year: int, kind: str) -> str:
        series = self._scheme.series(year=year, kind=kind)
        serial, end = self._leased.get(series, (0, 0))
        if serial >= end:
            serial, end = self._lease(series)
        time.sleep(0.001)
        self._leased[series] = serial + 1, end
        return self._scheme.number(serial, year=year, kind=kind)

    return [(Numbers, "take", take)]


@_variant("K10_restore")
def told_too_low() -> Sequence[Replace]:
    """Serials go on where the host says, though they were given already."""
    settle = Numbers.settle

    def obey(self: Numbers, first: int, manifest: Any) -> None:
        settle(self, first, manifest)
        for row in list(self._repository.scan("leases")):
            self._repository.commit(Batch((Put("leases", row.id, encode({"next": first}), {}, "", row.version),)))

    return [(Numbers, "settle", obey)]


@_variant("K8_digest")
def copy_begins_again() -> Sequence[Replace]:
    """A copy numbers its versions from one."""
    copied = transfer.Transfer._put

    def fresh(self: transfer.Transfer, row: Row) -> list[Op]:
        return [attrs.evolve(op, version=1) if isinstance(op, Put) else op for op in copied(self, row)]

    return [(transfer.Transfer, "_put", fresh)]


@_variant("K8_interrupted")
def copy_believes_what_is_there() -> Sequence[Replace]:
    """A copy that was cut off goes on behind the last row that it wrote, whatever became of those before it."""

    def behind(
        self: transfer.Transfer, state: Reader, collection: str, declared: frozenset[str]
    ) -> Iterator[tuple[list[Op], int]]:
        last = [row.id for row in self.target.scan(collection, descending=True, limit=1, bodies=False)]
        for row in state.scan(collection):
            if not last or row.id > last[0]:
                yield self._put(row), len(row.body)

    return [(transfer.Transfer, "_changes", behind)]
