"""The example of a plugin keeps the contract by its own test, is short, and destroys what it is told to destroy."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType

from dossier.repository import Batch, Collection, Delete, Index, IndexField, Put, Shred, encode

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin_jsonlines"


def _module(name: str, path: Path) -> ModuleType:
    """Import a file under a name, as an installed one would be."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOURCE = EXAMPLE / "src" / "dossier_jsonlines" / "__init__.py"
jsonlines = _module("dossier_jsonlines", SOURCE)
TestJsonLines = _module("dossier_jsonlines_test", EXAMPLE / "tests" / "test_conformance.py").TestJsonLines


def test_it_has_less_than_200_lines() -> None:
    assert sum(bool(line.strip()) for line in SOURCE.read_text("utf-8").splitlines()) < 200


def test_what_was_shredded_is_not_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    words = Collection(name="rows", fields=(IndexField(name="word"), IndexField(name="later", derived=True)))
    with closing(jsonlines.open_jsonlines(f"jsonlines:{path}", mode="create", options={})) as repository:
        repository.declare([words])
        for row, scope in (("a", "gone"), ("b", "gone"), ("c", "kept")):
            body = encode({"text": f"secret {scope}"})
            repository.commit(Batch((Put("rows", row, body, {"word": f"secret {scope}"}, scope),)))
            repository.commit(Batch((Index("rows", row, {"later": f"secret {scope}"}, 1),)))
        repository.commit(Batch((Delete("rows", "b"),)))
        repository.commit(Batch((Shred("gone"), Put("rows", "d", encode({}), {}, "kept"))))
    held = path.read_text("utf-8")
    assert "secret gone" not in held
    assert held.count("secret kept") == 3
    with closing(jsonlines.open_jsonlines(f"jsonlines:{path}", mode="r", options={})) as repository:
        rows = list(repository.scan("rows"))
        assert [(row.id, row.version) for row in rows] == [("c", 1), ("d", 1)]
        assert rows[0].index == {"word": "secret kept", "later": "secret kept"}
