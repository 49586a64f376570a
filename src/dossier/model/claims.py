"""Claims: one value for one leaf, from one source; and the paths that name leaves.

Floor: model. A path is `section/field`, `section/items[key]/leaf`, `section/series[period]`, or for an element of
a set `section/field{element}` with the element's canonical JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

Json: TypeAlias = Any
"""A decoded canonical value: str, int, bool, None, list, dict."""

CHECKED: Final = 1
"""Copied right: somebody compared the entry with its source (M72)."""
PROVEN: Final = 2
"""Evidence was seen (M66). Lifts a claim above every rank."""
DISPUTED: Final = 4
"""Contested: gives way to any claim that is not."""
MARKS: Final = {"checked": CHECKED, "proven": PROVEN, "disputed": DISPUTED}


class Source(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Where claims of one act and one channel come from. Instants are stored text (UTC), days YYYY-MM-DD, "" absent.

    `act` id of the act, `rev` its revision in the dossier, `at` recorded, `observed` instant,
    `valid_from`/`valid_to` days, both included, `evidence` references the host understands.
    """

    act: str
    rev: int
    at: str
    channel: str
    told_by: str = ""
    observed: str = ""
    valid_from: str = ""
    valid_to: str = ""
    evidence: tuple[str, ...] = ()

    @property
    def seen(self) -> str:
        """When the fact was observed; recorded where nothing else was said."""
        return self.observed or self.at

    @property
    def spans(self) -> bool:
        """Whether it says from when, or up to when, its claims are valid."""
        return bool(self.valid_from or self.valid_to)


class Claim(NamedTuple):
    """A live claim at a path: its source, its marks (bits), its value (decoded JSON, or `{"absent": reason}`)."""

    source: Source
    marks: int
    value: Json


def absent(value: Json) -> str | None:
    """The reason, if a claim's value says that there is nothing (unknown, none, declined, not_applicable)."""
    if type(value) is dict and len(value) == 1 and "absent" in value:
        reason: str = value["absent"]
        return reason
    return None


def under(path: str, prefix: str) -> bool:
    """Whether `path` is `prefix` or lies below it."""
    return path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] in "/[{")


Step: TypeAlias = tuple[str, str | None]


@lru_cache(maxsize=65_536)
def steps(path: str) -> tuple[str, tuple[Step, ...], str | None]:
    """(section, ((field, key or None), …), set element or None) of a path.

    `basic/phones[k1]/number` → ("basic", (("phones", "k1"), ("number", None)), None).
    """
    section, _, rest = path.partition("/")
    element: str | None = None
    brace = rest.find("{")
    if brace >= 0:
        element = rest[brace + 1 : -1]
        rest = rest[:brace]
    found: list[Step] = []
    for piece in rest.split("/"):
        field, bracket, key = piece.partition("[")
        found.append((field, key[:-1] if bracket else None))
    return section, tuple(found), element


@lru_cache(maxsize=65_536)
def pattern(path: str) -> str:
    """The leaf pattern of a path, without its section: keys of parts become `*`, series and sets name the field."""
    _, found, _ = steps(path)
    last = len(found) - 1
    return "/".join(
        field if key is None or position == last else f"{field}[*]" for position, (field, key) in enumerate(found)
    )


def section_of(path: str) -> str:
    """The section key of a path."""
    return path.partition("/")[0]


def touched(paths: Iterable[str]) -> tuple[str, ...]:
    """Paths without set elements and without repetition, sorted: what a conflict names."""
    return tuple(sorted({path.partition("{")[0] for path in paths}))
