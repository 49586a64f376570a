"""What is known about a field: labels, shape, ranking, tier, flags, index. Declared once, in the class of its section.

Floor: model. A section class is an attrs class whose attributes are made with `one`, `many`, `items`, `series` or
`computed` and which is marked with `section`; `section_spec` reads it into leaves. A *leaf* is the smallest thing that
a claim, a mask and a policy can name: `name`, `phones[*]/number`, `sales`. Leaf i has the bit `1 << i` in masks.
"""

from __future__ import annotations

import difflib
import enum
import re
import types
import typing
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal, TypeVar

import attrs
import msgspec

from dossier.errors import InputError
from dossier.model.members import parts_of, series_of, set_of
from dossier.model.problems import problem
from dossier.model.withheld import mask_repr

C = TypeVar("C", bound=type)


class Tier(enum.IntEnum):
    """How sensitive a leaf is. SPECIAL always needs a purpose."""

    CARD = 0
    INTERNAL = 1
    CONFIDENTIAL = 2
    PERSONAL = 3
    SPECIAL = 4


class Shape(enum.Enum):
    """One value; a set; parts with keys; a value per period; computed from records and never stored by hand."""

    ONE = "one"
    SET = "set"
    ITEMS = "items"
    SERIES = "series"
    COMPUTED = "computed"


Ranking = Literal["hard", "size", "identity", "own_word", "habit", "ours"]
Same = Literal["equal", "ask"]
Compartment = Literal["core", "special"]

_META = "dossier"
_HIDDEN = frozenset({"personal", "special", "third_party", "minor", "location"})


@attrs.frozen(kw_only=True)
class Declared:
    """What a field's declaration says; kept in the attrs metadata of the attribute."""

    zh: str
    en: str
    doc: str
    shape: Shape
    ranking: Ranking
    tier: Tier
    flags: frozenset[str]
    index: tuple[str, ...]
    row: str
    vocabulary: str
    identity: str
    same: Same


def one(
    zh: str,
    en: str,
    *,
    row: str,
    ranking: Ranking = "hard",
    tier: Tier = Tier.INTERNAL,
    flags: str = "",
    index: str = "",
    vocabulary: str = "",
    doc: str = "",
) -> Any:
    """A single value, None when absent. `flags` and `index` are words separated by blanks.

    `vocabulary` is that of a Term; text given for the field becomes a Term in it.
    """
    return _field(Shape.ONE, None, zh, en, row, ranking, tier, flags, index, vocabulary, doc)


def many(
    zh: str,
    en: str,
    *,
    row: str,
    ranking: Ranking = "hard",
    tier: Tier = Tier.INTERNAL,
    flags: str = "",
    index: str = "",
    vocabulary: str = "",
    doc: str = "",
) -> Any:
    """A set: a tuple without repetition in the order of its members' canonical bytes, () when absent."""
    return _field(Shape.SET, (), zh, en, row, ranking, tier, flags, index, vocabulary, doc, converter=set_of)


def items(
    zh: str,
    en: str,
    *,
    row: str,
    identity: str,
    same: Same,
    ranking: Ranking = "hard",
    tier: Tier = Tier.INTERNAL,
    flags: str = "",
    index: str = "",
    doc: str = "",
) -> Any:
    """Parts with stable keys, in the order of their keys, () when absent.

    `identity` is the leaf that tells parts apart: with `same="equal"` an equal identity *is* the same part, with
    `same="ask"` it makes a question for a person to settle.
    """
    return _field(
        Shape.ITEMS, (), zh, en, row, ranking, tier, flags, index, "", doc, identity, same, converter=parts_of
    )


def series(
    zh: str,
    en: str,
    *,
    row: str,
    ranking: Ranking = "size",
    tier: Tier = Tier.CONFIDENTIAL,
    flags: str = "",
    index: str = "",
    doc: str = "",
) -> Any:
    """A value per period (`Per`), in the order of periods, () when absent; claims compete within one period."""
    return _field(Shape.SERIES, (), zh, en, row, ranking, tier, flags, index, "", doc, converter=series_of)


def computed(
    zh: str,
    en: str,
    *,
    row: str,
    tier: Tier = Tier.CONFIDENTIAL,
    flags: str = "",
    index: str = "",
    doc: str = "",
    many: bool = False,
) -> Any:
    """Computed from records: readable like any field, refused when given. `many` for a tuple."""
    return _field(Shape.COMPUTED, () if many else None, zh, en, row, "hard", tier, flags, index, "", doc)


