"""Stored acts, and the replay that history is made of (K7).

Floor: codec. An act row holds what was asserted and withdrawn, and the state that came of it, so that reading a
version back costs the same behind two acts and behind two hundred.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
import msgspec

from dossier.codec.documents import leaves
from dossier.codec.state import State, peek_claims
from dossier.errors import DamagedError
from dossier.model.claims import MARKS, Claim, Json, Source, under

Assertion = tuple[str, int, Json]
"""(path, number of the source in `sources`, value)."""


class ActHead(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """Who, when, why. `actor` id of the actor, `at` recorded (stored instant), `rev` revision of the dossier."""

    actor: str
    at: str
    because: str = ""
    id: str
    rev: int
    verb: str


class Mark(msgspec.Struct, array_like=True, gc=False):
    """One mark set on (or taken from) the claim that act `act` made through `channel` at `path`."""

    path: str
    act: str
    channel: str
    mark: str
    on: bool = True


class StoredAct(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """One act on one compartment. With `whole` it is the first of the compartment and its claims are those of its
    state, so that nothing is written twice.

    `withdraws` are paths: every claim at or below them ends. `retracts` are single claims (path, act, channel).
    `head` are changes to the head: stage, standing, and the links of a merge.
    `told` is how the act itself was told where it asserts nothing (a mark, a merge, an answer).
    `answers` settle "same part?" questions: (path of the part, key of the same part or "").
    """

    act: ActHead
    answers: list[tuple[str, str]] = []
    asserts: list[Assertion] = []
    head: dict[str, str] = {}
    marks: list[Mark] = []
    retracts: list[tuple[str, str, str]] = []
    sources: list[Source] = []
    state: msgspec.Raw
    told: Source | None = None
    whole: bool = False
    withdraws: list[str] = []


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(StoredAct)


def encode_act(act: StoredAct) -> bytes:
    """Canonical body of an act row."""
    return _encoder.encode(act)


def decode_act(body: bytes) -> StoredAct:
    """An act from its row. DamagedError if the bytes are none."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise DamagedError(what="act")


Kinds = Any
"""Callable: section key → {leaf pattern: "one" | "set" | "series" | "items"}."""


@attrs.define
class Replay:
    """All live claims by path, as of the last act that was applied: no pruning, no resolution."""

    kinds: Kinds
    claims: dict[str, list[Claim]] = attrs.field(factory=dict)
    questions: dict[str, str] = attrs.field(factory=dict)

    def apply(self, stored: StoredAct) -> None:
        """Apply one act; acts come in revision order."""
        for path in stored.withdraws:
            for known in [known for known in self.claims if under(known, path)]:
                del self.claims[known]
        for path, act, channel in stored.retracts:
            self._keep(path, [c for c in self.claims.get(path, []) if not _is(c, act, channel)])
        for path, index, value in stored.asserts:
            self.claims.setdefault(path, []).append(Claim(stored.sources[index], 0, value))
        if stored.whole:
            for path, claim in claims_of(State.decode(bytes(stored.state)), self.kinds):
                self.claims.setdefault(path, []).append(claim)
        for mark in stored.marks:
            self._mark(mark)
        self.questions = dict(peek_claims(msgspec.Raw(_claims_raw(stored.state))).questions)
        for path, same in stored.answers:
            if same:
                self._move(path, same)

    def _mark(self, mark: Mark) -> None:
        bit = MARKS[mark.mark]
        self._keep(
            mark.path,
            [
                c._replace(marks=c.marks | bit if mark.on else c.marks & ~bit) if _is(c, mark.act, mark.channel) else c
                for c in self.claims.get(mark.path, [])
            ],
        )

    def _move(self, path: str, same: str) -> None:
        target = path[: path.rindex("[")] + f"[{same}]"
        for known in [known for known in self.claims if under(known, path)]:
            self.claims.setdefault(target + known[len(path) :], []).extend(self.claims.pop(known))

    def _keep(self, path: str, claims: list[Claim]) -> None:
        if claims:
            self.claims[path] = claims
        else:
            self.claims.pop(path, None)


def replay(acts: Iterable[StoredAct], kinds: Kinds) -> Replay:
    """Replay acts in revision order."""
    result = Replay(kinds)
    for act in acts:
        result.apply(act)
    return result


def claims_of(state: State, kinds: Kinds) -> list[tuple[str, Claim]]:
    """Every live claim a state row holds."""
    found: list[tuple[str, Claim]] = []
    for section in list(state.raw):
        known = kinds(section)
        if known is None:
            continue
        for path, _ in leaves(state.look(section), section, known):
            shown = state.shown(path)
            if shown is not None:
                found.append((path, shown))
    found.extend((path, claim) for path in state.absent if (claim := state.shown(path)) is not None)
    found.extend((path, claim) for path, claims in state.rivals.items() for claim in claims)
    return found


def asserted(stored: StoredAct, kinds: Kinds) -> list[tuple[str, Source, Json]]:
    """What one act asserted: (path, source, value), whether it stands in the list or in the first state."""
    if stored.whole:
        pairs = claims_of(State.decode(bytes(stored.state)), kinds)
        return [(path, claim.source, claim.value) for path, claim in pairs]
    return [(path, stored.sources[index], value) for path, index, value in stored.asserts]


def _is(claim: Claim, act: str, channel: str) -> bool:
    return claim.source.act == act and claim.source.channel == channel


class _ClaimsOnly(msgspec.Struct, gc=False):
    claims: msgspec.Raw


_claims_only = msgspec.json.Decoder(_ClaimsOnly)


def _claims_raw(state: msgspec.Raw) -> msgspec.Raw:
    return _claims_only.decode(state).claims
