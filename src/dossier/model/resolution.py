"""Resolution: which of the competing claims on a leaf a field shows (K9; M65-M68).

Floor: model, pure. A total order over the *set* of claims: no order of arrival, backend or merge link changes it.
Undisputed before disputed, proven before unproven, then the rank of the channel, then the newest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dossier.model.claims import CHECKED, DISPUTED, PROVEN, Claim, Source
from dossier.model.ranking import rank


def order_key(claim: Claim, ranking: str) -> tuple[bool, bool, int, str, bool, str, str, str] | None:
    """Sorts claims so that the greatest is shown; None where the channel never counts under the ranking."""
    source, marks, _ = claim
    place = rank(ranking, source.channel)
    if place is None and not marks & PROVEN:
        return None
    return (
        not marks & DISPUTED,
        bool(marks & PROVEN),
        -(place or 0),
        source.observed or source.at,
        bool(marks & CHECKED),
        source.at,
        source.act,
        source.channel,
    )


def prevails(claim: Claim, other: Claim, ranking: str) -> bool | None:
    """Whether a claim is shown before another that holds on the same days; None where neither may be shown."""
    if not (claim.marks or other.marks):
        # Nearly always their ranks decide.
        mine, others = rank(ranking, claim.source.channel), rank(ranking, other.source.channel)
        if mine is None or others is None:
            return None if mine is others else others is None
        if mine != others:
            return mine < others
    key, least = order_key(claim, ranking), order_key(other, ranking)
    if key is None or least is None:
        return None if key is least else least is None
    return key > least


def valid_on(source: Source, day: str, seen_day: str | None = None) -> bool:
    """Whether a claim holds on a day. Without `valid_from` it holds from `seen_day` on (None: from ever)."""
    start = source.valid_from or seen_day or ""
    return start <= day and (not source.valid_to or day <= source.valid_to)


def resolve(claims: Sequence[Claim], ranking: str) -> Claim | None:
    """The claim that is shown, among claims valid on the day asked for; None where none may show."""
    best: Claim | None = None
    best_key = None
    for claim in claims:
        key = order_key(claim, ranking)
        if key is not None and (best_key is None or key > best_key):
            best, best_key = claim, key
    return best


def superseded(older: Claim, newer: Claim) -> bool:
    """Whether `older` can never be shown while `newer` stands: same channel, seen later (then checked, then said
    later), as well proven, not disputed, and valid wherever `older` is from today on. Superseded claims live in the
    acts alone."""
    a, b = older.source, newer.source
    return (
        a.channel == b.channel
        and not newer.marks & DISPUTED
        and (newer.marks & PROVEN) >= (older.marks & PROVEN)
        and (b.seen, newer.marks & CHECKED, b.at, b.act) > (a.seen, older.marks & CHECKED, a.at, a.act)
        and (not b.valid_from or (bool(a.valid_from) and b.valid_from <= a.valid_from))
        and (not b.valid_to or (bool(a.valid_to) and a.valid_to <= b.valid_to))
    )


def standing(claims: Iterable[Claim]) -> list[Claim]:
    """The claims that are not superseded, in a canonical order (act id, then recorded)."""
    pool = sorted(claims, key=_said)
    if len({claim.source.channel for claim in pool}) == len(pool):
        return pool
    by_channel: dict[str, list[Claim]] = {}
    for claim in pool:
        by_channel.setdefault(claim.source.channel, []).append(claim)
    return [
        claim
        for claim in pool
        if not any(superseded(claim, other) for other in by_channel[claim.source.channel] if other is not claim)
    ]


def _said(claim: Claim) -> tuple[str, str, str]:
    source = claim.source
    return source.at, source.act, source.channel


def next_change(claims: Iterable[Claim], today: str) -> str:
    """The next day on which another claim may show ("" for none): a start in the future, or the end of a span."""
    found = ""
    for source, _, _ in claims:
        if source.valid_from or source.valid_to:
            for day in (source.valid_from, _after(source.valid_to)):
                if day > today and (not found or day < found):
                    found = day
    return found


def _after(day: str) -> str:
    # Any text that sorts behind every instant of the day and before the next day.
    return day + "~" if day else ""
