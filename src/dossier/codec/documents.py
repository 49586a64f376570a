"""Reading and writing one leaf in a section's decoded JSON, without knowing its class.

Floor: codec. Edits work on raw documents, so what a newer minor version wrote is carried along untouched (K2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from dossier.model.claims import Json, steps
from dossier.repository.canonical import encode

Document: TypeAlias = dict[str, Any]
"""A section as decoded JSON: field → value, list of parts (objects with `key`), series entries or set elements."""

_decode = msgspec.json.Decoder().decode
_MISSING: Any = object()


def element_path(path: str, value: Json) -> str:
    """The path of one element of a set."""
    return f"{path}{{{encode(value).decode()}}}"


def get(document: Document, path: str) -> Json:
    """The value at a leaf path (section name included), or None."""
    _, walk, element = steps(path)
    if len(walk) == 1 and element is None and walk[0][1] is None:
        return document.get(walk[0][0])
    node: Any = document
    for field, key in walk:
        node = node.get(field)
        if node is None:
            return None
        if key is not None:
            node = _by_key(node, key)
            if node is None:
                return None
    if element is not None:
        value = _decode(element)
        return value if value in node else None
    if walk[-1][1] is not None and type(node) is dict and "period" in node:
        return node.get("value")
    return node


def put(document: Document, path: str, value: Json) -> None:
    """Set the value at a leaf path; parts and series entries appear as needed, in canonical order."""
    _, walk, element = steps(path)
    node: Any = document
    last = len(walk) - 1
    for position, (field, key) in enumerate(walk):
        if key is None:
            if position == last:
                if element is None:
                    node[field] = value
                else:
                    _add_element(node, field, _decode(element))
                return
            node = node.setdefault(field, {})
        elif position == last:
            _put_period(node, field, key, value)
            return
        else:
            node = _part(node, field, key)


def remove(document: Document, path: str) -> None:
    """Take the leaf away; a part without leaves, an empty list, go with it."""
    _, walk, element = steps(path)
    trail: list[tuple[Any, str, str | None]] = []
    node: Any = document
    for field, key in walk:
        trail.append((node, field, key))
        node = node.get(field, _MISSING)
        if node is _MISSING:
            return
        if key is not None:
            node = _by_key(node, key)
            if node is None:
                return
    parent, field, key = trail.pop()
    if element is not None:
        kept = [item for item in parent[field] if item != _decode(element)]
        parent[field] = kept
    elif key is not None:
        parent[field] = [item for item in parent[field] if _key(item) != key]
    else:
        del parent[field]
    if parent.get(field) == []:
        del parent[field]
    _prune(trail, parent)


def leaves(document: Document, section: str, kinds: Mapping[str, str]) -> list[tuple[str, Json]]:
    """Every leaf of a section as (path, value). `kinds` tells set and series fields by pattern ("set", "series")."""
    return [(path, value) for path, _, value in named_leaves(document, section, kinds)]


def named_leaves(document: Document, section: str, kinds: Mapping[str, str]) -> list[tuple[str, str, Json]]:
    """Like `leaves`, as (path, pattern below the section, value)."""
    found: list[tuple[str, str, Json]] = []
    _walk(document, f"{section}/", "", kinds, found)
    return found


def _walk(
    node: Document, prefix: str, pattern: str, kinds: Mapping[str, str], found: list[tuple[str, str, Json]]
) -> None:
    for field, value in node.items():
        if field == "key":
            continue
        name = pattern + field
        kind = kinds.get(name)
        path = prefix + field
        if kind == "set":
            found.extend((element_path(path, item), name, item) for item in value)
        elif kind == "series":
            found.extend((f"{path}[{item['period']}]", name, item["value"]) for item in value)
        elif kind == "items":
            for part in value:
                _walk(part, f"{path}[{part['key']}]/", f"{name}[*]/", kinds, found)
        elif kind == "one":
            found.append((path, name, value))


def _key(item: Document) -> Any:
    return item["key"] if "key" in item else item.get("period")


def _by_key(items: list[Document], key: str) -> Document | None:
    for item in items:
        if _key(item) == key:
            return item
    return None


def _part(node: Document, field: str, key: str) -> Document:
    items = node.setdefault(field, [])
    found = _by_key(items, key)
    if found is None:
        found = {"key": key}
        items.append(found)
        items.sort(key=_key)
    return found


def _put_period(node: Document, field: str, key: str, value: Json) -> None:
    items = node.setdefault(field, [])
    found = _by_key(items, key)
    if found is None:
        items.append({"period": key, "value": value})
        items.sort(key=_key)
    else:
        found["value"] = value


def _add_element(node: Document, field: str, value: Json) -> None:
    items = node.setdefault(field, [])
    if value not in items:
        items.append(value)
        items.sort(key=encode)


def _prune(trail: list[tuple[Any, str, str | None]], child: Document) -> None:
    """Drop parts that have nothing left but their key, from the inside out."""
    while trail:
        if len(child) > 1 or "key" not in child:
            return
        parent, field, key = trail.pop()
        parent[field] = [item for item in parent[field] if _key(item) != key]
        if not parent[field]:
            del parent[field]
        child = parent
