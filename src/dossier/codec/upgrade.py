"""Bringing the sections of a stored state up to the registered versions, and telling those that stay opaque (K2).

Floor: codec.
"""

from __future__ import annotations

from collections.abc import Mapping

from dossier.codec.registry import SectionRegistry, Version
from dossier.codec.state import State
from dossier.model.claims import section_of

OPAQUE = frozenset({"opaque_newer", "unknown"})


def opaque(registry: SectionRegistry, section: str, kind: str, versions: Mapping[str, Version]) -> bool:
    """Whether a section is kept as it is and shown to nobody: not registered, of a newer major, or with no way up."""
    spec = registry.find(section, kind)
    stored = versions.get(section)
    if spec is None or stored is None:
        return spec is None
    return tuple(stored) != spec.version and registry.status(section, kind, (stored[0], stored[1])) in OPAQUE


def upgrade(
    state: State, registry: SectionRegistry, kind: str, versions: Mapping[str, Version], *, only: str = ""
) -> None:
    """Let upcasters lead older sections of a state to the registered version (with `only`, that section alone).

    Origins and marks of leaves that are no more go; what is said of them stays in the acts.
    """
    for section in [only] if only else list(state.raw):
        spec, stored = registry.find(section, kind), versions.get(section)
        raw = state.raw.get(section)
        if spec is None or stored is None or raw is None or tuple(stored) == spec.version:
            continue
        version = (stored[0], stored[1])
        if registry.status(section, kind, version) != "older":
            continue
        state.replace(section, registry.upcast(section, kind, version, bytes(raw)))
        for table in (state.origins, state.marks):
            for path in [path for path in table if section_of(path) == section]:
                if state.value(path) is None:
                    del table[path]
