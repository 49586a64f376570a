"""P1-P8, P10, P11: the laws of the policy engine, over generated policies, callers and facts.

Floor: testing. Each check raises AssertionError; P9 and P12 are laws of the desk, in `law_policy_desk`.
"""

# ruff: noqa: N802

from __future__ import annotations

import functools
import random
from collections.abc import Mapping
from typing import Any, Final

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.codec import default_registry
from dossier.errors import InputError
from dossier.model.fields import SectionSpec, Tier
from dossier.policy import (
    ATOMS,
    KINDS,
    PURPOSES,
    VERBS,
    Atom,
    BreakGlass,
    Decision,
    Facts,
    Fields,
    Judge,
    Policy,
    ReleaseProfile,
    Rule,
    When,
    dumps,
    loads,
    single_user,
    spec_id,
    standard,
    template,
)
from dossier.policy.rules import MEDIA
from dossier.policy.shipped import TEMPLATES
from dossier.testing.policy_oracle import reference

ROLES: Final = ("总台", "夜班")
"""Words of a host in generated policies."""
_PATHS = ("basic", "basic/phones", "basic/phones[*]/number", "basic/name", "preferences/taboos", "preferences")


def _boom(*_: Any) -> bool:
    raise RuntimeError("a host's atom failed")


TRIED: Final[Mapping[str, Atom]] = {
    **ATOMS,
    "boom": Atom(name="boom", zh="出错", en="fails", holds=_boom, samples=lambda _: [{}]),
    "unknown": Atom(name="unknown", zh="不知", en="cannot say", holds=lambda *_: None, samples=lambda _: [{}]),
}
"""The atoms there are, one that raises, one that never can say."""


@functools.cache
def specs() -> tuple[SectionSpec, ...]:
    """Some sections: two classes of one key, all tiers and flags."""
    registry = default_registry()
    return (registry.spec("basic", "person"), registry.spec("basic", "organization"), registry.spec("preferences"))


def _some(words: Any, *, least: int = 1) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(list(words)), min_size=least, max_size=3)


_WHENS = st.sampled_from(
    [When("is_custodian"), When("in_team"), When("no_hold"), When("grade_at_most", (2,)), When("purpose_given"),
     When("approved"), When("within_hours", ("08:00", "18:00")), When("within_hours", ("22:00", "06:00")),
     When("boom"), When("unknown")]
)  # fmt: skip
FIELDS: Final = st.one_of(
    st.just(Fields()),
    st.builds(
        Fields,
        tier=st.none() | st.sampled_from(list(Tier)),
        flags=_some(["safety", "sales", "personal", "third_party"], least=0),
        paths=_some(_PATHS, least=0),
    ),
)
RULES: Final = st.builds(
    Rule,
    id=st.sampled_from([f"r{n}" for n in range(40)]),
    effect=st.sampled_from(["permit", "permit", "forbid"]),
    kinds=_some(KINDS, least=0),
    roles=_some(ROLES, least=0),
    verbs=_some(["consult", "consult", "edit", "release", "destroy", "export", "borrow"]),
    fields=FIELDS,
    media=_some(MEDIA),
    purposes=st.none() | _some(PURPOSES),
    when=st.lists(_WHENS, max_size=2).map(tuple),
)
POLICIES: Final = st.builds(
    Policy,
    st.lists(RULES, max_size=8, unique_by=lambda rule: rule.id),
    waiting_hours=st.sampled_from([0, 0, 24]),
)
FACTS: Final = st.builds(
    Facts,
    actor=st.sampled_from(["", "a"]),
    teams=_some(["t", "u"], least=0),
    minute=st.none() | st.integers(0, 1439),
    approved=st.booleans(),
    custodian=st.sampled_from(["", "a", "b"]),
    team=st.sampled_from(["", "t", "v"]),
    hold=st.sampled_from([False, False, True]),
    grade=st.none() | st.integers(1, 4),
    glass=st.booleans(),
    requester=st.sampled_from(["", "r"]),
    approver=st.sampled_from(["", "r", "m"]),
    approver_kinds=_some(["manager", "service", "account_manager"], least=0),
    recall=st.booleans(),
    consent=st.booleans(),
    retained=st.booleans(),
    waited=st.booleans(),
)


