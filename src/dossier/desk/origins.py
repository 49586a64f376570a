"""Where a shown value comes from, and what competes with it, as a reader sees it.

Floor: desk.
"""

from __future__ import annotations

from typing import Any

import attrs

from dossier.model.claims import CHECKED, DISPUTED, PROVEN, Source


@attrs.frozen
class Origin:
    """Where a shown value comes from. `observed`, `valid_from`, `valid_to` "" where nothing was said.

    `at` recorded (UTC), `act` id of the act, `checked` copied right, `proven` evidence seen, `disputed` contested.
    """

    channel: str = attrs.field(repr=False)
    told_by: str = attrs.field(repr=False)
    at: str
    observed: str
    valid_from: str
    valid_to: str
    evidence: tuple[str, ...] = attrs.field(repr=False)
    act: str
    checked: bool
    proven: bool
    disputed: bool


def path_repr(path: str) -> str:
    """The repr of a path without the member of a set, which is a value (K3)."""
    field, brace, _ = path.partition("{")
    return repr(f"{field}{{…}}" if brace else path)


def paths_repr(paths: tuple[str, ...]) -> str:
    """The repr of paths, as `path_repr`."""
    return f"({', '.join(map(path_repr, paths))})"


@attrs.frozen
class Rival:
    """A competing claim that is not shown: its value, or the reason for an absence, and its origin."""

    path: str = attrs.field(repr=path_repr)
    value: Any = attrs.field(repr=False)
    origin: Origin


@attrs.frozen
class Question:
    """ "Same part?": two sources named what looks like the same part; `new` is not shown until it is answered."""

    new: str
    known: str


def origin_of(source: Source, marks: int) -> Origin:
    """A source and its marks as a reader sees them."""
    return Origin(
        channel=source.channel,
        told_by=source.told_by,
        at=source.at,
        observed=source.observed,
        valid_from=source.valid_from,
        valid_to=source.valid_to,
        evidence=source.evidence,
        act=source.act,
        checked=bool(marks & CHECKED),
        proven=bool(marks & PROVEN),
        disputed=bool(marks & DISPUTED),
    )
