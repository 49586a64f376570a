"""Every case that a policy can tell apart: role sets, calls, and all answers that its conditions can give.

Floor: policy. Exact: conditions of different axes are independent, and of each axis there are samples with every
answer that can occur. Of roles two at a time are enough: one brings the permit, another at most the forbid that
counts; each further one only adds what takes the same leaf away again.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import attrs

from dossier.policy.atoms import Atom, Facts
from dossier.policy.rules import GLASS, KINDS, MEDIA, PURPOSES, VERBS, Policy, When

LAWFUL = Facts(
    actor="a", requester="r", approver="m", approver_kinds=frozenset({"manager"}), recall=True, consent=True,
    retained=False, waited=True,
)  # fmt: skip
"""Facts under which no forbid of `never` that hangs on facts holds."""


@attrs.frozen
class World:
    """One case: facts, and what each condition of the policies says of it."""

    facts: Facts
    holds: tuple[str, ...]
    """The conditions that hold, as text."""


@attrs.frozen
class Who:
    """Somebody by his kinds, or by a role of the host and its kind."""

    kinds: frozenset[str]
    roles: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return " + ".join(sorted(self.roles or self.kinds))

    def __or__(self, other: Who) -> Who:
        return Who(self.kinds | other.kinds, self.roles | other.roles)


def everybody(roles: Mapping[str, str]) -> list[Who]:
    """Each kind, and each role of the host with the kind it is declared with."""
    return [Who(frozenset({kind})) for kind in KINDS] + [
        Who(frozenset({kind}), frozenset({role})) for role, kind in sorted(roles.items()) if role not in KINDS
    ]


def pairs(whos: Iterable[Who]) -> Iterator[Who]:
    """Each two of them."""
    for one, other in itertools.combinations(whos, 2):
        yield one | other


def calls(verbs: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Every (verb, medium, purpose) of these verbs."""
    return itertools.product((verb for verb in VERBS if verb in verbs), MEDIA, ("", *PURPOSES))


def worlds(policies: Iterable[Policy], atoms: Mapping[str, Atom]) -> list[World]:
    """All the cases between them, with a broken glass and without; one where no rule has a condition."""
    policies = tuple(policies)
    asked = sorted({when for policy in policies for rule in policy.rules for when in rule.when}, key=str)
    found = worlds_of([when for when in asked if when.atom in atoms], atoms)
    if any(policy.break_glass is not None for policy in policies):
        found += [World(attrs.evolve(each.facts, glass=True), (*each.holds, GLASS)) for each in found]
    return found


def worlds_of(asked: Iterable[When], atoms: Mapping[str, Atom]) -> list[World]:
    """The cases that these conditions tell apart."""
    asked = [when for when in asked if atoms[when.atom].axis != "purpose"]
    axes: dict[str, list[Mapping[str, Any]]] = {}
    for when in asked:
        atom = atoms[when.atom]
        samples = axes.setdefault(atom.axis or str(when), [])
        samples += [sample for sample in atom.samples(when.args) if sample not in samples]
    found: dict[tuple[Any, ...], World] = {}
    for chosen in itertools.product(*axes.values()):
        facts = attrs.evolve(LAWFUL, **{name: value for sample in chosen for name, value in sample.items()})
        said = tuple(_said(atoms[when.atom], facts, when) for when in asked)
        holds = tuple(str(when) for when, each in zip(asked, said, strict=True) if each is True)
        found.setdefault(said, World(facts, holds))
    return list(found.values())


def _said(atom: Atom, facts: Facts, when: When) -> bool | None:
    try:
        return atom.holds(facts, when.args)
    except Exception:
        return None
