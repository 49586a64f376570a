"""The stored state of one compartment of a dossier: resolved values, compact origins, live rivals.

Floor: codec. One row per compartment. Values stand where a reader looks for them (`sections`); the origin of a value
is the first source unless `origins` says otherwise, so that a file filled by one act costs no table at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from dossier.codec.documents import Document, get, leaves, put, remove
from dossier.errors import DamagedError
from dossier.model.claims import Claim, Json, Source, absent, section_of, under
from dossier.model.resolution import next_change, prevails, resolve, standing, valid_on

_Raw = msgspec.Raw


class StoredClaims(msgspec.Struct, omit_defaults=True, gc=False):
    """What a state says beside its values. Lists of [path, …] because paths are no canonical keys."""

    absent: list[tuple[str, str]] = []
    marks: list[tuple[str, int]] = []
    origins: list[tuple[str, int]] = []
    questions: list[tuple[str, str]] = []
    rivals: list[tuple[str, int, int, Json]] = []
    sources: list[Source] = []
    until: str = ""


class Head(msgspec.Struct, omit_defaults=True, gc=False):
    """What the archive keeps of a dossier beside its sections (core compartment only).

    `rev` number of acts on the state, `at` of the last one, `parts` the last revision of each other compartment,
    `versions` of the sections as [major, minor], `linked` ids of merged dossiers, `into` the survivor's id,
    `merged` whether it ever was a survivor; `custodian` the id of who keeps it, `team` whose it is ("" nobody yet).
    """

    at: str = ""
    custodian: str = ""
    into: str = ""
    kind: str = ""
    linked: list[str] = []
    merged: bool = False
    number: str = ""
    parts: dict[str, int] = {}
    pseudonym: str = ""
    rev: int = 0
    stage: str = ""
    standing: str = ""
    team: str = ""
    versions: dict[str, tuple[int, int]] = {}


class _Body(msgspec.Struct, omit_defaults=True, gc=False):
    claims: StoredClaims
    head: Head
    sections: dict[str, _Raw] = {}


class Peek(msgspec.Struct, gc=False):
    """The cheap look at a state: head decoded, claims and sections left as bytes."""

    head: Head
    claims: _Raw
    sections: dict[str, _Raw] = {}


_encoder = msgspec.json.Encoder(order="sorted")
_body = msgspec.json.Decoder(_Body)
_peek = msgspec.json.Decoder(Peek)
_claims = msgspec.json.Decoder(StoredClaims)
_plain = msgspec.json.Decoder()


def peek(body: bytes) -> Peek:
    """Decode a stored state just enough to project it. DamagedError if it is none."""
    try:
        return _peek.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise DamagedError(what="state")


def peek_claims(raw: bytes | msgspec.Raw) -> StoredClaims:
    """The claims of a state that was peeked at."""
    try:
        return _claims.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise DamagedError(what="claims")


class _Until(msgspec.Struct, gc=False):
    until: str = ""


_until = msgspec.json.Decoder(_Until)


def until_of(raw: bytes | msgspec.Raw) -> str:
    """The day from which a stored resolution no longer holds ("" for none), without decoding the claims."""
    return _until.decode(raw).until if b'"until"' in bytes(raw) else ""


def may_ask(raw: bytes | msgspec.Raw) -> bool:
    """Whether there may be open questions among stored claims; False only where there are none."""
    return b'"questions"' in bytes(raw)


class State:
    """A compartment being changed. Not shared between threads; `encode` gives the body of the next version."""

    def __init__(self, head: Head | None = None) -> None:
        self.head = head or Head()
        self.raw: dict[str, bytes | msgspec.Raw] = {}
        self.documents: dict[str, Document] = {}
        self._changed: set[str] = set()
        """Sections whose bytes no longer say what their document says."""
        self.sources: list[Source] = []
        self.default: Source | None = None
        self.origins: dict[str, Source] = {}
        self.marks: dict[str, int] = {}
        self.absent: dict[str, str] = {}
        self.rivals: dict[str, list[Claim]] = {}
        self.questions: dict[str, str] = {}
        self.until = ""

    @classmethod
    def decode(cls, body: bytes) -> State:
        """A state from its row. DamagedError if the bytes are none."""
        try:
            stored = _body.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            stored = None
        if stored is None:
            raise DamagedError(what="state")
        state = cls(stored.head)
        state.raw = dict(stored.sections)
        table = stored.claims
        state.sources = table.sources
        state.default = table.sources[0] if table.sources else None
        state.origins = {path: table.sources[index] for path, index in table.origins}
        state.marks = dict(table.marks)
        state.absent = dict(table.absent)
        for path, index, marks, value in table.rivals:
            state.rivals.setdefault(path, []).append(Claim(table.sources[index], marks, value))
        state.questions = dict(table.questions)
        state.until = table.until
        return state

    # -- documents --------------------------------------------------------------------------------

    def look(self, section: str) -> Document:
        """The section as a JSON object that is not to be changed; an empty one where there is none."""
        found = self.documents.get(section)
        if found is None:
            raw = self.raw.get(section)
            if raw is None:
                return {}
            found = self.documents[section] = _plain.decode(raw)
        return found

    def document(self, section: str) -> Document:
        """The section as a JSON object that may be changed; an empty one where it is new."""
        self._changed.add(section)
        found = self.look(section)
        return found or self.documents.setdefault(section, {})

    def begin(self, section: str, document: Document, raw: bytes | None) -> None:
        """Take in a section that is new here; `raw` its canonical bytes, if they are at hand."""
        self.documents[section] = document
        if raw is None:
            self._changed.add(section)
        else:
            self.raw[section] = raw

    def replace(self, section: str, raw: bytes) -> None:
        """Let a section be these bytes."""
        self.raw[section] = raw
        self.documents.pop(section, None)
        self._changed.discard(section)

    def has(self, section: str) -> bool:
        """Whether anything was ever said in a section."""
        return section in self.raw or section in self.documents

    def value(self, path: str) -> Json:
        """The value shown at a leaf path, `{"absent": reason}`, or None."""
        reason = self.absent.get(path)
        if reason is not None:
            return {"absent": reason}
        found = get(self.look(section_of(path)), path)
        # The path of a whole set or series has no value of its own: its elements and periods have.
        return None if type(found) is list else found

    def shown(self, path: str) -> Claim | None:
        """The claim that is shown at a leaf path."""
        value = self.value(path)
        if value is None:
            return None
        source = self.origins.get(path, self.default)
        if source is None:
            raise DamagedError(what="origin")
        return Claim(source, self.marks.get(path, 0), value)

    def claims(self, path: str) -> list[Claim]:
        """All live claims at a leaf path that the row holds, the shown one first."""
        shown = self.shown(path)
        return ([shown] if shown else []) + self.rivals.get(path, [])

    def paths(self, prefix: str, kinds: Callable[[str], Mapping[str, str]]) -> list[str]:
        """Leaf paths at or below a prefix that have a live claim."""
        section = section_of(prefix)
        found = [path for path, _ in leaves(self.look(section), section, kinds(section))]
        pool = dict.fromkeys([*found, *self.absent, *self.rivals])
        return [path for path in pool if under(path, prefix)]

    # -- changes ----------------------------------------------------------------------------------

    def claim(self, path: str, claim: Claim, ranking: str, today: str) -> None:
        """Add a claim and let the field show what its ranking says."""
        shown = self.shown(path)
        rivals = self.rivals.get(path)
        if shown is None:
            self.settle(path, [*(rivals or ()), claim], ranking, today)
        elif rivals or shown.source.channel == claim.source.channel or shown.source.spans or claim.source.spans:
            self.settle(path, [*(rivals or ()), shown, claim], ranking, today, shown)
        else:
            # Two channels, no spans: the one that ranks before the other is shown, the other is its rival.
            better = prevails(claim, shown, ranking)
            if better:
                self._show(path, claim)
                self.rivals[path] = [shown]
            elif better is None:
                self.settle(path, [shown, claim], ranking, today, shown)
            else:
                self.rivals[path] = [claim]

    def settle(self, path: str, claims: Iterable[Claim], ranking: str, today: str, shown: Claim | None = None) -> None:
        """Replace all live claims at a path. `shown` is the one of them that is shown already, if any."""
        live = list(claims)
        if len(live) > 1:
            live = standing(live)
        best = resolve([claim for claim in live if valid_on(claim.source, today)], ranking)
        if best is None or best is not shown:
            self._show(path, best)
        rivals = [claim for claim in live if claim is not best]
        if rivals:
            self.rivals[path] = rivals
        else:
            self.rivals.pop(path, None)
        until = next_change(live, today)
        if until and (not self.until or until < self.until):
            self.until = until

    def renew(self, paths: Iterable[str], ranking: Callable[[str], str], today: str, *, others: bool) -> None:
        """Resolve again what a span of validity has changed since the state was stored. With `others` there are
        sections this program does not know: the day that passed stands, for those who know them to resolve."""
        self.until = self.until if others else ""
        for path in paths:
            live = self.claims(path)
            if any(claim.source.spans for claim in live):
                self.settle(path, live, ranking(path), today)

    def _show(self, path: str, best: Claim | None) -> None:
        document = self.document(section_of(path))
        self.origins.pop(path, None)
        self.marks.pop(path, None)
        self.absent.pop(path, None)
        reason = absent(best.value) if best is not None else None
        if (best is None or reason is not None) and self.value(path) is not None:
            remove(document, path)
        if best is None:
            return
        if reason is not None:
            self.absent[path] = reason
        else:
            put(document, path, best.value)
        self._use(best.source)
        if best.source != self.default:
            self.origins[path] = best.source
        if best.marks:
            self.marks[path] = best.marks

    def _use(self, source: Source) -> None:
        if self.default is None:
            self.default = source

    # -- out --------------------------------------------------------------------------------------

    def encode(self) -> bytes:
        """The canonical body: head, sections, and the claims table with sources in order of first use."""
        number: dict[Source, int] = {}
        if self.default is not None:
            number[self.default] = 0
        # A source is hashed once and then known by its identity: rivals of one act share it.
        known: dict[int, int] = {}

        def index(source: Source) -> int:
            found = known.get(id(source))
            if found is None:
                found = known[id(source)] = number.setdefault(source, len(number))
            return found

        table = StoredClaims(
            absent=sorted(self.absent.items()),
            marks=sorted(self.marks.items()),
            origins=[(path, index(source)) for path, source in sorted(self.origins.items())],
            questions=sorted(self.questions.items()),
            rivals=[
                (path, index(claim.source), claim.marks, claim.value)
                for path, claims in sorted(self.rivals.items())
                for claim in claims
            ],
            until=self.until,
        )
        table.sources = list(number)
        return _encoder.encode(_Body(claims=table, head=self.head, sections=self.encoded()))

    def encoded(self) -> dict[str, _Raw]:
        """Sections as bytes; empty ones left out."""
        for section in self._changed:
            if document := self.documents.get(section):
                self.raw[section] = _encoder.encode(document)
            else:
                self.raw.pop(section, None)
        self._changed.clear()
        self.documents.clear()
        return {section: _Raw(raw) for section, raw in self.raw.items()}


def head_of(body: bytes) -> Head:
    """The head of a stored core state."""
    return peek(body).head
