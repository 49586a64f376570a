"""Places for archives: where a check of the desk creates one, opens it again, and by which clock it runs.

Floor: testing.

    place = DeskPlace.fresh("memory", folder)
    with place.create() as archive:
        desk = archive.acting_as("王芳", role="manager", purpose="manage")
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Literal

import attrs

from dossier.desk.archive import Archive, create, open
from dossier.model.clock import Environment, ManualClock

Backend = Literal["memory", "sqlite"]
START = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
"""When the clock of a fresh place stands: a Monday morning in Shanghai."""
_numbers = itertools.count(1)


@attrs.frozen
class DeskPlace:
    """An address for one archive, and a clock that stands until it is moved. Chance is the system's, for processes
    must not mint the same ids; `seeded` gives a place of one process that replays."""

    url: str
    clock: ManualClock = attrs.field(factory=lambda: ManualClock(START))
    random: Callable[[int], bytes] = os.urandom

    @classmethod
    def fresh(cls, backend: Backend, folder: Path) -> DeskPlace:
        """A place where nothing is yet."""
        number = next(_numbers)
        return cls(f"memory:desk{number}" if backend == "memory" else str(folder / f"desk{number}.db"))

    @property
    def environment(self) -> Environment:
        """The environment that archives of this place run in."""
        return Environment(now=self.clock, random=self.random)

    def seeded(self, seed: int = 0) -> DeskPlace:
        """The place with chance from a seed, shared by its handles."""
        return attrs.evolve(self, random=Random(seed).randbytes)

    def create(self, **options: Any) -> Archive:
        """A new archive at the place."""
        return create(self.url, **{"zone": "Asia/Shanghai", "environment": self.environment, **options})

    def open(self, **options: Any) -> Archive:
        """The archive that is at the place."""
        return open(self.url, **{"environment": self.environment, **options})


DeskPlaces = Callable[[], DeskPlace]
"""Gives a fresh place at each call."""