@attrs.frozen
class Asked:
    """One call with its facts."""

    kinds: frozenset[str]
    roles: frozenset[str]
    verb: str
    medium: str
    purpose: str
    facts: Facts

    def all_of_it(self) -> Rule:
        """A permit of everything for this call, so that what a law is about is not hidden by an empty policy."""
        return Rule(id="m-all", effect="permit", kinds=self.kinds, verbs=frozenset({self.verb}))

    def aim(self, rule: Rule, id: str, way: int) -> Rule:
        """A rule turned on this call: by its kinds or by its roles, whatever the purpose or for some."""
        by_role = bool(way % 2 and self.roles)
        return attrs.evolve(
            rule, id=id, verbs=frozenset({self.verb}), media=frozenset(MEDIA),
            roles=self.roles if by_role else rule.roles,
            kinds=frozenset() if by_role else self.kinds, purposes=None if way % 2 else rule.purposes,
        )  # fmt: skip

    def of(self, policy: Policy, **options: Any) -> Decision:
        """What the engine says."""
        return self.by(Judge(policy, specs(), atoms=TRIED, **options))

    def by(self, judge: Judge) -> Decision:
        """What an engine says that is made already."""
        return judge.decide(
            self.kinds, self.verb, purpose=self.purpose, medium=self.medium, roles=self.roles,
            facts=attrs.evolve(self.facts, purpose=self.purpose),
        )  # fmt: skip

    def hangs(self, policy: Policy) -> bool:
        """Whether any condition is asked at all: not where everything is forbidden flatly."""
        judge = Judge(policy, specs(), atoms=TRIED)
        first = judge.decide(self.kinds, self.verb, purpose=self.purpose, medium=self.medium, roles=self.roles)
        return first.ruling is not None


ASKED: Final = st.builds(
    Asked,
    kinds=_some(KINDS),
    roles=_some(ROLES, least=0),
    verb=st.sampled_from(["consult", "consult", "edit", "release", "destroy", "export", "borrow"]),
    medium=st.sampled_from(["copy", "copy", "original"]),
    purpose=st.sampled_from(["", "", *PURPOSES]),
    facts=FACTS,
)
_DEFAULT = settings()


def _within(one: Decision, other: Decision) -> bool:
    return all(not mask & ~other.masks[key] for key, mask in one.masks.items())


def check_P1(*, examples: int = 100, profile: settings = _DEFAULT) -> None:
    """The empty policy denies everything."""

    @settings(profile, max_examples=examples, deadline=None)
    @given(ASKED, st.sampled_from(list(VERBS)))
    def law(asked: Asked, verb: str) -> None:
        for decision in (asked.of(Policy()), attrs.evolve(asked, verb=verb).of(Policy(), exceptions=("M124",))):
            assert not decision.allowed and not any(decision.masks.values()) and not decision.permits

    law()


def check_P2(*, examples: int = 150, profile: settings = _DEFAULT) -> None:
    """Adding a forbid never turns deny into allow, of no leaf."""

    @settings(profile, max_examples=examples, deadline=None)
    @given(POLICIES, RULES, ASKED)
    def law(policy: Policy, rule: Rule, asked: Asked) -> None:
        forbid = attrs.evolve(rule, id="new", effect="forbid", kinds=asked.kinds, verbs=frozenset({asked.verb}))
        before, after = asked.of(policy), asked.of(attrs.evolve(policy, rules=policy.rules | {forbid}))
        assert _within(after, before) and (before.allowed or not after.allowed)

    law()


def check_P3(*, examples: int = 150, profile: settings = _DEFAULT) -> None:
    """Adding a permit never turns allow into deny, of no leaf."""

    @settings(profile, max_examples=examples, deadline=None)
    @given(POLICIES, RULES, ASKED, st.sampled_from(["a-new", "z-new"]))
    def law(policy: Policy, rule: Rule, asked: Asked, id: str) -> None:
        permit = attrs.evolve(rule, id=id, effect="permit", kinds=asked.kinds, verbs=frozenset({asked.verb}))
        policy = attrs.evolve(policy, rules=policy.rules | {asked.all_of_it()})
        before, after = asked.of(policy), asked.of(attrs.evolve(policy, rules=policy.rules | {permit}))
        assert _within(before, after) and (after.allowed or not before.allowed)

    law()


