"""Desks that break K2, K3, K8: what survives, what stays silent, what is copied.

Floor: testing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from dossier.codec import linked
from dossier.codec.state import State
from dossier.desk import archive as archive_module
from dossier.desk import transfer, views
from dossier.desk.reading import Reading
from dossier.repository import Op, Put, Reader, Row
from dossier.testing.broken_desk.variant import Replace, variant


@variant("K2_survival")
def drops_the_unknown() -> Sequence[Replace]:
    """A state keeps only what the kernel knows."""
    decode = State.decode.__func__  # type: ignore[attr-defined]

    def forget(cls: type[State], body: bytes) -> State:
        found: State = decode(cls, body)
        found.raw = {key: raw for key, raw in found.raw.items() if ":" not in key}
        return found

    return [(State, "decode", classmethod(forget))]


@variant("K2_survival")
def drops_marks_of_the_unknown() -> Sequence[Replace]:
    """A state keeps values of a pack, but not the marks on them."""
    encode_state = State.encode

    def forget(self: State) -> bytes:
        from_pack = [path for path in self.marks if ":" in path and "pack:stay" not in self.documents]
        for path in from_pack:
            del self.marks[path]
        return encode_state(self)

    return [(State, "encode", forget)]


@variant("K2_survival")
def drops_absences_of_the_unknown() -> Sequence[Replace]:
    """A state keeps values of a pack, but not why there is none."""
    encode_state = State.encode

    def forget(self: State) -> bytes:
        if "pack:stay" not in self.documents:
            self.absent = {path: reason for path, reason in self.absent.items() if ":" not in path}
        return encode_state(self)

    return [(State, "encode", forget)]


@variant("K2_survival")
def newer_major_is_read() -> Sequence[Replace]:
    """A section of a newer major is shown as if it were known."""
    return [(views, "opaque", lambda *given: False), (linked, "opaque", lambda *given: False)]


@variant("K2_survival")
def reindex_forgets_columns() -> Sequence[Replace]:
    """Index values of another program are dropped."""
    from dossier.desk.layout import Indexing

    return [(Indexing, "foreign", lambda *given: {})]


@variant("K3_desk")
def loud_paths() -> Sequence[Replace]:
    """The repr of what was said shows members of sets."""
    from dossier.desk.claims import Statement

    return [(Statement, "__repr__", lambda self: f"Statement({self.path})")]


@variant("K3_desk")
def log_of_asked_names() -> Sequence[Replace]:
    """A logger of another name is told, in small letters and cut short, what was looked for."""
    import logging

    resolve = Reading.resolve

    def telling(self: Reading, target: Any) -> str:
        if isinstance(target, str):
            logging.getLogger("store").debug("asked for %s", target.casefold()[:10])
        return resolve(self, target)

    return [(Reading, "resolve", telling)]


@variant("K3_desk")
def loud_error() -> Sequence[Replace]:
    """An error carries what it was given."""
    from dossier.errors import NotFoundError

    def known(self: Reading, target: Any, *rest: Any) -> str:
        if isinstance(target, str) and not target.startswith("KH-") and len(target) != 32:
            raise NotFoundError(path=target)
        return real(self, target, *rest)

    real = Reading.known
    return [(Reading, "known", known)]


@variant("K8_digest")
def digest_of_ids() -> Sequence[Replace]:
    """The digest does not look at bodies."""
    import hashlib

    def by_id(repository: Any) -> str:
        ids = [(c, row.id, row.version) for c in transfer.HELD for row in repository.scan(c)]
        return hashlib.sha256(repr(ids).encode()).hexdigest()

    return [(archive_module, "digest_of", by_id)]


@variant("K8_digest")
def digest_of_last_rows() -> Sequence[Replace]:
    """The digest looks at the last row of each collection."""
    import hashlib

    def by_last(repository: Any) -> str:
        last = [(c, [(r.id, r.version, r.body) for r in repository.scan(c)][-1:]) for c in transfer.HELD]
        return hashlib.sha256(repr(last).encode()).hexdigest()

    return [(archive_module, "digest_of", by_last)]


@variant("K8_digest", "K8_interrupted")
def copy_without_leases() -> Sequence[Replace]:
    """A copy does not know which numbers were given."""
    return [(transfer, "COPIED", tuple(name for name in transfer.COPIED if name != "leases"))]


@variant("K8_digest", "K8_interrupted")
def copy_begins_again() -> Sequence[Replace]:
    """A copy numbers its versions from one."""
    copied = transfer.Transfer._put

    def fresh(self: transfer.Transfer, row: Row) -> list[Op]:
        return [attrs.evolve(op, version=1) if isinstance(op, Put) else op for op in copied(self, row)]

    return [(transfer.Transfer, "_put", fresh)]


@variant("K8_interrupted", "K2_survival")
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
