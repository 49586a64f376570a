"""What a caller wants to say: changes to sections, records, and how he came to know.

Floor: desk. One shape for every change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast
from zoneinfo import ZoneInfo

import attrs

from dossier.errors import InputError
from dossier.model.claims import Source
from dossier.model.clock import as_day, as_instant, day_of
from dossier.model.fields import nearest_name, shown_path
from dossier.model.problems import problem
from dossier.model.ranking import CHANNELS

When = dt.datetime | dt.date | str


class Told(TypedDict, total=False):
    """Keyword options of every verb that takes in facts.

    `channel` one of `dossier.CHANNELS` or a word of yours ("desk" if not said), `told_by` who said it, `observed`
    when it was seen (default: now; a day counts to its end), `valid_from`/`valid_to` calendar days, both included,
    `evidence` references,
    `because` why this is entered.
    """

    channel: str
    told_by: str
    observed: When
    valid_from: dt.date | str
    valid_to: dt.date | str
    evidence: Sequence[str]
    because: str


@attrs.frozen(repr=False)
class Change:
    """New values for fields of one section; made by `change()`. Immutable."""

    section: str | type
    values: Mapping[str, Any]
    typed: Any = None
    told: Told | None = None

    def via(
        self,
        channel: str,
        *,
        told_by: str = "",
        observed: When = "",
        valid_from: dt.date | str = "",
        valid_to: dt.date | str = "",
        evidence: Sequence[str] = (),
    ) -> Change:
        """The same change, told through another channel than the rest of the act."""
        further = {
            "told_by": told_by,
            "observed": observed,
            "valid_from": valid_from,
            "valid_to": valid_to,
            "evidence": evidence,
        }
        said = {name: value for name, value in further.items() if value not in ("", ())}
        return attrs.evolve(self, told=cast(Told, {"channel": channel, **said}))

    def __repr__(self) -> str:
        name = self.section if isinstance(self.section, str) else self.section.__name__
        return f"Change({name}, {', '.join(sorted(self.values))})"


def change(section: Any, /, **values: Any) -> Change:
    """A change to one section: `change("basic", phones=["0371-65678999"])`.

    `section`: its name, its class, or an instance whose values are all asserted. A value may be a plain one, a typed
    one, `UNSET` (withdraw), `edit(add=…, remove=…, change=…)` for sets and parts, or an `Absence`.
    """
    if isinstance(section, str | type):
        return Change(section, values)
    if not attrs.has(type(section)) or values:
        raise InputError([problem("change.section", "change")])
    return Change(type(section), {}, typed=section)


@attrs.frozen(repr=False)
class Draft:
    """A record to be entered; made by `record()`."""

    kind: str
    values: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Draft({self.kind}, {', '.join(sorted(self.values))})"


def record(kind: str, /, **values: Any) -> Draft:
    """A record to enter: `record("order", at="2026-03-01", amount="1200", lines=[…])`."""
    return Draft(kind, values)


_LIMIT = 200
_SHORT = frozenset({"channel", "because"})
"""What needs no look at days and texts."""


def told_source(told: Told, *, act: str, rev: int, at: str, zone: ZoneInfo) -> Source:
    """The source of claims told in this way. InputError lists every option that is wrong."""
    channel = told.get("channel") or "desk"
    if channel in CHANNELS and told.keys() <= _SHORT:
        return Source(act=act, rev=rev, at=at, channel=channel)
    problems = [
        problem("field.unknown", shown_path(name), nearest=nearest_name(name, Told.__annotations__))
        for name in told
        if name not in Told.__annotations__
    ]
    told_by = told.get("told_by", "")
    given = told.get("evidence", ())
    evidence = tuple(given) if isinstance(given, list | tuple) else (given,)
    for name, text in (("channel", channel), ("told_by", told_by), *(("evidence", item) for item in evidence)):
        if not fits(text, _LIMIT):
            problems.append(problem("told.text", name, limit=_LIMIT))
    days: dict[str, str] = {"valid_from": "", "valid_to": ""}
    observed = ""
    try:
        seen = told.get("observed", "")
        observed = as_instant(seen, zone, path="observed", end=True) if seen else ""
        if observed and day_of(observed, zone) == day_of(at, zone) and observed > at:
            # "Today" is not later than now.
            observed = ""
    except InputError as error:
        problems.extend(error.problems)
    for name in days:
        day = told.get(name, "")
        try:
            days[name] = as_day(day, path=name) if day else ""  # type: ignore[arg-type]
        except InputError as error:
            problems.extend(error.problems)
    if days["valid_from"] and days["valid_to"] and days["valid_from"] > days["valid_to"]:
        problems.append(problem("told.span", "valid_to"))
    if observed > at:
        problems.append(problem("told.future", "observed"))
    if problems:
        raise InputError(problems)
    return Source(
        act=act,
        rev=rev,
        at=at,
        channel=channel,
        told_by=told_by,
        observed=observed,
        valid_from=days["valid_from"],
        valid_to=days["valid_to"],
        evidence=evidence,
    )


def fits(text: object, limit: int) -> bool:
    """Whether this is text of at most `limit` characters that can be kept: no NUL, no lone surrogate."""
    if type(text) is not str or len(text) > limit or "\0" in text:
        return False
    try:
        text.encode()
        return True
    except UnicodeEncodeError:
        return False
