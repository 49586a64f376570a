"""What the rules say of a call before its dossier is known: masks, each under the conditions that it hangs on.

Floor: policy, pure. `on(facts)` asks the conditions and gives the one decision that goes with their answers; `where`
and `visible` say the same as a query over rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeVar

import attrs

from dossier.policy.atoms import Atom, Facts, conj, disj, sure
from dossier.policy.rules import When
from dossier.repository import FALSE, TRUE, Expr

D = TypeVar("D")
RAISED: Final = 3
_ANSWERS: Final = {None: 0, False: 1, True: 2}


@attrs.frozen
class Test:
    """A condition to ask of facts. `never`: it belongs to a forbid that no policy lifts."""

    name: str
    holds: Callable[[Facts], bool | None] = attrs.field(eq=False)
    never: bool = False
    atom: Atom | None = attrs.field(default=None, eq=False)
    when: When | None = attrs.field(default=None, eq=False)

    @classmethod
    def of(cls, atom: Atom, when: When) -> Test:
        """The test that a rule's condition is."""
        holds, args = atom.holds, when.args
        return cls(str(when), lambda facts: holds(facts, args), False, atom, when)

    def ask(self, facts: Facts) -> int:
        """The answer: 0 missing, 1 False, 2 True, 3 it raised."""
        try:
            return _ANSWERS[self.holds(facts)]
        except Exception:
            # A host's atom may fail in any way; the rule is then decided the safe way, and that is on record.
            return RAISED

    def sure(self, facts: Facts, *, says: bool, columns: frozenset[str]) -> Expr:
        """The rows of which it surely says so. What a host's atom raises comes through."""
        if self.atom is None or self.when is None:
            return TRUE if self.holds(facts) is says else FALSE
        return sure(self.atom, self.when, facts, says=says, columns=columns)


@attrs.frozen
class Part:
    """A rule's share in a ruling: the leaves it reaches where all its tests hold."""

    id: str
    mask: int
    tests: tuple[Test, ...] = ()

    def state(self, answers: dict[Test, int], *, forbids: bool) -> tuple[bool, bool]:
        """(whether it is satisfied, whether a test raised). A test that raised leaves a permit off and a forbid on; so
        does one that lacks what it asks for, unless another says False."""
        said = [answers[test] for test in self.tests]
        if RAISED in said:
            return forbids, True
        if 1 in said:
            return False, False
        return forbids or 0 not in said, False

    def rows(self, facts: Facts, columns: frozenset[str], *, says: bool) -> Expr:
        """The rows for which it is surely satisfied (`says=False`: surely not)."""
        try:
            found = [test.sure(facts, says=says, columns=columns) for test in self.tests]
        except Exception:
            return FALSE  # as `state` has it: a permit that raised is off, a forbid is on
        return conj(found) if says else disj(found)


@attrs.frozen
class Near:
    """A permit of this verb for these roles: its leaves, what it asks of the call that is not so, and its tests."""

    mask: int
    unmet: tuple[str, ...]
    tests: tuple[Test, ...]


Make = Callable[[int, tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...], bool, Any], D]


