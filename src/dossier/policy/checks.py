"""Static checks of a policy, exact by enumeration: what is wrong with it is known before it is in force.

Floor: policy.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import attrs

from dossier.errors import Problem
from dossier.model.fields import SectionSpec, nearest_name
from dossier.policy.atoms import ATOMS, Atom
from dossier.policy.decision import Judge, Layout, spec_id
from dossier.policy.never import NEVER, SALES, Call
from dossier.policy.reasons import reason
from dossier.policy.rules import APPROVERS, GLASS, KINDS, PURPOSES, Fields, Policy, ReleaseProfile, Rule
from dossier.policy.words import wrong_words
from dossier.policy.worlds import Who, World, everybody, worlds, worlds_of

_SALES = Fields(flags=frozenset({SALES}))
_EMPTY = ("verbs", "media", "purposes")


def check(
    policy: Policy,
    specs: Iterable[SectionSpec],
    *,
    roles: Mapping[str, str] = {},
    exceptions: Iterable[str] = (),
    atoms: Mapping[str, Atom] = ATOMS,
) -> list[Problem]:
    """All that is wrong with a policy, with the ids of rules and a remedy each: unknown words, fields, roles;
    conditions that contradict each other; releases without profile, approver or recall; rules that never
    change a decision.

    `roles` are the words of the host with their kinds, `exceptions` those of the archive.
    """
    specs = tuple(specs)
    found = _identities(policy)
    for rule in policy.sorted:
        path = f"rules/{rule.id}"
        found += wrong_words(rule, path, atoms)
        found += _wrong_fields(rule.fields, specs, path)
        found += _wrong_roles(rule.roles, roles, path)
        if not (rule.kinds or rule.roles):
            found.append(reason("policy.nobody", path, rule=rule.id))
        found += [
            reason("policy.nothing", path, rule=rule.id, what=name)
            for name in _EMPTY
            if (given := getattr(rule, name)) is not None and not given
        ]
    for profile in sorted(policy.profiles, key=lambda each: each.id):
        found += _wrong_profile(profile, specs, roles)
    found += _wrong_glass(policy, specs, roles)
    if type(policy.waiting_hours) is not int or not 0 <= policy.waiting_hours <= 8760:
        found.append(reason("policy.waiting", "waiting_hours"))
    if found:
        return found  # what follows asks what the words mean
    for rule in policy.sorted:
        if not _possible(rule, atoms):
            said = ", ".join(map(str, rule.when))
            found.append(reason("policy.contradiction", f"rules/{rule.id}", rule=rule.id, atoms=said))
    found += _wrong_releases(policy, specs, roles)
    wrong = {problem.path for problem in found}
    for id in idle(policy, specs, roles=roles, exceptions=exceptions, atoms=atoms):
        if f"rules/{id}" not in wrong:
            found.append(reason("policy.idle", f"rules/{id}", rule=id))
    return found


def idle(
    policy: Policy,
    specs: Iterable[SectionSpec],
    *,
    roles: Mapping[str, str] = {},
    exceptions: Iterable[str] = (),
    atoms: Mapping[str, Atom] = ATOMS,
) -> tuple[str, ...]:
    """Ids of the rules without which every decision would be the same."""
    judge = Judge(policy, specs, exceptions=exceptions, atoms=atoms)
    cases = worlds([policy], atoms)
    whos = everybody(roles)
    return tuple(rule.id for rule in policy.sorted if not _counts(judge, rule, whos, cases))


def _counts(judge: Judge, rule: Rule, whos: Sequence[Who], cases: Sequence[World]) -> bool:
    """Whether some decision would be another without the rule."""
    own = [who for who in whos if rule.names(who.kinds, who.roles)]
    sets = own if rule.effect == "permit" else [*own, *(one | two for one in own for two in whos if one != two)]
    asked = (sorted(rule.verbs), sorted(rule.media), sorted(rule.purposes or ("", *PURPOSES)))
    for verb, medium, purpose in itertools.product(*asked):
        for who in sets:
            one = judge.ruling(who.kinds, verb, purpose=purpose, medium=medium, roles=who.roles)
            two = judge.ruling(who.kinds, verb, purpose=purpose, medium=medium, roles=who.roles, without=rule)
            for world in cases:
                facts = attrs.evolve(world.facts, purpose=purpose)
                if one.mask(facts) != two.mask(facts):
                    return True
    return False


def _possible(rule: Rule, atoms: Mapping[str, Atom]) -> bool:
    """Whether all conditions of a rule can hold at once."""
    for purpose in rule.purposes if rule.purposes is not None else ("", *PURPOSES):
        for world in worlds_of(rule.when, atoms):
            facts = attrs.evolve(world.facts, purpose=purpose)
            if all(atoms[when.atom].holds(facts, when.args) for when in rule.when):
                return True
    return False


def _identities(policy: Policy) -> list[Problem]:
    reserved = {never.id for never in NEVER} | {GLASS}
    found = []
    for table, ids in (("rules", [each.id for each in policy.rules]), ("profiles", [e.id for e in policy.profiles])):
        twice = {id for id in ids if ids.count(id) > 1 or id in reserved}
        found += [reason("policy.twice", f"{table}/{id}", rule=id) for id in sorted(twice)]
    return found


def _wrong_fields(fields: Fields, specs: Iterable[SectionSpec], path: str) -> list[Problem]:
    found = []
    leaves = {f"{spec.key}/{leaf.pattern}" for spec in specs for leaf in spec.leaves}
    flags = {flag for spec in specs for leaf in spec.leaves for flag in leaf.flags}
    for given in sorted(fields.paths):
        if not any(leaf == given or leaf.startswith((f"{given}/", f"{given}[")) for leaf in leaves):
            found.append(reason("policy.field", f"{path}/fields/{given}", nearest=nearest_name(given, leaves)))
    for flag in sorted(fields.flags - flags):
        found.append(reason("policy.flag", f"{path}/fields", nearest=nearest_name(flag, flags)))
    return found


def _wrong_roles(given: Iterable[str], roles: Mapping[str, str], path: str) -> list[Problem]:
    words = tuple(sorted({*roles}))
    return [
        reason("policy.word", f"{path}/roles", what="roles", nearest=nearest_name(role, words), words=", ".join(words))
        for role in sorted(given)
        if role not in roles
    ]


def _wrong_profile(profile: ReleaseProfile, specs: Sequence[SectionSpec], roles: Mapping[str, str]) -> list[Problem]:
    path = f"profiles/{profile.id}"
    found = [*wrong_words(profile, path), *_wrong_fields(profile.fields, specs, path)]
    known = (*KINDS, *roles)
    if profile.recipient not in known:
        nearest = nearest_name(profile.recipient, known)
        found.append(
            reason("policy.word", path, what="recipient", nearest=nearest, words=", ".join(sorted(set(known))))
        )
    if not profile.approver or not profile.approver <= set(APPROVERS):
        found.append(reason("policy.approver", path, profile=profile.id, words=", ".join(APPROVERS)))
    full = any(profile.fields.mask(spec) & ~_SALES.mask(spec) for spec in specs)
    if profile.recall_within < 0 or (full and not profile.recall_within):
        found.append(reason("policy.recall", path, profile=profile.id))
    return found


def _wrong_glass(policy: Policy, specs: Sequence[SectionSpec], roles: Mapping[str, str]) -> list[Problem]:
    glass = policy.break_glass
    if glass is None:
        return []
    found = [*wrong_words(glass, "break_glass"), *_wrong_fields(glass.fields, specs, "break_glass")]
    found += _wrong_roles(glass.roles, roles, "break_glass")
    if not (glass.kinds or glass.roles) or not 1 <= glass.minutes <= 1440:
        found.append(reason("policy.glass", "break_glass"))
    return found


def _wrong_releases(policy: Policy, specs: Sequence[SectionSpec], roles: Mapping[str, str]) -> list[Problem]:
    """Releases that no profile covers: to each receiver no more than a profile for him says."""
    layout = Layout(specs)

    def reach(fields: Fields) -> int:
        return layout.flat({spec_id(spec): fields.mask(spec) for spec in layout.specs})

    found = []
    for rule in policy.sorted:
        if rule.effect != "permit" or "release" not in rule.verbs:
            continue
        for recipient in sorted(rule.kinds | rule.roles):
            covered = 0
            for profile in policy.profiles:
                if profile.recipient in (recipient, roles.get(recipient)):
                    covered |= reach(profile.fields)
            call = Call(frozenset({roles.get(recipient, recipient)}), "release", "copy", "manage")
            never = 0
            for each in NEVER:
                if each.broken is None and each.concerns(call):
                    never |= layout.having(each.leaf)
            if reach(rule.fields) & ~never & ~covered:
                found.append(reason("policy.profile", f"rules/{rule.id}", rule=rule.id, recipient=recipient))
    return found
