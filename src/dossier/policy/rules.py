"""What a policy is made of: words, rules, release profiles, break-glass, and the digest of all of it (M118-M135).

Floor: policy, pure. Allow-list: what no rule permits is not permitted; a forbid always wins (P1-P4).
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, Literal

import attrs

from dossier.model.fields import Leaf, SectionSpec, Tier
from dossier.repository import encode

Verb = Literal[
    "consult", "collect", "borrow", "release", "edit", "archive_off", "destroy", "analyse", "export", "approve",
    "custody", "explain",
]  # fmt: skip
Medium = Literal["copy", "original"]
Effect = Literal["permit", "forbid"]

VERBS: Final[dict[str, str]] = {
    "consult": "查寻", "collect": "收集", "borrow": "借阅", "release": "发放", "edit": "修订",
    "archive_off": "归档移出", "destroy": "销毁", "analyse": "分析", "export": "导出",
    "approve": "批准", "custody": "保管", "explain": "说明",
}  # fmt: skip
KINDS: Final = ("custodian", "account_manager", "service", "sales", "manager", "officer", "outsider")
"""The kinds a host's roles are declared with; the rules bind kinds, or the host's own words."""
PURPOSES: Final = ("serve", "manage", "audit", "emergency", "subject_request")
"""Declared purposes; fields of tier SPECIAL are readable under a purpose only."""
MEDIA: Final = ("copy", "original")
EFFECTS: Final = ("permit", "forbid")
GLASS: Final = "break-glass"
"""The id that break-glass has among rules."""
APPROVERS: Final = ("account_manager", "manager")
"""Who may approve a release (M122)."""


@attrs.frozen(kw_only=True)
class Fields:
    """Which leaves are meant: those up to `tier`, those that carry one of `flags`, and those at or below one of
    `paths` (`basic`, `basic/phones`, `basic/key_persons[*]/title`). All leaves where nothing is said."""

    tier: Tier | None = None
    flags: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()

    @property
    def all(self) -> bool:
        """Whether nothing is left out."""
        return (self.tier is None or self.tier is Tier.SPECIAL) and not (self.flags or self.paths)

    def selects(self, section: str, leaf: Leaf) -> bool:
        """Whether a leaf of a section is meant."""
        if self.all or (self.tier is not None and leaf.tier <= self.tier) or self.flags & leaf.flags:
            return True
        path = f"{section}/{leaf.pattern}"
        return any(path == each or path.startswith((f"{each}/", f"{each}[")) for each in self.paths)

    def mask(self, spec: SectionSpec) -> int:
        """The leaves of a section that are meant."""
        return sum(1 << bit for bit, leaf in enumerate(spec.leaves) if self.selects(spec.key, leaf))


ALL: Final = Fields()


@attrs.frozen
class When:
    """A condition: an atom by its name (see `atoms`) and what it is asked with."""

    atom: str
    args: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.atom, *map(str, self.args)])


def _when(given: Any) -> tuple[When, ...]:
    """All of them hold together, whatever their order (P4)."""
    return tuple(sorted(set(given), key=str))


@attrs.frozen(kw_only=True)
class Rule:
    """One rule. It concerns those who act under a role of one of `kinds` or one of the host's own words in `roles`.

    `purposes` None: whatever the purpose, also without one; else one of them must be given. All of `when` must hold.
    """

    id: str
    effect: Effect
    kinds: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    verbs: frozenset[str]
    fields: Fields = ALL
    media: frozenset[str] = frozenset(MEDIA)
    purposes: frozenset[str] | None = None
    when: tuple[When, ...] = attrs.field(default=(), converter=_when)

    def names(self, kinds: frozenset[str], roles: frozenset[str]) -> bool:
        """Whether somebody with these kinds and roles is meant."""
        return not self.kinds.isdisjoint(kinds) or not self.roles.isdisjoint(roles)

    def concerns(self, verb: str, medium: str, purpose: str) -> bool:
        """Whether a call is meant."""
        return verb in self.verbs and medium in self.media and (self.purposes is None or purpose in self.purposes)


@attrs.frozen(kw_only=True)
class ReleaseProfile:
    """What a receiver may be given (M123): `recipient` a kind of role or a role, `fields` at most, `approver` the kinds
    that may approve it, `recall_within` the days after which it is called back (0: never, for the three fields of M124
    only)."""

    id: str
    recipient: str
    fields: Fields = ALL
    approver: frozenset[str] = frozenset(APPROVERS)
    recall_within: int = 0


@attrs.frozen(kw_only=True)
class BreakGlass:
    """Consulting in an emergency: whom of these kinds or roles it is open to, for how many minutes, which fields. It
    lifts no forbid."""

    kinds: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    minutes: int
    fields: Fields = ALL

    def names(self, kinds: frozenset[str], roles: frozenset[str]) -> bool:
        """Whether somebody with these kinds and roles is meant."""
        return not self.kinds.isdisjoint(kinds) or not self.roles.isdisjoint(roles)


def _set(given: Any) -> frozenset[Any]:
    return frozenset(given)


@attrs.frozen
class Policy:
    """Rules, release profiles and break-glass as a set: order and repetition do not matter (P4).

    `waiting_hours`: 0 where a second person approves; in an archive of one person the hours that must pass instead,
    with a recorded reason. `digest` (SHA-256, hex) is of what is said.
    """

    rules: frozenset[Rule] = attrs.field(converter=_set, default=frozenset())
    profiles: frozenset[ReleaseProfile] = attrs.field(converter=_set, default=frozenset(), kw_only=True)
    break_glass: BreakGlass | None = attrs.field(default=None, kw_only=True)
    waiting_hours: int = attrs.field(default=0, kw_only=True)
    digest: str = attrs.field(init=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha256(encode(plain(self))).hexdigest())

    @property
    def sorted(self) -> tuple[Rule, ...]:
        """The rules by id."""
        return tuple(sorted(self.rules, key=lambda rule: (rule.id, encode(plain(rule)))))


def plain(said: Any) -> Any:
    """What is said, as canonical JSON: defaults left out, sets sorted."""
    if attrs.has(type(said)):
        found = {}
        for field in attrs.fields(type(said)):
            if field.init and (value := getattr(said, field.name)) != field.default:
                found[field.name] = plain(value)
        return found
    if isinstance(said, Tier):
        return said.name
    if isinstance(said, frozenset):
        return sorted((plain(each) for each in said), key=encode)
    return [plain(each) for each in said] if isinstance(said, tuple) else said
