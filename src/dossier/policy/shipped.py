"""The policies that come with the library: `standard`, `single_user`, and templates of trades.

Floor: policy.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import attrs

from dossier.errors import InputError
from dossier.model.fields import Tier, nearest_name
from dossier.policy.files import loads
from dossier.policy.reasons import reason
from dossier.policy.rules import ALL, KINDS, PURPOSES, Fields, Policy, ReleaseProfile, Rule

WAITING_HOURS: Final = 24
RECALL_DAYS: Final = 30
"""Within how many days full copies are called back (M125)."""
TEMPLATES: Final = ("bank", "hotel", "property")
_STAFF: Final = frozenset({"manager", "account_manager", "service", "custodian", "officer"})
_PLAIN: Final = Fields(tier=Tier.PERSONAL)
_SAFETY: Final = Fields(flags=frozenset({"safety"}))
_ANY: Final = frozenset(PURPOSES)


def standard() -> Policy:
    """The rules as the sources have them, beside what no policy can lift (see `never`).

    M118 manager, account manager, service staff (and custodian and officer, who keep and audit the files) consult,
    nobody else; M75 everyone collects; SPECIAL fields need a purpose, and service reads of them under `serve` those
    that keep a guest safe. M119 who consults may borrow copies. M122-M125 service is given all, to be called back,
    sales three fields, others nothing. M139 who consults exports what he may read, but for service, whose copies are
    to be called back, and what was exported cannot be. M112 custodian and manager hand files over; M114 they archive
    off and destroy; managers approve.
    """
    others, managers = _STAFF - {"service"}, frozenset({"manager", "account_manager"})

    def permit(id: str, kinds: frozenset[str], *verbs: str, fields: Fields = ALL, purposes: bool = False) -> Rule:
        return Rule(
            id=id, effect="permit", kinds=kinds, verbs=frozenset(verbs), fields=fields,
            purposes=_ANY if purposes else None,
        )  # fmt: skip

    return Policy(
        (
            permit("M118-consult", _STAFF, "consult", "explain", fields=_PLAIN),
            permit("M118-special", others, "consult", purposes=True),
            attrs.evolve(permit("M125-safety", frozenset({"service"}), "consult", "borrow", fields=_SAFETY),
                         purposes=frozenset({"serve"})),
            permit("M119-borrow", _STAFF, "borrow", fields=_PLAIN),
            permit("M119-special", others, "borrow", purposes=True),
            permit("M139-export", others, "export", fields=_PLAIN),
            permit("M139-special", others, "export", purposes=True),
            permit("M124-release", frozenset({"sales"}), "release", fields=Fields(flags=frozenset({"sales"}))),
            permit("M125-release", frozenset({"service"}), "release"),
            permit("M75-collect", frozenset(KINDS) - {"outsider"}, "collect"),
            permit("M130-edit", _STAFF - {"officer"}, "edit"),
            permit("M122-approve", managers, "approve"),
            permit("M112-custody", frozenset({"custodian", "manager"}), "custody", "archive_off", "destroy"),
        ),
        profiles=(
            ReleaseProfile(id="M124-sales", recipient="sales", fields=Fields(flags=frozenset({"sales"}))),
            ReleaseProfile(id="M125-service", recipient="service", recall_within=RECALL_DAYS),
        ),
    )  # fmt: skip


def single_user() -> Policy:
    """`standard` for an archive of one person: in place of a second one a waiting time and a recorded reason."""
    return attrs.evolve(standard(), waiting_hours=WAITING_HOURS)


def template(name: str) -> Policy:
    """The template of a trade: hotel, property, bank. InputError with the nearest name. To be read and changed."""
    if name not in TEMPLATES:
        raise InputError([reason("policy.template", "policy", nearest=nearest_name(str(name), TEMPLATES))])
    return loads(template_text(name), name=f"{name}.toml")


def template_text(name: str) -> str:
    """The TOML of a template."""
    return (files("dossier.policy") / "templates" / f"{name}.toml").read_text("utf-8")
