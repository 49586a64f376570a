"""Time and chance as arguments: one injectable environment, so that a seed replays a history.

Floor: model.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from zoneinfo import ZoneInfo

import attrs

from dossier.errors import InputError
from dossier.model.problems import problem

UTC = dt.UTC


def utc_now() -> dt.datetime:
    """The system clock, aware, UTC."""
    return dt.datetime.now(UTC)


@attrs.frozen(kw_only=True)
class Environment:
    """Where the library takes time and randomness from. Give your own to replay a history or to test deadlines."""

    now: Callable[[], dt.datetime] = utc_now
    random: Callable[[int], bytes] = os.urandom


@attrs.define
class ManualClock:
    """A clock that stands still until it is moved: `Environment(now=ManualClock(...))`."""

    at: dt.datetime

    def __call__(self) -> dt.datetime:
        return self.at

    def forward(self, **delta: float) -> None:
        """Move on by `timedelta(**delta)`."""
        self.at += dt.timedelta(**delta)


def instant(moment: dt.datetime) -> str:
    """Stored text of an instant: UTC, microseconds, sorts by time (2026-11-21T08:00:00.000000Z)."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def as_instant(value: dt.datetime | dt.date | str, zone: ZoneInfo, *, path: str, end: bool = False) -> str:
    """An instant from what people write: aware datetime, naive (archive zone), date (its first or last moment)."""
    moment: dt.datetime | None = None
    if isinstance(value, dt.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=zone)
    elif isinstance(value, dt.date):
        edge = dt.time.max if end else dt.time.min
        moment = dt.datetime.combine(value, edge, tzinfo=zone)
    else:
        try:
            if len(value) <= 10:
                return as_instant(dt.date.fromisoformat(value), zone, path=path, end=end)
            moment = dt.datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        except (ValueError, TypeError):
            moment = None
    if moment is None:
        raise InputError([problem("value.instant", path)])
    return instant(moment)


def day_of(instant_text: str, zone: ZoneInfo) -> str:
    """The calendar day (YYYY-MM-DD) of a stored instant in a zone; a stored day stays as it is."""
    if len(instant_text) == 10:
        return instant_text
    return dt.datetime.fromisoformat(instant_text).astimezone(zone).date().isoformat()


def as_day(value: dt.date | str, *, path: str) -> str:
    """A calendar day as text, or an InputError that says why it is none."""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    try:
        return dt.date.fromisoformat(value).isoformat()
    except (ValueError, TypeError):
        pass
    raise InputError([problem("value.day", path)])
