"""The door: what comes from outside becomes typed values, or a list of everything that is wrong with it.

Floor: codec. Parsing is strict (see `hooks`) and runs once; only when something was wrong are the exceptions walked
and turned into problems, outside of any except block, so that no value hangs on to an error (law K3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from cattrs import AttributeValidationNote, ClassValidationError, ForbiddenExtraKeysError

from dossier.codec.hooks import Hook, Members, converter, field_hook, member_hook, members, present
from dossier.codec.registry import SectionRegistry
from dossier.codec.shelf import Dumped
from dossier.errors import InputError, Problem
from dossier.model.absence import Absence
from dossier.model.edits import UNSET, Edit, Unset
from dossier.model.fields import FieldSpec, SectionSpec, Shape, nearest_name, shown_path
from dossier.model.members import parts_of, set_of
from dossier.model.problems import BadValue, problem, type_name, wrong_type

_MORE = frozenset({Unset, Absence, Edit})
"""What a change may say of a field instead of giving its value."""


@attrs.frozen(repr=False)
class Parsed:
    """A change to one section, read: typed `values` by field, fields `unset`, typed `edits`, reasons of `absent` ones.

    Usable only when `problems` is empty. Contents of an edit: `add` and `remove` are typed members (a part to remove
    has its key, or else its identity), `change` maps part keys to `Parsed` changes of the part.
    """

    values: dict[str, Any] = attrs.field(factory=dict)
    unset: tuple[str, ...] = ()
    edits: dict[str, Edit] = attrs.field(factory=dict)
    absent: dict[str, Absence] = attrs.field(factory=dict)
    problems: tuple[Problem, ...] = ()

    def __repr__(self) -> str:
        return f"Parsed({', '.join((*self.values, *self.unset, *self.edits, *self.absent))})"


class Door:
    """Reads changes and whole sections against the sections of a registry."""

    def __init__(self, registry: SectionRegistry) -> None:
        self._registry = registry
        self._converter = converter()
        # by identity of the fields; they are kept too, so that no other object can come to have their identity
        self._readers: dict[int, tuple[Mapping[str, FieldSpec], dict[str, Hook]]] = {}

    def parse(self, spec: SectionSpec, values: Mapping[str, object]) -> Parsed:
        """Read `field → value` for a section; values may be UNSET, an Absence, an Edit, typed or plain JSON-like."""
        return self._parse(spec.fields, values, spec.key)

    def parse_section(self, spec: SectionSpec, values: object) -> tuple[Any | None, tuple[Problem, ...]]:
        """A whole section from a mapping of plain or typed values, or from a section object: (object, ()) or
        (None, problems). UNSET, Absence and Edit have no place in a whole section."""
        cls: Any = spec.cls
        if type(values) is cls:
            values = present(values)
        if type(values) is not dict and not isinstance(values, Mapping):
            bad = wrong_type(values, cls.__name__)
            return None, (problem(bad.reason, spec.key, **bad.details),)
        parsed = self.parse(spec, values)
        found = list(parsed.problems)
        misplaced = (*parsed.unset, *parsed.edits, *parsed.absent)
        found.extend(problem("field.edit", shown_path(spec.key, name)) for name in misplaced)
        return (None, tuple(found)) if found else (cls(**parsed.values), ())

    def check(self, section: Any) -> Dumped:
        """An application's section object dumped; InputError with every problem. Fast when all is well."""
        mark = getattr(type(section), "__dossier_section__", None)
        spec = self._registry.find(mark.key, mark.kind) if mark is not None else None
        if spec is None or spec.cls is not type(section):
            raise InputError([problem("value.type", "section", expected="registered section", got=type_name(section))])
        codec = self._registry.codec(spec)
        dumped = codec.quick(section)
        if dumped is not None:
            return dumped
        checked, problems = self.parse_section(spec, section)
        if problems:
            raise InputError(problems)
        return Dumped(codec.dump(checked))

    def _parse(self, fields: Mapping[str, FieldSpec], values: Mapping[str, object], path: str) -> Parsed:
        known = self._readers.get(id(fields))
        if known is None:
            made = {name: field_hook(self._converter, field) for name, field in fields.items()}
            known = self._readers[id(fields)] = (fields, made)
        hooks = known[1]
        read: dict[str, Any] = {}
        unset: list[str] = []
        edits: dict[str, Edit] = {}
        absent: dict[str, Absence] = {}
        wrong: list[tuple[str, Exception]] = []
        problems: list[Problem] = []
        for name, value in values.items():
            hook = hooks.get(name)
            if hook is None:
                nearest = nearest_name(name if type(name) is str else "", fields)
                problems.append(problem("field.unknown", f"{path}/{shown_path(str(name))}", nearest=nearest))
                continue
            try:
                read[name] = hook(value, None)
                continue
            except Exception as found:
                raised = found
            if type(value) not in _MORE:
                wrong.append((name, raised))
            elif fields[name].declared.shape is Shape.COMPUTED:
                wrong.append((name, BadValue("field.computed")))
            elif value is UNSET:
                unset.append(name)
            elif isinstance(value, Absence):
                absent[name] = value
            elif isinstance(value, Edit):
                edits[name] = self._edit(fields[name], value, f"{path}/{name}", problems)
        for name, raised in wrong:
            explain(raised, f"{path}/{name}", problems)
        return Parsed(read, tuple(unset), edits, absent, tuple(problems))

    def _edit(self, field: FieldSpec, given: Edit, path: str, problems: list[Problem]) -> Edit:
        shape = field.declared.shape
        if shape not in (Shape.SET, Shape.ITEMS) or (given.change and shape is not Shape.ITEMS):
            problems.append(problem("field.edit", path))
            return Edit()
        member = member_hook(self._converter, field)
        finish = parts_of if field.fields else set_of
        typed: dict[str, tuple[Any, ...]] = {}
        for side, named in (("add", given.add), ("remove", given.remove)):
            reader = _removed(field, member) if side == "remove" and field.fields else member
            bad: Exception | None = None
            try:
                typed[side] = finish(tuple(members(named, reader)))
            except Exception as found:
                bad = found
            if bad is not None:
                explain(bad, f"{path}/{side}", problems)
        change: dict[str, Parsed] = {}
        for key, inner in given.change.items():
            where = shown_path(f"{path}[{key}]") if type(key) is str else f"{path}[?]"
            if not isinstance(inner, Mapping):
                problems.append(problem("value.type", where, expected="fields of the part", got=type_name(inner)))
                continue
            change[key] = self._parse(field.fields, inner, where)
            problems.extend(change[key].problems)
        return Edit(typed.get("add", ()), typed.get("remove", ()), change)