def check_P4(*, examples: int = 100, profile: settings = _DEFAULT) -> None:
    """Order and duplicates do not matter: not to the digest, not to a decision."""

    @settings(profile, max_examples=examples, deadline=None)
    @given(st.lists(RULES, max_size=8, unique_by=lambda rule: rule.id), ASKED, st.integers(0, 999))
    def law(rules: list[Rule], asked: Asked, seed: int) -> None:
        shuffled = [attrs.evolve(rule, when=rule.when[::-1] * 2) for rule in rules * 2]
        random.Random(seed).shuffle(shuffled)
        one, other = Policy(rules), Policy(shuffled)
        assert one.digest == other.digest
        assert asked.of(one) == asked.of(other)

    law()


def check_P5(*, examples: int = 200, profile: settings = _DEFAULT) -> None:
    """The compiled engine reaches, field by field, what the reference evaluator does; so do the shipped policies."""
    known = specs()
    reached = [0, 0]

    @settings(profile, max_examples=examples, deadline=None)
    @given(
        st.one_of(POLICIES, POLICIES, st.sampled_from(_shipped())), ASKED,
        st.lists(RULES, max_size=3),
        st.lists(FACTS, min_size=1, max_size=4),
    )  # fmt: skip
    def law(policy: Policy, call: Asked, aimed: list[Rule], cases: list[Facts]) -> None:
        more = {call.aim(rule, f"aimed{n}", n) for n, rule in enumerate(aimed)}
        policy = attrs.evolve(policy, rules=policy.rules | more)
        judge = Judge(policy, known, atoms=TRIED)
        for facts in (call.facts, *cases):
            agree(policy, judge, attrs.evolve(call, facts=attrs.evolve(facts, purpose=call.purpose)))

    def agree(policy: Policy, judge: Judge, asked: Asked) -> None:
        decision, facts = asked.by(judge), asked.facts
        wanted = reference(
            policy, known, TRIED, asked.kinds, asked.roles, asked.verb, asked.medium, asked.purpose, facts
        )
        got = {
            (spec.key, spec.kind or "", leaf.pattern)
            for spec in known
            for bit, leaf in enumerate(spec.leaves)
            if decision.mask(spec) >> bit & 1
        }
        if policy.break_glass is None or not asked.facts.glass:
            assert got == wanted
            assert decision.allowed == bool(wanted)
            reached[bool(wanted)] += 1

    law()
    assert min(reached) * 20 >= sum(reached), "one of the two outcomes is never or too rarely reached"


def check_P6(*, examples: int = 200, profile: settings = _DEFAULT) -> None:
    """The mask of a decision is made of its permits, without its forbids, within the schema."""
    known = specs()

    @settings(profile, max_examples=examples, deadline=None)
    @given(POLICIES, ASKED)
    def law(policy: Policy, asked: Asked) -> None:
        decision = asked.of(policy)
        rules = {rule.id: rule.fields for rule in policy.rules}
        for spec in known:
            permits = forbids = 0
            for id in decision.permits:
                permits |= rules[id].mask(spec)
            for id in decision.forbids:
                forbids |= rules[id].mask(spec) if id in rules else 0
            mask = decision.masks[spec_id(spec)]
            assert not mask & ~(permits & ~forbids & spec.full)

    law()


def check_P7(*, examples: int = 150, profile: settings = _DEFAULT) -> None:
    """A condition that raises leaves a permit off and a forbid on, and that is on record."""

    @settings(profile, max_examples=examples, deadline=None)
    @given(POLICIES, RULES, ASKED)
    def law(policy: Policy, rule: Rule, asked: Asked) -> None:
        named = attrs.evolve(
            rule, id="new", kinds=asked.kinds, verbs=frozenset({asked.verb}), media=frozenset({asked.medium}),
            purposes=None, when=(*rule.when, When("boom")),
        )  # fmt: skip
        policy = attrs.evolve(policy, rules=policy.rules | {asked.all_of_it()})
        wider = attrs.evolve(policy, rules=policy.rules | {named})
        raising = asked.of(wider)
        if asked.hangs(wider):
            assert "new" in raising.errors and "new!" in raising.rules
        if named.effect == "permit":
            assert raising.masks == asked.of(policy).masks and "new" not in raising.permits
        else:
            surely = attrs.evolve(named, when=())
            assert raising.masks == asked.of(attrs.evolve(policy, rules=policy.rules | {surely})).masks

    law()