def _field(
    shape: Shape,
    default: object,
    zh: str,
    en: str,
    row: str,
    ranking: Ranking,
    tier: Tier,
    flags: str,
    index: str,
    vocabulary: str,
    doc: str,
    identity: str = "",
    same: Same = "equal",
    *,
    converter: Callable[[Any], Any] | None = None,
) -> Any:
    marks = frozenset(flags.split())
    declared = Declared(
        zh=zh,
        en=en,
        doc=doc,
        shape=shape,
        ranking=ranking,
        tier=tier,
        flags=marks,
        index=tuple(index.split()),
        row=row,
        vocabulary=vocabulary,
        identity=identity,
        same=same,
    )
    # the parts of an items field hide what is personal in them by themselves
    hidden = shape is not Shape.ITEMS and (tier >= Tier.PERSONAL or bool(marks & _HIDDEN))
    return attrs.field(
        default=default, converter=converter, metadata={_META: declared}, repr=mask_repr if hidden else True
    )


# -- what is read from the declarations -----------------------------------------------------------


@attrs.frozen
class Leaf:
    """The smallest nameable thing of a section. `type` is that of the value, of a set's member or a period's value.

    `pattern` has no section name: `phones[*]/number`. `limit` is the greatest length of a text in characters (0: no
    text). `zh` and `en` are the field's own labels; `labels.label` puts those of nested fields together.
    """

    pattern: str
    zh: str
    en: str
    type: Any
    shape: Shape
    ranking: Ranking
    tier: Tier
    flags: frozenset[str]
    index: tuple[str, ...]
    row: str
    compartment: Compartment
    limit: int = 0
    vocabulary: str = ""
    doc: str = ""


@attrs.frozen(repr=False)
class FieldSpec:
    """A field of a section or part class. `leaf` is its leaf's number, None for items, whose parts' fields hold them.

    `type` is that of the value or member, the part class for items; `annotation` the type as declared; `mask` covers
    every leaf at or below the field.
    """

    name: str
    declared: Declared
    type: Any
    annotation: Any
    limit: int
    leaf: int | None
    mask: int
    pattern: str
    fields: Mapping[str, FieldSpec]

    @cached_property
    def items(self) -> tuple[FieldSpec, ...]:
        """The fields of its parts that hold parts themselves."""
        return tuple(field for field in self.fields.values() if field.declared.shape is Shape.ITEMS)

    def __repr__(self) -> str:
        return f"<field {self.pattern}>"


@attrs.frozen(eq=False, repr=False)
class SectionSpec:
    """A section class, read: its fields, its leaves in the order of declaration, and how paths name them."""

    key: str
    kind: str | None
    version: tuple[int, int]
    cls: type
    leaves: tuple[Leaf, ...]
    zh: str
    en: str
    fields: Mapping[str, FieldSpec]
    bits: Mapping[str, int]
    """Pattern → number of its leaf."""
    made: dict[Any, Any] = attrs.field(factory=dict, init=False)
    """What `made_once` remembers of it, and what therefore ends with it."""

    def __repr__(self) -> str:
        return f"<section {self.key}{f' of a {self.kind}' if self.kind else ''} {self.version[0]}.{self.version[1]}>"

    @property
    def full(self) -> int:
        """The mask of every leaf."""
        return (1 << len(self.leaves)) - 1

    def leaf(self, path: str) -> Leaf:
        """The leaf that a path below the section names: `phones[k1]/number`, `sales[2026]`, `phones[*]/number`.

        InputError `field.unknown` with the nearest name when there is none.
        """
        number = self.bits.get(path)
        if number is None:
            pattern = _KEYS.sub("[*]", path)
            number = self.bits.get(pattern)
            if number is None and pattern.endswith("[*]"):
                number = self.bits.get(pattern[:-3])
                if number is not None and self.leaves[number].shape is not Shape.SERIES:
                    number = None
        if number is None:
            raise self.unknown(path)
        return self.leaves[number]

    def unknown(self, path: str) -> InputError:
        """The error for a path that the section does not have, with the nearest one that it has."""
        asked = _KEYS.sub("[*]", path)
        nearest = nearest_name(asked, self.bits)
        return InputError([problem("field.unknown", shown_path(self.key, asked), nearest=nearest)])

    def mask(self, *patterns: str) -> int:
        """The mask of leaf patterns and of fields (all leaves below). InputError for an unknown one."""
        mask = 0
        for pattern in patterns:
            found = self.fields.get(pattern)
            if found is not None:
                mask |= found.mask
            elif below := [bit for name, bit in self.bits.items() if name.startswith(f"{pattern}[*]/")]:
                mask |= sum(1 << bit for bit in below)
            else:
                self.leaf(pattern)
                mask |= 1 << self.bits[pattern]
        return mask