def _removed(field: FieldSpec, member: Hook) -> Hook:
    """A part to remove: by its key (a part of a view will do), else by what identifies it."""
    cls: Any = field.type

    def hook(value: Any, _: Any) -> Any:
        key = value.get("key") if type(value) is dict else getattr(value, "key", None)
        named = type(value) is dict or type(value).__name__ in (cls.__name__, f"{cls.__name__}View")
        if named and type(key) is str and key:
            return cls(key=key)
        return member(value, None)

    return hook


def explain(found: BaseException, path: str, problems: list[Problem]) -> None:
    """Turn what the hooks raised for the place `path` into problems, one for every wrong place below it."""
    if isinstance(found, BadValue):
        problems.append(problem(found.reason, path, **found.details))
    elif isinstance(found, Members):
        for step, inner in found.found:
            explain(inner, path + step, problems)
    elif isinstance(found, ClassValidationError):
        _explain_object(found, path, problems)
    elif isinstance(found, (ValueError, TypeError, ArithmeticError)):
        # a value type of a pack, whose `parse` knows no BadValue
        problems.append(problem("value.unreadable", path))
    else:
        raise RuntimeError(f"a reader of {path} failed with {type(found).__name__}")


def _explain_object(found: ClassValidationError, path: str, problems: list[Problem]) -> None:
    """The problems of one object; a required name that is missing because it was misspelt is one problem, not two."""
    meant: set[str] = set()
    for inner in found.exceptions:
        if isinstance(inner, ForbiddenExtraKeysError):
            cls: Any = inner.cl
            names = [each.name for each in attrs.fields(cls) if each.name != "key"]
            for extra in sorted(inner.extra_fields, key=str):
                nearest = nearest_name(str(extra), names)
                meant.add(nearest)
                problems.append(problem("field.unknown", f"{path}/{shown_path(str(extra))}", nearest=nearest))
    for inner in found.exceptions:
        name = _noted(inner)
        if isinstance(inner, KeyError) and name is not None:
            if name not in meant:
                problems.append(problem("field.missing", f"{path}/{name}", name=name))
        elif not isinstance(inner, ForbiddenExtraKeysError):
            explain(inner, path if name is None else f"{path}/{name}", problems)


def _noted(found: BaseException) -> str | None:
    for note in getattr(found, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return note.name
    return None
