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
        self._drawn = b""
        self._minted = 0

    def settle(self, spec: SectionSpec, name: str, parts: list[Document], state: State) -> list[Document]:
        """The parts of a field with keys, joined where two turned out to be one, sorted by key."""
        field = spec.fields[name]
        there = spec.key in state.raw or spec.key in state.documents
        known = state.document(spec.key).get(name, []) if there else []
        path = f"{spec.key}/{name}"
        return self._settle(field, path, parts, known, state.questions)

    def _settle(
        self, field: FieldSpec, path: str, parts: list[Document], known: list[Document], questions: dict[str, str]
    ) -> list[Document]:
        by_key = {part["key"]: part for part in known}
        nested = [(name, inner) for name, inner in field.fields.items() if inner.declared.shape is Shape.ITEMS]
        named: list[Document] = []
        for part in parts:
            given = part.get("key")
            if not given:
                part["key"] = self._key(field, path, part, [*known, *named], questions)
            elif f"{path}[{given}]" in questions:
                raise QuestionOpenError(path=path, part=f"{path}[{given}]")
            if field.declared.same == "equal":
                # The same phone twice in one change is one phone.
                named.append(part)
            for name, inner in nested:
                if name in part:
                    before = by_key.get(part["key"], {})
                    below = f"{path}[{part['key']}]/{name}"
                    part[name] = self._settle(inner, below, part[name], before.get(name, []), questions)
        joined: dict[str, Document] = {}
        for part in parts:
            joined.setdefault(part["key"], {}).update(part)
        return [joined[key] for key in sorted(joined)]

    def _key(
        self, field: FieldSpec, path: str, part: Document, known: list[Document], questions: dict[str, str]
    ) -> str:
        same = identity(field, part) if known else ""
        alike = [other["key"] for other in known if same and identity(field, other) == same]
        if alike and field.declared.same == "equal":
            found: str = alike[0]
            return found
        minted = self._mint()
        if alike:
            questions[f"{path}[{minted}]"] = alike[0]
        return minted

    def _mint(self) -> str:
        """Sorts by revision and place in the act, and is unlikely to meet another in a linked file."""
        self._minted += 1
        if not self._drawn:
            self._drawn = self._random(32)
        drawn, self._drawn = self._drawn[:2], self._drawn[2:]
        return f"{self._prefix}{self._minted:02x}{drawn.hex()}"


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
        for part in state.document(spec.key).get(name, [])
        if same and identity(field, part) == same
    ]
