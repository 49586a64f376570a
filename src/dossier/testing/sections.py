"""Hypothesis strategies for whole sections, made from a section's spec alone: a pack's sections need no strategy.

Floor: testing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
from hypothesis import strategies as st

from dossier.codec.registry import SectionRegistry, default_registry
from dossier.model.fields import FieldSpec, SectionSpec, Shape
from dossier.testing.values import per, value

_KEYS = [f"k{number}" for number in range(1, 7)]


def specs(registry: SectionRegistry | None = None) -> st.SearchStrategy[SectionSpec]:
    """Any section of a registry (the kernel's where none is given)."""
    return st.sampled_from((registry or default_registry()).specs())


def sections(spec: SectionSpec, *, computed: bool = False) -> st.SearchStrategy[Any]:
    """Valid objects of a section class, their parts with keys; `computed` fields too when asked for."""
    return st.fixed_dictionaries({}, optional=_fields(spec.fields.values(), computed=computed)).map(
        lambda values: spec.cls(**values)
    )


def _fields(fields: Iterable[FieldSpec], *, computed: bool) -> dict[str, st.SearchStrategy[Any]]:
    return {
        field.name: field_values(field) for field in fields if computed or field.declared.shape is not Shape.COMPUTED
    }


def field_values(field: FieldSpec) -> st.SearchStrategy[Any]:
    """Valid, present values of one field: a value, a set, parts with distinct keys, periods once each."""
    shape = field.declared.shape
    if shape is Shape.ITEMS:
        return st.lists(st.sampled_from(_KEYS), min_size=1, max_size=3, unique=True).flatmap(
            lambda keys: st.tuples(*(_part(field, key) for key in keys))
        )
    if shape is Shape.SERIES:
        return st.lists(per(field.type), min_size=1, max_size=4, unique_by=lambda each: each.period).map(tuple)
    one = value(field.type, limit=field.limit, vocabulary=field.declared.vocabulary)
    if shape is Shape.SET or (shape is Shape.COMPUTED and _default(field) == ()):
        return st.lists(one, min_size=1, max_size=4).map(tuple)
    return one


def _default(field: FieldSpec) -> Any:
    return () if str(field.annotation).startswith("tuple") else None


def _part(field: FieldSpec, key: str) -> st.SearchStrategy[Any]:
    """A part with its identity and any other fields."""
    inner = _fields(field.fields.values(), computed=False)
    identity = field.declared.identity
    rest = {name: strategy for name, strategy in inner.items() if name != identity}
    cls: Any = field.type
    return st.fixed_dictionaries({identity: inner[identity]}, optional=rest).map(lambda held: cls(key=key, **held))


def plain(section: Any) -> dict[str, Any]:
    """A section as the door may be given it: present fields by name, typed inside."""
    return {
        each.name: held for each in attrs.fields(type(section)) if (held := getattr(section, each.name)) != each.default
    }
