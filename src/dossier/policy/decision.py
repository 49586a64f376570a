"""From rules to a decision: an outcome, and for each section the mask of leaves it reaches.

Floor: policy, pure. A mask is an int, bit i standing for leaf i of a `SectionSpec` (P5, P6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

import attrs

from dossier.model.fields import SectionSpec
from dossier.policy.rules import Policy, Rule


class Outcome(Enum):
    """ALLOWED; NOT_PERMITTED: no rule permits it; FORBIDDEN: a rule forbids it."""

    ALLOWED = "allowed"
    NOT_PERMITTED = "not_permitted"
    FORBIDDEN = "forbidden"


SpecId = tuple[str, str]
"""(section key, party kind or "")."""


def spec_id(spec: SectionSpec) -> SpecId:
    """Names a section class."""
    return spec.key, str(spec.kind or "")


@attrs.frozen
class Decision:
    """What the policy says of one call. `masks` reach exactly permits and not forbids (P6)."""

    outcome: Outcome
    masks: Mapping[SpecId, int]
    permits: tuple[str, ...]
    forbids: tuple[str, ...]
    policy_digest: str

    @property
    def allowed(self) -> bool:
        """Whether the call may go on (its masks say with which fields)."""
        return self.outcome is Outcome.ALLOWED

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of all rules that decided."""
        return self.permits + self.forbids

    def mask(self, spec: SectionSpec) -> int:
        """The leaves of a section that this decision reaches."""
        return self.masks.get(spec_id(spec), 0)


class Judge:
    """A policy compiled for the sections an archive knows. Decisions are cached: there are few."""

    def __init__(self, policy: Policy, specs: Iterable[SectionSpec]) -> None:
        self.policy = policy
        self._specs = tuple(specs)
        self._cache: dict[tuple[frozenset[str], str, str, str], Decision] = {}

    def decide(self, kinds: frozenset[str], verb: str, *, purpose: str = "", medium: str = "copy") -> Decision:
        """The decision for an actor whose roles are of these kinds. More roles differ only by rules naming them."""
        key = (kinds, verb, purpose, medium)
        found = self._cache.get(key)
        if found is None:
            found = self._cache[key] = self._decide(kinds, verb, purpose, medium)
        return found

    def _decide(self, kinds: frozenset[str], verb: str, purpose: str, medium: str) -> Decision:
        rules = {rule for kind in kinds for rule in self.policy.select(kind, verb, medium, purpose)}
        permits = sorted((rule for rule in rules if rule.effect == "permit"), key=_id)
        forbids = sorted((rule for rule in rules if rule.effect == "forbid"), key=_id)
        masks = {spec_id(spec): _reach(spec, permits) & ~_reach(spec, forbids) for spec in self._specs}
        if any(masks.values()):
            outcome = Outcome.ALLOWED
        else:
            outcome = Outcome.FORBIDDEN if forbids else Outcome.NOT_PERMITTED
        return Decision(
            outcome,
            masks,
            tuple(rule.id for rule in permits),
            tuple(rule.id for rule in forbids),
            self.policy.digest,
        )


def _id(rule: Rule) -> str:
    return rule.id


def _reach(spec: SectionSpec, rules: Iterable[Rule]) -> int:
    mask = 0
    for bit, leaf in enumerate(spec.leaves):
        if any(rule.fields.selects(leaf) for rule in rules):
            mask |= 1 << bit
    return mask
