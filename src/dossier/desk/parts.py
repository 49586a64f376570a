"""Keys of parts: which part of the file a part that was named is, and what to ask where that is not certain.

Floor: desk. Two sources that name the same phone name the same part; two that name the same person make a question
(M21).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dossier.codec.documents import Document, element_path
from dossier.codec.state import State
from dossier.errors import QuestionOpenError
from dossier.model.claims import Json
from dossier.model.fields import FieldSpec, SectionSpec, Shape
from dossier.repository import fold


class Keys:
    """Gives keys to the parts of one act."""

    def __init__(self, rev: int, random: Callable[[int], bytes]) -> None:
        self._prefix = f"{len(f'{rev:x}')}{rev:x}"
        self._random = random
        self._drawn = ""
        self._minted = 0

    def settle(self, spec: SectionSpec, name: str, parts: list[Document], state: State) -> list[Document]:
        """The parts of a field with keys, joined where two turned out to be one, sorted by key."""
        known = state.look(spec.key).get(name, [])
        return self._settle(spec.fields[name], f"{spec.key}/{name}", parts, known, state.questions)

    def _settle(
        self, field: FieldSpec, path: str, parts: list[Document], known: list[Document], questions: dict[str, str]
    ) -> list[Document]:
        nested = field.items
        # The same phone twice in one change is one phone.
        together = field.declared.same == "equal" and len(parts) > 1
        alike = {identity(field, part): part["key"] for part in reversed(known)} if known else {}
        before = {part["key"]: part for part in known} if nested else {}
        joined: dict[str, Document] = {}
        for part in parts:
            key = part.get("key", "")
            if not key:
                same = identity(field, part) if alike or together else ""
                key = self._key(field, path, alike.get(same, "") if same else "", questions)
                if together:
                    alike.setdefault(same, key)
            elif f"{path}[{key}]" in questions:
                raise QuestionOpenError(path=path, part=f"{path}[{key}]")
            elif together:
                alike.setdefault(identity(field, part), key)
            mine = joined.setdefault(key, {})
            mine.update(part)
            mine["key"] = key
            for inner in nested:
                if inner.name in part:
                    there = before[key].get(inner.name, []) if key in before else []
                    below = f"{path}[{key}]/{inner.name}"
                    mine[inner.name] = self._settle(inner, below, part[inner.name], there, questions)
        return [joined[key] for key in sorted(joined)]

    def _key(self, field: FieldSpec, path: str, same: str, questions: dict[str, str]) -> str:
        """The key of the part of the same identity where that settles it, else a new one, and a question."""
        if same and field.declared.same == "equal":
            return same
        minted = self._mint()
        if same:
            questions[f"{path}[{minted}]"] = same
        return minted

    def _mint(self) -> str:
        """Sorts by revision and place in the act, and is unlikely to meet another in a linked file."""
        self._minted += 1
        if not self._drawn:
            self._drawn = self._random(32).hex()
        drawn, self._drawn = self._drawn[:4], self._drawn[4:]
        return f"{self._prefix}{self._minted:02x}{drawn}"


def identity(field: FieldSpec, part: Mapping[str, Any]) -> str:
    """The folded identity value of a part ("" where it has none)."""
    value = part.get(field.declared.identity) if field.declared.identity else None
    if type(value) is dict:
        value = value.get("number") or value.get("full") or value.get("name") or value.get("given")
    return fold(value) if type(value) is str else ""


def named(spec: SectionSpec, name: str, item: Json, state: State) -> list[str]:
    """The paths of existing members of a field that an item to be removed names."""
    field = spec.fields[name]
    path = f"{spec.key}/{name}"
    if field.declared.shape is Shape.SET:
        return [element_path(path, item)]
    if field.declared.shape is Shape.SERIES:
        return [f"{path}[{item['period']}]"]
    if item.get("key"):
        return [f"{path}[{item['key']}]"]
    same = identity(field, item)
    return [
        f"{path}[{part['key']}]"
        for part in state.look(spec.key).get(name, [])
        if same and identity(field, part) == same
    ]
