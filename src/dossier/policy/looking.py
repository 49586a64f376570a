"""A policy as people look at it: who reaches what, what a change widens, what no test fires, why something is so.

Floor: policy. All by enumeration of what the policy can tell apart, so nothing is missed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import attrs

from dossier.errors import Lang
from dossier.model.fields import SectionSpec
from dossier.policy.atoms import ATOMS, Atom, Facts
from dossier.policy.decision import Judge, Outcome, spec_id
from dossier.policy.rules import PURPOSES, VERBS, Policy
from dossier.policy.worlds import Who, World, calls, everybody, pairs, worlds


@attrs.frozen
class Cell:
    """What somebody reaches: `paths` of leaves, by a verb, in a medium, under each of `purposes` ("" none), where just
    the conditions `holds` hold. Of facts that are no condition of a rule (approval, recall, hold) the best is taken."""

    who: str
    verb: str
    medium: str
    purposes: tuple[str, ...]
    holds: tuple[str, ...]
    paths: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Case:
    """One call to try a policy with."""

    kinds: frozenset[str]
    verb: str
    roles: frozenset[str] = frozenset()
    purpose: str = ""
    medium: str = "copy"
    facts: Facts = attrs.field(factory=Facts)


@attrs.frozen
class Explanation:
    """Why a field is reached or not: the ids of the rules, and the nearest missing conditions. Never a value."""

    path: str
    outcome: Outcome
    permits: tuple[str, ...]
    forbids: tuple[str, ...]
    missing: tuple[str, ...]

    def text(self, lang: Lang = "en") -> str:
        """One line."""
        zh = lang == "zh"
        if self.outcome is Outcome.ALLOWED:
            return f"{self.path}: {'准许, 依据' if zh else 'allowed by'} {', '.join(self.permits)}"
        lack = f"; {'尚缺' if zh else 'missing'}: {', '.join(self.missing)}" if self.missing else ""
        if self.outcome is Outcome.FORBIDDEN:
            return f"{self.path}: {'禁止, 依据' if zh else 'forbidden by'} {', '.join(self.forbids)}{lack}"
        return f"{self.path}: {'没有规则准许' if zh else 'no rule permits it'}{lack}"


def table(
    policy: Policy,
    specs: Iterable[SectionSpec],
    *,
    roles: Mapping[str, str] = {},
    exceptions: Iterable[str] = (),
    atoms: Mapping[str, Atom] = ATOMS,
) -> list[Cell]:
    """The whole matrix: each kind and role, verb and medium, with what is reached; nothing where nothing is."""
    judge = Judge(policy, specs, exceptions=exceptions, atoms=atoms)
    cases = worlds([policy], atoms)
    cells: list[Cell] = []
    for who in everybody(roles):
        masks = {key: mask for key, mask in _masks(judge, who, cases) if mask}
        cells += _cells(judge, who, masks, cases)
    return cells


def diff(
    old: Policy,
    new: Policy,
    specs: Iterable[SectionSpec],
    *,
    roles: Mapping[str, str] = {},
    exceptions: Iterable[str] = (),
    atoms: Mapping[str, Atom] = ATOMS,
) -> list[Cell]:
    """Every cell that `new` widens, `paths` being what is gained. Two roles at once are named only where neither gains
    it alone (a forbid of one no longer stops what the other permits)."""
    specs = tuple(specs)
    before, after = (Judge(each, specs, exceptions=exceptions, atoms=atoms) for each in (old, new))
    cases = worlds([old, new], atoms)
    verbs = {verb for rule in old.rules ^ new.rules for verb in rule.verbs}
    verbs |= {"consult"} if old.break_glass != new.break_glass else set()
    verbs |= {"release"} if old.waiting_hours != new.waiting_hours else set()
    gained: dict[tuple[Who, Key], int] = {}
    whos = everybody(roles)
    cells: list[Cell] = []
    for who in (*whos, *pairs(whos)):
        alone = [one for one in whos if one != who and one.kinds <= who.kinds and one.roles <= who.roles]
        masks: dict[Key, int] = {}
        known = dict(_masks(before, who, cases, verbs))
        for key, mask in _masks(after, who, cases, verbs):
            more = mask & ~known[key]
            for one in alone:
                more &= ~gained.get((one, key), 0)
            if more:
                masks[key] = gained[who, key] = more
        cells += _cells(after, who, masks, cases)
    return cells


def cover(
    policy: Policy,
    cases: Iterable[Case],
    specs: Iterable[SectionSpec],
    *,
    exceptions: Iterable[str] = (),
    atoms: Mapping[str, Atom] = ATOMS,
) -> tuple[str, ...]:
    """Ids of the rules that none of these cases fires: no permit that gave anything, no forbid that took anything."""
    judge = Judge(policy, specs, exceptions=exceptions, atoms=atoms)
    fired: set[str] = set()
    for case in cases:
        facts = attrs.evolve(case.facts, purpose=case.purpose)
        decision = judge.decide(
            case.kinds, case.verb, purpose=case.purpose, medium=case.medium, roles=case.roles, facts=facts
        )
        fired.update(decision.permits if decision.allowed else (), decision.forbids)
    return tuple(sorted({rule.id for rule in policy.rules} - fired))


def explain(judge: Judge, case: Case, *paths: str) -> list[Explanation]:
    """Why each of these leaf paths is reached or not (all that the sections have without paths)."""
    ruling = judge.ruling(case.kinds, case.verb, purpose=case.purpose, medium=case.medium, roles=case.roles)
    facts = attrs.evolve(case.facts, purpose=case.purpose)
    leaves: dict[str, int] = {}
    for spec in judge.layout.specs:
        for bit, leaf in enumerate(spec.leaves):
            path = f"{spec.key}/{leaf.pattern}"
            leaves[path] = leaves.get(path, 0) | 1 << judge.layout.offsets[spec_id(spec)] + bit
    found = []
    for path in paths or leaves:
        permits, forbids, missing = ruling.explain(leaves[path], facts)
        if forbids:
            outcome = Outcome.FORBIDDEN
        else:
            outcome = Outcome.ALLOWED if permits else Outcome.NOT_PERMITTED
        found.append(Explanation(path, outcome, permits, forbids, missing))
    return found


# -- inner steps ----------------------------------------------------------------------------------

Key = tuple[str, str, str, int]
"""(verb, medium, purpose, number of the world)."""


def _masks(
    judge: Judge, who: Who, cases: list[World], verbs: Collection[str] = tuple(VERBS)
) -> Iterator[tuple[Key, int]]:
    for verb, medium, purpose in calls(verbs):
        ruling = judge.ruling(who.kinds, verb, purpose=purpose, medium=medium, roles=who.roles)
        for n, world in enumerate(cases):
            yield (verb, medium, purpose, n), ruling.mask(attrs.evolve(world.facts, purpose=purpose))


def _cells(judge: Judge, who: Who, masks: Mapping[Key, int], cases: list[World]) -> Iterator[Cell]:
    """Cells of what somebody reaches, purposes put together where they reach the same."""
    grouped: dict[tuple[str, str, int, int], list[str]] = {}
    for (verb, medium, purpose, n), mask in masks.items():
        grouped.setdefault((verb, medium, n, mask), []).append(purpose)
    verbs = list(VERBS)
    for (verb, medium, n, mask), under in sorted(grouped.items(), key=lambda each: (verbs.index(each[0][0]), each[0])):
        purposes = tuple(sorted(under, key=("", *PURPOSES).index))
        yield Cell(str(who), verb, medium, purposes, cases[n].holds, judge.layout.reached(mask))
