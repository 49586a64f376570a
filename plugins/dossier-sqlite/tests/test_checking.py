"""The file's own check: nothing in a sound file, whatever was written to it, and each damage of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from dossier.repository import Batch, Checks, Delete, IndexValue, Put, encode
from dossier_sqlite import SqliteRepository


def card(n: int, turn: int = 1, **index: IndexValue) -> Put:
    fields: dict[str, IndexValue] = {"name": f"n{n}", "tags": ("a", f"t{n}"), "text": f"单雄信 {n} turn{turn}", **index}
    kept = {name: value for name, value in fields.items() if value is not None}
    return Put("cards", f"c{n:04}", encode({"n": n}), kept, "s", None)


def fill(repository: SqliteRepository, *, settle: bool) -> None:
    repository.commit(Batch(tuple(card(n) for n in range(100))))
    for n in range(0, 30, 3):
        repository.commit(Batch((card(n, 2), card(n + 1, tags=None, text=None), Delete("cards", f"c{n + 2:04}"))))
    repository.commit(Batch((card(200, text="Ω=1'\"\ue001 x"),)))
    if settle:
        repository.settle()


@pytest.mark.parametrize("settle", [False, True])
def test_a_sound_file_has_nothing_to_tell(opened: Any, settle: bool) -> None:
    repository = opened()
    assert isinstance(repository, Checks)
    assert list(repository.check()) == []
    fill(repository, settle=settle)
    assert list(repository.check()) == []
    assert list(opened("r").check()) == []


SPOILS = {
    "update c_cards set f_text = '别人' where id = 'c0050'": "search.cards.text",
    "insert into \"t_cards.text\"(rowid, text) values (7, '别人')": "search.cards.text",
    "update \"q_cards.text\" set new = '别人'": "search.cards.text",
    'delete from "q_cards.text"': "search.cards.text",
    "delete from \"s_cards.tags\" where value = 't50'": "set.cards.tags",
    "update c_cards set f_tags = '[\"a\"]' where id = 'c0050'": "set.cards.tags",
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_what_was_spoilt_is_told(spoil: str, opened: Any, tmp_path: Path) -> None:
    repository = opened()
    fill(repository, settle=False)
    conn = sqlite3.connect(tmp_path / "a.db")
    conn.execute(spoil)
    conn.commit()
    conn.close()
    assert list(repository.check()) == [SPOILS[spoil]]


def test_a_file_with_torn_pages_is_told(opened: Any, tmp_path: Path) -> None:
    repository = opened()
    fill(repository, settle=True)
    repository.close()
    path = tmp_path / "a.db"
    raw = bytearray(path.read_bytes())
    for page in range(4, len(raw) // 8192):
        raw[page * 8192 : page * 8192 + 64] = bytes(64)
    path.write_bytes(raw)
    assert list(opened("r").check()) == ["file"]
