"""Rules: which kind of role may do what with which fields (M118-M126, M130).

Floor: policy, pure. Allow-list: what no rule permits is not permitted; a forbid always wins (P1-P4).
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import attrs

from dossier.model.fields import Leaf, Tier
from dossier.repository import encode

Verb = Literal[
    "consult", "collect", "borrow", "release", "edit", "archive_off", "destroy", "analyse", "export", "approve",
    "custody", "explain",
]  # fmt: skip
Medium = Literal["copy", "original"]

VERBS: Final[dict[str, str]] = {
    "consult": "查寻", "collect": "收集", "borrow": "借阅", "release": "发放", "edit": "修订",
    "archive_off": "归档移出", "destroy": "销毁", "analyse": "分析", "export": "导出",
    "approve": "批准", "custody": "保管", "explain": "说明",
}  # fmt: skip
KINDS: Final = ("custodian", "account_manager", "service", "sales", "manager", "officer", "outsider")
"""The kinds a host's roles are declared with; the rules bind kinds."""
PURPOSES: Final = ("serve", "manage", "audit", "emergency", "subject_request")
"""Declared purposes; fields of tier SPECIAL are readable under a purpose only."""


@attrs.frozen(kw_only=True)
class Fields:
    """Which leaves a rule concerns: those up to `tier`, and those that carry one of `flags`."""

    tier: Tier | None = Tier.SPECIAL
    flags: frozenset[str] = frozenset()

    def selects(self, leaf: Leaf) -> bool:
        """Whether the leaf is concerned."""
        return (self.tier is not None and leaf.tier <= self.tier) or bool(self.flags & set(leaf.flags))


ALL: Final = Fields()


@attrs.frozen(kw_only=True)
class Rule:
    """One rule. `purposes` None: whatever the purpose, also without one; else one of them must be given."""

    id: str
    effect: Literal["permit", "forbid"]
    kinds: frozenset[str]
    verbs: frozenset[str]
    fields: Fields = ALL
    media: frozenset[str] = frozenset({"copy", "original"})
    purposes: frozenset[str] | None = None

    def applies(self, kind: str, verb: str, medium: str, purpose: str) -> bool:
        """Whether the rule concerns this call."""
        return (
            kind in self.kinds
            and verb in self.verbs
            and medium in self.media
            and (self.purposes is None or purpose in self.purposes)
        )


@attrs.frozen
class Policy:
    """A set of rules with a digest (SHA-256, hex) of what they say, whatever their order."""

    rules: tuple[Rule, ...]
    digest: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        said = sorted({encode(_plain(rule)) for rule in self.rules})
        object.__setattr__(self, "digest", hashlib.sha256(b"\n".join(said)).hexdigest())

    def select(self, kind: str, verb: str, medium: str, purpose: str) -> tuple[Rule, ...]:
        """The rules that concern a call, sorted by id."""
        found = {rule for rule in self.rules if rule.applies(kind, verb, medium, purpose)}
        return tuple(sorted(found, key=lambda rule: rule.id))


def _plain(rule: Rule) -> dict[str, object]:
    tier = rule.fields.tier
    return {
        "id": rule.id,
        "effect": rule.effect,
        "kinds": sorted(rule.kinds),
        "verbs": sorted(rule.verbs),
        "tier": "" if tier is None else tier.name,
        "flags": sorted(rule.fields.flags),
        "media": sorted(rule.media),
        "purposes": None if rule.purposes is None else sorted(rule.purposes),
    }


def standard() -> Policy:
    """The rules as the sources have them.

    M118 manager, account manager, service staff (and custodian and officer, who keep and audit the files) consult,
    nobody else; M124 sales do not consult; M126 originals are consulted only; M75 everyone collects; SPECIAL fields
    need a purpose, and service reads of them under `serve` those that keep a guest safe. M139 who consults exports
    what he may read; but service, whose copies are to be called back (M125), and what was exported cannot be.
    """
    staff = frozenset({"manager", "account_manager", "service", "custodian", "officer"})
    return Policy(
        (
            Rule(id="M118-consult", effect="permit", kinds=staff, verbs=frozenset({"consult", "explain"}),
                 fields=Fields(tier=Tier.PERSONAL)),
            Rule(id="M118-special", effect="permit", kinds=staff - {"service"}, verbs=frozenset({"consult"}),
                 purposes=frozenset(PURPOSES)),
            Rule(id="M139-export", effect="permit", kinds=staff - {"service"}, verbs=frozenset({"export"}),
                 fields=Fields(tier=Tier.PERSONAL)),
            Rule(id="M139-special", effect="permit", kinds=staff - {"service"}, verbs=frozenset({"export"}),
                 purposes=frozenset(PURPOSES)),
            Rule(id="M125-safety", effect="permit", kinds=frozenset({"service"}), verbs=frozenset({"consult"}),
                 fields=Fields(tier=None, flags=frozenset({"safety"})), purposes=frozenset({"serve"})),
            Rule(id="M124-sales", effect="forbid", kinds=frozenset({"sales"}), verbs=frozenset({"consult"})),
            Rule(id="M75-collect", effect="permit", kinds=frozenset(KINDS) - {"outsider"},
                 verbs=frozenset({"collect"})),
            Rule(id="M130-edit", effect="permit", kinds=staff - {"officer"}, verbs=frozenset({"edit"})),
            Rule(id="M126-originals", effect="forbid", kinds=frozenset(KINDS),
                 verbs=frozenset({"borrow", "release", "export"}), media=frozenset({"original"})),
        )
    )  # fmt: skip
