"""The shelf: section objects to canonical bytes and back, by code compiled per class.

Floor: codec. Stored form: a JSON object with sorted keys; absent fields are left out; sets stand in the order of their
members' bytes, parts as objects with their `key`, series as objects with `period` and `value`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs
import msgspec

from dossier.errors import DamagedError
from dossier.model.fields import MAX_MEMBERS, FieldSpec, SectionSpec, Shape
from dossier.model.values.plain import PLAIN, canonical, encode

_SMALL = 4 * MAX_MEMBERS
"""Below so many bytes no list can hold more than MAX_MEMBERS members."""


class SectionCodec:
    """Dump, load, check and take apart the sections of one class. Get it from a registry: `registry.codec(spec)`."""

    def __init__(self, spec: SectionSpec) -> None:
        self.spec = spec
        self._plain = _compile(spec.cls, spec.fields)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(spec.cls)
        self._computed = tuple(
            (field.name, _default(spec.cls, field.name))
            for field in spec.fields.values()
            if field.declared.shape is Shape.COMPUTED
        )

    def dump(self, section: Any) -> bytes:
        """Canonical bytes of a section object that is known to be valid; see `check` for one that is not."""
        return encode(self._plain(section))

    def load(self, body: bytes | msgspec.Raw) -> Any:
        """The section object of stored bytes; fields of a newer minor version are left out. DamagedError."""
        try:
            return self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        raise DamagedError(what=self.spec.key)

    def quick(self, section: Any) -> bytes | None:
        """Canonical bytes of an application's section object, None unless everything about it is in order.

        None says nothing of what is wrong: the door lists that.
        """
        if type(section) is not self.spec.cls:
            return None
        for name, default in self._computed:
            if getattr(section, name) != default:
                return None
        try:
            body = encode(self._plain(section))
            back = self._decoder.decode(body)
        except Exception:
            # whatever a wrongly typed attribute does to the compiled code, the door will name it
            return None
        if b"\\u0000" in body or b"{}" in body or back != section:
            return None
        if len(body) > _SMALL and _crowded(section, self.spec.fields.values()):
            return None
        return body

    def flatten(self, section: Any) -> list[tuple[str, bytes]]:
        """Every present leaf as (path below the section, canonical bytes), in the order of declaration.

        A set is one leaf, a series one leaf per period; parts must have their keys.
        """
        found: list[tuple[str, bytes]] = []
        _flatten(section, self.spec.fields.values(), "", found)
        return found

    def unflatten(self, leaves: Iterable[tuple[str, bytes]]) -> bytes:
        """Section bytes from leaves in any order: the inverse of `flatten`. InputError for an unknown path."""
        tree: dict[str, Any] = {}
        for path, body in leaves:
            self.spec.leaf(path)
            node: dict[str, Any] = tree
            *way, last = path.split("/")
            for step in way:
                name, _, key = step.partition("[")
                node = node.setdefault(name, {}).setdefault(key[:-1], {"key": key[:-1]})
            name, bracket, period = last.partition("[")
            if bracket:
                node.setdefault(name, {})[period[:-1]] = {"period": period[:-1], "value": msgspec.Raw(body)}
            else:
                node[name] = msgspec.Raw(body)
        return encode(_listed(tree))


def _listed(node: dict[str, Any]) -> dict[str, Any]:
    """Parts and periods, collected by key, as lists in the order of their keys."""
    return {
        name: [_listed(value[key]) for key in sorted(value)] if type(value) is dict else value
        for name, value in node.items()
    }


def _default(cls: type, name: str) -> Any:
    return getattr(attrs.fields(cls), name).default


def _crowded(holder: Any, fields: Iterable[FieldSpec]) -> bool:
    for field in fields:
        value = getattr(holder, field.name)
        if type(value) is tuple and len(value) > MAX_MEMBERS:
            return True
        if field.fields and any(_crowded(part, field.fields.values()) for part in value):
            return True
    return False


def _flatten(holder: Any, fields: Iterable[FieldSpec], prefix: str, found: list[tuple[str, bytes]]) -> None:
    for field in fields:
        value = getattr(holder, field.name)
        if value is None or value == ():
            continue
        path = prefix + field.name
        if field.fields:
            for part in value:
                _flatten(part, field.fields.values(), f"{path}[{part.key}]/", found)
        elif field.declared.shape is Shape.SERIES:
            found.extend((f"{path}[{each.period}]", canonical(each.value)) for each in value)
        elif type(value) is tuple:
            found.append((path, b"[" + b",".join(map(canonical, value)) + b"]"))
        else:
            found.append((path, canonical(value)))


def _compile(cls: type, fields: Mapping[str, FieldSpec]) -> Callable[[Any], dict[str, Any]]:
    """A function from an object to the plain dict of what is present in it: one test and one store per field."""
    names: dict[str, Any] = {}
    lines = ["def plain(o):", "    d = {}"]
    if any(attribute.name == "key" and attribute.name not in fields for attribute in attrs.fields(cls)):
        lines += ["    if o.key: d['key'] = o.key"]
    for name, field in fields.items():
        present = "is not None" if field.declared.shape is Shape.ONE else "is not None and v != ()"
        lines.append(f"    v = o.{name}")
        lines.append(f"    if v {present}: d['{name}'] = {_expression(field, names)}")
    lines.append("    return d")
    exec(compile("\n".join(lines), f"<plain {cls.__name__}>", "exec"), names)
    made: Callable[[Any], dict[str, Any]] = names["plain"]
    return made


def _expression(field: FieldSpec, names: dict[str, Any]) -> str:
    make: Any = _compile(field.type, field.fields) if field.fields else PLAIN.get(field.type)
    if make is None:
        return "v"
    names[f"make_{field.name}"] = make
    if field.declared.shape is Shape.SERIES:
        return f"[{{'period': x.period, 'value': make_{field.name}(x.value)}} for x in v]"
    if field.fields or field.declared.shape is Shape.SET:
        return f"[make_{field.name}(x) for x in v]"
    return f"make_{field.name}(v)"
