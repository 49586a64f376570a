"""The shelf: section objects to canonical bytes and back, by code compiled per class.

Floor: codec. Stored form: a JSON object with sorted keys; absent fields are left out; sets stand in the order of their
members' bytes, parts as objects with their `key`, series as objects with `period` and `value`.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

import attrs
import msgspec

from dossier.codec.documents import Document
from dossier.errors import DamagedError
from dossier.model.fields import FieldSpec, SectionSpec, Shape
from dossier.model.members import MAX_MEMBERS
from dossier.model.problems import BadValue
from dossier.model.values import SELF_CHECKING, Per, Term
from dossier.model.values.plain import PLAIN, canonical, encode
from dossier.model.values.text import SHORT, check_code
from dossier.repository.canonical import MAX_INT

_decode = msgspec.json.Decoder().decode
_OWN = SELF_CHECKING | {str, int, bool}


class Dumped:
    """A section object that was dumped: its canonical bytes `raw`, and the JSON object that they stand for."""

    __slots__ = ("_made", "raw")

    def __init__(self, raw: bytes, made: Document | None = None) -> None:
        self.raw = raw
        self._made = made

    def document(self) -> Document:
        """The JSON object, for the caller alone, who may change it: another one each time."""
        made, self._made = self._made, None
        return made if made is not None else _decode(self.raw)


class _Unfit(Exception):
    """A typed object does not hold what its class says."""


class SectionCodec:
    """Dump, load, check and take apart the sections of one class. Get it from a registry: `registry.codec(spec)`."""

    def __init__(self, spec: SectionSpec) -> None:
        self.spec = spec
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(spec.cls)
        self._foreign = any(leaf.type not in _OWN for leaf in spec.leaves)

    # Compiled when first needed: whoever only reads needs none of them.

    @cached_property
    def _plain(self) -> Callable[[Any], Document]:
        return _compile(self.spec.cls, self.spec.fields, strict=False)

    @cached_property
    def _strict(self) -> Callable[[Any], Document]:
        return _compile(self.spec.cls, self.spec.fields, strict=True)

    @cached_property
    def _held(self) -> Callable[[Any], Document]:
        return _compile(self.spec.cls, self.spec.fields, strict=False, held=True)

    def document(self, values: Mapping[str, Any]) -> Document:
        """The JSON object of typed values by field, as the door gives them: that of a section made of them."""
        return self._held(values)

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

    def quick(self, section: Any) -> Dumped | None:
        """An application's section object dumped, None unless everything about it is in order.

        None says nothing of what is wrong: the door lists that.
        """
        try:
            made = self._strict(section)
            body = encode(made)
        except (_Unfit, UnicodeEncodeError):
            return None
        if b"\\u0000" in body or (self._foreign and not self._survives(section, body)):
            return None
        return Dumped(body, made)

    def _survives(self, section: Any, body: bytes) -> bool:
        """Whether the decoder, which knows types and limits inside a pack's values, gives the same section back."""
        try:
            return bool(self._decoder.decode(body) == section)
        except (msgspec.DecodeError, RecursionError):
            return False

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


def _compile(
    cls: type, fields: Mapping[str, FieldSpec], *, strict: bool, held: bool = False
) -> Callable[[Any], Document]:
    """A function from an object to the JSON object of what is present in it: one test and one store per field, in the
    order of their names, as canonical bytes have it.

    With `held` from a mapping of its values by name.

    `strict` adds a test of each type and limit and raises _Unfit; values need no more than that, for their
    constructors check what is inside them.
    """
    names: dict[str, Any] = {"cls": cls, "Unfit": _Unfit, "Per": Per, "unfit_key": _unfit_key}
    lines = ["def plain(o):", "    d = {}"]
    if strict:
        lines.append("    if type(o) is not cls: raise Unfit")
    keyed = any(attribute.name == "key" and attribute.name not in fields for attribute in attrs.fields(cls))
    if part := keyed and not held:
        lines += ["    if o.key: d['key'] = o.key"]
        if strict:
            lines.append("    if o.key != '' and unfit_key(o.key): raise Unfit")
    for name, field in sorted(fields.items()):
        lines += [
            f"    v = o.get({name!r})" if held else f"    v = o.{name}",
            f"    if v is not None{'' if field.declared.shape is Shape.ONE else ' and v != ()'}:",
        ]
        if strict:
            lines += [f"        {line}" for line in _tests(field, names)]
        lines.append(f"        d['{name}'] = {_expression(field, names, strict=strict)}")
    if part and strict:
        lines.append("    if len(d) < 2 and (not d or 'key' in d): raise Unfit")
    lines.append("    return d")
    exec(compile("\n".join(lines), f"<plain {cls.__name__}>", "exec"), names)
    made: Callable[[Any], Document] = names["plain"]
    return made


