"""`ArchiveMachine`: a state machine over the public desk, for an application to run on its own archive.

Floor: testing. An application subclasses it, says where its archives are made, and adds rules of its own; what they did
it tells the oracle with `registered`, `touched` and `known`. It runs with pytest:

    class Machine(ArchiveMachine):
        place = staticmethod(lambda: DeskPlace.fresh("memory", Path()))
        reach = Reach()

        @rule(file=ArchiveMachine.files)
        def my_verb(self, file): ...

    TestMine = Machine.TestCase

The oracle is a dictionary of what was said. Rules are guided: each draws from the files that there are, and `reach`,
shared by all runs, counts what was visited. See docs/how-to/test-your-application.md.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from dossier.desk.archive import Archive
from dossier.desk.changes import change, record
from dossier.desk.desk import Desk
from dossier.desk.finding import field
from dossier.model.edits import UNSET
from dossier.testing.desk_place import DeskPlace
from dossier.testing.place import Reach, holds, same

_NAMES = st.sampled_from(["甲公司", "乙公司", "甲乙公司"])
_TABOOS = st.lists(st.sampled_from(["花生", "香菜", "鱼"]), min_size=1, max_size=2, unique=True)
_INDUSTRIES = st.sampled_from(["tea", "toys"])


@attrs.define
class Known:
    """What the oracle has of one file."""

    number: str
    names: list[str] = attrs.field(factory=list)
    """By revision; None of them withdrawn."""
    industry: str | None = None
    taboos: set[str] = attrs.field(factory=set)
    records: dict[str, str] = attrs.field(factory=dict)
    """Record id → state."""
    revisions: int = 1
    into: str = ""
    linked: bool = False
    """Whether it ever was."""


class ArchiveMachine(RuleBasedStateMachine):
    """Register, update, collect, enter, follow up, find, history, merge, unmerge, reopen, against an oracle."""

    place: ClassVar[Callable[[], DeskPlace]] = staticmethod(lambda: DeskPlace.fresh("memory", Path()))
    reach: ClassVar[Reach] = Reach()
    files: Bundle[str] = Bundle("files")

    def __init__(self) -> None:
        super().__init__()
        self.where = type(self).place().seeded()
        self.archive: Archive = self.where.create()
        self.known: dict[str, Known] = {}
        self.given: set[str] = set()
        self.requests = 0

    @property
    def desk(self) -> Desk:
        """Somebody who may see and change everything."""
        return self.archive.acting_as("陈静", role="manager", purpose="manage")

    # -- rules ------------------------------------------------------------------------------------

    @initialize(target=files, name=_NAMES)
    def first(self, name: str) -> str:
        """There is a file to begin with."""
        return self._register(name)

    @rule(target=files, name=_NAMES)
    def register(self, name: str) -> Any:
        """A new file; a number that nobody had."""
        return multiple() if len(self.known) > 6 else self._register(name)

    @rule(file=files, name=_NAMES, industry=_INDUSTRIES)
    def update(self, file: str, name: str, industry: str) -> None:
        """A field is told; the newest shows."""
        self.desk.update(file, change("basic", name=name, industry=industry))
        known = self.known[file]
        known.names.append(name)
        known.industry = industry
        known.revisions += 1
        self.reach["update"] += 1

    @rule(file=files)
    def withdraw(self, file: str) -> None:
        """A field is withdrawn, from every file of a linked set that says it."""
        self.desk.update(file, change("basic", industry=UNSET))
        for known in [self.known[member] for member in self.members(file)]:
            if known is self.known[file] or known.industry is not None:
                known.industry = None
                known.names.append(known.names[-1])
                known.revisions += 1
        self.reach["unset"] += 1

    @rule(file=files, taboos=_TABOOS)
    def collect(self, file: str, taboos: list[str]) -> None:
        """Somebody who may not look hands in a note; it hides no other."""
        desk = self.archive.acting_as("小李", role="sales")
        desk.collect(self.known[file].number, change("preferences", taboos=taboos))
        self.known[file].taboos |= set(taboos)
        self.touched(file)
        self.reach["collect"] += 1

    @rule(file=files, amount=st.integers(1, 100), twice=st.booleans(),
          state=st.sampled_from(["", "delivered", "cancelled"]))  # fmt: skip
    def enter(self, file: str, amount: int, twice: bool, state: str) -> None:
        """An order, which may go on; the same request twice is one order."""
        self.requests += 1
        answers = [
            self.desk.enter(file, record("order", at="2026-02-01", amount=amount), request_id=f"r{self.requests}")
            for _ in range(1 + twice)
        ]
        same("answers to one request", len(set(answers)), 1)
        (entered,) = answers[0].records
        self.known[file].records[entered] = state or "open"
        self.reach["enter twice" if twice else "enter"] += 1
        if state:
            (row,) = [row for row in self.desk.consult(file).records("order", limit=1000) if row.id == entered]
            same("state", self.desk.follow_up(row, state=state, note="已办").state, state)
            self.reach["follow_up"] += 1

    @rule(name=_NAMES)
    def find(self, name: str) -> None:
        """By part of a name, and by an indexed field: the files that show it, each once."""
        part = name[0]
        hits = self.desk.find(name=part, limit=1000)
        tops = [file for file, known in self.known.items() if not known.into]
        wanted = {self.known[file].number for file in tops if part in self.shown_name(file)}
        same("found by name", {hit.number for hit in hits}, wanted)
        same("once each", len(hits), len(wanted))
        same("count", self.desk.count(field("basic/name").contains(part)), len(wanted))
        tea = {hit.number for hit in self.desk.find(where=field("basic/industry") == "tea", limit=1000)}
        for file in tops:
            if not self.members(file)[1:]:
                same("found by industry", self.known[file].number in tea, self.known[file].industry == "tea")
        self.reach["found"] += bool(wanted)

    @rule(file=files, data=st.data())
    def history(self, file: str, data: st.DataObject) -> None:
        """What was known at a revision."""
        known = self.known[file]
        revision = data.draw(st.integers(1, known.revisions))
        view = self.desk.history(file, known=revision).view
        if not known.linked:
            same("name known then", view.basic.name, known.names[revision - 1])
        own = [act for act in self.desk.history(file) if act.number == known.number]
        same("revisions", [act.revision for act in own], list(range(1, len(own) + 1)))
        self.reach["history"] += 1

    @precondition(lambda self: sum(not known.into for known in self.known.values()) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        """Two files become one to the reader."""
        tops = [file for file, known in self.known.items() if not known.into]
        survivor, absorbed = data.draw(st.permutations(tops))[:2]
        view = self.desk.merges.merge(survivor, absorbed)
        same("the survivor's number", view.number, self.known[survivor].number)
        self.known[absorbed].into = survivor
        self._moved(survivor, absorbed)
        self.reach["merge"] += 1

    @precondition(lambda self: any(known.into for known in self.known.values()))
    @rule(data=st.data())
    def unmerge(self, data: st.DataObject) -> None:
        """And two again."""
        absorbed = data.draw(st.sampled_from([file for file, known in self.known.items() if known.into]))
        survivor = self.known[absorbed].into
        self.desk.merges.unmerge(survivor, absorbed)
        self.known[absorbed].into = ""
        self._moved(survivor, absorbed)
        self.reach["unmerge"] += 1

    @rule(days=st.integers(-2, 5))
    def wait(self, days: int) -> None:
        """Time passes, or the clock is set back."""
        self.where.clock.forward(days=days)

    @rule()
    def reopen(self) -> None:
        """The session ends, another begins; the ledger is whole."""
        self.archive.close()
        self.archive = self.where.open()
        self.desk.ledger.verify()
        self.reach["reopen"] += 1

    # -- what holds always ------------------------------------------------------------------------

    @invariant()
    def every_file_shows_what_was_said(self) -> None:
        """Names, taboos, orders of every linked set."""
        for file, known in self.known.items():
            members = self.members(file)
            view = self.desk.consult(known.number)
            same("number", view.number, self.known[members[0]].number)
            if len(members) == 1:
                same("name", view.basic.name, known.names[-1])
                industry = view.basic.industry  # type: ignore[union-attr]
                same("industry", getattr(industry, "code", None), known.industry)
            taboos = view.preferences.taboos
            said = {taboo for member in members for taboo in self.known[member].taboos}
            holds("taboos", isinstance(taboos, tuple) and set(taboos) == said)
            wanted = {record: state for member in members for record, state in self.known[member].records.items()}
            same("records", {row.id: row.state for row in view.records(limit=1000)}, wanted)
            times = sum(state != "cancelled" for state in wanted.values())
            same("times", view.transaction_status.times, times or None)

    def teardown(self) -> None:
        """Close the archive."""
        self.archive.close()

    # -- what an application's own rules tell the oracle ----------------------------------------------

    def registered(self, file: str, number: str, name: str) -> str:
        """An organization was registered under a number that nobody had; its id, for `target=ArchiveMachine.files`."""
        holds("a number that nobody had", number not in self.given)
        self.given.add(number)
        self.known[file] = Known(number, [name])
        return file

    def touched(self, *files: str) -> None:
        """An act on each of the files told nothing of what the oracle keeps."""
        for file in files:
            self.known[file].names.append(self.known[file].names[-1])
            self.known[file].revisions += 1

    # -- inner steps ------------------------------------------------------------------------------

    def members(self, file: str) -> list[str]:
        """The linked set of a file, its survivor first."""
        while self.known[file].into:
            file = self.known[file].into
        found = [file]
        for one in found:
            found += [other for other, known in self.known.items() if known.into == one]
        return found

    def shown_name(self, file: str) -> str:
        """The name that a file shows, from the desk: over linked files the oracle keeps no order of instants."""
        if len(self.members(file)) == 1:
            return self.known[file].names[-1]
        return str(self.desk.consult(file).basic.name)

    def _register(self, name: str) -> str:
        view = self.desk.register(name, kind="organization")
        self.reach["register"] += 1
        return self.registered(view.id, view.number, name)

    def _moved(self, *files: str) -> None:
        for file in files:
            self.known[file].linked = True
        self.touched(*files)