def check_P8(*, examples: int = 150, profile: settings = _DEFAULT) -> None:
    """More roles differ only by the rules naming them."""

    @settings(profile, max_examples=examples, deadline=None)
    @given(POLICIES, ASKED, st.sampled_from(sorted(set(KINDS) - {"sales", "outsider"})), st.sampled_from(ROLES))
    def law(policy: Policy, asked: Asked, kind: str, role: str) -> None:
        more = attrs.evolve(asked, kinds=asked.kinds | {kind}, roles=asked.roles | {role})
        new, words = more.kinds - asked.kinds, more.roles - asked.roles
        rules = policy.rules | {asked.all_of_it()}
        without = [rule for rule in rules if not (rule.kinds & new or rule.roles & words)]
        unnamed = attrs.evolve(policy, rules=without)
        assert more.of(unnamed).masks == asked.of(unnamed).masks

    law()


def check_P9(*, examples: int = 150, profile: settings = _DEFAULT) -> None:
    """Break-glass only adds leaves to what is consulted, never a forbidden one, and only while the glass is broken."""

    @settings(profile, max_examples=examples, deadline=None)
    @given(POLICIES, ASKED, FIELDS)
    def law(policy: Policy, asked: Asked, fields: Fields) -> None:
        glass = BreakGlass(kinds=asked.kinds, minutes=10, fields=fields)
        open_to = attrs.evolve(policy, break_glass=glass)
        plain, broken = asked.of(policy), asked.of(open_to)
        if asked.verb != "consult" or not asked.facts.glass:
            assert broken.masks == plain.masks
            return
        everything = Rule(id="all", effect="permit", kinds=asked.kinds, verbs=frozenset({"consult"}), fields=fields)
        assert broken.masks == asked.of(attrs.evolve(policy, rules=policy.rules | {everything})).masks

    law()


def check_P10(*, examples: int = 150, profile: settings = _DEFAULT) -> None:
    """No policy that can be loaded makes an original borrowable, releasable or exportable."""

    @settings(profile, max_examples=examples, deadline=None)
    @given(POLICIES, RULES, ASKED, st.sampled_from(["borrow", "release", "export"]))
    def law(policy: Policy, rule: Rule, asked: Asked, verb: str) -> None:
        all_of_it = Rule(id="all", effect="permit", kinds=frozenset(KINDS), verbs=frozenset(VERBS))
        try:
            loaded = loads(dumps(Policy([*policy.rules, rule, all_of_it])))
        except InputError:
            return  # one of the host's own conditions: no file can name it
        decision = attrs.evolve(asked, verb=verb, medium="original").of(loaded, exceptions=("M124",))
        assert not decision.allowed and not any(decision.masks.values())

    law()


def check_P11(*, examples: int = 150, profile: settings = _DEFAULT) -> None:
    """TOML to objects to TOML keeps the digest; an unknown key is always refused."""
    profiles = st.builds(
        ReleaseProfile, id=st.sampled_from(["p1", "p2"]), recipient=st.sampled_from(["sales", "总台"]), fields=FIELDS,
        recall_within=st.integers(0, 90),
    )  # fmt: skip
    glasses = st.none() | st.builds(BreakGlass, kinds=_some(KINDS), minutes=st.integers(1, 60), fields=FIELDS)
    known = RULES.filter(lambda rule: not {when.atom for when in rule.when} & {"boom", "unknown"})
    names = st.text("ab\"\\\n\x7f\u2028客 '#=[]", min_size=1, max_size=8)
    made = st.builds(
        Policy, st.lists(st.tuples(names, known).map(lambda pair: attrs.evolve(pair[1], id=pair[0])), max_size=5),
        profiles=st.lists(profiles, max_size=2), break_glass=glasses, waiting_hours=st.integers(0, 48),
    )  # fmt: skip

    @settings(profile, max_examples=examples, deadline=None)
    @given(st.one_of(made, st.sampled_from(_shipped())), st.integers(0, 10**6))
    def law(policy: Policy, where: int) -> None:
        text = dumps(policy)
        again = loads(text)
        assert again == policy and again.digest == policy.digest and dumps(again) == text
        heads = [n for n, line in enumerate(text.split("\n")) if line.startswith("[")]
        lines = text.split("\n")
        at = heads[where % len(heads)] + 1 if heads else 0
        codes = []
        try:
            loads("\n".join([*lines[:at], "efect = 1", *lines[at:]]))
        except InputError as error:
            codes = [problem.code for problem in error.problems]
        assert codes == ["policy.key"], "an unknown key is refused, and nothing else is wrong"

    law()


def _shipped() -> list[Policy]:
    return [standard(), single_user(), *(template(name) for name in TEMPLATES)]
