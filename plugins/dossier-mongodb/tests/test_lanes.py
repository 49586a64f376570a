"""Lanes of a process that is killed, or silent for long on another machine."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pymongo
import pytest

from dossier.errors import InputError, LockedError
from dossier_mongodb.lanes import LEASE


def silent(url: str, *, seconds: float) -> None:
    """Make every holder one of another machine who gave no sign of life for so long."""
    then = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds)
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        change = {"$set": {"holder": "[0123456789ab:1:1]", "beat": then}}
        client.get_default_database()["_lanes"].update_many({}, change)


def test_a_holder_elsewhere_has_a_lease(opened: Any) -> None:
    first, second = opened(), opened("rw")
    lane = first.lane("a")
    lane.append([b"1", b"2"], durable=False)
    silent(opened.url, seconds=LEASE / 2)
    assert second.idle_lanes() == []
    with pytest.raises(LockedError):
        second.lane("a")
    silent(opened.url, seconds=LEASE * 2)
    assert second.idle_lanes() == ["a"]
    taken = second.lane("a")
    taken.append([b"3"], durable=False)
    with pytest.raises(LockedError):
        lane.append([b"lost"], durable=False)
    assert list(second.read_lane("a")) == [b"1", b"2", b"3"]
    lane.close()
    assert second.idle_lanes() == []
    taken.close()
    assert second.idle_lanes() == ["a"]


def test_who_lost_a_lane_that_was_dropped_is_told_so(opened: Any) -> None:
    first, second = opened(), opened("rw")
    lane = first.lane("a")
    lane.append([b"1"], durable=True)
    silent(opened.url, seconds=LEASE * 2)
    second.drop_lane("a")
    assert second.idle_lanes() == []
    with pytest.raises(LockedError):
        lane.append([b"lost"], durable=True)
    again = second.lane("a")
    again.append([b"2"], durable=True)
    assert list(second.read_lane("a")) == [b"2"]


def test_many_lines_are_several_documents(opened: Any) -> None:
    repository = opened()
    lines = [bytes([65 + n]) * 3_000_000 for n in range(7)]
    with pytest.raises(InputError):
        repository.lane("a", at="no/database")
    lane = repository.lane("a")
    lane.append(lines, durable=False)
    assert list(repository.read_lane("a")) == lines
    reading = repository.read_lane("a")
    assert next(reading) == lines[0]
    lane.close()
    repository.drop_lane("a")
    assert list(reading) == lines[1:]
