"""Verifying an archive: every row against every other.

Floor: desk. `archive.verify()`. It streams one snapshot; memory does not grow with the archive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dossier.desk.transfer import COPIED, Progress
from dossier.errors import Problem

if TYPE_CHECKING:
    from dossier.desk.archive import Archive


@attrs.frozen
class Verification:
    """What was looked at, and what is wrong: codes and places, never values. `sound` where nothing is."""

    rows: int
    dossiers: int
    acts: int
    events: int
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        """Whether no problem was found."""
        return not self.problems


def verify(archive: Archive, progress: Progress | None) -> Verification:
    """See `Archive.verify`."""
    counts = dict.fromkeys(COPIED, 0)
    with archive.repository.snapshot() as state:
        for collection in COPIED:
            for _ in state.scan(collection, bodies=False):
                counts[collection] += 1
    events = sum(report.events for report in archive.recorder.verify())
    return Verification(sum(counts.values()), counts["dossiers"], counts["acts"], events, ())
