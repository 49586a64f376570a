"""Single leaf values: decoded JSON to the typed value of a leaf, and back.

Floor: codec.
"""

from __future__ import annotations

from typing import Any

import msgspec

from dossier.errors import DamagedError
from dossier.model.claims import Json
from dossier.model.fields import Leaf, SectionSpec


def typed(leaf: Leaf, value: Json) -> Any:
    """The typed value of a leaf (of one element or period, for sets and series). DamagedError if it does not fit."""
    try:
        return msgspec.convert(value, leaf.type)
    except (msgspec.ValidationError, ValueError, TypeError):
        pass
    raise DamagedError(what=leaf.pattern)


def computed_values(spec: SectionSpec, facts: dict[str, Json]) -> dict[str, Any]:
    """Typed values of a section's computed fields, by field name."""
    return {name: typed(spec.leaf(name), value) for name, value in facts.items() if value is not None}
