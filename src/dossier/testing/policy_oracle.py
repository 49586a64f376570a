"""The policy evaluated as it is written in the book: leaf by leaf, rule by rule, sharing nothing with the engine.

Floor: testing. The reference of law P5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dossier.model.fields import Leaf, SectionSpec, Tier
from dossier.policy import Atom, Facts, Fields, Policy, Rule

_GIVING = {"consult", "borrow", "release", "export", "analyse"}
Reached = set[tuple[str, str, str]]
"""(section key, party kind or "", leaf pattern)."""


def reference(
    policy: Policy, specs: Iterable[SectionSpec], atoms: Mapping[str, Atom], kinds: Iterable[str], roles: Iterable[str],
    verb: str, medium: str, purpose: str, facts: Facts,
) -> Reached:  # fmt: skip
    """Every leaf that a call reaches."""

    def satisfied(rule: Rule, otherwise: bool) -> bool:
        if not (set(kinds) & rule.kinds or set(roles) & rule.roles) or verb not in rule.verbs:
            return False
        if medium not in rule.media or (rule.purposes is not None and purpose not in rule.purposes):
            return False
        said: list[bool | None] = []
        for when in rule.when:
            try:
                said.append(atoms[when.atom].holds(facts, when.args))
            except Exception:
                return otherwise
        return all(each is True for each in said) or (otherwise and not any(each is False for each in said))

    def never(leaf: Leaf) -> bool:
        more = "sales" not in leaf.flags
        release = verb == "release"
        second = facts.approver and facts.requester and facts.approver != facts.requester
        agreed = second and {"account_manager", "manager"} & facts.approver_kinds
        return bool(
            (medium == "original" and verb in {"borrow", "release", "export"})
            or ("sales" in kinds and (verb in {"consult", "borrow", "export", "analyse"} or (release and more)))
            or (leaf.tier is Tier.SPECIAL and not purpose and verb in _GIVING)
            or (release and not (facts.waited if policy.waiting_hours else agreed))
            or (release and more and not facts.recall)
            or (release and "outsider" in kinds and not facts.consent)
            or (facts.hold and verb in {"edit", "destroy"})
            or (verb == "destroy" and facts.retained)
        )  # fmt: skip

    found: Reached = set()
    for spec in specs:
        for leaf in spec.leaves:
            own = [rule for rule in policy.rules if _meant(rule.fields, spec.key, leaf)]
            permitted = any(rule.effect == "permit" and satisfied(rule, False) for rule in own)
            forbidden = any(rule.effect == "forbid" and satisfied(rule, True) for rule in own)
            if permitted and not forbidden and not never(leaf):
                found.add((spec.key, spec.kind or "", leaf.pattern))
    return found


def _meant(fields: Fields, section: str, leaf: Leaf) -> bool:
    if fields.tier is None and not fields.flags and not fields.paths:
        return True
    steps = f"{section}/{leaf.pattern}".replace("[*]", "/[*]").split("/")
    below = {"/".join(steps[:n]).replace("/[*]", "[*]") for n in range(1, len(steps) + 1)}
    return (fields.tier is not None and leaf.tier.value <= fields.tier.value) or bool(
        fields.flags & leaf.flags or fields.paths & below
    )