class Ruling(Generic[D]):
    """Permits and forbids of one call. `first` is the decision without facts: final where nothing hangs on them.
    `best` are the leaves (one int) that some facts let be reached."""

    def __init__(
        self, permits: Iterable[Part], forbids: Iterable[Part], near: Iterable[Near], full: int, make: Make[D]
    ) -> None:
        self.permits = tuple(permits)
        self.forbids = tuple(forbids)
        self._near = tuple(near)
        self._full = full
        self._make = make
        parts = (*self.permits, *self.forbids)
        self.tests: tuple[Test, ...] = tuple(dict.fromkeys(test for part in parts for test in part.tests))
        named = (*self.tests, *(test for near in self._near for test in near.tests))
        self._asked = tuple(dict.fromkeys(named)) if self.tests else ()
        self._holds = tuple(test.holds for test in self._asked)
        self._decided: dict[int, D] = {}
        self.first = self._first()

    def on(self, facts: Facts) -> D:
        """The decision for these facts."""
        state = 0
        try:
            for holds in self._holds:
                state = state << 2 | _ANSWERS[holds(facts)]
        except Exception:
            # Some condition raised, or answered what is no answer: each is asked with care.
            state = 0
            for test in self._asked:
                state = state << 2 | test.ask(facts)
        found = self._decided.get(state)
        if found is None:
            answers = {test: state >> 2 * n & 3 for n, test in enumerate(reversed(self._asked))}
            found = self._decided[state] = self._decide(answers)
        return found

    def mask(self, facts: Facts) -> int:
        """The leaves of all sections, as one int, that these facts let be reached: for those who try many."""
        answers = {test: test.ask(facts) for test in self.tests}
        mask = _union(part for part in self.permits if part.state(answers, forbids=False)[0])
        return mask & ~_union(part for part in self.forbids if part.state(answers, forbids=True)[0])

    def explain(self, leaf: int, facts: Facts) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Of these leaves: ids of the satisfied permits and forbids that reach one, and what is missing."""
        answers = {test: test.ask(facts) for test in (*self.tests, *(t for near in self._near for t in near.tests))}
        permits = [p for p in self.permits if p.mask & leaf and p.state(answers, forbids=False)[0]]
        forbids = [p for p in self.forbids if p.mask & leaf and p.state(answers, forbids=True)[0]]
        missing = () if permits else self._missing(answers, leaf)
        return _ids(permits), _ids(forbids), missing

    def where(self, leaf: int, facts: Facts, columns: frozenset[str]) -> Expr:
        """The rows on which any of these leaves (a mask) is surely readable, given the facts of the call."""
        permitted = disj(part.rows(facts, columns, says=True) for part in self.permits if part.mask & leaf)
        spared = (part.rows(facts, columns, says=False) for part in self.forbids if part.mask & leaf)
        return conj([permitted, *spared])

    def visible(self, facts: Facts, columns: frozenset[str]) -> Expr:
        """The rows of which any leaf at all is readable."""
        return disj(self.where(group, facts, columns) for group in self.groups())

    def groups(self) -> list[int]:
        """The permitted leaves, those together that the same parts reach."""
        whole = 0
        for part in self.permits:
            whole |= part.mask
        groups = [whole]
        for part in (*self.permits, *self.forbids):
            groups = [piece for group in groups for piece in (group & part.mask, group & ~part.mask) if piece]
        return groups

    # -- inner steps ------------------------------------------------------------------------------

    def _first(self) -> D:
        flatly = [part for part in self.forbids if not part.tests]
        self.best = _union(self.permits) & ~_union(flatly)
        if not self.tests:
            return self._decide({})
        if not self.best:
            ids = _ids(p for p in self.permits if not p.tests), self._took(flatly, _union(self.permits))
            return self._make(0, *ids, self._missing({}), (), False, None)
        held = [part for part in self.forbids if not any(test.never for test in part.tests)]
        least = _union(part for part in self.permits if not part.tests) & ~_union(held)
        return self._make(least, _ids(self.permits), self._took(flatly, _union(self.permits)), (), (), True, self)

    def _decide(self, answers: dict[Test, int]) -> D:
        states = [(part, *part.state(answers, forbids=False)) for part in self.permits]
        denied = [(part, *part.state(answers, forbids=True)) for part in self.forbids]
        permits, forbids = ([part for part, on, _ in each if on] for each in (states, denied))
        errors = [part.id for part, _, raised in (*states, *denied) if raised]
        permitted = _union(permits)
        mask = permitted & ~_union(forbids)
        missing = () if mask else self._missing(answers)
        took = self._took(forbids, permitted)
        return self._make(mask, _ids(permits), took, missing, tuple(dict.fromkeys(errors)), bool(mask), None)

    def _took(self, forbids: Iterable[Part], permitted: int) -> tuple[str, ...]:
        """The forbids that took something away; where nothing was permitted, those that forbid everything."""
        return _ids(p for p in forbids if (p.mask & permitted if permitted else p.mask == self._full))

    def _missing(self, answers: dict[Test, int], leaf: int = -1) -> tuple[str, ...]:
        """The fewest conditions by which some rule would permit it."""
        lacks = [
            (*near.unmet, *(test.name for test in near.tests if answers.get(test, 0) != 2))
            for near in self._near
            if near.mask & leaf
        ]
        return min((lack for lack in lacks if lack), key=lambda lack: (len(lack), lack), default=())


def _ids(parts: Iterable[Part]) -> tuple[str, ...]:
    return tuple(sorted({part.id for part in parts}))


def _union(parts: Iterable[Part]) -> int:
    mask = 0
    for part in parts:
        mask |= part.mask
    return mask
