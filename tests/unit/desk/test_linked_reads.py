"""What linked files show together is one state of the archive, whatever others write meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import dossier as ds
from dossier.desk import reading
from dossier.testing.desk_place import DeskPlace

Ask = Callable[[ds.Desk, str], ds.DossierView]


@pytest.mark.parametrize("ask", [ds.Desk.consult, lambda desk, number: next(iter(desk.find()))])
def test_a_merged_file_is_shown_as_it_was_at_one_moment(
    ask: Ask, place: DeskPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.create() as archive, place.open() as beside:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        other = beside.acting_as("王芳", role="manager", purpose="manage")
        top = desk.register("秦琼", kind="person").number
        below = desk.register("罗成", kind="person").number
        desk.merges.merge(top, below)
        links, done = reading._below, []

        def interrupted(*given: Any) -> Iterator[Any]:
            yield from links(*given)
            if not done:
                done.append(True)
                other.merges.unmerge(top, below)
                other.update(below, ds.change("basic", phones=["13912345678"]))

        monkeypatch.setattr(reading, "_below", interrupted)
        seen = ask(desk, top)
        assert done
        assert ds.known(seen.basic.phones) and not seen.basic.phones, "the phone was said of a file that stood alone"
        assert {view.number for view in desk.find()} == {top, below}
