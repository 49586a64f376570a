"""Conditions of rules at the desk: what they ask of a dossier, and lists cut by them before they are read (N2, N5).

Floor: desk.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from zoneinfo import ZoneInfo

import attrs

from dossier.desk.layout import GUARDS
from dossier.model.fields import SectionSpec
from dossier.policy import Facts, spec_id
from dossier.policy.decision import Layout
from dossier.repository import Expr, Reader, Row

COLUMNS: Final = frozenset(column.name for column in GUARDS)
"""What an archive keeps of a dossier that conditions ask for. It keeps neither holds nor grades yet: no dossier has
any."""


@attrs.frozen
class Guard:
    """A decision that hangs on the dossier, as queries over rows."""

    ruling: Any
    facts: Facts
    layout: Layout

    def may(self, spec: SectionSpec, bit: int) -> bool:
        """Whether a leaf may be readable on some dossier: what refusals go by, for they never go by rows (N3)."""
        return bool(self.ruling.best & self._flat(spec, bit))

    def readable(self, spec: SectionSpec, bit: int) -> Expr:
        """The dossiers on which a leaf is readable."""
        found: Expr = self.ruling.where(self._flat(spec, bit), self.facts, COLUMNS)
        return found

    def visible(self) -> Expr:
        """The dossiers of which anything is readable."""
        found: Expr = self.ruling.visible(self.facts, COLUMNS)
        return found

    def _flat(self, spec: SectionSpec, bit: int) -> int:
        return 1 << self.layout.offsets[spec_id(spec)] + bit


def minute_of(now: dt.datetime, zone: ZoneInfo) -> int:
    """Minutes since midnight in a zone."""
    local = now.astimezone(zone)
    return local.hour * 60 + local.minute


def last_glass(repository: Reader, actor: str) -> Row | None:
    """The row of the last time that somebody broke the glass."""
    rows = repository.scan("policies", start=f"glass-{actor}-", stop=f"glass-{actor}.", descending=True, limit=1)
    return next(iter(rows), None)