def _unfit_key(key: object) -> bool:
    try:
        check_code(key)
    except BadValue:
        return True
    return False


def _tests(field: FieldSpec, names: dict[str, Any]) -> list[str]:
    """Source lines that raise Unfit unless `v` is what the field may hold."""
    shape = field.declared.shape
    if shape is Shape.COMPUTED:
        return ["raise Unfit"]
    if shape is Shape.ONE:
        return [f"if {_unfit(field, 'v', names)}: raise Unfit"]
    lines = [f"if type(v) is not tuple or len(v) > {MAX_MEMBERS}: raise Unfit"]
    if shape is Shape.SET:
        lines += ["for x in v:", f"    if {_unfit(field, 'x', names)}: raise Unfit"]
    elif shape is Shape.SERIES:
        lines += ["for x in v:", f"    if type(x) is not Per or {_unfit(field, 'x.value', names)}: raise Unfit"]
    return lines


def _unfit(field: FieldSpec, value: str, names: dict[str, Any]) -> str:
    """A source expression that is true unless `value` is of the field's type and within its limit."""
    if field.type is str:
        return f"type({value}) is not str or not 0 < len({value}) <= {field.limit or SHORT}"
    if field.type is int:
        return f"type({value}) is not int or not -{MAX_INT} <= {value} <= {MAX_INT}"
    names[f"type_{field.name}"] = field.type
    wrong = f"type({value}) is not type_{field.name}"
    if field.type is Term and field.declared.vocabulary:
        wrong += f" or {value}.vocabulary != {field.declared.vocabulary!r}"
    return wrong


def _expression(field: FieldSpec, names: dict[str, Any], *, strict: bool) -> str:
    """A source expression for the JSON form of `v`."""
    make = _compile(field.type, field.fields, strict=strict) if field.fields else _maker(field.type)
    names[f"make_{field.name}"] = make

    def form(value: str) -> str:
        return value if make is None else f"make_{field.name}({value})"

    if field.declared.shape is Shape.SERIES:
        return f"[{{'period': x.period, 'value': {form('x.value')}}} for x in v]"
    if field.fields or field.declared.shape is Shape.SET or typing.get_origin(field.annotation) is tuple:
        return "list(v)" if make is None else f"[{form('x')} for x in v]"
    return form("v")


def _maker(kind: Any) -> Callable[[Any], Any] | None:
    """What makes the JSON form of a value, None where it is the value itself."""
    if kind in (str, int, bool):
        return None
    made: Callable[[Any], Any] = PLAIN.get(kind, _through_bytes)
    if kind in PLAIN or kind not in SELF_CHECKING:
        return made
    # A value without optional parts: its attributes, amounts as text.
    parts = [(each.name, each.type in (Decimal, "Decimal")) for each in attrs.fields(kind)]
    inside = ", ".join(f"'{name}': {f'str(v.{name})' if exact else f'v.{name}'}" for name, exact in sorted(parts))
    names: dict[str, Any] = {}
    exec(f"def made(v): return {{{inside}}}", names)
    return names["made"]  # type: ignore[no-any-return]


def _through_bytes(value: Any) -> Any:
    return _decode(encode(value))
