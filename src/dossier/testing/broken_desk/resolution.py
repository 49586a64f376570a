"""Desks that break K9: resolution and merging.

Floor: testing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dossier.codec import state
from dossier.desk.changes import change
from dossier.desk.merges import MergesCounter
from dossier.desk.reading import Reading
from dossier.model import resolution
from dossier.model.claims import Claim
from dossier.testing.broken_desk.variant import Replace, variant


@variant("K9_order")
def last_arrival() -> Sequence[Replace]:
    """A field shows what came last."""

    def last(claims: Sequence[Claim], ranking: str) -> Claim | None:
        return max(claims, key=lambda claim: (claim.source.at, claim.source.act), default=None)

    return [(state, "resolve", last)]


@variant("K9_order")
def first_of_equals() -> Sequence[Replace]:
    """Among channels of one rank the first to speak is believed."""
    order_key = resolution.order_key

    def rank_only(claim: Claim, ranking: str) -> Any:
        key = order_key(claim, ranking)
        return key[:3] if key is not None else None

    return [(resolution, "order_key", rank_only)]


@variant("K9_order")
def arrival_supersedes() -> Sequence[Replace]:
    """A claim by the same channel that came later puts an older one out of sight, though the older was seen later."""

    def by_arrival(older: Claim, newer: Claim) -> bool:
        a, b = older.source, newer.source
        return a.channel == b.channel and (b.at, b.act) > (a.at, a.act)

    return [(resolution, "superseded", by_arrival)]


@variant("K9_merge", "K11_refusals")
def merge_moves_claims() -> Sequence[Replace]:
    """A merge copies what the absorbed file says into the survivor."""
    merge = MergesCounter.merge

    def move(self: MergesCounter, survivor: Any, absorbed: Any, **told: Any) -> Any:
        desk = self._reading.archive.acting_as("陈静", role="manager", purpose="manage")
        name = desk.consult(absorbed).basic.name
        view = merge(self, survivor, absorbed, **told)
        if isinstance(name, str):
            desk.update(view.id, change("basic", name=name))
        return view

    return [(MergesCounter, "merge", move)]


@variant("K9_merge")
def merge_reads_the_survivor() -> Sequence[Replace]:
    """Behind a merged field only the survivor's claims are listed."""
    return [(Reading, "members", lambda self, dossier: [dossier])]