_KEYS = re.compile(r"\[[^\[\]/]*\]")
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")


def nearest_name(name: str, names: typing.Iterable[str]) -> str:
    """The name that is most like `name`."""
    known = list(names)
    found = difflib.get_close_matches(name[:80], known, 1, 0.0)
    return found[0] if found else "-"


def shown_path(*steps: str) -> str:
    """A path for a message; a step that is no plain name is shown as `?`, for it may be a misplaced value."""
    return "/".join(
        step if all(_PLAIN_NAME.match(s) for s in _KEYS.sub("", step).split("/")) else "?" for step in steps
    )


@attrs.frozen
class Mark:
    """What `section` notes on a class."""

    key: str
    kind: str | None
    version: tuple[int, int]
    zh: str
    en: str


def section(
    key: str, *, zh: str, en: str, version: tuple[int, int] = (1, 0), kind: str | None = None
) -> Callable[[C], C]:
    """Mark an attrs class as the section `key`; `kind` where each kind of party has its own class.

    A pack's key is `pack:section`. `version` is (major, minor): a minor adds fields, a major changes them.
    """
    if not re.match(r"[a-z][a-z0-9_]*(:[a-z][a-z0-9_]*)?\Z", key):
        raise ValueError("a section key is a name or pack:name, in small letters, digits and underscores")

    def mark(cls: C) -> C:
        cls.__dossier_section__ = Mark(key, kind, version, zh, en)  # type: ignore[attr-defined]
        return cls

    return mark


def section_spec(cls: type) -> SectionSpec:
    """Read a section class. TypeError when it is none, or declares a field without these helpers."""
    mark = cls.__dict__.get("__dossier_section__")
    if not isinstance(mark, Mark):
        raise TypeError(f"{cls.__name__} is not marked with @section")
    leaves: list[Leaf] = []
    fields = _read(cls, "", leaves)
    bits = {leaf.pattern: number for number, leaf in enumerate(leaves)}
    return SectionSpec(mark.key, mark.kind, mark.version, cls, tuple(leaves), mark.zh, mark.en, fields, bits)


def _read(cls: type, prefix: str, leaves: list[Leaf]) -> Mapping[str, FieldSpec]:
    hints = typing.get_type_hints(cls, include_extras=True)
    fields: dict[str, FieldSpec] = {}
    for attribute in attrs.fields(cls):
        if prefix and attribute.name == "key":
            continue
        declared = attribute.metadata.get(_META)
        if not isinstance(declared, Declared):
            raise TypeError(f"{cls.__name__}.{attribute.name} is not declared with one, many, items, series, computed")
        pattern = prefix + attribute.name
        annotation = hints[attribute.name]
        inner, limit = _inner(annotation, declared.shape)
        nested: Mapping[str, FieldSpec] = {}
        number: int | None = None
        first = len(leaves)
        if declared.shape is Shape.ITEMS:
            nested = _read(inner, f"{pattern}[*]/", leaves)
            if declared.identity not in nested:
                raise TypeError(f"{cls.__name__}.{attribute.name}: no identity leaf {declared.identity}")
        else:
            number = first
            leaves.append(_leaf(pattern, declared, inner, limit))
        mask = (1 << len(leaves)) - (1 << first)
        fields[attribute.name] = FieldSpec(
            attribute.name, declared, inner, annotation, limit, number, mask, pattern, nested
        )
    return types.MappingProxyType(fields)


def _leaf(pattern: str, declared: Declared, inner: Any, limit: int) -> Leaf:
    return Leaf(
        pattern,
        declared.zh,
        declared.en,
        inner,
        declared.shape,
        declared.ranking,
        declared.tier,
        declared.flags,
        declared.index,
        declared.row,
        "special" if declared.tier is Tier.SPECIAL else "core",
        limit,
        declared.vocabulary,
        declared.doc,
    )


def _inner(annotation: Any, shape: Shape) -> tuple[Any, int]:
    """The type of the value, member or part below `X | None`, `tuple[X, ...]`, `Per[X]`; and its text limit."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        (annotation,) = (each for each in typing.get_args(annotation) if each is not type(None))
    if typing.get_origin(annotation) is tuple:
        annotation = typing.get_args(annotation)[0]
    if shape is Shape.SERIES:
        annotation = typing.get_args(annotation)[0]
    limit = 0
    if typing.get_origin(annotation) is typing.Annotated:
        annotation, *extras = typing.get_args(annotation)
        limit = next((each.max_length or 0 for each in extras if isinstance(each, msgspec.Meta)), 0)
    return annotation, limit
