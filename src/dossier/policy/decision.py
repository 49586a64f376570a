"""From rules to a decision: an outcome, and for each section the mask of leaves it reaches.

Floor: policy, pure. A mask is an int, bit i standing for leaf i of a `SectionSpec` (P5, P6). What does not depend on
the dossier is worked out once for each (kinds, roles, verb, medium, purpose); what does is a look at a few conditions,
and each combination of their answers has one Decision, made once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum

import attrs

from dossier.model.fields import Leaf, SectionSpec
from dossier.policy.atoms import ATOMS, Atom, Facts, conj, disj
from dossier.policy.never import NEVER, Call
from dossier.policy.rules import GLASS, Fields, Policy, Rule
from dossier.policy.ruling import Near, Part, Ruling, Test
from dossier.repository import FALSE, TRUE, Expr


class Outcome(Enum):
    """ALLOWED; NOT_PERMITTED: no rule permits it; FORBIDDEN: all that is permitted, or everything, is forbidden."""

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
    """What the policy says of one call. `masks` reach exactly permits and not forbids (P6).

    `forbids` are those that took something away, or, where nothing was permitted, those that forbid everything.
    `missing` are the conditions that would have to hold for the nearest rule to permit it, never a value; `errors` the
    rules of which a condition raised: such a permit is off, such a forbid on (P7). With a `ruling` the decision is
    provisional: it depends on the dossier, its outcome is the best there may be and its masks are what is reached on
    every dossier; `ruling.on(facts)` decides.
    """

    outcome: Outcome
    masks: Mapping[SpecId, int]
    permits: tuple[str, ...]
    forbids: tuple[str, ...]
    policy_digest: str
    missing: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    ruling: Ruling[Decision] | Both | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def allowed(self) -> bool:
        """Whether the call may go on (its masks say with which fields)."""
        return self.outcome is Outcome.ALLOWED

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of all rules that decided; of one that raised with an exclamation mark behind it."""
        return (*self.permits, *self.forbids, *(f"{rule}!" for rule in self.errors))

    def mask(self, spec: SectionSpec) -> int:
        """The leaves of a section that this decision reaches."""
        return self.masks.get((spec.key, spec.kind or ""), 0)


class Layout:
    """The leaves of all sections in one int: those of each section in turn."""

    def __init__(self, specs: Iterable[SectionSpec]) -> None:
        self.specs = tuple(specs)
        self.offsets: dict[SpecId, int] = {}
        at = 0
        for spec in self.specs:
            self.offsets[spec_id(spec)] = at
            at += len(spec.leaves)
        self.size = at
        self.full = (1 << at) - 1

    def having(self, asked: Callable[[Leaf], bool]) -> int:
        """The leaves of which something is so."""
        leaves = (leaf for spec in self.specs for leaf in spec.leaves)
        return sum(1 << bit for bit, leaf in enumerate(leaves) if asked(leaf))

    def flat(self, masks: Mapping[SpecId, int]) -> int:
        """One int of the masks of sections."""
        return sum(mask << self.offsets[key] for key, mask in masks.items())

    def masks(self, flat: int) -> dict[SpecId, int]:
        """The masks of sections in one int."""
        return {spec_id(spec): flat >> self.offsets[spec_id(spec)] & spec.full for spec in self.specs}

    def reached(self, flat: int) -> tuple[str, ...]:
        """The leaf paths of an int, in order; a path that several kinds of party have, where any of them is set."""
        found: dict[str, None] = {}
        for spec in self.specs:
            mask = flat >> self.offsets[spec_id(spec)]
            found |= {f"{spec.key}/{leaf.pattern}": None for bit, leaf in enumerate(spec.leaves) if mask >> bit & 1}
        return tuple(found)


class Both:
    """Two decisions of which at least one hangs on the dossier, and of which both must allow."""

    def __init__(self, one: Decision, other: Decision, layout: Layout) -> None:
        self._sides = one, other
        self._layout = layout
        self._made: dict[tuple[int, int], Decision] = {}
        rulings = [side.ruling for side in self._sides if isinstance(side.ruling, Ruling)]
        self.tests: tuple[Test, ...] = tuple(test for ruling in rulings for test in ruling.tests)
        self.best = self._best(one) & self._best(other)

    def on(self, facts: Facts) -> Decision:
        """The decision for these facts."""
        one, other = (side if side.ruling is None else side.ruling.on(facts) for side in self._sides)
        key = id(one), id(other)  # decisions live as long as their rulings
        if key not in self._made:
            self._made[key] = _both(one, other)
        return self._made[key]

    def where(self, leaf: int, facts: Facts, columns: frozenset[str]) -> Expr:
        """The rows on which both surely let any of these leaves be read."""
        return conj(self._where(side, leaf, facts, columns) for side in self._sides)

    def visible(self, facts: Facts, columns: frozenset[str]) -> Expr:
        """The rows of which both let the same leaf be read."""
        pieces = {one & other for one in self._groups(self._sides[0]) for other in self._groups(self._sides[1])} - {0}
        return disj(self.where(piece, facts, columns) for piece in sorted(pieces))

    def _best(self, side: Decision) -> int:
        return self._layout.flat(side.masks) if side.ruling is None else side.ruling.best

    def _groups(self, side: Decision) -> list[int]:
        return side.ruling.groups() if isinstance(side.ruling, Ruling) else [self._best(side)]

    def _where(self, side: Decision, leaf: int, facts: Facts, columns: frozenset[str]) -> Expr:
        if side.ruling is None:
            return TRUE if self._layout.flat(side.masks) & leaf else FALSE
        return side.ruling.where(leaf, facts, columns)


