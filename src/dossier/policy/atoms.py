"""Conditions of rules: a closed list of atoms, each a total function over facts, and a query over rows.

Floor: policy, pure. An atom says True, False or None: None where what it asks for is missing, and then a permit is not
satisfied and a forbid is. What it says of a row it says as a query too, so that lists are cut before they are read; a
law holds the two against each other (N2, N5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import attrs

from dossier.policy.rules import When
from dossier.repository import FALSE, TRUE, And, Eq, Expr, In, Lt, Not, Or

Args = tuple[Any, ...]


@attrs.frozen(kw_only=True)
class Facts:
    """What a decision may depend on beside role, verb, purpose and medium.

    Of the call: `actor` (id), `teams` he is in, `purpose`, `minute` of the archive's day (0..1439), `approved` whether
    an approval covers it. Of the dossier: `custodian` (an actor's id), `team`, `hold`, `grade`; "" and None: there is
    none. `glass`: the actor broke the glass of this dossier and his minutes are not over. Of a release, a loan or a
    destruction: `requester`, `approver`, `approver_kinds`, whether it has a `recall` date, whether there is
    `consent` evidence, whether retention has ended (`retained` no more); in an archive of one person `waited`: the
    waiting time is over and a reason recorded.
    """

    actor: str = ""
    teams: frozenset[str] = frozenset()
    purpose: str = ""
    minute: int | None = None
    approved: bool = False
    custodian: str = ""
    team: str = ""
    hold: bool = False
    grade: int | None = None
    glass: bool = False
    requester: str = ""
    approver: str = ""
    approver_kinds: frozenset[str] = frozenset()
    recall: bool = False
    consent: bool = False
    retained: bool = True
    waited: bool = False


@attrs.frozen(kw_only=True)
class Atom:
    """A condition that policies may name. `row`: whether it asks for facts of the dossier.

    `holds(facts, args)` must answer whatever the facts are; `where(facts, args)` is the query for the dossiers of
    which it says True, over the columns named in `columns`, which must be present (None: it can say of no row what
    it asks). `args` are the types of its arguments; `axis` names the fact it depends on and `samples` gives values of
    facts such that between them every answer occurs that can, for the checks that enumerate.
    """

    name: str
    zh: str
    en: str
    holds: Callable[[Facts, Args], bool | None]
    where: Callable[[Facts, Args], Expr | None] | None = None
    columns: tuple[str, ...] = ()
    args: tuple[type, ...] = ()
    axis: str = ""
    samples: Callable[[Args], Iterable[Mapping[str, Any]]]

    @property
    def row(self) -> bool:
        """Whether it depends on the dossier."""
        return self.where is not None


def _is_custodian(facts: Facts, _: Args) -> bool | None:
    return facts.custodian == facts.actor if facts.custodian and facts.actor else None


def _in_team(facts: Facts, _: Args) -> bool | None:
    return facts.team in facts.teams if facts.team and facts.teams else None


def _within(facts: Facts, args: Args) -> bool | None:
    """Hours that end before they begin run over midnight; the end is not within."""
    if facts.minute is None:
        return None
    begin, end = minutes(args[0]), minutes(args[1])
    if begin <= end:
        return begin <= facts.minute < end
    return facts.minute >= begin or facts.minute < end


def minutes(text: str) -> int:
    """Minutes since midnight of "HH:MM", up to 24:00. ValueError for anything else."""
    hour, colon, minute = text.partition(":")
    if not (len(hour) == len(minute) == 2 and colon and (hour + minute).isascii() and (hour + minute).isdigit()):
        raise ValueError("HH:MM")
    found = int(hour) * 60 + int(minute)
    if int(minute) > 59 or found > 24 * 60:
        raise ValueError("HH:MM")
    return found


def _hours(args: Args) -> Iterable[Mapping[str, Any]]:
    edges = {minutes(each) % 1440 for each in args}
    return [{"minute": each % 1440} for edge in edges for each in (edge, edge - 1)]


def _graded(facts: Facts, args: Args) -> Expr:
    return Lt("grade", args[0] + 1)


ATOMS: Final[Mapping[str, Atom]] = {
    atom.name: atom
    for atom in (
        Atom(
            name="is_custodian", zh="是该档案的保管人", en="is the dossier's custodian",
            holds=_is_custodian, columns=("custodian",), axis="custodian",
            where=lambda facts, _: Eq("custodian", facts.actor) if facts.actor else None,
            samples=lambda _: [{"actor": "a", "custodian": held} for held in ("a", "b", "")],
        ),
        Atom(
            name="in_team", zh="属于该档案的班组", en="is in the dossier's team",
            holds=_in_team, columns=("team",), axis="team",
            where=lambda facts, _: In("team", tuple(sorted(facts.teams))) if facts.teams else None,
            samples=lambda _: [{"teams": frozenset({"t"}), "team": team} for team in ("t", "u", "")],
        ),
        Atom(
            name="no_hold", zh="没有冻结", en="is under no hold",
            holds=lambda facts, _: not facts.hold, axis="hold",
            where=lambda facts, _: Eq("hold", None), samples=lambda _: [{"hold": held} for held in (False, True)],
        ),
        Atom(
            name="grade_at_most", zh="等级不高于", en="has at most this grade", args=(int,),
            holds=lambda facts, args: facts.grade <= args[0] if facts.grade is not None else None,
            columns=("grade",), axis="grade", where=_graded,
            samples=lambda args: [{"grade": each} for each in (args[0], args[0] + 1, None)],
        ),
        Atom(
            name="purpose_given", zh="说明了目的", en="a purpose is given",
            holds=lambda facts, _: bool(facts.purpose), axis="purpose", samples=lambda _: [],
        ),
        Atom(
            name="approved", zh="已获批准", en="an approval covers it",
            holds=lambda facts, _: facts.approved, axis="approved",
            samples=lambda _: [{"approved": each} for each in (False, True)],
        ),
        Atom(
            name="within_hours", zh="在规定时间内", en="within these hours", args=(str, str),
            holds=_within, axis="minute", samples=_hours,
        ),
    )
}  # fmt: skip
"""The atoms there are, by name. A host adds one by giving `Judge` and the checks a wider mapping."""


def sure(atom: Atom, when: When, facts: Facts, *, says: bool, columns: frozenset[str]) -> Expr:
    """The dossiers of which an atom surely says True (or, with `says=False`, surely says False).

    `columns` are those that the archive keeps: what it does not keep, no dossier has. The atom's own function may
    raise; whoever calls takes that as None.
    """
    if atom.where is None:
        return TRUE if atom.holds(facts, when.args) is says else FALSE
    asked = atom.where(facts, when.args)
    if asked is None:
        return FALSE
    asked = _kept(asked, columns)
    present = [_kept(Not(Eq(column, None)), columns) for column in atom.columns]
    return conj([*present, asked if says else negation(asked)])


def _kept(expr: Expr, columns: frozenset[str]) -> Expr:
    """An expression without columns that no row has."""
    if isinstance(expr, And):
        return conj(_kept(term, columns) for term in expr.terms)
    if isinstance(expr, Or):
        return disj(_kept(term, columns) for term in expr.terms)
    if isinstance(expr, Not):
        return negation(_kept(expr.term, columns))
    if expr.field in columns:
        return expr
    return TRUE if isinstance(expr, Eq) and expr.value is None else FALSE


def conj(terms: Iterable[Expr]) -> Expr:
    """All of them, simplified."""
    found: list[Expr] = []
    for term in terms:
        if term == FALSE:
            return FALSE
        if term != TRUE and term not in found:
            found.append(term)
    return found[0] if len(found) == 1 else And(tuple(found))


def disj(terms: Iterable[Expr]) -> Expr:
    """Any of them, simplified."""
    found: list[Expr] = []
    for term in terms:
        if term == TRUE:
            return TRUE
        if term != FALSE and term not in found:
            found.append(term)
    return found[0] if len(found) == 1 else Or(tuple(found))


def negation(term: Expr) -> Expr:
    """Not, simplified."""
    if term == TRUE:
        return FALSE
    return TRUE if term == FALSE else Not(term)
