"""Which rows an archive has: its collections, their keys and scopes, and which fields are indexed.

Floor: desk. Index columns follow from the `index` flags of the field catalogue; a pack's fields join by themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from dossier.codec import SectionRegistry
from dossier.codec.documents import Document
from dossier.codec.state import Head, State
from dossier.codec.upgrade import opaque
from dossier.desk.terms import Kind, kind_of, name_text
from dossier.model.fields import FieldSpec, SectionSpec, Shape
from dossier.repository import Collection, Composite, IndexField, IndexValue, encode, fold

DERIVATION: Final = 2
"""Version of the rules below; a change re-indexes archives."""

INTO: Final = IndexField(name="into")
"""The file that a file was merged into, in both compartments."""
GUARDS: Final = (IndexField(name="custodian"), IndexField(name="team"))
"""What conditions of rules ask of a dossier; in both compartments, for a query reads one."""
HEAD_FIELDS: Final = (
    IndexField(name="number"),
    IndexField(name="kind"),
    IndexField(name="standing"),
    IndexField(name="stage"),
    INTO,
    IndexField(name="pseudonym"),
    *GUARDS,
)
UNTIL: Final = IndexField(name="until")
"""The day from which a file is to be found by something else than today: a span of validity ends or begins."""
DERIVED_FIELDS: Final = (
    IndexField(name="transaction_status_total", derived=True),
    IndexField(name="transaction_status_times", type="int", derived=True),
    IndexField(name="transaction_status_last_date", derived=True),
    IndexField(name="transaction_status_arrears", derived=True),
)
SEARCHES: Final = {
    "search_name": ("basic/name", "basic/short_names"),
    "search_address": ("basic/addresses[*]/text",),
}
"""One text index a sensitivity: each is built from fields of one tier."""

MILLIONTHS: Final = 1_000_000
"""Amounts of records are int64 of millionths of their unit: every decimal that `Money` keeps survives in sums."""


def core_scope(dossier: str) -> str:
    """The erasure scope of the core compartment."""
    return f"{dossier}:core"


def special_scope(dossier: str) -> str:
    """The erasure scope of the fields that need a purpose."""
    return f"{dossier}:special"


def dealings_scope(dossier: str) -> str:
    """The erasure scope of records of dealings, which retention may keep when the person goes."""
    return f"{dossier}:dealings"


def act_id(dossier: str, rev: int) -> str:
    """Row id of an act: sorts by revision within its dossier."""
    return f"{dossier}/{rev:08x}"


@attrs.frozen
class Column:
    """One index column, the leaf it is filled from, and that leaf in each section class that has it."""

    name: str
    path: str
    pattern: str
    compartment: str
    many: bool
    kind: Kind
    fields: tuple[FieldSpec, ...]


def head_index(head: Head) -> dict[str, IndexValue]:
    """What of a head is indexed; absent ones left out."""
    named = {f.name: getattr(head, f.name) for f in HEAD_FIELDS}
    return {name: value for name, value in named.items() if value}


def apart_index(head: Head) -> dict[str, IndexValue]:
    """What of a head is indexed in the compartment that needs a purpose too; absent ones left out."""
    named = {f.name: getattr(head, f.name) for f in (INTO, *GUARDS)}
    return {name: value for name, value in named.items() if value}


class Indexing:
    """Index columns of the sections a registry knows, and how to fill them from documents."""

    derived = frozenset(f.name for f in DERIVED_FIELDS)
    _head = frozenset((*(f.name for f in HEAD_FIELDS), UNTIL.name))

    def __init__(self, registry: SectionRegistry, composites: Sequence[Sequence[str]] = ()) -> None:
        self.columns: dict[str, Column] = {}
        self.computed: dict[str, Column] = {}
        self._composites = tuple(tuple(path.replace("/", "_").replace(":", "_") for path in c) for c in composites)
        self._plans: dict[tuple[str, str | None, str], list[tuple[Column, str, tuple[str, ...]]]] = {}
        self._searches = {
            name: [(path.partition("/")[0], *_way(path.partition("/")[2])) for path in paths]
            for name, paths in SEARCHES.items()
        }
        for spec in registry.specs():
            if not spec.key.startswith("record:"):
                self._plan(spec)

    def _plan(self, spec: SectionSpec) -> None:
        for leaf in spec.leaves:
            for token in leaf.index:
                path = f"{spec.key}/{leaf.pattern.replace('[*]', '')}" + ("/monthday" if token == "monthday" else "")
                name = path.replace("/", "_").replace(":", "_")
                kind, field = kind_of(leaf, token), _field_of(spec, leaf.pattern)
                if leaf.shape is Shape.COMPUTED:
                    if name in self.derived:
                        self.computed[name] = Column(name, path, leaf.pattern, "core", False, kind, (field,))
                    continue
                many = "[*]" in leaf.pattern or leaf.shape is Shape.SET
                column = Column(name, path, leaf.pattern, leaf.compartment, many, kind, (field,))
                known = self.columns.get(name, column)
                if (known.kind.family, known.many) != (kind.family, many):
                    raise TypeError(f"{path} is indexed in different ways by different kinds of party")
                fields = (*known.fields, field) if known is not column else known.fields
                self.columns[name] = attrs.evolve(known, fields=fields)
                plan = self._plans.setdefault((spec.key, spec.kind, leaf.compartment), [])
                plan.append((column, *_way(leaf.pattern)))

    def collections(self) -> tuple[Collection, ...]:
        """Every collection of an archive, with its declared fields and composite indexes."""
        core = [self._field(c) for c in self.columns.values() if c.compartment == "core"]
        special = [self._field(c) for c in self.columns.values() if c.compartment != "core"]
        searches = [IndexField(name=name, type="search") for name in SEARCHES]
        return (
            Collection(name="manifest"),
            Collection(
                name="dossiers",
                fields=(*HEAD_FIELDS, UNTIL, *core, *searches, *DERIVED_FIELDS),
                composites=tuple(Composite(fields=fields) for fields in self._composites),
                unindexed=("kind", "standing", "into", "team"),
            ),
            Collection(name="special", fields=(INTO, *GUARDS, *special), unindexed=("into", "custodian", "team")),
            Collection(name="acts"),
            Collection(
                name="records",
                fields=(
                    IndexField(name="dossier"),
                    IndexField(name="kind"),
                    IndexField(name="state"),
                    IndexField(name="at"),
                    IndexField(name="due"),
                    IndexField(name="by"),
                    IndexField(name="amount", type="int"),
                    IndexField(name="currency"),
                    IndexField(name="rating", type="int"),
                ),
                composites=(
                    Composite(fields=("dossier", "kind", "at")),
                    Composite(fields=("dossier", "at")),
                    Composite(fields=("kind", "state", "due")),
                ),
                unindexed=("dossier", "kind", "state", "at", "by", "amount", "currency", "rating"),
            ),
            Collection(name="entries"),
            Collection(name="facts"),
            Collection(name="relations", fields=(IndexField(name="ends", many=True), IndexField(name="kind"))),
            Collection(name="staff", fields=(IndexField(name="name"), IndexField(name="pseudonym"))),
            Collection(name="leases"),
            Collection(name="requests"),
            Collection(name="unplaced"),
            Collection(name="policies"),
            Collection(name="events"),
        )

    def digest(self) -> str:
        """What is declared and how it is derived; differs where an archive must be re-indexed."""
        plain = [
            [c.name, [[f.name, f.type, f.many, f.derived] for f in c.fields], [list(x.fields) for x in c.composites]]
            for c in self.collections()
        ]
        return hashlib.sha256(encode([DERIVATION, plain])).hexdigest()

    def fill(self, spec: SectionSpec, document: Document, compartment: str) -> dict[str, IndexValue]:
        """Index values of one section's columns in one compartment (all of them; absent ones None)."""
        found: dict[str, IndexValue] = {}
        for column, field, way in self._plans.get((spec.key, spec.kind, compartment), ()):
            value, terms = document.get(field), column.kind.terms
            if value is None:
                found[column.name] = None
            elif column.many:
                every: set[Any] = {term for node in _nodes(value, way) for term in terms(node)}
                found[column.name] = (tuple(sorted(every)) if len(every) > 1 else tuple(every)) or None
            else:
                found[column.name] = first[0] if (first := terms(value)) else None
        return found

    def search(self, documents: dict[str, Document]) -> dict[str, IndexValue]:
        """The folded texts of the search columns that these sections feed."""
        found: dict[str, IndexValue] = {}
        for name, sources in self._searches.items():
            if not any(section in documents for section, _, _ in sources):
                continue
            texts: list[str] = []
            for section, field, way in sources:
                value = documents.get(section, {}).get(field)
                if value is not None:
                    texts.extend(_text(node) for node in _nodes(value, way))
            found[name] = "\n".join(fold(text) for text in texts if text) or None
        return found

    def whole(self, head: Head, state: State, registry: SectionRegistry) -> dict[str, IndexValue]:
        """All index values of a core state: head, sections, search texts."""
        index: dict[str, IndexValue] = head_index(head)
        documents: dict[str, Document] = {}
        for section in list(state.raw) + [s for s in state.documents if s not in state.raw]:
            spec = registry.find(section, head.kind)
            if spec is not None and not opaque(registry, section, head.kind, head.versions):
                documents[section] = state.look(section)
                index.update(self.fill(spec, documents[section], "core"))
        index.update(self.search(documents))
        index[UNTIL.name] = state.until or None
        return {name: value for name, value in index.items() if value is not None}

    def apart(self, head: Head, state: State, registry: SectionRegistry) -> dict[str, IndexValue]:
        """All index values of the compartment that needs a purpose."""
        index: dict[str, IndexValue] = dict(apart_index(head))
        for section in list(state.raw) + [s for s in state.documents if s not in state.raw]:
            spec = registry.find(section, head.kind)
            if spec is not None and not opaque(registry, section, head.kind, head.versions):
                index.update(self.fill(spec, state.look(section), "special"))
        return {name: value for name, value in index.items() if value is not None}

    def foreign(self, index: Mapping[str, IndexValue], registry: SectionRegistry, head: Head) -> dict[str, IndexValue]:
        """Of a row's index values those that only another program can compute: of columns that are not known here,
        and of sections that stay opaque (K2)."""
        found: dict[str, IndexValue] = {}
        for name, value in index.items():
            column = self.columns.get(name)
            if column is None:
                own = name in self._head or name in SEARCHES or name in self.derived
            else:
                own = not opaque(registry, column.path.partition("/")[0], head.kind, head.versions)
            if not own:
                found[name] = value
        return found

    @staticmethod
    def _field(column: Column) -> IndexField:
        return IndexField(name=column.name, type=column.kind.type, many=column.many)


def _way(pattern: str) -> tuple[str, tuple[str, ...]]:
    """The field of a leaf's pattern, and the fields of the parts below it."""
    field, *way = pattern.replace("[*]", "").split("/")
    return field, tuple(way)


def _nodes(value: Any, way: Sequence[str]) -> list[Any]:
    """The values at the end of a way through parts."""
    nodes: list[Any] = value if type(value) is list else [value]
    for field in way:
        found: list[Any] = []
        for node in nodes:
            inner = node.get(field)
            if type(inner) is list:
                found += inner
            elif inner is not None:
                found.append(inner)
        nodes = found
    return nodes


def _field_of(spec: SectionSpec, pattern: str) -> FieldSpec:
    first, *below = pattern.replace("[*]", "").split("/")
    field = spec.fields[first]
    for name in below:
        field = field.fields[name]
    return field


def _text(node: Any) -> str:
    """What a search column holds of a stored text or name."""
    return node if type(node) is str else name_text(node)


def date_text(node: dict[str, int]) -> str:
    """Day text of a stored date: sorts by time, as precise as it was given."""
    year = f"{node['year']:04d}" if "year" in node else "-"
    return "-".join([year, *(f"{node[k]:02d}" for k in ("month", "day") if k in node)])
