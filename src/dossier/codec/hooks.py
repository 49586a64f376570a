"""Strict readers for every type a field may have: cattrs hooks that accept what people write and nothing by accident.

Floor: codec. Each hook takes a value and gives the typed one or raises BadValue, or an ExceptionGroup of cattrs with
one for every wrong place below. Nothing is converted silently: a bool is no number, a text is no list, a float is no
amount, None is no value.
"""

from __future__ import annotations

import datetime
import typing
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import UnionType
from typing import Any

import attrs
import cattrs
import msgspec
from cattrs.gen import make_dict_structure_fn, override

from dossier.model.fields import FieldSpec, Shape
from dossier.model.members import MAX_MEMBERS, parts_of, series_of, set_of
from dossier.model.problems import BadValue, type_name, wrong_type
from dossier.model.values import SELF_CHECKING, Money, PartialDate, Per, Term, parse_period
from dossier.model.values.numbers import exact
from dossier.model.values.text import LONG, SHORT, check_code, check_text
from dossier.repository.canonical import MAX_INT

Hook = Callable[[Any, Any], Any]

_UNIONS: tuple[Any, ...] = (UnionType, typing.Union)


class Members(Exception):
    """What is wrong with members of a container: (step of the path, exception) for each."""

    def __init__(self, found: list[tuple[str, Exception]]) -> None:
        self.found = found
        super().__init__(len(found))


def converter() -> cattrs.Converter:
    """A cattrs converter with strict hooks for every primitive, container and value; nothing falls through."""
    made = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    for cls, hook in _PRIMITIVES.items():
        made.register_structure_hook(cls, hook)
    made.register_structure_hook_factory(
        lambda kind: hasattr(kind, "__metadata__"), lambda kind: _annotated(made, kind)
    )
    made.register_structure_hook_factory(_is_union, lambda kind: _optional(made, kind))
    made.register_structure_hook_factory(_is_value, lambda kind: _value(made, kind))
    return made


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in _UNIONS


def _is_value(kind: Any) -> bool:
    return isinstance(kind, type) and attrs.has(kind) and hasattr(kind, "parse")


def field_hook(made: cattrs.Converter, field: FieldSpec) -> Hook:
    """The hook for all that a field may be given: a value, the members of a set, parts, or periods with values."""
    shape = field.declared.shape
    member = member_hook(made, field)
    if shape is Shape.COMPUTED:
        return _computed
    if shape is Shape.ONE:
        return member
    if shape is Shape.SERIES:
        return _series(member)
    return _container(member, set_of if shape is Shape.SET else parts_of)


def member_hook(made: cattrs.Converter, field: FieldSpec) -> Hook:
    """The hook for one value, one member of a set, one part, or the value of one period."""
    if field.fields:
        return _part(made, field)
    if field.type is str:
        return _text(field.limit or SHORT)
    if field.type is Term:
        return _term(made, field.declared.vocabulary)
    return made.get_structure_hook(field.type)


def _structure(made: cattrs.Converter, cls: Any, hooks: dict[str, Hook]) -> Hook:
    """From a dict to an object of `cls`: unknown keys refused, every wrong attribute reported; `hooks` by attribute."""
    attrs.resolve_types(cls)
    overrides: Any = {name: override(struct_hook=hook) for name, hook in hooks.items()}
    return make_dict_structure_fn(
        cls, made, _cattrs_detailed_validation=True, _cattrs_forbid_extra_keys=True, **overrides
    )


def _checks(cls: Any) -> dict[str, Hook]:
    """The constructor's own checks of single attributes as hooks, so that a wrong one does not hide the next."""

    def hook(check: Callable[[Any], Any]) -> Hook:
        def checked(value: Any, _: Any) -> Any:
            if value is None:
                raise wrong_type(value, "value")
            return check(value)

        return checked

    declared: tuple[Any, ...] = attrs.fields(cls)
    alone = [
        each for each in declared if each.converter is not None and not isinstance(each.converter, attrs.Converter)
    ]
    return {each.name: hook(each.converter) for each in alone}


def _text(limit: int) -> Hook:
    def hook(value: Any, _: Any) -> str:
        return check_text(value, limit)

    return hook


def _int(value: Any, _: Any) -> int:
    if type(value) is not int:
        raise wrong_type(value, "whole number")
    if not -MAX_INT <= value <= MAX_INT:
        raise BadValue("value.int_range")
    return value


def _bool(value: Any, _: Any) -> bool:
    if type(value) is not bool:
        raise wrong_type(value, "true or false")
    return value


_PRIMITIVES: dict[Any, Hook] = {str: _text(LONG), int: _int, bool: _bool, Decimal: lambda value, _: exact(value)}


def _computed(value: Any, _: Any) -> Any:
    raise BadValue("field.computed")


def _annotated(made: cattrs.Converter, kind: Any) -> Hook:
    inner, *extras = typing.get_args(kind)
    limits = [each.max_length for each in extras if isinstance(each, msgspec.Meta) and each.max_length]
    return _text(limits[0]) if inner is str and limits else made.get_structure_hook(inner)


