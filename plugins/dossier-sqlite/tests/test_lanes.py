"""Lane files: a failing disk, lookers-on, lanes that go while they are read."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from dossier.errors import ClosedError, DamagedError


def test_a_lane_that_cannot_be_synced_takes_nothing_more(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = opened().lane("x")
    lane.append([b"1"], durable=True)

    def fail(handle: int) -> None:
        raise OSError(errno.EIO, "")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DamagedError):
        lane.append([b"2"], durable=True)
    monkeypatch.undo()
    assert (tmp_path / "a.db.lanes" / "x.lane").read_bytes() == b"1\n"
    with pytest.raises(ClosedError):
        lane.append([b"3"], durable=False)


def test_a_lane_that_is_looked_at_while_it_is_taken_is_taken(opened: Any, tmp_path: Path) -> None:
    repository = opened()
    repository.lane("x").close()
    handle = os.open(tmp_path / "a.db.lanes" / "x.lane", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    looking = threading.Timer(0.05, os.close, [handle])
    looking.start()
    lane = repository.lane("x")
    lane.append([b"1"], durable=False)
    looking.join()


def test_lanes_that_vanish_while_they_are_listed_are_passed_over(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = opened()
    repository.lane("x").close()
    (tmp_path / "a.db.lanes" / "gone.lane").symlink_to(tmp_path / "nothing")
    assert repository.idle_lanes() == ["x"]


def test_a_lane_is_read_to_its_end_though_it_is_dropped(opened: Any) -> None:
    repository = opened()
    lane = repository.lane("x")
    lane.append([b"1", b"2"], durable=False)
    lane.close()
    lines = repository.read_lane("x")
    repository.drop_lane("x")
    assert list(lines) == [b"1", b"2"]
    repository.lane("y").close()
    repository.read_lane("y")  # closed by itself though nobody reads it
