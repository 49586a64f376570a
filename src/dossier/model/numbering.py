"""Registration numbers (permanent, never repeated) and filing keys (reused, sorted as people shelve).

Floor: model. M2, M10, M15, M174; K10. Two things: a number names a dossier for ever, a key says where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import attrs

from dossier.errors import InputError
from dossier.model.problems import problem

_SCHEME = re.compile(r"(?:[^{}]|\{year\}|\{kind\})*\{serial(?::0(\d))?\}(?:[^{}])*\Z")


@attrs.frozen
class NumberScheme:
    """How registration numbers look: text with `{serial:05}` and, if wanted, `{year}` and `{kind}`.

    The serial runs within what stands before it: KH-{year}-{serial:05} begins again each year of the archive's
    zone, and KH-2027-00001 is not KH-2026-00001. A serial that outgrows its width becomes longer.
    """

    text: str = "KH-{year}-{serial:05}"

    def __attrs_post_init__(self) -> None:
        if type(self.text) is not str or not _SCHEME.match(self.text) or len(self.text) > 64:
            raise InputError([problem("number.scheme", "numbers")])

    def series(self, *, year: int, kind: str) -> str:
        """Names the run of serials that a dossier of this year and kind is counted in."""
        return self.text.replace("{year}", str(year)).replace("{kind}", kind)

    def number(self, serial: int, *, year: int, kind: str) -> str:
        """The registration number, e.g. KH-2026-00001."""
        found = _SCHEME.match(self.text)
        width = int(found.group(1) or 1) if found else 1
        series = self.series(year=year, kind=kind)
        return re.sub(r"\{serial(?::0\d)?\}", f"{serial:0{width}d}", series)

    @staticmethod
    def serial(number: str, *, series: str) -> int:
        """The serial of a registration number of a series, 0 where it is of another."""
        before, _, rest = series.partition("{serial")
        behind = rest.partition("}")[2]
        digits = number.removeprefix(before).removesuffix(behind)
        fits = number == before + digits + behind and digits.isascii() and digits.isdecimal()
        return int(digits) if fits else 0


@attrs.frozen
class Place:
    """One step of a filing key: its name, and in which order its words stand (none: by number, then by text)."""

    name: str
    order: tuple[str, ...] = ()


_PIECES = re.compile(r"(\d+)")
_STOREY: Final = 500
"""Storeys are shelved by height: B2 (-2) before B1 (-1) before 1; offset so that text sorts like that."""


@attrs.frozen
class FilingScheme:
    """How things are shelved (M15): residential before commercial, then building, storey, room.

    `sort_key` gives text that sorts, code point by code point, in shelf order.
    """

    places: tuple[Place, ...] = (
        Place("use", ("住宅", "商业", "residential", "commercial")),
        Place("building"),
        Place("storey"),
        Place("room"),
    )
    separator: str = "-"

    def key(self, parts: Sequence[str]) -> str:
        """The filing key as written on the shelf (住宅-3-12-1203)."""
        self._check(parts)
        return self.separator.join(parts)

    def sort_key(self, key: str) -> str:
        """Text that sorts as people shelve. InputError if the key does not fit the scheme."""
        parts = self._split(key)
        self._check(parts)
        return "\x1f".join(_sortable(place, part) for place, part in zip(self.places, parts, strict=True))

    def _split(self, key: str) -> list[str]:
        # A basement is written -2 as well as B2, so the separator may stand for a sign.
        parts = key.split(self.separator)
        if self.separator == "-":
            while len(parts) > len(self.places) and "" in parts[1:]:
                at = parts.index("", 1)
                parts[at : at + 2] = ["-" + parts[at + 1]]
        return parts

    def _check(self, parts: Sequence[str]) -> None:
        if len(parts) != len(self.places) or not all(part.strip() for part in parts):
            raise InputError([problem("filing.key", "filing_key", parts=len(self.places))])


def _sortable(place: Place, part: str) -> str:
    if place.order:
        found = place.order.index(part) if part in place.order else len(place.order)
        return f"{found:03d}{_padded(part)}"
    if place.name == "storey":
        return _storey(part)
    return _padded(part)


def _storey(part: str) -> str:
    found = re.fullmatch(r"(-|B|b|地下)?(\d{1,3})(.*)", part)
    if not found:
        return "~" + _padded(part)
    level = -int(found.group(2)) if found.group(1) else int(found.group(2))
    return f"{level + _STOREY:04d}{_padded(found.group(3))}"


def _padded(part: str) -> str:
    return "".join(f"{int(piece):012d}" if piece.isdecimal() else piece for piece in _PIECES.split(part))
