"""The acts of a file replayed: whether each left what was said up to it (K7).

Floor: desk. An act is applied to what the acts before it said, and only the fields that it names, and those that hold
for a time, are resolved again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from dossier.codec import SectionRegistry
from dossier.codec.acts import Replay, StoredAct
from dossier.codec.anatomy import anatomy
from dossier.codec.documents import leaves
from dossier.codec.state import State
from dossier.model.claims import Claim, Source, absent, pattern, section_of, under
from dossier.model.clock import day_of
from dossier.model.resolution import resolve, standing, valid_on

Values = dict[str, Any]


class Following:
    """The acts of one compartment of a file, one after the other."""

    def __init__(self, registry: SectionRegistry, kind: str) -> None:
        self._registry = registry
        self._kind = kind
        self._replay = Replay(self._kinds)
        self._values: dict[str, Values] = {}
        """By section, what each path should show; absences, marks and sources below, by path."""
        self._absent: dict[str, str] = {}
        self._marks: dict[str, int] = {}
        self._sources: dict[str, Source] = {}
        self._rivals: dict[str, list[Claim]] = {}
        self._spanned: set[str] = set()
        self._stored: dict[str, tuple[bytes, Values]] = {}
        self._passed: set[str] = set()
        """Sections that stood in another version once: their claims are not those that can be compared."""
        self._versions: Mapping[str, tuple[int, int]] = {}
        self._lost = False

    def agrees(self, act: StoredAct, *, zone: ZoneInfo, beside: Following | None = None) -> bool:
        """Whether the state that an act left shows what all acts up to it come to on its day in a zone. The first that
        does not is told; what follows it would differ for its sake. `beside` follows the compartment that has the
        versions."""
        if self._lost:
            return True
        state = State.decode(bytes(act.state))
        self._versions = state.head.versions if beside is None else beside._versions
        self._pass_over(self._versions)
        day = day_of(act.act.at, zone)
        for path in self._apply(act):
            self._settle(path, day)
        self._lost = not self._same(state)
        return not self._lost

    def _pass_over(self, versions: Mapping[str, tuple[int, int]]) -> None:
        for section, version in versions.items():
            spec = self._registry.find(section, self._kind)
            if section not in self._passed and (spec is None or tuple(version) != spec.version):
                self._passed.add(section)
                self._values.pop(section, None)
                for held in self._tables():
                    for path in [path for path in held if section_of(path) == section]:
                        del held[path]
                self._spanned = {path for path in self._spanned if section_of(path) != section}

    def _apply(self, act: StoredAct) -> set[str]:
        """Take an act in; the paths that are to be resolved again."""
        claims = self._replay.claims
        single = [*(path for path, _, _ in act.retracts), *(mark.path for mark in act.marks)]
        below = [*act.withdraws, *(path for path, _ in act.answers)]
        dirty = {path for path in claims if any(under(path, known) for known in below)} if below else set()
        self._replay.apply(act)
        dirty |= {*single, *(path for path, _, _ in act.asserts), *self._spanned, *(claims if act.whole else ())}
        # An answer moves the claims of one part to another that may have had claims of its own.
        for path, same in act.answers:
            target = path[: path.rindex("[")] + f"[{same}]"
            dirty |= {known for known in claims if under(known, target)}
        return dirty

    def _settle(self, path: str, day: str) -> None:
        section = section_of(path)
        spec = self._registry.find(section, self._kind)
        if spec is None or section in self._passed or pattern(path) not in spec.bits:
            return
        live = standing(self._replay.claims.get(path, ()))
        if any(claim.source.spans for claim in live):
            self._spanned.add(path)
        else:
            self._spanned.discard(path)
        ranking = spec.leaf(pattern(path)).ranking
        best = resolve([claim for claim in live if valid_on(claim.source, day)], ranking)
        self._show(section, path, best, [claim for claim in live if claim is not best])

    def _show(self, section: str, path: str, best: Claim | None, rivals: list[Claim]) -> None:
        values = self._values.setdefault(section, {})
        for held in (values, *self._tables()):
            held.pop(path, None)
        if rivals:
            self._rivals[path] = rivals
        if best is None:
            return
        reason = absent(best.value)
        if reason is not None:
            self._absent[path] = reason
        else:
            values[path] = best.value
        self._sources[path] = best.source
        if best.marks:
            self._marks[path] = best.marks

    def _same(self, state: State) -> bool:
        for section in {*state.raw, *self._values}:
            if self._compared(section) and self._held(section, state) != self._values.get(section, {}):
                return False
        if dict(self._of(state.absent)) != self._absent or dict(self._of(state.marks)) != self._marks:
            return False
        if {path: sorted(claims, key=_told) for path, claims in self._of(state.rivals)} != {
            path: sorted(claims, key=_told) for path, claims in self._rivals.items()
        }:
            return False
        origins, default = state.origins, state.default
        return all(origins.get(path, default) == source for path, source in self._sources.items())

    def _of(self, table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        return ((path, value) for path, value in table.items() if self._compared(section_of(path)))

    def _tables(self) -> tuple[dict[str, Any], ...]:
        return self._absent, self._marks, self._sources, self._rivals

    def _compared(self, section: str) -> bool:
        return section not in self._passed and self._registry.find(section, self._kind) is not None

    def _held(self, section: str, state: State) -> Values:
        """What a section shows, path by path; decoded where its bytes are not those of the act before."""
        raw = bytes(state.raw.get(section, b""))
        known = self._stored.get(section)
        if known is None or known[0] != raw:
            kinds = self._kinds(section) or {}
            known = self._stored[section] = raw, dict(leaves(state.look(section), section, kinds))
        return known[1]

    def _kinds(self, section: str) -> dict[str, str] | None:
        spec = self._registry.find(section, self._kind)
        return dict(anatomy(spec).kinds) if spec is not None and section not in self._passed else None


def _told(claim: Claim) -> tuple[str, str]:
    return claim.source.act, claim.source.channel
