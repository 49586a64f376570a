"""Policy engines that are wrong on purpose: proof that the laws of policy find what they are there to find.

Floor: testing. Each replaces one piece while its `broken()` is open, says what is wrong, and names the check that must
fail (`law`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import attrs

from dossier.desk import glass, policies
from dossier.desk.guarding import Guard, last_glass
from dossier.desk.reading import Reading
from dossier.model.fields import Leaf
from dossier.policy import ATOMS, Decision, Facts, Fields, Judge, Outcome, Policy, Rule, files
from dossier.policy import decision as deciding
from dossier.policy.atoms import conj
from dossier.policy.decision import Layout
from dossier.policy.never import NEVER
from dossier.policy.rules import GLASS
from dossier.policy.ruling import RAISED, Part, Ruling, Test
from dossier.repository import TRUE, Expr, Not, decode
from dossier.testing.broken_desk.variant import BrokenDesk, Replace

VARIANTS: list[BrokenDesk] = []


def _variant(law: str) -> Callable[[Callable[[], Sequence[Replace]]], Callable[[], Sequence[Replace]]]:
    def note(pieces: Callable[[], Sequence[Replace]]) -> Callable[[], Sequence[Replace]]:
        VARIANTS.append(BrokenDesk(pieces.__name__, law, str(pieces.__doc__), pieces))
        return pieces

    return note


# -- the engine ----------------------------------------------------------------------------------------


@_variant("P1")
def all_is_allowed_by_default() -> Sequence[Replace]:
    """What no rule speaks of is permitted."""
    made = Ruling.__init__

    def init(self: Any, permits: list[Part], forbids: list[Part], near: Any, full: int, make: Any) -> None:
        made(self, permits or [Part("default", full)], forbids, near, full, make)

    return [(Ruling, "__init__", init)]


@_variant("P2")
def forbids_turn_round() -> Sequence[Replace]:
    """A forbid of what was not permitted permits it."""
    decide = Ruling._decide

    def turned(self: Any, answers: dict[Test, int]) -> Any:
        found: Decision = decide(self, answers)
        if not found.allowed and self.forbids and not self.permits:
            return attrs.evolve(found, outcome=Outcome.ALLOWED)
        return found

    return [(Ruling, "_decide", turned)]


@_variant("P3")
def the_last_permit_counts() -> Sequence[Replace]:
    """Of several permits only the last one is looked at."""
    made = Ruling.__init__

    def init(self: Any, permits: list[Part], *rest: Any) -> None:
        made(self, permits[-1:], *rest)

    return [(Ruling, "__init__", init)]


@_variant("P4")
def digest_of_the_order() -> Sequence[Replace]:
    """The digest is taken over the rules as they were given."""
    made = Policy.__init__

    def init(self: Policy, rules: Iterable[Rule] = (), **more: Any) -> None:
        rules = list(rules)
        made(self, rules, **more)
        said = repr([rule.id for rule in rules]).encode()
        object.__setattr__(self, "digest", hashlib.sha256(said).hexdigest())

    return [(Policy, "__init__", init)]


@_variant("P5")
def a_tier_without_itself() -> Sequence[Replace]:
    """ "Up to a tier" leaves the tier itself out."""
    selects = Fields.selects

    def below(self: Fields, section: str, leaf: Leaf) -> bool:
        kept = self.tier is None or self.all or leaf.tier != self.tier
        return selects(self, section, leaf) and (kept or bool(self.flags & leaf.flags))

    return [(Fields, "selects", below)]


@_variant("P5")
def purposes_do_not_matter() -> Sequence[Replace]:
    """A rule for one purpose serves every purpose."""
    return [(Rule, "concerns", lambda self, verb, medium, purpose: verb in self.verbs and medium in self.media)]


@_variant("P5")
def roles_do_not_matter() -> Sequence[Replace]:
    """Rules that name a host's own role are not for anybody."""
    return [(Rule, "names", lambda self, kinds, roles: not self.kinds.isdisjoint(kinds))]


