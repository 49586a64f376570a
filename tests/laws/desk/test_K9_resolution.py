"""K9: what a field shows is a function of the set of its claims."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

import dossier as ds
from dossier.model.ranking import CHANNELS, RANKINGS
from dossier.testing.desk_place import DeskPlace
from dossier.testing.history_oracle import HistoryOracle, Said
from dossier.testing.law_history import check_K9_merge, check_K9_order

FIELDS: dict[str, tuple[str, str, Any, Any]] = {
    "hard": ("basic", "industry", "tea", "toys"),
    "size": ("characteristics", "sales", {"2025": 1}, {"2025": 2}),
    "identity": ("basic", "name", "甲公司", "乙公司"),
    "own_word": ("preferences", "address_as", "李总", "老李"),
    "habit": ("transaction_status", "habits", "月底订货", "月初订货"),
    "ours": ("characteristics", "potential", ds.Rating(1), ds.Rating(5)),
}


@pytest.mark.law("K9")
def test_K9_order(tmp_path: Path) -> None:
    check_K9_order(lambda: DeskPlace.fresh("memory", tmp_path))


@pytest.mark.law("K9")
def test_K9_order_sqlite(tmp_path: Path) -> None:
    check_K9_order(lambda: DeskPlace.fresh("sqlite", tmp_path), examples=5)


@pytest.mark.law("K9")
def test_K9_merge(tmp_path: Path) -> None:
    check_K9_merge(lambda: DeskPlace.fresh("memory", tmp_path), examples=500)


@pytest.mark.law("K9")
@pytest.mark.row("M65")
@pytest.mark.row("M66")
@pytest.mark.row("M67")
@pytest.mark.parametrize("ranking", RANKINGS)
def test_the_channel_alone_decides(ranking: str, tmp_path: Path) -> None:
    """For each ranking and every pair of channels that it separates: the same two claims, but for the channel of the
    older one, make another card."""
    section, name, older, newer = FIELDS[ranking]
    channels = (*CHANNELS, "小红书")
    separated = 0
    with DeskPlace.fresh("memory", tmp_path).create() as archive:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        value = getattr(desk.register(None, ds.change(section, **{name: older}), kind="organization",
                                      channel=_best(ranking)).section(section), name)  # fmt: skip
        assert archive.registry.spec(section, "organization").leaf(name).ranking == ranking

        def made(first: str, second: str) -> tuple[Any, str]:
            view = desk.register(None, ds.change(section, **{name: older}), kind="organization", channel=first)
            view = desk.update(view.id, ds.change(section, **{name: newer}), channel=second)
            return getattr(view.section(section), name), desk.card(view).partition("\n")[2]

        def wins(one: str, other: str) -> bool:
            claims = [Said("1", "1", one, "one"), Said("2", "2", other, "other")]
            best = HistoryOracle.best(claims, ranking)
            return best is not None and best.value == "one"

        for strong, weak in itertools.permutations(channels, 2):
            if wins(strong, weak):
                before, after = made(strong, weak), made(weak, weak)
                assert before[0] == value, (strong, weak)
                assert before[0] != after[0] and before[1] != after[1], (strong, weak)
                separated += 1
    assert separated > 20


def _best(ranking: str) -> str:
    return next(channel for channel in RANKINGS[ranking][0] if isinstance(channel, str))


@pytest.mark.nightly
@pytest.mark.law("K9")
def test_K9_nightly(tmp_path: Path) -> None:
    check_K9_order(lambda: DeskPlace.fresh("memory", tmp_path), examples=500)
    check_K9_merge(lambda: DeskPlace.fresh("memory", tmp_path), examples=1_500)
