"""Linked files: after a merge, reading resolves over the claims of all of them (K9).

Floor: codec, pure. Nothing is moved: the combined state is made for reading and thrown away.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dossier.codec.acts import claims_of
from dossier.codec.anatomy import anatomy
from dossier.codec.registry import SectionRegistry
from dossier.codec.state import Head, State
from dossier.codec.upgrade import opaque, upgrade
from dossier.model.claims import Claim, pattern, section_of


def combine(
    head: Head, states: Sequence[State], registry: SectionRegistry, today: str, *, heads: Sequence[Head] = ()
) -> State:
    """One state that shows, field by field, what the ranking says of all claims of the linked states.

    `heads` are those of the files the states belong to, where a state (of another compartment) has none itself.
    The states are brought up to the registered versions; sections that stay opaque are the survivor's, as they are.
    """
    versions = dict(head.versions)
    at = max(own.at for own in (head, *heads, *(state.head for state in states)))
    combined = State(msgspec.structs.replace(head, versions=versions, at=at))
    pool: dict[str, list[Claim]] = {}
    hidden: frozenset[str] = frozenset()

    def kinds(section: str) -> dict[str, str] | None:
        spec = registry.find(section, head.kind)
        return dict(anatomy(spec).kinds) if spec is not None and section not in hidden else None

    for state, own in zip(states, heads or [state.head for state in states], strict=True):
        upgrade(state, registry, head.kind, own.versions)
        hidden = frozenset(s for s in state.raw if opaque(registry, s, head.kind, own.versions))
        for section, raw in state.raw.items():
            if section in hidden:
                combined.raw.setdefault(section, raw)
                versions.setdefault(section, own.versions.get(section, (0, 0)))
            elif not opaque(registry, section, head.kind, versions):
                versions[section] = max(versions.get(section, (0, 0)), registry.spec(section, head.kind).version)
        for path, claim in claims_of(state, kinds):
            pool.setdefault(path, []).append(claim)
        combined.questions.update(state.questions)
    settle_all(combined, pool, registry, today)
    return combined


def settle_all(state: State, pool: dict[str, list[Claim]], registry: SectionRegistry, today: str) -> None:
    """Resolve every path of a pool of claims into an empty state, in an order that does not depend on arrival."""
    for path in sorted(pool):
        spec = registry.find(section_of(path), state.head.kind)
        # What a newer version wrote has no ranking here, and no view shows it.
        if spec is not None and pattern(path) in spec.bits:
            state.settle(path, pool[path], spec.leaf(pattern(path)).ranking, today)
