"""What can be wrong with an input: one code, two languages, one remedy each.

Floor: model. Messages are filled from *facts*, and a fact is a field name, a type name or a limit, never anything
that came in as a value (law K3).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dossier.errors import InputError, Problem
from dossier.model.catalogue import TEXTS
from dossier.model.withheld import WITHHELD, Masked

CATALOGUE: Mapping[str, tuple[str, str, str, str]] = MappingProxyType(TEXTS)
"""Every input problem: code → (zh, en, remedy zh, remedy en), templates over the facts."""


def problem(code: str, path: str, **facts: str | int) -> Problem:
    """The `Problem` of a catalogue `code` at `path`. `facts`: field names, type names, limits; never input."""
    zh, en, fix_zh, fix_en = (text.format_map(facts) for text in TEXTS[code])
    return Problem(code=code, path=path, zh=zh, en=en, fix_zh=fix_zh, fix_en=fix_en)


class BadValue(InputError, ValueError):
    """A value cannot be accepted: what constructors and `parse` of values raise.

    `reason` is the code of the problem, `details` its facts; the door turns it into a `Problem` at its place.
    """

    def __init__(self, reason: str, **details: str | int) -> None:
        self.reason = reason
        self.details = details
        super().__init__([problem(reason, "value", **details)])

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.reason, self.details))


def _rebuild(reason: str, details: dict[str, str | int]) -> BadValue:
    return BadValue(reason, **details)


def type_name(value: object) -> str:
    """The name of a value's type, as a fact."""
    return type(value).__name__[:60]


def wrong_type(value: object, expected: str) -> BadValue:
    """The BadValue for a value of a type that does not belong there; None and withheld values have their own."""
    if value is None:
        return BadValue("value.none")
    if value is WITHHELD or type(value) is Masked:
        return BadValue("value.withheld")
    return BadValue("value.type", expected=expected, got=type_name(value))
