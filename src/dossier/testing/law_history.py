"""K7 and K9 at the desk: history and resolution against an oracle that keeps full copies.

Floor: testing.
"""

# ruff: noqa: N802
from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.desk.changes import change
from dossier.desk.desk import Desk
from dossier.desk.views import DossierView
from dossier.model.values import Rating
from dossier.testing.desk_place import DeskPlaces
from dossier.testing.desk_walk import Walk
from dossier.testing.place import Reach, holds, same
from dossier.testing.walk_fields import FIELDS, run_until, shown_in

VISITED = (
    "merge", "unmerge", "question", "same", "different", "known part", "via", "absent", "observed", "span from",
    "span to", "span both", "unset", "removed", "withdraw", "dispute", "checked", "proven", "off", "back", "forward",
    "reopen", "on", "known", "on and known", "rivals",
    "rivals linked", "move",
)  # fmt: skip


def check_K7_history(
    places: DeskPlaces, *, examples: int = 100, steps: int = 12, profile: settings | None = None
) -> None:
    """`known=k`, `on=t` and both equal the oracle, whatever was said, withdrawn, marked, linked; recorded time never
    runs backwards, though the clock is set back between acts and sessions."""
    reach = Reach()

    @given(data=st.data())
    def law(data: st.DataObject) -> None:
        walk = Walk(places().seeded(), data.draw, reach)
        try:
            walk.register()
            for _ in range(steps):
                walk.step()
            walk.wait()
            walk.check()
        finally:
            walk.archive.close()

    run_until(law, reach, VISITED, examples=examples, profile=profile)


FACTS = st.lists(
    st.tuples(st.sampled_from(["name", "industry", "address_as", "potential", "taboos"]), st.integers(0, 2),
              st.sampled_from(["desk", "visit", "form", "agency", "小红书"])),
    min_size=2, max_size=7,
)  # fmt: skip
"""(field, number of its value, channel); the place in the list says how many hours ago it was seen."""


def check_K9_order(places: DeskPlaces, *, examples: int = 60, profile: settings | None = None) -> None:
    """The same claims, said in another order, in other files, or merged in another order, show the same."""
    reach = Reach()
    place = places().seeded()
    with place.create() as archive:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")

        def tell(file: DossierView, facts: Iterable[tuple[int, tuple[str, int, str]]]) -> None:
            for hours, (name, number, channel) in facts:
                _say(desk, file.id, name, number, channel, seen=place.clock() - dt.timedelta(hours=1 + hours))

        @given(facts=FACTS, data=st.data())
        def law(facts: list[tuple[str, int, str]], data: st.DataObject) -> None:
            said = list(enumerate(facts))
            other = data.draw(st.permutations(said))
            straight, turned = (desk.register(kind="organization") for _ in range(2))
            tell(straight, said)
            tell(turned, other)
            wanted = shown_in(desk.consult(straight))
            same("another order of arrival", shown_in(desk.consult(turned)), wanted)
            reach["orders"] += said != other

            parts = [desk.register(kind="organization") for _ in range(3)]
            for part, facts_of_part in zip(parts, (said[0::3], said[1::3], said[2::3]), strict=True):
                tell(part, facts_of_part)
            alone = [shown_in(desk.consult(part)) for part in parts]
            first, second, third = data.draw(st.permutations(parts))
            desk.merges.merge(first, second)
            if data.draw(st.booleans()):
                desk.merges.merge(first, third)
                links = [(first, third), (first, second)]
            else:
                desk.merges.merge(third, first)
                links = [(third, first), (first, second)]
                reach["nested"] += 1
            for part in parts:
                same("a merged file", shown_in(desk.consult(part)), wanted)
            for survivor, absorbed in data.draw(st.permutations(links)):
                desk.merges.unmerge(survivor, absorbed)
            same("files taken apart", [shown_in(desk.consult(part)) for part in parts], alone)
            reach["shown"] += bool(wanted)

        wanted = "orders", "nested", "shown"
        run_until(law, reach, wanted, examples=examples, profile=profile, least=examples // 10)


def check_K9_merge(places: DeskPlaces, *, examples: int = 500, profile: settings | None = None) -> None:
    """After merge and unmerge every claim, those made in between too, is at its origin again."""
    reach = Reach()
    place = places().seeded()
    with place.create() as archive:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")

        def claims_of(file: DossierView) -> set[tuple[str, str, str, str]]:
            return {
                (s.dossier, s.path, s.origin.act, s.origin.channel)
                for name in ("name", "industry", "address_as", "potential", "taboos")
                for s in desk.claims.of(file.id, f"{FIELDS[name].section}/{name}")
            }

        @given(before=st.tuples(FACTS, FACTS), between=FACTS)
        def law(before: tuple[list[Any], list[Any]], between: list[tuple[str, int, str]]) -> None:
            files = [desk.register(kind="organization") for _ in range(2)]
            for file, facts in zip(files, before, strict=True):
                for name, number, channel in facts:
                    _say(desk, file.id, name, number, channel)
            own = [claims_of(file) for file in files]
            desk.merges.merge(*files)
            same("claims of the linked set", claims_of(files[0]), own[0] | own[1])
            for turn, (name, number, channel) in enumerate(between):
                _say(desk, files[turn % 2].id, name, number, channel)
            desk.merges.unmerge(*files)
            for turn, file in enumerate(files):
                found = claims_of(file)
                holds("every claim of the file is there", own[turn] <= found)
                same("claims of other files", {c for c in found if c[0] != file.id}, set())
                same("claims made in between", len(found - own[turn]), len(between[turn::2]))
            reach["between"] += len(between) > 1

        run_until(law, reach, ["between"], examples=examples, profile=profile, least=examples // 10)


def _say(desk: Desk, file: str, name: str, number: int, channel: str, *, seen: dt.datetime | str = "") -> None:
    drawn = FIELDS[name]
    value: Any = drawn.values[number % len(drawn.values)]
    if name == "potential":
        value = Rating(value, 5)
    given_value = [value] if drawn.shape == "set" else value
    desk.update(file, change(drawn.section, **{name: given_value}), channel=channel, observed=seen)
