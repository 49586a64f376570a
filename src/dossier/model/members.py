"""The order in which sets, parts and series stand: the same for the same members, however they were given.

Floor: model. These are the converters of such attributes; they run when a section is made, not when it is loaded.
"""

from __future__ import annotations

from typing import Any

from dossier.model.problems import BadValue, type_name
from dossier.model.values.period import Per
from dossier.model.values.plain import canonical

MAX_MEMBERS = 1_000
"""Members of one set, parts of one list, periods of one series."""


def _tuple(given: Any) -> tuple[Any, ...]:
    if type(given) is tuple:
        return given
    if type(given) in (list, set, frozenset):
        return tuple(given)
    raise BadValue("value.container", got=type_name(given))


def set_of(given: Any) -> tuple[Any, ...]:
    """Members once each, in the order of their canonical bytes. BadValue for what is no container."""
    members = _tuple(given)
    if len(members) < 2:
        return members
    try:
        by_bytes = {canonical(member): member for member in members}
    except (UnicodeEncodeError, TypeError):
        # not encodable: the check before storing says what is wrong with which member
        return members
    return tuple(by_bytes[key] for key in sorted(by_bytes))


def parts_of(given: Any) -> tuple[Any, ...]:
    """Parts in the order of their keys, those without a key first and as given. BadValue for a key given twice."""
    parts = _tuple(given)
    if len(parts) < 2:
        return parts
    keys = [getattr(part, "key", "") for part in parts]
    settled = [key for key in keys if key]
    if len(set(settled)) < len(settled):
        raise BadValue("value.duplicate")
    return tuple(sorted(parts, key=lambda part: getattr(part, "key", ""))) if settled else parts


def series_of(given: Any) -> tuple[Any, ...]:
    """Values in the order of periods. BadValue for a period given twice."""
    values = _tuple(given)
    if len(values) < 2 or not all(type(each) is Per for each in values):
        return values
    if len({each.period for each in values}) < len(values):
        raise BadValue("value.duplicate")
    return tuple(sorted(values, key=lambda each: each.period))