@_variant("P5")
def missing_is_false() -> Sequence[Replace]:
    """A forbid whose condition asks for what is missing does not hold."""

    def state(self: Part, answers: dict[Test, int], *, forbids: bool) -> tuple[bool, bool]:
        said = [answers[test] for test in self.tests]
        if RAISED in said:
            return forbids, True
        return not {0, 1}.intersection(said), False

    return [(Part, "state", state)]


@_variant("P5")
def special_needs_no_purpose() -> Sequence[Replace]:
    """SPECIAL fields are read without a purpose where a rule permits it."""
    return [(deciding, "NEVER", tuple(never for never in NEVER if never.id != "never-N18"))]


@_variant("P5")
def answers_mixed_up() -> Sequence[Replace]:
    """Combinations of answers share a decision: missing and False are written in one bit."""

    def on(self: Any, facts: Facts) -> Any:
        state = 0
        for test in self._asked:
            state = state << 1 | (test.ask(facts) & 1)
        if state not in self._decided:
            self._decided[state] = self._decide({test: test.ask(facts) for test in self._asked})
        return self._decided[state]

    return [(Ruling, "on", on)]


@_variant("P6")
def masks_run_over() -> Sequence[Replace]:
    """The mask of a section holds the leaves of the sections behind it."""

    def masks(self: Layout, flat: int) -> dict[Any, int]:
        return {key: flat >> offset for key, offset in self.offsets.items()}

    return [(Layout, "masks", masks)]


@_variant("P7")
def erring_forbids_are_dropped() -> Sequence[Replace]:
    """A forbid of which a condition raised does not hold."""
    state = Part.state

    def dropped(self: Part, answers: dict[Test, int], *, forbids: bool) -> tuple[bool, bool]:
        on, raised = state(self, answers, forbids=forbids)
        return (on and not raised), raised

    return [(Part, "state", dropped)]


@_variant("P7")
def errors_are_not_told() -> Sequence[Replace]:
    """That a condition raised is on no record."""
    state = Part.state

    def silent(self: Part, answers: dict[Test, int], *, forbids: bool) -> tuple[bool, bool]:
        return state(self, answers, forbids=forbids)[0], False

    return [(Part, "state", silent)]


@_variant("P8")
def every_role_must_be_named() -> Sequence[Replace]:
    """A rule is for those all of whose kinds it names."""
    return [(Rule, "names", lambda self, kinds, roles: kinds <= self.kinds or not self.roles.isdisjoint(roles))]


@_variant("P9")
def glass_lifts_forbids() -> Sequence[Replace]:
    """Whoever breaks the glass sees what is forbidden too."""
    decide = Ruling._decide

    def lifted(self: Any, answers: dict[Test, int]) -> Any:
        if any(test.name == GLASS and answer == 2 for test, answer in answers.items()):
            kept, self.forbids = self.forbids, ()
            try:
                return decide(self, answers)
            finally:
                self.forbids = kept
        return decide(self, answers)

    return [(Ruling, "_decide", lifted)]


@_variant("P10")
def originals_by_rule() -> Sequence[Replace]:
    """That originals stay is a rule like others."""
    return [(deciding, "NEVER", tuple(never for never in NEVER if never.id != "never-M126"))]


@_variant("P11")
def unknown_keys_are_passed_over() -> Sequence[Replace]:
    """A key that a rule does not have is ignored."""
    structure = files._converter.structure

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: strip(each) for key, each in value.items() if key != "efect"}
        return [strip(each) for each in value] if isinstance(value, list) else value

    return [(files, "_converter", SimpleNamespace(structure=lambda value, kind: structure(strip(value), kind)))]


@_variant("P11")
def conditions_written_without_what_they_ask() -> Sequence[Replace]:
    """A condition is written by its name alone."""
    value = files._value

    def short(said: Any, key: str = "") -> str:
        return value([each["atom"] for each in said]) if key == "when" else value(said, key)

    return [(files, "_value", short)]


