"""What edits on raw documents must know of a section: which fields are sets, series, parts; which stand apart.

Floor: codec.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Final, TypeVar, TypeVarTuple

import attrs

from dossier.errors import DossierError
from dossier.model.claims import pattern
from dossier.model.fields import FieldSpec, Leaf, SectionSpec, Shape
from dossier.model.ranking import rank

Given = TypeVarTuple("Given")
T = TypeVar("T")
_MADE: Final = 1024
"""What is remembered of one section; when there is more, all of it is made anew."""


def made_once(make: Callable[[SectionSpec, *Given], T]) -> Callable[[SectionSpec, *Given], T]:
    """Remember what is made of a section on the section itself: it ends with the registry that the section is of."""

    def made(spec: SectionSpec, *given: *Given) -> T:
        known, key = spec.made, (make, *given)
        try:
            held: T = known[key]
            return held
        except KeyError:
            pass
        found = make(spec, *given)
        if len(known) >= _MADE:
            known.clear()
        known[key] = found
        return found

    update_wrapper(made, make)
    return made


@attrs.frozen(eq=False)
class Anatomy:
    """Derived once a section class.

    `kinds`: field pattern → "one", "set", "series" or "items" (computed fields are left out); `special`: names of
    fields that live in the compartment of their own; `items`: names of fields with parts; `masks`: field name → all
    leaves below it; `reach`: leaf pattern → all leaves of its field; `apart`: those of `special`; `computed`: whether
    any field is computed from records.
    """

    spec: SectionSpec
    kinds: Mapping[str, str]
    special: frozenset[str]
    items: tuple[str, ...]
    masks: Mapping[str, int]
    apart: int
    reach: Mapping[str, int]
    computed: bool

    def leaf(self, path: str) -> Leaf:
        """The leaf of a whole path (with its section). InputError names the nearest one where there is none."""
        return self.spec.leaf(pattern(path))

    def home(self, path: str) -> str:
        """The compartment of a whole path."""
        name = path.partition("/")[2].partition("[")[0].partition("{")[0].partition("/")[0]
        return "special" if name in self.special else "core"


@made_once
def anatomy(spec: SectionSpec) -> Anatomy:
    """The anatomy of a section class. DossierError where parts of one list lie in two compartments."""
    kinds: dict[str, str] = {}
    _gather(spec.fields, kinds)
    special = set()
    for name, field in spec.fields.items():
        homes = {leaf.compartment for bit, leaf in enumerate(spec.leaves) if field.mask >> bit & 1}
        if len(homes) > 1:
            raise DossierError(path=f"{spec.key}/{name}")
        if homes == {"special"}:
            special.add(name)
    items = tuple(name for name, field in spec.fields.items() if field.declared.shape is Shape.ITEMS)
    masks = {name: field.mask for name, field in spec.fields.items()}
    apart = sum(masks[name] for name in special)
    reach = {leaf.pattern: masks[leaf.pattern.partition("/")[0].partition("[")[0]] for leaf in spec.leaves}
    computed = any(leaf.shape is Shape.COMPUTED for leaf in spec.leaves)
    return Anatomy(spec, kinds, frozenset(special), items, masks, apart, reach, computed)


@made_once
def believes(spec: SectionSpec, channel: str) -> bool:
    """Whether a claim by this channel may show in every field of the section."""
    return all(rank(leaf.ranking, channel) is not None for leaf in spec.leaves if leaf.shape is not Shape.COMPUTED)


def _gather(fields: Mapping[str, FieldSpec], kinds: dict[str, str]) -> None:
    for field in fields.values():
        shape = field.declared.shape
        if shape is not Shape.COMPUTED:
            kinds[field.pattern] = shape.value
        _gather(field.fields, kinds)
