"""What one act says, gathered for its rows: claims by compartment, withdrawals, marks, answers.

Floor: desk.
"""

from __future__ import annotations

import msgspec

from dossier.codec.acts import ActHead, Assertion, Mark, StoredAct, encode_act
from dossier.errors import InputError
from dossier.model.claims import Json, Source, under
from dossier.model.problems import problem

COMPARTMENTS = ("core", "special")


class Said:
    """Everything one act says of one file. What is said through one channel of one path is said once."""

    def __init__(self, head: ActHead) -> None:
        self.head = head
        self.told: Source | None = None
        """How the act itself was told, where it asserts nothing."""
        self.moved: dict[str, str] = {}
        self.ended: list[str] = []
        """Paths at which everything was withdrawn."""
        self._asserts: dict[str, list[Assertion]] = {name: [] for name in COMPARTMENTS}
        self._withdraws: dict[str, list[str]] = {name: [] for name in COMPARTMENTS}
        self._retracts: dict[str, list[tuple[str, str, str]]] = {name: [] for name in COMPARTMENTS}
        self._marks: dict[str, list[Mark]] = {name: [] for name in COMPARTMENTS}
        self._answers: dict[str, list[tuple[str, str]]] = {name: [] for name in COMPARTMENTS}
        self._sources: dict[Source, int] = {}
        self._numbers: dict[int, tuple[int, Source]] = {}
        """Identity of a source → its number, so that it is hashed once; with the source, so that it lives as long."""
        self._paths: set[tuple[str, str]] = set()

    def claim(self, compartment: str, path: str, source: Source, value: Json) -> None:
        """Something is asserted. InputError where the same channel has said something of it already."""
        named = (path, source.channel)
        if named in self._paths:
            raise twice(path)
        self._paths.add(named)
        numbered = self._numbers.get(id(source))
        if numbered is None:
            numbered = self._numbers[id(source)] = (self._sources.setdefault(source, len(self._sources)), source)
        self._asserts[compartment].append((path, numbered[0], value))

    def withdraw(self, path: str) -> None:
        """Everything at or below a path ends. InputError where the act has just said something there."""
        if any(under(said, path) for said, _ in self._paths):
            raise twice(path)
        self.ended.append(path)

    def withdrawn(self, compartment: str, path: str) -> None:
        """A withdrawal concerns a compartment."""
        self._withdraws[compartment].append(path)

    def retract(self, compartment: str, path: str, act: str, channel: str) -> None:
        """One claim ends."""
        self._retracts[compartment].append((path, act, channel))

    def mark(self, compartment: str, mark: Mark) -> None:
        """A mark is set, or taken off."""
        self._marks[compartment].append(mark)

    def answer(self, compartment: str, path: str, same: str) -> None:
        """A "same part?" question is settled."""
        self._answers[compartment].append((path, same))

    def body(self, compartment: str, state: bytes, *, whole: bool) -> bytes:
        """The body of the act's row in a compartment, whose state it leaves as `state`. With `whole` the claims are
        those of the state."""
        stored = StoredAct(
            act=self.head,
            answers=self._answers[compartment],
            asserts=[] if whole else self._asserts[compartment],
            head=self.moved if compartment == "core" else {},
            marks=self._marks[compartment],
            retracts=self._retracts[compartment],
            sources=[] if whole else list(self._sources),
            state=msgspec.Raw(state),
            told=self.told,
            whole=whole,
            withdraws=self._withdraws[compartment],
        )
        return encode_act(stored)


def twice(path: str) -> InputError:
    """The error for a field of which one act says two things."""
    return InputError([problem("change.twice", path.partition("{")[0])])
