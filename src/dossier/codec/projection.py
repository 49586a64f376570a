"""From a section object to what a reader may see of it, by code compiled per mask. Floor: codec.

A view has the same fields as the section; a leaf outside the mask is WITHHELD whether or not there is a value. In
parts the leaves are withheld one by one; a list of parts of which no leaf may be read is WITHHELD itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from dossier.model import views
from dossier.model.fields import FieldSpec, SectionSpec
from dossier.model.withheld import WITHHELD, mask_repr

Projector = Callable[[Any], Any]


@functools.lru_cache(maxsize=4_096)
def projector(spec: SectionSpec, mask: int) -> Projector:
    """The function from a section object to its view through `mask` (bit i is leaf i of the spec)."""
    return _compile(spec.cls, spec.fields, mask)


def withheld_view(spec: SectionSpec) -> Any:
    """The view of a section of which nothing may be read, the same for every dossier."""
    return projector(spec, 0)(spec.cls())


@functools.cache
def view_class(cls: type) -> type:
    """The view class of a section or part class: from `model.views`, or made alike for a class of a pack."""
    found = getattr(views, f"{cls.__name__}View", None)
    if found is not None and cls.__module__.startswith("dossier.model.sections."):
        kernel: type = found
        return kernel
    attributes = {
        each.name: attrs.field(default=each.default, repr=mask_repr if each.repr is mask_repr else True)
        for each in attrs.fields(cls)
    }
    return attrs.make_class(f"{cls.__name__}View", attributes, frozen=True, slots=True, weakref_slot=False)


@functools.cache
def _blank(view: type) -> type:
    """A class of the same layout whose attributes can be set: filling it and turning it into the view is three times
    as fast as the view's own constructor, which must go round its immutability for each attribute."""
    return type(view.__name__, (), {"__slots__": tuple(each.name for each in attrs.fields(view))})


def _compile(cls: type, fields: Mapping[str, FieldSpec], mask: int) -> Projector:
    view = view_class(cls)
    names: dict[str, Any] = {"view": view, "blank": _blank(view), "WITHHELD": WITHHELD}
    lines = ["def project(o):", "    v = blank()"]
    for attribute in attrs.fields(cls):
        name = attribute.name
        field = fields.get(name)
        if field is None:
            lines.append(f"    v.{name} = o.{name}")
        elif not field.mask & mask:
            lines.append(f"    v.{name} = WITHHELD")
        elif field.fields:
            names[f"part_{name}"] = _compile(field.type, field.fields, mask)
            lines.append(f"    x = o.{name}")
            lines.append(f"    v.{name} = tuple([part_{name}(p) for p in x]) if x else ()")
        else:
            lines.append(f"    v.{name} = o.{name}")
    lines += ["    v.__class__ = view", "    return v"]
    exec(compile("\n".join(lines), f"<view {cls.__name__}>", "exec"), names)
    made: Projector = names["project"]
    return made
