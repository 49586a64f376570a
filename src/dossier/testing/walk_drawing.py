"""What a walk has, and what it draws: files, days, how something was told, values.

Floor: testing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st

from dossier.desk.archive import Archive
from dossier.desk.claims import Statement
from dossier.desk.desk import Desk
from dossier.desk.history import Act
from dossier.model.absence import Absence
from dossier.testing.desk_place import DeskPlace
from dossier.testing.history_oracle import HistoryOracle
from dossier.testing.place import Reach
from dossier.testing.walk_fields import CHANNELS, FIELDS, PEOPLE, Drawn, rankings


class Drawing:
    """One archive, a few files of it, an oracle beside it; what is drawn for them."""

    def __init__(
        self,
        place: DeskPlace,
        draw: Callable[[st.SearchStrategy[Any]], Any],
        reach: Reach,
        *,
        opened: Callable[[Archive], object] = lambda archive: None,
    ) -> None:
        self.place = place
        self.draw = draw
        self.reach = reach
        self.archive = place.create()
        self.opened = opened
        opened(self.archive)
        self.oracle = HistoryOracle(rankings(self.archive), self.archive.zone)
        self.files: dict[str, str] = {}
        """Dossier id → number."""
        self.last = ""

    @property
    def desk(self) -> Desk:
        """The desk of somebody who may see and change everything."""
        return self._desk(PEOPLE[0])

    def _desk(self, name: str) -> Desk:
        return self.archive.acting_as(name, role="manager", purpose="manage")

    @property
    def today(self) -> str:
        """The archive's day: that of the clock, or of the last act where the clock was set back."""
        now = max(self.place.clock().astimezone(dt.UTC), dt.datetime.fromisoformat(self.last))
        return now.astimezone(self.archive.zone).date().isoformat()

    def _file(self) -> str:
        return str(self.draw(st.sampled_from(list(self.files))))

    def _around(self, days: int) -> str:
        now = self.place.clock().astimezone(self.archive.zone).date()
        return (now + dt.timedelta(days=self.draw(st.integers(-days, days)))).isoformat()

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = {"channel": self.draw(st.sampled_from(CHANNELS))}
        for word, values in (("told_by", ("李总", "前台")), ("because", ("来电",)), ("evidence", (["单据"],))):
            if self.draw(st.integers(0, 2)) == 0:
                told[word] = self.draw(st.sampled_from(values))
        if self.draw(st.integers(0, 3)) == 0:
            told["observed"] = self.place.clock() - dt.timedelta(hours=self.draw(st.sampled_from([1, 30, 700])))
            self.reach["observed"] += 1
        span = self.draw(st.sampled_from(["", "", "", "from", "to", "both"]))
        days = sorted([self._around(4), self._around(4)])
        if span in ("from", "both"):
            told["valid_from"] = days[0]
        if span in ("to", "both"):
            told["valid_to"] = days[1]
        self.reach[f"span {span}".strip()] += 1
        return told

    def _claims(self, count: int) -> dict[str, Any]:
        names = self.draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=count, max_size=count, unique=True))
        rare = self.draw(st.sampled_from(["key_persons", "phones", "", ""]))
        if rare and rare not in names:
            names.append(rare)  # two sources that name one part are the rarest thing
        return {name: self._value(FIELDS[name]) for name in names}

    def _value(self, drawn: Drawn) -> Any:
        if drawn.shape in ("one", "set", "series") and self.draw(st.integers(0, 7)) == 0:
            self.reach["absent"] += 1
            return Absence.NONE
        if drawn.shape == "one":
            return self.draw(st.sampled_from(drawn.values))
        if drawn.shape == "series":
            return {period: self.draw(st.integers(1, 3)) for period in self.draw(_some(drawn.values))}
        if drawn.shape == "set":
            return self.draw(_some(drawn.values))
        first, second = drawn.leaves
        return [
            {first: value, **({second: self.draw(st.sampled_from("xyz"))} if self.draw(st.booleans()) else {})}
            for value in self.draw(_some(drawn.values))
        ]

    def _act(self, file: str) -> Act:
        """The last act on a file."""
        return [act for act in self.desk.history(file) if act.number == self.files[file]][-1]

    def _statements(self, file: str, name: str) -> list[Statement]:
        return list(self.desk.claims.of(self.files[file], f"{FIELDS[name].section}/{name}"))

    def _day(self, at: str) -> str:
        return dt.datetime.fromisoformat(at).astimezone(self.archive.zone).date().isoformat()


def _some(values: Iterable[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(list(values)), min_size=1, max_size=2, unique=True)
