"""Desks that break K5 and K10: writers and numbers.

Floor: testing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from dossier.desk import archive as archive_module
from dossier.desk import writing
from dossier.desk.numbers import Numbers
from dossier.desk.writing import Writing
from dossier.repository import Batch, Put, encode
from dossier.testing.broken_desk.variant import Replace, variant


@variant("K5_threads", "K3_desk", "K5_fields", "K5_hidden")
def versions_only() -> Sequence[Replace]:
    """A view that is not the newest conflicts, whatever the change names."""

    def by_version(self: Writing, basis: Any, work: Any, loaded: Any, prepared: Any) -> None:
        from dossier.errors import ConflictError

        if basis.head.rev != loaded.head.rev:
            raise ConflictError([path for item in prepared for path in item.fields])

    return [(Writing, "unchanged", by_version)]


@variant("K5_threads", "K3_desk", "K5_fields", "K5_hidden")
def last_writer_wins() -> Sequence[Replace]:
    """A view is not compared with anything."""
    return [(Writing, "unchanged", lambda *given: None)]


@variant("K5_threads", "K3_desk", "K5_requests", "K8_digest")
def requests_forgotten() -> Sequence[Replace]:
    """A request id is not remembered."""

    def forget(self: Writing, called: str, decision: Any, request_id: Any, intent: Any, *rest: Any) -> Any:
        return self.run(intent)

    return [(Writing, "once", forget)]


@variant("K5_fields")
def first_change_only() -> Sequence[Replace]:
    """Of several changes only the first is looked at for what changed since the view."""
    unchanged = Writing.unchanged

    def first(self: Writing, basis: Any, work: Any, loaded: Any, prepared: Sequence[Any]) -> None:
        unchanged(self, basis, work, loaded, prepared[:1])

    return [(Writing, "unchanged", first)]


@variant("K5_fields", "K3_desk", "K5_hidden")
def only_values_collide() -> Sequence[Replace]:
    """Two changes of the members of one set, or of the parts of one field, are no collision."""
    from dossier.desk.loaded import changed_since

    def whole(now: Any, then: Any, paths: Sequence[str]) -> list[str]:
        return [path for path in changed_since(now, then, paths) if path.partition("/")[2] in ("scope", "sales")]

    return [(writing, "changed_since", whole)]


@variant("K5_requests")
def request_without_verb() -> Sequence[Replace]:
    """A request id used under another verb is taken for the same request."""
    once = Writing.once

    def one_space(self: Writing, called: str, *rest: Any) -> Any:
        return once(self, "any", *rest)

    return [(Writing, "once", one_space)]


@variant("K5_hidden")
def conflict_tells_all() -> Sequence[Replace]:
    """A conflict names fields that the loser may not read."""
    return [(Writing, "_readable", lambda *given: True)]


@variant("K5_hidden")
def unseen_means_changed() -> Sequence[Replace]:
    """A field that the view did not carry counts as changed."""
    return [(Writing, "_special_at", lambda *given: b"")]


@variant("K10_handles", "K8_digest", "K10_restore", "K8_interrupted")
def lease_without_cas() -> Sequence[Replace]:
    """A lease is taken whoever took one meanwhile, and each handle reads it once."""

    def first_lease(self: Numbers, series: str) -> tuple[int, int]:
        return 1, 1 << 30

    return [(Numbers, "_lease", first_lease)]


@variant("K10_restore")
def backup_forgets_itself() -> Sequence[Replace]:
    """A backup does not know that it is one."""
    return [(archive_module, "mark_restored", lambda *given: None)]


@variant("K10_threads", "K10_restore")
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


@variant("K10_restore")
def told_too_low() -> Sequence[Replace]:
    """Serials go on where the host says, though they were given already."""
    settle = Numbers.settle

    def obey(self: Numbers, first: int, manifest: Any) -> None:
        settle(self, first, manifest)
        for row in list(self._repository.scan("leases")):
            self._repository.commit(Batch((Put("leases", row.id, encode({"next": first}), {}, "", row.version),)))

    return [(Numbers, "settle", obey)]