def _both(one: Decision, other: Decision) -> Decision:
    masks = {key: mask & other.masks.get(key, 0) for key, mask in one.masks.items()}
    outcome = one.outcome if any(masks.values()) else Outcome.NOT_PERMITTED
    return attrs.evolve(one, outcome=outcome, masks=masks)


class Judge:
    """A policy compiled for the sections an archive knows. Decisions are cached: there are few.

    `exceptions` are those of `never.EXCEPTIONS` that the archive declared; `atoms` the conditions rules may name.
    """

    def __init__(
        self,
        policy: Policy,
        specs: Iterable[SectionSpec],
        *,
        exceptions: Iterable[str] = (),
        atoms: Mapping[str, Atom] = ATOMS,
    ) -> None:
        self.policy = policy
        self.layout = Layout(specs)
        self.exceptions = frozenset(exceptions)
        self.atoms = atoms
        self._never = tuple(
            (never, self.layout.having(never.leaf)) for never in NEVER if never.exception not in self.exceptions
        )
        self._rules = tuple((rule, self.reach(rule.fields)) for rule in policy.sorted)
        self._cache: dict[tuple[frozenset[str], frozenset[str], str, str, str], Decision] = {}

    def decide(
        self,
        kinds: frozenset[str],
        verb: str,
        *,
        purpose: str = "",
        medium: str = "copy",
        roles: frozenset[str] = frozenset(),
        facts: Facts | None = None,
    ) -> Decision:
        """The decision for an actor whose `roles` are of these kinds. More roles differ only by rules naming them (P8).

        Without `facts` it is provisional where it depends on them. A `release` is judged for the receiver.
        """
        key = (kinds, roles, verb, purpose, medium)
        found = self._cache.get(key)
        if found is None:
            found = self._cache[key] = self.ruling(kinds, verb, purpose=purpose, medium=medium, roles=roles).first
        return found if facts is None or found.ruling is None else found.ruling.on(facts)

    def ruling(
        self,
        kinds: frozenset[str],
        verb: str,
        *,
        purpose: str = "",
        medium: str = "copy",
        roles: frozenset[str] = frozenset(),
        without: Rule | None = None,
    ) -> Ruling[Decision]:
        """All that the rules (but `without`) say of a call, before the facts are known."""
        call = Call(kinds, verb, medium, purpose, waiting=bool(self.policy.waiting_hours))
        permits: list[Part] = []
        forbids: list[Part] = []
        near: list[Near] = []
        tests: tuple[Test, ...]
        for never, mask in self._never:
            if never.concerns(call):
                tests = () if never.broken is None else (Test(never.id, never.broken, never=True),)
                forbids.append(Part(never.id, mask, tests))
        for rule, mask in self._rules:
            if verb not in rule.verbs or rule is without or not rule.names(kinds, roles):
                continue
            tests = tuple(Test.of(self.atoms[when.atom], when) for when in rule.when)
            if rule.concerns(verb, medium, purpose):
                (permits if rule.effect == "permit" else forbids).append(Part(rule.id, mask, tests))
            if rule.effect == "permit":
                near.append(Near(mask, _unmet(rule, medium, purpose), tests))
        glass = self.policy.break_glass
        if glass is not None and verb == "consult" and glass.names(kinds, roles):
            permits.append(Part(GLASS, self.reach(glass.fields), (Test(GLASS, lambda facts: facts.glass),)))
        return Ruling(permits, forbids, near, self.layout.full, self._made)

    def both(self, one: Decision, other: Decision) -> Decision:
        """What two decisions of this judge both reach; in everything else the first."""
        if one.ruling is None and other.ruling is None:
            return _both(one, other)
        provisional = attrs.evolve(_both(one, other), outcome=one.outcome if other.allowed else other.outcome)
        return attrs.evolve(provisional, ruling=Both(one, other, self.layout))

    def reach(self, fields: Fields) -> int:
        """The leaves of all sections that are meant."""
        return self.layout.flat({spec_id(spec): fields.mask(spec) for spec in self.layout.specs})

    def _made(
        self,
        mask: int,
        permits: tuple[str, ...],
        forbids: tuple[str, ...],
        missing: tuple[str, ...],
        errors: tuple[str, ...],
        allowed: bool,
        ruling: Ruling[Decision] | None,
    ) -> Decision:
        if allowed:
            outcome = Outcome.ALLOWED
        else:
            outcome = Outcome.FORBIDDEN if forbids else Outcome.NOT_PERMITTED
        masks = self.layout.masks(mask)
        return Decision(outcome, masks, permits, forbids, self.policy.digest, missing, errors, ruling)


def _unmet(rule: Rule, medium: str, purpose: str) -> tuple[str, ...]:
    """What a rule asks of the call that it is not."""
    unmet = [] if medium in rule.media else [f"medium {' | '.join(sorted(rule.media))}"]
    if rule.purposes is not None and purpose not in rule.purposes:
        unmet.append(f"purpose {' | '.join(sorted(rule.purposes))}")
    return tuple(unmet)