# -- the desk ------------------------------------------------------------------------------------------


@_variant("P9_desk")
def glass_stays_broken() -> Sequence[Replace]:
    """The minutes are not looked at."""

    def broken(self: Reading, dossier: str) -> bool:
        last = last_glass(self.archive.repository, self.actor.id)
        said = decode(last.body) if last is not None else {}
        return said.get("dossier") == dossier and not said["reviewed"]

    return [(Reading, "_broken", broken)]


@_variant("P9_desk")
def glass_of_every_file() -> Sequence[Replace]:
    """Whoever broke one glass sees every file."""

    def broken(self: Reading, dossier: str) -> bool:
        last = last_glass(self.archive.repository, self.actor.id)
        said = decode(last.body) if last is not None else {}
        return bool(said) and not said["reviewed"] and self.archive.now() < said["until"]

    return [(Reading, "_broken", broken)]


@_variant("P9_desk")
def glass_without_review() -> Sequence[Replace]:
    """The glass may be broken again before anybody looked at the last time."""
    return [(glass, "last_glass", lambda repository, actor: None)]


@_variant("P12")
def the_proposer_approves() -> Sequence[Replace]:
    """Whoever proposed a policy may put it in force."""
    return [(policies, "second_person", lambda *given: None)]


@_variant("P12")
def anybody_makes_policies() -> Sequence[Replace]:
    """Whatever somebody's role, he may propose and approve."""
    return [(policies, "maker", lambda self, called: Decision(Outcome.ALLOWED, {}, (), (), self.archive.policy.digest))]


@_variant("N2_rows")
def lists_are_not_cut() -> Sequence[Replace]:
    """Lists and counts hold every file."""
    return [(Guard, "visible", lambda self: TRUE)]


@_variant("N2_rows")
def a_look_at_anything() -> Sequence[Replace]:
    """What depends on the dossier is decided as if everything held."""

    def narrow(self: Reading, decision: Decision, head: Any, dossier: str) -> Decision:
        judge: Judge = self.archive.judge
        if decision.ruling is None:
            return decision
        return attrs.evolve(decision, masks=judge.layout.masks(decision.ruling.best), ruling=None)

    return [(Reading, "narrow", narrow)]


@_variant("N2_fields")
def conditions_on_hidden_fields() -> Sequence[Replace]:
    """A field that may be read of some files is compared in all that may be seen."""
    return [(Guard, "readable", lambda self, spec, bit: TRUE)]


@_variant("N3")
def refused_by_rows() -> Sequence[Replace]:
    """A field that may be read of no file that there is now is refused."""

    def may(self: Guard, spec: Any, bit: int) -> bool:
        return bool(self.facts.teams)

    return [(Guard, "may", may)]


@_variant("N5")
def nobody_is_a_team() -> Sequence[Replace]:
    """Who is in no team is in the team of the files that have none."""
    in_team = ATOMS["in_team"]
    loose = attrs.evolve(
        in_team,
        holds=lambda facts, _: facts.team in facts.teams or not (facts.team or facts.teams),
        where=lambda facts, args: in_team.where(facts, args) if facts.teams else TRUE,  # type: ignore[misc]
        columns=(),
    )
    defaults = {**(Judge.__init__.__kwdefaults__ or {}), "atoms": {**ATOMS, "in_team": loose}}
    return [(Judge.__init__, "__kwdefaults__", defaults)]


@_variant("N5")
def missing_turned_round() -> Sequence[Replace]:
    """A forbid spares every file of which its condition does not say True."""

    def rows(self: Part, facts: Facts, columns: frozenset[str], *, says: bool) -> Expr:
        held = conj([test.sure(facts, says=True, columns=columns) for test in self.tests])
        return held if says else Not(held)

    def state(self: Part, answers: dict[Test, int], *, forbids: bool) -> tuple[bool, bool]:
        return all(answers[test] == 2 for test in self.tests), False

    return [(Part, "rows", rows), (Part, "state", state)]
