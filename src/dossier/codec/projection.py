"""From the stored bytes of a section to what a reader may see of it, by code compiled per mask. Floor: codec.

A view has the same fields as the section; a leaf outside the mask is WITHHELD whether or not there is a value, and is
not even decoded. In parts the leaves are withheld one by one; a list of parts of which no leaf may be read is WITHHELD
itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import msgspec

from dossier.codec.anatomy import anatomy, made_once
from dossier.errors import DamagedError
from dossier.model import views
from dossier.model.fields import FieldSpec, SectionSpec, Shape
from dossier.model.withheld import WITHHELD, mask_repr


class Lens:
    """A section as it looks through one mask (bit i is leaf i of the spec). Get it with `lens(spec, mask)`.

    `special`, `items`, `computed`: the fields within the mask that stand in a compartment of their own, that are lists
    of parts, that are computed from records.
    """

    __slots__ = ("_decoder", "computed", "items", "mask", "show", "spec", "special")

    def __init__(self, spec: SectionSpec, mask: int) -> None:
        parts = anatomy(spec)
        self.spec, self.mask = spec, mask
        self.special = tuple(name for name in spec.fields if name in parts.special and parts.masks[name] & mask)
        self.items = tuple(name for name in parts.items if parts.masks[name] & mask)
        self.computed = tuple(
            f.name for f in spec.fields.values() if f.declared.shape is Shape.COMPUTED and f.mask & mask
        )
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_held(spec.cls, spec.fields, mask))
        self.show: Callable[[Any], Any] = _compile(spec.cls, spec.fields, mask)
        """The view of what `load` gives, or of a section object."""

    def load(self, body: bytes | msgspec.Raw) -> Any:
        """What a reader may know of the stored bytes: an object with the fields within the mask, that may be set.
        DamagedError where one of them does not fit its type."""
        try:
            return self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        raise DamagedError(what=self.spec.key)


@made_once
def lens(spec: SectionSpec, mask: int) -> Lens:
    """The lens of a section and a mask."""
    return Lens(spec, mask)


@made_once
def withheld_view(spec: SectionSpec) -> Any:
    """The view of a section of which nothing may be read, the same for every dossier."""
    return lens(spec, 0).show(None)


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


def _held(cls: type, fields: Mapping[str, FieldSpec], mask: int) -> type:
    """What is decoded of a class through a mask. A Struct, because msgspec takes 0.2 µs for each field that is absent
    from an attrs class with slots, and most fields of most customers are."""
    held: list[tuple[str, Any, Any]] = []
    for attribute in attrs.fields(cls):
        field = fields.get(attribute.name)
        if field is None:
            held.append((attribute.name, str, ""))
        elif field.mask & mask:
            part = _held(field.type, field.fields, mask) if field.fields else None
            held.append((field.name, tuple[part, ...] if part else field.annotation, attribute.default))  # type: ignore[valid-type]
    return msgspec.defstruct(cls.__name__, held, gc=False)


@functools.cache
def _blank(view: type) -> type:
    """A class of the same layout whose attributes can be set: filling it and turning it into the view is three times
    as fast as the view's own constructor, which must go round its immutability for each attribute."""
    return type(view.__name__, (), {"__slots__": tuple(each.name for each in attrs.fields(view))})


def _compile(cls: type, fields: Mapping[str, FieldSpec], mask: int) -> Callable[[Any], Any]:
    """The function from an object with the fields within the mask to the view of the class."""
    view = view_class(cls)
    names: dict[str, Any] = {"view": view, "blank": _blank(view), "WITHHELD": WITHHELD}
    lines = ["def show(o):", "    v = blank()"]
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
    made: Callable[[Any], Any] = names["show"]
    return made