def _optional(made: cattrs.Converter, kind: Any) -> Hook:
    """Strictly the type inside: an absent part is left out, never given as None."""
    (inner,) = (each for each in typing.get_args(kind) if each is not type(None))
    return made.get_structure_hook(inner)


def _value(made: cattrs.Converter, cls: Any) -> Hook:
    """A value: itself, its text form, its JSON object, and for some what people give instead."""
    parse: Callable[[str], Any] = cls.parse
    own = cls in SELF_CHECKING
    structure = _structure(made, cls, _checks(cls) if own else {})

    def hook(value: Any, _: Any) -> Any:
        kind = type(value)
        if kind is cls:
            return value if own else structure(present(value), cls)
        if kind is str:
            return parse(value)
        if kind is dict:
            made = directly(cls, value)
            return structure(value, cls) if made is None else made
        if cls is Money and kind in (int, Decimal, float):
            return Money(value)
        if cls is PartialDate and kind is datetime.date:
            return PartialDate.of(value)
        raise wrong_type(value, cls.__name__)

    return hook


def present(value: Any) -> dict[str, Any]:
    """The attributes of an object that are not as they are by default."""
    return {
        each.name: held for each in attrs.fields(type(value)) if (held := getattr(value, each.name)) != each.default
    }


def directly(cls: Any, value: dict[Any, Any]) -> Any | None:
    """The object whose constructor takes these attributes as they are; None if it refuses them.

    For values whose constructors check everything; only to say all that is wrong does it take the slower way.
    """
    if cls not in SELF_CHECKING or None in value.values():
        return None
    try:
        return cls(**value)
    except Exception:
        return None


def _term(made: cattrs.Converter, vocabulary: str) -> Hook:
    structure = _structure(made, Term, _checks(Term))

    def hook(value: Any, _: Any) -> Term:
        kind = type(value)
        if kind is str:
            return Term.parse(value, vocabulary=vocabulary)
        if kind is dict:
            value = {"vocabulary": vocabulary, **value}
            value = directly(Term, value) or structure(value, Term)
        elif kind is not Term:
            raise wrong_type(value, "Term")
        if vocabulary and value.vocabulary != vocabulary:
            raise BadValue("value.vocabulary", expected=vocabulary)
        return typing.cast(Term, value)

    return hook


def _part(made: cattrs.Converter, field: FieldSpec) -> Hook:
    """A part: an object of its class or view, a mapping of its fields, or the text of its identity."""
    cls: Any = field.type
    hooks = {name: field_hook(made, inner) for name, inner in field.fields.items()}
    structure = _structure(made, cls, {"key": lambda value, _: check_code(value), **hooks})
    parse: Callable[[str], Any] | None = getattr(cls, "parse", None)

    def hook(value: Any, _: Any) -> Any:
        kind = type(value)
        if kind is str and parse is not None:
            return parse(value)
        if kind is cls:
            value = present(value)
        elif kind is not dict:
            raise wrong_type(value, cls.__name__)
        if not value or (len(value) == 1 and "key" in value):
            raise BadValue("part.empty")
        return structure(value, cls)

    return hook


def _container(member: Hook, finish: Callable[[Any], tuple[Any, ...]]) -> Hook:
    def hook(value: Any, _: Any) -> tuple[Any, ...]:
        return finish(tuple(members(value, member)))

    return hook


def members(value: Any, member: Hook) -> list[Any]:
    """Every member of a list, tuple or set read by `member`; Members with all that is wrong."""
    if type(value) not in (list, tuple, set, frozenset):
        raise BadValue("value.container", got=type_name(value)) if value is not None else wrong_type(value, "list")
    if len(value) > MAX_MEMBERS:
        raise BadValue("value.too_many", limit=MAX_MEMBERS)
    read: list[Any] = []
    wrong: list[tuple[str, Exception]] = []
    for position, each in enumerate(value):
        try:
            read.append(member(each, None))
        except Exception as problem:
            wrong.append((f"[{position}]", problem))
    if wrong:
        raise Members(wrong)
    return read


def _series(member: Hook) -> Hook:
    def one(value: Any, _: Any) -> Per[Any]:
        if type(value) is Per:
            period, held = value.period, value.value
        elif type(value) is dict and value.keys() == {"period", "value"}:
            period, held = value["period"], value["value"]
        else:
            raise wrong_type(value, "Per")
        wrong: list[tuple[str, Exception]] = []
        try:
            period = parse_period(period)
        except BadValue as problem:
            wrong.append(("/period", problem))
        try:
            held = member(held, None)
        except Exception as problem:
            wrong.append(("/value", problem))
        if wrong:
            raise Members(wrong)
        return Per(period, held)

    def hook(value: Any, _: Any) -> tuple[Any, ...]:
        if type(value) is not tuple and isinstance(value, Mapping):
            value = [{"period": period, "value": held} for period, held in value.items()]
        return series_of(tuple(members(value, one)))

    return hook
