"""A dossier as read for a change, and whether a field changed since it was seen.

Floor: desk.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from dossier.codec.state import Head, State
from dossier.model.claims import under
from dossier.repository import IndexValue, encode


@attrs.define
class Loaded:
    """A dossier as read for a change: its states, and the versions and index values of its rows."""

    id: str
    core: State
    special: State
    version: int = 0
    special_version: int = 0
    index: dict[str, IndexValue] = attrs.field(factory=dict)
    special_index: dict[str, IndexValue] = attrs.field(factory=dict)
    body: bytes = b""
    special_body: bytes = b""
    facts: bytes = b""
    """The body of the row of its computed facts ("" where there is none)."""

    @property
    def head(self) -> Head:
        """The head of the core compartment."""
        return self.core.head

    def state(self, compartment: str) -> State:
        """The state of a compartment."""
        return self.special if compartment == "special" else self.core


def fingerprint(state: State, path: str) -> bytes:
    """What a field's claims say, for comparing two states of it: value, origins, rivals, marks."""
    section, _, name = path.partition("/")
    field = name.partition("[")[0].partition("/")[0]
    prefix = f"{section}/{field}"
    return encode(
        [
            state.look(section).get(field),
            [[p, s.act, s.channel] for p, s in sorted(state.origins.items()) if under(p, prefix)],
            [[p, m] for p, m in sorted(state.marks.items()) if under(p, prefix)],
            [[p, r] for p, r in sorted(state.absent.items()) if under(p, prefix)],
            [[p, c.source.act, c.marks] for p, cs in sorted(state.rivals.items()) if under(p, prefix) for c in cs],
        ]
    )


def changed_since(now: tuple[bytes, bytes], then: tuple[bytes, bytes], paths: Iterable[str]) -> list[str]:
    """The fields among `paths` that differ between two states, each given as its bodies (core, special)."""
    pairs = [
        (State.decode(one) if one else State(), State.decode(other) if other else State())
        for one, other in zip(now, then, strict=True)
    ]
    return [path for path in paths if any(fingerprint(one, path) != fingerprint(other, path) for one, other in pairs)]
