"""What leaves the desk: a dossier as its caller may see it.

Floor: desk. A view is immutable; sections are decoded when they are looked at, and those that the caller may not see
are never decoded at all.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from dossier.codec import withheld_view
from dossier.codec.anatomy import anatomy
from dossier.codec.documents import get
from dossier.codec.state import Head, Peek, StoredClaims, may_ask, peek, peek_claims, until_of
from dossier.codec.typed import typed
from dossier.codec.upgrade import opaque
from dossier.desk.origins import Origin, Question, Rival, origin_of
from dossier.errors import InputError, NotPicklableError
from dossier.model.absence import Absence
from dossier.model.claims import pattern, section_of
from dossier.model.fields import SectionSpec
from dossier.model.problems import problem
from dossier.model.withheld import reveal
from dossier.repository import decode

if TYPE_CHECKING:
    from dossier.desk.records import RecordPage
    from dossier.desk.sight import Sight
    from dossier.model.views import (
        BusinessStatusView,
        CharacteristicsView,
        GroupBasicView,
        OrganizationBasicView,
        PersonBasicView,
        PreferencesView,
        TransactionStatusView,
    )
    from dossier.policy import Decision


Facts = Callable[[], Mapping[str, Any]]
"""Gives computed fields as JSON by section."""
_NOTHING = msgspec.Raw(b"{}")
"""A section of which nothing is stored."""


class DossierView:
    """A dossier as its caller may see it. Sections are attributes (`view.basic`, `view.preferences`, …); a field that
    may not be read is WITHHELD, whether or not it has a value.
    """

    def __init__(
        self,
        *,
        id: str,
        body: bytes,
        special: bytes,
        facts: Facts | None,
        sight: Sight,
        key: bytes,
        pages: Any = None,
        seen: Peek | None = None,
    ) -> None:
        self._id = id
        self._body = body
        self._special = special
        self._facts = facts
        self._sight = sight
        self._key = key
        self._pages = pages
        self._seen = seen
        self._pending: frozenset[str] | None = None
        self._sections: dict[str, Any] = {}
        self._claims: dict[str, StoredClaims] = {}

    @property
    def _peek(self) -> Peek:
        found = self._seen
        if found is None:
            found = self._seen = peek(self._body)
        return found

    # -- head -------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The dossier's id (32 hex characters)."""
        return self._id

    @property
    def number(self) -> str:
        """The registration number."""
        return self._peek.head.number

    @property
    def kind(self) -> str:
        """person, organization or group."""
        return self._peek.head.kind

    @property
    def standing(self) -> str:
        """customer, contact or indirect (M4)."""
        return self._peek.head.standing

    @property
    def stage(self) -> str:
        """prospect, active, dormant, closed (M6)."""
        return self._peek.head.stage

    @property
    def revision(self) -> int:
        """How many acts the state has seen; what `history(known=)` takes."""
        return self._peek.head.rev if self._sight.decision.allowed else 0

    @property
    def token(self) -> str:
        """Opaque version: changes only with what the caller may read."""
        seen = "\0".join([self._id, *(reveal(self.section(key)) for key in self.sections())])
        digest = hmac.new(self._key, seen.encode(), hashlib.sha256)
        return digest.hexdigest()[:24]

    # -- sections ---------------------------------------------------------------------------------

    @property
    def basic(self) -> PersonBasicView | OrganizationBasicView | GroupBasicView:
        """基础资料, of the class that fits the party's kind."""
        return cast("PersonBasicView", self.section("basic"))

    @property
    def characteristics(self) -> CharacteristicsView:
        """客户特征."""
        return cast("CharacteristicsView", self.section("characteristics"))

    @property
    def business_status(self) -> BusinessStatusView:
        """业务状况."""
        return cast("BusinessStatusView", self.section("business_status"))

    @property
    def transaction_status(self) -> TransactionStatusView:
        """交易现状."""
        return cast("TransactionStatusView", self.section("transaction_status"))

    @property
    def preferences(self) -> PreferencesView:
        """个性资料."""
        return cast("PreferencesView", self.section("preferences"))

    def sections(self) -> tuple[str, ...]:
        """Keys of the sections that can be shown for this kind of party."""
        return tuple(spec.key for spec in self._sight.sections(self.kind))

    def section(self, key: str) -> Any:
        """A section by its key, for packs (`view.section("hotel:guest")`); withheld where it cannot be read here."""
        found = self._sections.get(key)
        if found is None:
            found = self._sections[key] = self._look(key)
        return found

    def _look(self, key: str) -> Any:
        seen = self._peek
        head = seen.head
        through = self._sight.lens(key, head.kind)
        spec = through.spec
        current = head.versions.get(key, spec.version) == spec.version
        if not through.mask or not (current or self._known(spec)):
            return withheld_view(spec)
        held = through.load(seen.sections.get(key, _NOTHING) if current else self._upcast(spec, seen))
        if through.special and self._special:
            apart = through.load(self._upcast(spec, peek(self._special)))
            for name in through.special:
                setattr(held, name, getattr(apart, name))
        if through.computed and self._facts is not None:
            facts = self._facts().get(key, {})
            for name in through.computed:
                if name in facts:
                    setattr(held, name, typed(spec.leaf(name), facts[name]))
        if through.items and (pending := self._unsettled):
            for name in through.items:
                kept = [part for part in getattr(held, name) if f"{key}/{name}[{part.key}]" not in pending]
                setattr(held, name, tuple(kept))
        return through.show(held)

    def _known(self, spec: SectionSpec) -> bool:
        """Whether the section is stored in a version that this program can show."""
        head = self._peek.head
        return not opaque(self._sight.registry, spec.key, head.kind, head.versions)

    def _upcast(self, spec: SectionSpec, state: Peek) -> bytes | msgspec.Raw:
        """The stored section in the version that is registered."""
        raw = state.sections.get(spec.key)
        if raw is None:
            return _NOTHING
        version = self._peek.head.versions.get(spec.key, spec.version)
        if self._sight.registry.status(spec.key, spec.kind, version) == "older":
            return self._sight.registry.upcast(spec.key, spec.kind, version, bytes(raw))
        return raw

    @property
    def _unsettled(self) -> frozenset[str]:
        """Paths of the parts that are not shown until it is answered whether they are the same as others."""
        if self._pending is None:
            asked = self._table("core").questions if may_ask(self._peek.claims) else ()
            self._pending = frozenset([path for path, _ in asked])
        return self._pending

    # -- claims -----------------------------------------------------------------------------------

    def origin(self, path: str) -> Origin | None:
        """Where the value at a leaf path comes from; None where nothing is shown or it may not be read."""
        if not self.readable(path):
            return None
        table = self._table(self._home(path))
        if not table.sources or not self._present(path, table):
            return None
        index = next((index for known, index in table.origins if known == path), 0)
        marks = next((marks for known, marks in table.marks if known == path), 0)
        return origin_of(table.sources[index], marks)

    def rivals(self, path: str = "") -> tuple[Rival, ...]:
        """Competing claims at or below a path that are not shown (all readable ones without a path).

        A claim that says what is shown anyway competes with nothing and is left out; `desk.claims.of` has it.
        """
        found = []
        for compartment in ("core", "special"):
            table = self._table(compartment)
            for known, index, marks, value in table.rivals:
                if known.startswith(path) and self._may(known) and value != self._shown(known):
                    found.append(Rival(known, self._typed(known, value), origin_of(table.sources[index], marks)))
        return tuple(found)

    def absence(self, path: str) -> Absence | None:
        """Why there is no value at a leaf path, where somebody said so."""
        if not self.readable(path):
            return None
        reason = next((reason for known, reason in self._table(self._home(path)).absent if known == path), None)
        if reason is not None and self._shown(path) is not None:
            return None  # a set of which somebody said that it is empty, and somebody else named a member
        return Absence(reason) if reason is not None else None

    def questions(self) -> tuple[Question, ...]:
        """Open "same part?" questions about parts the caller may read."""
        return tuple(
            Question(path, path[: path.rindex("[")] + f"[{known}]")
            for path, known in self._table("core").questions
            if self._part_readable(path)
        )

    def readable(self, path: str) -> bool:
        """Whether the caller may read a leaf path. InputError for a path that names no leaf."""
        spec = self._sight.registry.spec(section_of(path), self.kind)
        name = pattern(path)
        number = spec.bits.get(name)
        if number is None:
            spec.leaf(name)
            raise InputError([problem("field.unknown", path, nearest=name)])
        return self._known(spec) and bool(self._sight.decision.mask(spec) >> number & 1)

    def records(self, kind: str | None = None, *, limit: int = 50, after: str | None = None) -> RecordPage:
        """A page of records, newest first, of one kind or of all, projected as the caller may see them.

        InputError on the view of a past state.
        """
        if self._pages is None:
            raise InputError([problem("history.records", "records")])
        page: RecordPage = self._pages(self._id, kind, limit, after)
        return page

    def _may(self, path: str) -> bool:
        """Whether a stored path, which a newer version may have written, is known here and may be read."""
        spec = self._sight.registry.find(section_of(path), self.kind)
        return spec is not None and pattern(path) in spec.bits and self.readable(path)

    def _part_readable(self, path: str) -> bool:
        spec = self._sight.registry.find(section_of(path), self.kind)
        if spec is None or not self._known(spec):
            return False
        name = pattern(path).partition("[")[0]
        return bool(self._sight.decision.mask(spec) & anatomy(spec).masks.get(name, 0))

    def _home(self, path: str) -> str:
        return anatomy(self._sight.registry.spec(section_of(path), self.kind)).home(path)

    def _table(self, compartment: str) -> StoredClaims:
        found = self._claims.get(compartment)
        if found is None:
            if compartment == "core":
                found = peek_claims(self._peek.claims)
            else:
                found = peek_claims(peek(self._special).claims) if self._special else StoredClaims()
            self._claims[compartment] = found
        return found

    def _present(self, path: str, table: StoredClaims) -> bool:
        return any(known == path for known, _ in table.absent) or self._shown(path) is not None

    def _shown(self, path: str) -> Any:
        """The JSON value shown at a leaf path, None where there is none."""
        if self._home(path) == "core":
            raw = self._peek.sections.get(section_of(path))
        else:
            raw = peek(self._special).sections.get(section_of(path)) if self._special else None
        return get(decode(raw), path) if raw is not None else None

    def _typed(self, path: str, value: Any) -> Any:
        if type(value) is dict and set(value) == {"absent"}:
            return Absence(value["absent"])
        spec = self._sight.registry.spec(section_of(path), self.kind)
        return typed(spec.leaf(pattern(path)), value)

    def __repr__(self) -> str:
        return f"<DossierView {self.number} {self.kind}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise NotPicklableError(what="DossierView")


class Stored:
    """The states behind a view, for the desk itself; parsed as far as they are asked for."""

    __slots__ = ("_view",)

    def __init__(self, view: DossierView) -> None:
        self._view = view

    @property
    def head(self) -> Head:
        """The stored head."""
        return self._view._peek.head

    @property
    def decision(self) -> Decision:
        """What decided over the view, for this dossier."""
        return self._view._sight.decision

    @property
    def bodies(self) -> tuple[bytes, bytes]:
        """The bodies of the core and the special compartment."""
        return self._view._body, self._view._special

    @property
    def until(self) -> str:
        """The day from which the stored resolution no longer holds ("" for none)."""
        return until_of(self._view._peek.claims)


def behind(view: DossierView) -> Stored:
    """What a view was made from. Never goes to a caller of the desk."""
    return Stored(view)
