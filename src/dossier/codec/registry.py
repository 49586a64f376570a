"""Which sections there are, in which version, and how older ones are brought up to date. Floor: codec.

A registry is an object given to an archive; nothing is found by scanning subclasses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

from dossier.codec.shelf import SectionCodec
from dossier.errors import DamagedError, InputError
from dossier.model.fields import SectionSpec, nearest_name, section_spec, shown_path
from dossier.model.problems import problem
from dossier.model.sections import KERNEL
from dossier.repository.canonical import decode, encode

C = TypeVar("C", bound=type)
Version = tuple[int, int]
Status = Literal["known", "newer_minor", "older", "opaque_newer", "unknown"]
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


class SectionRegistry:
    """Section classes by key and party kind, with their codecs and upcasters."""

    def __init__(self, classes: Iterable[type] = ()) -> None:
        self._specs: dict[tuple[str, str | None], SectionSpec] = {}
        self._codecs: dict[int, SectionCodec] = {}
        self._upcasters: dict[tuple[str, str | None, Version], tuple[Version, Upcaster]] = {}
        for cls in classes:
            self.register(cls)

    def register(self, cls: C) -> C:
        """Add a section class (also as a decorator). ValueError if its key and kind are taken by another class."""
        spec = section_spec(cls)
        known = self._specs.get((spec.key, spec.kind))
        if known is not None and known.cls is not cls:
            raise ValueError(f"section {spec.key} is registered already")
        if known is None:
            self._specs[spec.key, spec.kind] = spec
            self._codecs[id(spec)] = SectionCodec(spec)
        return cls

    def upcaster(
        self, key: str, *, since: Version, to: Version, kind: str | None = None
    ) -> Callable[[Upcaster], Upcaster]:
        """Decorator: a function that turns a stored object of version `since` into one of version `to`."""
        if not since < to:
            raise ValueError("an upcaster leads to a later version")

        def note(function: Upcaster) -> Upcaster:
            self._upcasters[key, kind, since] = (to, function)
            return function

        return note

    def specs(self, kind: str | None = None) -> tuple[SectionSpec, ...]:
        """The sections in the order of registration; those of one party kind when `kind` is given."""
        return tuple(spec for spec in self._specs.values() if kind is None or spec.kind in (None, kind))

    def find(self, key: str, kind: str | None = None) -> SectionSpec | None:
        """The section of that key, for that kind of party; None if there is none."""
        return self._specs.get((key, kind)) or self._specs.get((key, None))

    def spec(self, key: str, kind: str | None = None) -> SectionSpec:
        """Like `find`, but InputError `section.unknown` with the nearest key."""
        found = self.find(key, kind)
        if found is None:
            known = {spec.key for spec in self.specs(kind)}
            path = shown_path(key)
            raise InputError([problem("section.unknown", path, nearest=nearest_name(key, sorted(known)))])
        return found

    def codec(self, spec: SectionSpec) -> SectionCodec:
        """The codec of a registered section."""
        return self._codecs[id(spec)]

    def status(self, key: str, kind: str | None, stored: Version) -> Status:
        """How a stored section stands to the registered one.

        `known` same version · `newer_minor` readable, unknown fields are carried along · `older` to be upcast ·
        `opaque_newer` a newer major, kept as it is · `unknown` not registered, or older with no way up.
        """
        spec = self.find(key, kind)
        if spec is None:
            return "unknown"
        if stored == spec.version:
            return "known"
        if stored > spec.version:
            return "newer_minor" if stored[0] == spec.version[0] else "opaque_newer"
        return "older" if self._way(spec, stored) is not None else "unknown"

    def upcast(self, key: str, kind: str | None, stored: Version, body: bytes) -> bytes:
        """Canonical bytes in the registered version. A minor without an upcaster only added fields: same bytes.

        DamagedError if the bytes are no object. Call it for sections whose status is `older`.
        """
        way = self._way(self.spec(key, kind), stored)
        if not way:
            return bytes(body)
        value = decode(bytes(body))
        if type(value) is not dict:
            raise DamagedError(what=key)
        for step in way:
            value = step(value)
        return encode(value)

    def _way(self, spec: SectionSpec, stored: Version) -> list[Upcaster] | None:
        """The upcasters from a stored version to the registered one, None if a major step has none."""
        way: list[Upcaster] = []
        at = stored
        while at < spec.version:
            steps = [
                (since, found)
                for (key, kind, since), found in self._upcasters.items()
                if key == spec.key and kind in (None, spec.kind) and since[0] == at[0] and since >= at
            ]
            if not steps:
                return way if at[0] == spec.version[0] else None
            at, step = min(steps, key=lambda each: each[0])[1]
            way.append(step)
        return way


def default_registry() -> SectionRegistry:
    """A fresh registry with the kernel's sections; register your own on top of it."""
    return SectionRegistry(KERNEL)
