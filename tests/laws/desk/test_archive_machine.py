"""The machine over the public desk, in memory and in SQLite, and what it visited."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from dossier.testing.archive_machine import ArchiveMachine
from dossier.testing.desk_place import DeskPlace
from dossier.testing.place import FULL, Reach

VISITED = (
    "register", "update", "unset", "collect", "enter", "enter twice", "follow_up", "found", "history", "merge",
    "unmerge", "reopen",
)  # fmt: skip


@pytest.mark.parametrize(("backend", "examples"), [("memory", 40), ("sqlite", 4)])
def test_machine(backend: str, examples: int, tmp_path: Path) -> None:
    class Machine(ArchiveMachine):
        place = staticmethod(lambda: DeskPlace.fresh(backend, tmp_path))  # type: ignore[arg-type]
        reach = Reach()

    profile = settings(max_examples=examples, stateful_step_count=24, deadline=None,
                       suppress_health_check=list(HealthCheck))  # fmt: skip
    for _ in range(4):
        # Chance deals unevenly; the machine goes on until it has visited all.
        run_state_machine_as_test(Machine, settings=profile)
        if examples < FULL or not Machine.reach.missed(*VISITED):
            break
    Machine.reach.require(examples, *VISITED)


@pytest.mark.nightly
def test_machine_nightly(tmp_path: Path) -> None:
    class Machine(ArchiveMachine):
        place = staticmethod(lambda: DeskPlace.fresh("sqlite", tmp_path))

    profile = settings(max_examples=300, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Machine, settings=profile)
