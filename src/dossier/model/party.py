"""Whom a dossier is about. Floor: model."""

from __future__ import annotations

import enum

from dossier.errors import Lang


class _Word(enum.Enum):
    def text(self, lang: Lang = "en") -> str:
        """The word in `lang`."""
        zh, en = _WORDS[type(self).__name__, self.value]
        return zh if lang == "zh" else en


class PartyKind(_Word):
    """What the party is; it chooses the class of the `basic` section (M20, M24, M48)."""

    PERSON = "person"
    ORGANIZATION = "organization"
    GROUP = "group"


class Standing(_Word):
    """Whether the party counts as a customer; `contact` and `indirect` have a file but are not counted (M4)."""

    CUSTOMER = "customer"
    CONTACT = "contact"
    INDIRECT = "indirect"


class Stage(_Word):
    """How far the dealings are. `dormant` is not `closed` (M6): who paused may come back."""

    PROSPECT = "prospect"
    ACTIVE = "active"
    DORMANT = "dormant"
    CLOSED = "closed"
    DESTROYED = "destroyed"

    def may_become(self, other: Stage) -> bool:
        """Whether a dossier may go from this stage to `other`. `destroyed` is final; a closed customer may return."""
        return other.value in _NEXT[self.value]


_NEXT: dict[str, frozenset[str]] = {
    "prospect": frozenset({"active", "closed", "destroyed"}),
    "active": frozenset({"dormant", "closed", "destroyed"}),
    "dormant": frozenset({"active", "closed", "destroyed"}),
    "closed": frozenset({"active", "destroyed"}),
    "destroyed": frozenset(),
}

_WORDS = {
    ("PartyKind", "person"): ("个人", "person"),
    ("PartyKind", "organization"): ("单位", "organization"),
    ("PartyKind", "group"): ("团体", "group"),
    ("Standing", "customer"): ("客户", "customer"),
    ("Standing", "contact"): ("联系人", "contact"),
    ("Standing", "indirect"): ("间接客户", "indirect customer"),
    ("Stage", "prospect"): ("潜在", "prospect"),
    ("Stage", "active"): ("正在", "active"),
    ("Stage", "dormant"): ("中断", "dormant"),
    ("Stage", "closed"): ("结", "closed"),
    ("Stage", "destroyed"): ("销毁", "destroyed"),
}
