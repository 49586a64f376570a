"""Linked files: after a merge, reading resolves over the claims of all of them (K9; DESIGN "Merge is a link").

Floor: codec, pure. Nothing is moved: the combined state is made for reading and thrown away.
"""

from __future__ import annotations

from collections.abc import Sequence

from dossier.codec.acts import claims_of
from dossier.codec.anatomy import anatomy
from dossier.codec.registry import SectionRegistry
from dossier.codec.state import Head, State
from dossier.model.claims import Claim, pattern, section_of


def combine(head: Head, states: Sequence[State], registry: SectionRegistry, today: str) -> State:
    """One state that shows, field by field, what the ranking says of all claims of the linked states."""
    combined = State(head)
    pool: dict[str, list[Claim]] = {}

    def kinds(section: str) -> dict[str, str] | None:
        spec = registry.find(section, head.kind)
        return dict(anatomy(spec).kinds) if spec is not None else None

    for state in states:
        for section, raw in state.raw.items():
            if kinds(section) is None and section not in combined.raw:
                combined.raw[section] = raw
        for path, claim in claims_of(state, kinds):
            pool.setdefault(path, []).append(claim)
        combined.questions.update(state.questions)
    settle_all(combined, pool, registry, today)
    return combined


def settle_all(state: State, pool: dict[str, list[Claim]], registry: SectionRegistry, today: str) -> None:
    """Resolve every path of a pool of claims into an empty state, in an order that does not depend on arrival."""
    for path in sorted(pool):
        spec = registry.find(section_of(path), state.head.kind)
        if spec is not None:
            state.settle(path, pool[path], spec.leaf(pattern(path)).ranking, today)
