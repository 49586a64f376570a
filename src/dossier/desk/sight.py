"""What one decision lets its caller see: of each section a lens, and for the ledger what that comes to.

Floor: desk.
"""

from __future__ import annotations

from dossier.codec import Lens, SectionRegistry, lens
from dossier.codec.anatomy import anatomy
from dossier.model.fields import SectionSpec
from dossier.model.records import PREFIX
from dossier.policy import Decision


class Sight:
    """A decision over the sections of a registry. `apart`: whether it reaches fields that live in a compartment of
    their own."""

    def __init__(self, decision: Decision, registry: SectionRegistry) -> None:
        self.decision = decision
        self.registry = registry
        self.apart = any(
            decision.mask(spec) & anatomy(spec).masks[name]
            for spec in registry.specs()
            for name in anatomy(spec).special
        )
        self._lenses: dict[tuple[str, str], Lens] = {}
        self._masks: dict[str, str] = {}

    def lens(self, key: str, kind: str) -> Lens:
        """How a section looks for that kind of party. InputError `section.unknown` with the nearest key."""
        found = self._lenses.get((key, kind))
        if found is None:
            spec = self.registry.spec(key, kind)
            found = self._lenses[key, kind] = lens(spec, self.decision.mask(spec))
        return found

    def mask(self, kind: str) -> str:
        """The mask of a read in an event: "section:hex" runs of what the caller was given (A4)."""
        found = self._masks.get(kind)
        if found is None:
            runs = [f"{spec.key}:{mask:x}" for spec in self.sections(kind) if (mask := self.decision.mask(spec))]
            found = self._masks[kind] = ";".join(runs)
        return found

    def sections(self, kind: str) -> list[SectionSpec]:
        """The sections of a dossier about that kind of party."""
        return [spec for spec in self.registry.specs(kind) if not spec.key.startswith(PREFIX)]
