"""Single leaf values: decoded JSON to the typed value of a leaf, and back.

Floor: codec.
"""

from __future__ import annotations

from typing import Any

import msgspec

from dossier.errors import DamagedError
from dossier.model.claims import Json
from dossier.model.fields import Leaf


def typed(leaf: Leaf, value: Json) -> Any:
    """The typed value of a leaf (of one element or period, for sets and series). DamagedError if it does not fit."""
    try:
        return msgspec.convert(value, leaf.type)
    except (msgspec.ValidationError, ValueError, TypeError):
        pass
    raise DamagedError(what=leaf.pattern)
