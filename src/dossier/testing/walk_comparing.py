"""The desk's answers against the oracle's: values, origins, rivals, acts, at every revision and on any day.

Floor: testing.
"""

from __future__ import annotations

import datetime as dt

import attrs
from hypothesis import strategies as st

from dossier.desk.history import Act
from dossier.desk.views import DossierView
from dossier.testing.history_oracle import Done, Path, Said, World
from dossier.testing.place import fail, holds, same
from dossier.testing.walk_drawing import Drawing
from dossier.testing.walk_fields import FIELDS, desk_path, path_of, plain, shown_in


class Comparing(Drawing):
    """A walk's comparisons."""

    def check(self, *, combinations: int = 6) -> None:
        """Every file now, after each revision, at drawn instants and on drawn days, equals the oracle."""
        for file in self.files:
            self._compare(file, self.desk.consult(file), self.today, "now")
            self._acts(file)
            for revision, number in enumerate(self.oracle.revisions[file], 1):
                at, world = self.oracle.copies[number]
                view = self.desk.history(file, known=revision).view
                day = min(self._day(at), self.today)
                self._equal(f"known={revision}", view, world, file, self.oracle.show(world, file, day), rivals=day)
        for _ in range(combinations):
            self._combination()

    def _combination(self) -> None:
        file = self._file()
        instants = [self.oracle.copies[number][0] for number in self.oracle.revisions[file]]
        at = self.draw(st.sampled_from(instants))
        later = self.draw(st.sampled_from([dt.timedelta(0), dt.timedelta(microseconds=1), dt.timedelta(days=2)]))
        bound = dt.datetime.fromisoformat(at) + later
        known: int | dt.datetime | None = self.draw(
            st.sampled_from([None, bound, bound, self.draw(st.integers(1, len(instants)))])
        )
        day: str | None = self._around(20) if known is None or self.draw(st.booleans()) else None
        view = self.desk.history(file, known=known, on=day).view
        if isinstance(known, int):
            world, until = self.oracle.known_at(file, known), instants[known - 1]
        elif known is not None:
            until = text_of(known)
            found = self.oracle.known_by(until)
            if found is None or file not in found.files:
                fail("the desk knew of a file before the oracle did")
            world = found
        else:
            world, until = self.oracle.now, at
        then = day or min(self._day(until), self.today)
        shown = self.oracle.show(world, file, then, on=day is not None)
        self._equal(f"known={known} on={day}", view, world, file, shown, rivals="" if day else then)
        self.reach["on and known" if known is not None and day else "on" if day else "known"] += 1

    def _acts(self, file: str) -> None:
        """The acts on a file and on those linked to it are told as they were done."""
        told = list(self.desk.history(file))
        same("acts in the order of recorded time", [a.at for a in told], sorted(a.at for a in told))
        for member in self.oracle.now.members(file):
            own = [act for act in told if act.number == self.files[member]]
            same("revisions", [act.revision for act in own], list(range(1, len(own) + 1)))
            same("acts", [_done(act) for act in own], [_in_order(done) for done in self.oracle.acts[member]])
        same("acts of others", {a.number for a in told}, {self.files[f] for f in self.oracle.now.members(file)})

    def _compare(self, file: str, view: DossierView, day: str, what: str) -> None:
        now = self.oracle.now
        self._equal(what, view, now, file, self.oracle.show(now, file, day), rivals=day)

    def _equal(
        self, what: str, view: DossierView, world: World, file: str, shown: dict[Path, Said], *, rivals: str = ""
    ) -> None:
        """`rivals`: the day on which competing claims are compared, "" for none of that."""
        wanted = {path: said.value for path, said in shown.items()}
        for name, drawn in FIELDS.items():
            if drawn.shape in ("set", "series") and any(p[0] == name and len(p) > 1 for p in wanted):
                wanted.pop((name,), None)
        same(what, shown_in(view), wanted)
        for path in wanted:
            said = shown[path]
            origin = view.origin(desk_path(path))
            if origin is None:
                fail(f"{what}: {path[0]} has no origin")
            got = (origin.act, origin.channel, origin.at, origin.observed, origin.valid_from, origin.valid_to,
                   origin.told_by, origin.evidence)  # fmt: skip
            due = (said.act, said.channel, said.at, said.observed, said.valid_from, said.valid_to, said.told_by,
                   said.evidence)  # fmt: skip
            same(f"{what}: origin of {path[0]}", got, due)
            marks = (said.checked, said.proven, said.disputed)
            same(f"{what}: marks of {path[0]}", (origin.checked, origin.proven, origin.disputed), marks)
        head = world.files[world.members(file)[0]]
        same(f"{what}: stage and standing", (view.stage, view.standing), (head.stage, head.standing))
        if rivals:
            self._rivals(what, view, world, file, shown, rivals)
        self.reach["compared"] += 1

    def _rivals(self, what: str, view: DossierView, world: World, file: str, shown: dict[Path, Said], day: str) -> None:
        """What competes is told: nothing that nobody says, and all that says something else by a channel of its own."""
        linked = len(world.members(file)) > 1
        for name, drawn in FIELDS.items():
            if drawn.shape != "one":
                continue
            got = {(r.origin.act, r.origin.channel, plain(r.value)) for r in view.rivals(f"{drawn.section}/{name}")}
            live = {
                (said.act, said.channel, said.value)
                for member in world.members(file)
                for said in world.files[member].claims.get((name,), [])
            }
            due = {
                (said.act, said.channel, said.value)
                for said in self.oracle.rivals(world, file, (name,), shown.get((name,)), day)
            }
            holds(f"{what}: rivals of {name} that nobody says", got <= live)
            holds(f"{what}: rivals of {name} are all told", due <= got)
            self.reach["rivals"] += bool(due)
            self.reach["rivals linked"] += bool(due) and linked


def _done(act: Act) -> Done:
    said = [(path_of(one.path), plain(one.value), one.channel, one.told_by) for one in act.said]
    because = act.because if isinstance(act.because, str) else "?"
    return _in_order(Done(act.verb, act.by, because, tuple(said), act.withdrew, act.marked, act.moved))


def _in_order(done: Done) -> Done:
    said = tuple(sorted(done.said, key=repr))
    return attrs.evolve(done, said=said, withdrew=tuple(sorted(done.withdrew)), moved=tuple(sorted(done.moved)))


def text_of(moment: dt.datetime) -> str:
    """An instant as the archive records it."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
