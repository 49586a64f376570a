"""Whole archives: what was copied to MongoDB and back is the same, and others work there at once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import dossier as ds


@pytest.mark.law("K8")
def test_K8_copies_there_and_back(opened: Any, tmp_path: Path) -> None:
    with ds.create("memory:") as archive:
        desk = archive.acting_as("王芳", role="manager", purpose="manage")
        for n in range(30):
            who = desk.register(f"客户{n}", ds.change("preferences", taboos=["花生"]), kind="person")
            desk.update(who, ds.change("basic", phones=[f"1861234{n:04}"]), channel="phone")
        digest = archive.digest()
        archive.copy(opened.url)
        with ds.open(opened.url) as there:
            assert there.digest() == digest
            there.copy(tmp_path / "back.db")
        with ds.open(tmp_path / "back.db") as back:
            assert back.digest() == digest
            hits = back.acting_as("小赵", role="service", purpose="serve").find(name="客户7")
            assert len(hits) == 1


@pytest.mark.law("K5")
@pytest.mark.law("K10")
def test_desks_of_two_handles_at_once(opened: Any) -> None:
    """Numbers are given once, disjoint fields of one file all arrive, and the ledger verifies."""
    ds.create(opened.url).close()
    numbers: list[str] = []
    wrong: list[Exception] = []

    with ds.open(opened.url) as archive:
        shared = archive.acting_as("王芳", role="service", purpose="serve").register("单雄信", kind="person").id

    def work(name: str) -> None:
        try:
            with ds.open(opened.url) as archive:
                desk = archive.acting_as(name, role="service", purpose="serve")
                for n in range(8):
                    numbers.append(desk.register(f"{name}{n}", kind="person").number)
                    desk.update(shared, ds.change("basic", phones=ds.edit(add=[f"186{ord(name[0]):05}{n:03}"])))
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("赵甲", "钱乙", "孙丙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(set(numbers)) == 24
    with ds.open(opened.url) as archive:
        desk = archive.acting_as("王芳", role="manager", purpose="manage")
        assert len(desk.consult(shared).basic.phones) == 24
        assert desk.ledger.verify().events > 0
        assert archive.verify().sound
