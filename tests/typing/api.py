"""What mypy must accept, and, at each ignore, must refuse: an ignore that is not needed is an error. Never run."""

from __future__ import annotations

from typing import assert_type

import dossier as ds


def views(desk: ds.Desk) -> None:
    """A field of a view may be withheld or masked until `known` has been asked."""
    view = desk.consult("KH-2026-00001")
    assert_type(view, ds.DossierView)
    total = view.transaction_status.total
    assert_type(total, ds.Money | ds.Withheld | ds.Masked | None)
    print(total.amount)  # type: ignore[union-attr]
    if ds.known(total):
        assert_type(total.text("zh"), str)
    series = view.characteristics.sales
    if ds.known(series):
        for per in series:
            assert_type(per, ds.Per[ds.Money])
    view.transaction_status.total = None  # type: ignore[misc]


def verbs(desk: ds.Desk) -> None:
    """Verbs answer with typed objects and take named options."""
    made = desk.register(
        "单雄信", ds.change("basic", phones=["1"]), kind="person", channel="visit", observed="2026-01-02"
    )
    assert_type(made, ds.DossierView)
    desk.register("单雄信", kind="person", chanel="visit")  # type: ignore[call-arg]
    desk.register("单雄信")  # type: ignore[call-arg]
    entered = desk.enter(made, ds.record("order", at="2026-03-01", amount="1"))
    assert_type(entered, ds.Entered)
    assert_type(desk.follow_up(ds.RecordRef(entered.dossier, entered.records[0]), state="delivered"), ds.RecordView)
    assert_type(desk.card(made, lang="en"), str)
    desk.card(made, lang="fr")  # type: ignore[arg-type]
    assert_type(desk.find(name="雄", where=ds.field("kind") == "person"), ds.Hits)
    assert_type([act.revision for act in desk.history(made, known=1)], list[int])
    assert_type(desk.exports.write("a.csv", fields=["basic/name"], progress=lambda done, total: None).rows, int)
    desk.exports.write("a.csv", lang="fr")  # type: ignore[arg-type]
    with desk.unit(because="import") as unit:
        assert_type(unit, ds.Desk)


def archives() -> None:
    """Levels, modes and languages are closed words."""
    ds.create("memory:", level="durable", lang="zh")
    ds.create("memory:", level="safe")  # type: ignore[arg-type]
    ds.open("a.db", mode="w")  # type: ignore[arg-type]
    assert_type(ds.open("a.db").verify().sound, bool)
    ds.open("a.db").copy("b.db", progress=lambda done: None)  # type: ignore[arg-type,misc]
    ds.restore("backup.db", "a.db", numbers_from="1")  # type: ignore[arg-type]
