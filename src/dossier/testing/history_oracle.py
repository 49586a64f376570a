"""The naive history: a full copy of every claim after every act, and a resolver written from the documents.

Floor: testing. It shares no code with the acts, the replay or the resolution of the library: claims are objects in
lists, links a dictionary, and what is shown is found by sorting. Only the rankings themselves, which are data, are read
from the library (K7, K9).
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from dossier.model.ranking import RANKINGS


@attrs.define
class Said:
    """One claim. `value` is anything comparable, or `Nothing(reason)`; instants and days are texts as stored."""

    act: str
    at: str
    channel: str
    value: Any
    observed: str = ""
    valid_from: str = ""
    valid_to: str = ""
    told_by: str = ""
    evidence: tuple[str, ...] = ()
    checked: bool = False
    proven: bool = False
    disputed: bool = False

    @property
    def seen(self) -> str:
        """When it was observed, else recorded."""
        return self.observed or self.at


@attrs.frozen
class Nothing:
    """A claim that there is no value."""

    reason: str


Path = tuple[str, ...]
"""(field,), (field, member), (field, period), (field, part key, leaf)."""


@attrs.frozen
class Done:
    """One act on one file, as its history must tell it: (path, value, channel, told by) of what was said."""

    verb: str
    by: str = "陈静"
    because: str = ""
    said: tuple[tuple[Path, Any, str, str], ...] = ()
    withdrew: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()


@attrs.define
class File:
    """One dossier: its live claims by path, its open questions (new part key → known part key) by field, where it
    stands."""

    claims: dict[Path, list[Said]] = attrs.field(factory=dict)
    questions: dict[tuple[str, str], str] = attrs.field(factory=dict)
    stage: str = "prospect"
    standing: str = "customer"


@attrs.define
class World:
    """All files, and which was merged into which (in the order of merging)."""

    files: dict[str, File] = attrs.field(factory=dict)
    into: dict[str, str] = attrs.field(factory=dict)

    def members(self, file: str) -> list[str]:
        """The linked set of a file, its survivor first."""
        while file in self.into:
            file = self.into[file]
        found = [file]
        for one in found:
            found += [other for other, into in self.into.items() if into == one]
        return found


@attrs.define
class HistoryOracle:
    """`rankings` names the ranking of each path without its keys: "name", "phones/number"."""

    rankings: Mapping[str, str]
    zone: ZoneInfo
    now: World = attrs.field(factory=World)
    copies: list[tuple[str, World]] = attrs.field(factory=list)
    revisions: dict[str, list[int]] = attrs.field(factory=dict)
    """File → for each of its revisions the number of the copy that was made after it."""
    acts: dict[str, list[Done]] = attrs.field(factory=dict)
    """File → what was done, revision by revision."""

    # -- acts -------------------------------------------------------------------------------------

    def keep(self, at: str, *files: str) -> None:
        """An act on these files is complete, recorded at this instant: copy everything."""
        self.copies.append((at, copy.deepcopy(self.now)))
        for file in files:
            self.revisions.setdefault(file, []).append(len(self.copies) - 1)

    def did(self, file: str, done: Done) -> None:
        """An act on a file is complete."""
        self.acts.setdefault(file, []).append(done)

    def withdraw(self, file: str, *prefix: str) -> list[str]:
        """End every claim at or below a path, in the file and in those linked to it that have one there; the others
        that had."""
        others = []
        for one in self.now.members(file):
            here = self.now.files[one]
            paths = [path for path in here.claims if path[: len(prefix)] == prefix]
            if one != file:
                if not paths:
                    continue
                others.append(one)
            for path in paths:
                del here.claims[path]
            for field, key in [question for question in here.questions if question[: len(prefix)] == prefix]:
                del here.questions[field, key]
        return others

    def say(self, file: str, path: Path, said: Said) -> None:
        """Add a claim."""
        self.now.files[file].claims.setdefault(path, []).append(said)

    def find(self, file: str, path: Path, act: str, channel: str) -> Said | None:
        """The claim that an act made at a path through a channel."""
        for said in self.now.files[file].claims.get(path, []):
            if (said.act, said.channel) == (act, channel):
                return said
        return None

    def retract(self, file: str, path: Path, act: str, channel: str) -> None:
        """End one claim."""
        kept = [s for s in self.now.files[file].claims.get(path, []) if (s.act, s.channel) != (act, channel)]
        if kept:
            self.now.files[file].claims[path] = kept
        else:
            self.now.files[file].claims.pop(path, None)

    def answer(self, file: str, field: str, key: str, *, same: bool) -> None:
        """Settle a question: with `same` the claims of the new part are claims of the known one."""
        here = self.now.files[file]
        known = here.questions.pop((field, key))
        if same:
            for path in [path for path in here.claims if path[:2] == (field, key)]:
                here.claims.setdefault((field, known, *path[2:]), []).extend(here.claims.pop(path))

    # -- what is shown ----------------------------------------------------------------------------

    def alike(self, file: str, field: str, leaf: str, value: Any, day: str) -> list[str]:
        """Keys of the parts of one file that show this value in a leaf today."""
        shown = self._shown([self.now.files[file]], day, seen=False)
        return sorted(p[1] for p, v in shown.items() if p[0] == field and p[2:] == (leaf,) and v.value == value)

    def known_at(self, file: str, revision: int) -> World:
        """All as it was after a revision of a file."""
        return self.copies[self.revisions[file][revision - 1]][1]

    def known_by(self, instant: str) -> World | None:
        """All as it was at an instant, None before the first act."""
        found = [world for at, world in self.copies if at <= instant]
        return found[-1] if found else None

    def show(self, world: World, file: str, day: str, *, on: bool = False) -> dict[Path, Said]:
        """Path → the claim that is shown on a day. `on`: a claim without a beginning holds from when it was seen."""
        files = [world.files[member] for member in world.members(file)]
        shown = self._shown(files, day, seen=on)
        pending = {question for one in files for question in one.questions}
        return {path: value for path, value in shown.items() if path[:2] not in pending}

    def rivals(self, world: World, file: str, path: Path, shown: Said | None, day: str) -> list[Said]:
        """Claims that hold on a day at a path and must be told beside the one shown: those that say something else,
        each through a channel of its own, so that no newer one of that channel stands before it."""
        claims = [said for member in world.members(file) for said in world.files[member].claims.get(path, [])]
        return [
            said
            for said in claims
            if said is not shown
            and self._holds(said, day, seen=False)
            and (shown is None or (said.value != shown.value and said.channel != shown.channel))
            and sum(other.channel == said.channel for other in claims) == 1
        ]

    def _shown(self, files: Iterable[File], day: str, *, seen: bool) -> dict[Path, Said]:
        pool: dict[Path, list[Said]] = {}
        for one in files:
            for path, claims in one.claims.items():
                pool.setdefault(path, []).extend(s for s in claims if self._holds(s, day, seen=seen))
        shown = {}
        for path, claims in pool.items():
            best = self.best(claims, self.rankings["/".join((path[0], *path[2:]))])
            if best is not None:
                shown[path] = best
        return shown

    def _holds(self, said: Said, day: str, *, seen: bool) -> bool:
        begin = said.valid_from
        if not begin and seen:
            begin = dt.datetime.fromisoformat(said.seen).astimezone(self.zone).date().isoformat()
        return begin <= day and not (said.valid_to and said.valid_to < day)

    @staticmethod
    def best(claims: Iterable[Said], ranking: str) -> Said | None:
        """Undisputed before disputed, proven before unproven, the rank of the channel, the newest seen, the checked,
        the last recorded; act and channel decide what is left."""
        ranked = []
        for said in claims:
            place = _place(ranking, said.channel)
            if place is None and not said.proven:
                continue
            key = (said.disputed, not said.proven, place or 0)
            ranked.append((key, said))
        if not ranked:
            return None
        top = min(key for key, _ in ranked)
        equals = [said for key, said in ranked if key == top]
        return max(equals, key=lambda s: (s.seen, s.checked, s.at, s.act, s.channel))


def _place(ranking: str, channel: str) -> int | None:
    """The rank of a channel; None where it never counts. An observation is no habit."""
    if ranking == "habit" and channel == "observation":
        return None
    for place, rank in enumerate(RANKINGS[ranking]):
        if channel in rank:
            return place
    for place, rank in enumerate(RANKINGS[ranking]):
        if ... in rank:
            return place
    return None
