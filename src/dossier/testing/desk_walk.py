"""Walks: random but guided sequences of acts at a desk, told to the naive history as well (K7, K9).

Floor: testing. What a walk draws is small on purpose: few values, few channels, days close to today, so that claims
meet. Part keys are minted by the desk; the walk looks them up and checks that they are those the oracle expects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from dossier.desk.changes import Change, change
from dossier.desk.history import Act
from dossier.desk.views import DossierView
from dossier.model.absence import Absence
from dossier.model.edits import UNSET, edit
from dossier.model.values import Money, Per, Rating
from dossier.testing.history_oracle import Done, File, Nothing, Said
from dossier.testing.place import fail, holds, same
from dossier.testing.walk_comparing import Comparing, text_of
from dossier.testing.walk_fields import CHANNELS, FIELDS, NEXT, PEOPLE, path_of, plain


class Walk(Comparing):
    """`step()` does something and tells both sides; `check()` compares everything."""

    def register(self) -> None:
        """A new file, with what is said of it at once."""
        told, claims = self._told(), self._claims(1)
        view = self.desk.register(None, *self._changes(claims), kind="organization", **told)
        self.files[view.id] = view.number
        self.oracle.now.files[view.id] = File()
        self._said(view.id, claims, told, view, verb="register")

    def step(self) -> None:
        """One guided step."""
        steps = [self.tell, self.tell, self.tell, self.tell, self.take_back, self.single, self.single, self.move]
        steps += [self.wait, self.wait]
        if any(file.questions for file in self.oracle.now.files.values()):
            steps += [self.settle] * 3
        if len(self.files) > 1:
            steps += [self.link] * (4 if self.oracle.now.into else 2)
        if len(self.files) < 3:
            steps.append(self.register)
        steps.append(self.reopen)
        self.draw(st.sampled_from(steps))()

    def tell(self) -> None:
        """Somebody says something about one to three fields."""
        file, told = self._file(), self._told()
        claims = self._claims(self.draw(st.integers(1, 3)))
        self._change(file, claims, told)

    def take_back(self) -> None:
        """A field is withdrawn, or a member removed."""
        file = self._file()
        name = self.draw(st.sampled_from(sorted(FIELDS)))
        drawn = FIELDS[name]
        here = f"{drawn.section}/{name}"
        if drawn.shape in ("set", "items") and self.draw(st.booleans()):
            member = self.draw(st.sampled_from(drawn.values))
            view = self.desk.update(self.files[file], change(drawn.section, **{name: edit(remove=[member])}))
            act = self._act(file)
            others: list[str] = []
            if drawn.shape == "set":
                ended = [f'{here}{{"{member}"}}']
                others = self.oracle.withdraw(file, name, member)
            else:
                keys = self.oracle.alike(file, name, drawn.leaves[0], member, self._day(act.at))
                ended = [f"{here}[{key}]" for key in keys]
                for key in keys:
                    others += self.oracle.withdraw(file, name, key)
            self.reach["removed"] += 1
        else:
            view = self.desk.update(self.files[file], change(drawn.section, **{name: UNSET}))
            act = self._act(file)
            ended = [here]
            others = self.oracle.withdraw(file, name)
            self.reach["unset"] += 1
        self.reach["unset linked"] += bool(others)
        for one in (file, *others):
            self.oracle.did(one, Done("update", withdrew=tuple(ended)))
        self._kept(file, act, view, *others)

    def single(self) -> None:
        """One claim is withdrawn, contested, checked or proven, or the mark is taken off."""
        file = self._file()
        members = [self.oracle.now.files[member] for member in self.oracle.now.members(file)]
        live = sorted({path[0] for member in members for path in member.claims})
        if not live:
            return
        statements = self._statements(file, self.draw(st.sampled_from(live)))
        contested = [said for said in statements if said.origin.disputed]
        if contested and self.draw(st.booleans()):
            one, what = contested[0], "off"
        else:
            one = self.draw(st.sampled_from(statements))
            what = self.draw(st.sampled_from(["withdraw", "dispute", "dispute", "checked", "proven"]))
        path = path_of(one.path)
        if what == "withdraw":
            view = self.desk.claims.withdraw(one)
            self.oracle.retract(one.dossier, path, one.origin.act, one.origin.channel)
        else:
            said = self.oracle.find(one.dossier, path, one.origin.act, one.origin.channel)
            if said is None:
                fail(f"the oracle does not know a claim at {path}")
            if what == "dispute":
                view, said.disputed = self.desk.claims.dispute(one), True
            elif what == "checked":
                view, said.checked = self.desk.claims.verify(one), True
            elif what == "proven":
                view, said.proven = self.desk.claims.verify(one, mark="proven", evidence=["图"]), True
            else:
                view, said.disputed = self.desk.claims.dispute(one, on=False), False
        self.reach[what] += 1
        verb = {"off": "dispute", "checked": "verify", "proven": "verify"}.get(what, what)
        marked = "disputed" if what in ("off", "dispute") else what
        if what == "withdraw":
            self.oracle.did(one.dossier, Done(verb, withdrew=(one.path,)))
        else:
            self.oracle.did(one.dossier, Done(verb, marked=(f"{one.path} {marked}",)))
        self._kept(one.dossier, self._act(one.dossier), view)

    def move(self) -> None:
        """A file goes to another stage, or to another standing."""
        file = self._file()
        here = self.oracle.now.files[file]
        moved: dict[str, str] = {}
        if self.draw(st.booleans()):
            here.stage = moved["stage"] = self.draw(st.sampled_from(NEXT[here.stage]))
        if not moved or self.draw(st.booleans()):
            others = [word for word in ("customer", "contact", "indirect") if word != here.standing]
            here.standing = moved["standing"] = self.draw(st.sampled_from(others))
        view = self.desk.update(
            self.files[file], stage=moved.get("stage", ""), standing=moved.get("standing", ""), because="往来"
        )
        self.oracle.did(file, Done("update", because="往来", moved=tuple(f"{n}={v}" for n, v in sorted(moved.items()))))
        self.reach["move"] += 1
        self._kept(file, self._act(file), view)

    def settle(self) -> None:
        """A "same part?" question is answered."""
        asked = [(f, *question) for f, file in self.oracle.now.files.items() for question in file.questions]
        file, field, key = self.draw(st.sampled_from(asked))
        yes = self.draw(st.booleans())
        view = self.desk.claims.settle(self.files[file], f"{FIELDS[field].section}/{field}[{key}]", same=yes)
        self.oracle.answer(file, field, key, same=yes)
        self.reach["same" if yes else "different"] += 1
        self.oracle.did(file, Done("settle"))
        self._kept(file, self._act(file), view)

    def link(self) -> None:
        """Two files are merged, or a link is taken away."""
        world = self.oracle.now
        linked = list(world.into.items())
        if linked and self.draw(st.booleans()):
            absorbed, survivor = self.draw(st.sampled_from(linked))
            view = self.desk.merges.unmerge(self.files[survivor], self.files[absorbed])
            del world.into[absorbed]
            self.reach["unmerge"] += 1
        else:
            tops = [file for file in self.files if file not in world.into]
            if len(tops) < 2:
                return
            survivor, absorbed = self.draw(st.permutations(tops))[:2]
            view = self.desk.merges.merge(self.files[survivor], self.files[absorbed])
            world.into[absorbed] = survivor
            self.reach["merge"] += 1
        merged = world.into.get(absorbed) == survivor
        for file, word, end in (
            (survivor, "absorb" if merged else "release", absorbed),
            (absorbed, "into" if merged else "out_of", survivor),
        ):
            self.oracle.did(file, Done("merge" if merged else "unmerge", moved=(f"{word}={end}",)))
        one, other = self._act(survivor), self._act(absorbed)
        same("the act on both files", (one.id, one.at), (other.id, other.at))
        self._kept(survivor, one, view, absorbed)

    def wait(self) -> None:
        """Time passes; now and then somebody sets the clock back."""
        days = self.draw(st.sampled_from([1, 2, 5, 5, 30, -3, -40]))
        self.reach["back" if days < 0 else "forward"] += 1
        self.place.clock.forward(days=days)

    def reopen(self) -> None:
        """The session ends; another begins."""
        self.archive.close()
        if self.draw(st.booleans()):
            self.place.clock.forward(days=-self.draw(st.sampled_from([1, 7])))
            self.reach["back between sessions"] += 1
        self.archive = self.place.open()
        self.opened(self.archive)
        self.reach["reopen"] += 1

    def _change(self, file: str, claims: dict[str, Any], told: dict[str, Any]) -> None:
        changes = self._changes(claims)
        via = None
        ones = [name for name in claims if FIELDS[name].shape == "one"]
        if ones and self.draw(st.integers(0, 3)) == 0:
            others = [channel for channel in CHANNELS if channel != told["channel"]]
            via = (ones[0], self._value(FIELDS[ones[0]]), self.draw(st.sampled_from(others)))
            changes.append(change(FIELDS[via[0]].section, **{via[0]: _given(via[0], via[1])}).via(via[2]))
            self.reach["via"] += 1
        by = self.draw(st.sampled_from(PEOPLE))
        view = self._desk(by).update(self.files[file], *changes, **told)
        self._said(file, claims, told, view, via, by=by)

    def _changes(self, claims: dict[str, Any]) -> list[Change]:
        return [change(FIELDS[name].section, **{name: _given(name, value)}) for name, value in claims.items()]

    def _said(
        self,
        file: str,
        claims: dict[str, Any],
        told: dict[str, Any],
        view: DossierView,
        via: tuple[str, Any, str] | None = None,
        *,
        verb: str = "update",
        by: str = PEOPLE[0],
    ) -> None:
        act = self._act(file)

        def said(value: Any, how: dict[str, Any]) -> Said:
            seen = text_of(how["observed"]) if "observed" in how else ""
            value = Nothing(value.value) if isinstance(value, Absence) else value
            span = how.get("valid_from", ""), how.get("valid_to", "")
            source = how.get("told_by", ""), tuple(how.get("evidence", ()))
            return Said(act.id, act.at, how["channel"], value, seen, *span, *source)

        for name, value in claims.items():
            shape = FIELDS[name].shape
            if shape == "one" or isinstance(value, Absence):
                self.oracle.say(file, (name,), said(value, told))
            elif shape == "items":
                self._parts(file, name, value, act, lambda held: said(held, told))
            else:
                pairs = value.items() if shape == "series" else [(member, member) for member in value]
                for key, held in pairs:
                    self.oracle.say(file, (name, key), said(held, told))
        if via is not None:
            self.oracle.say(file, (via[0],), said(via[1], {"channel": via[2]}))
        told_here = [
            (path, one.value, one.channel, one.told_by)
            for path, claims_here in self.oracle.now.files[file].claims.items()
            for one in claims_here
            if one.act == act.id
        ]
        self.oracle.did(file, Done(verb, by, told.get("because", ""), tuple(told_here)))
        self._kept(file, act, view)

    def _parts(self, file: str, name: str, parts: list[Any], act: Act, said: Callable[[Any], Said]) -> None:
        """Which part each named one is: the known one where an equal identity is enough, else a new one, and asked."""
        first = FIELDS[name].leaves[0]
        known = {part[first]: self.oracle.alike(file, name, first, part[first], self._day(act.at)) for part in parts}
        before = {path[1] for path in self.oracle.now.files[file].claims if path[0] == name}
        for part in parts:
            key = next(
                path_of(s.path)[1]
                for s in self._statements(file, name)
                if s.dossier == file and s.origin.act == act.id and plain(s.value) == part[first]
            )
            alike = known[part[first]]
            if name == "phones" and alike:
                same("the key of a phone named again", key, alike[0])
                self.reach["known part"] += 1
            else:
                holds("a new part has a new key", key not in before)
                if alike:
                    self.oracle.now.files[file].questions[name, key] = alike[0]
                    self.reach["question"] += 1
            for leaf, held in part.items():
                self.oracle.say(file, (name, key, leaf), said(held))

    def _kept(self, file: str, act: Act, view: DossierView, *others: str) -> None:
        holds(f"recorded time runs on: {act.at} after {self.last}", act.at > self.last)
        self.last = act.at
        self.oracle.keep(act.at, file, *others)
        self._compare(file, view, self.today, f"what {act.verb} answered")


def _given(name: str, value: Any) -> Any:
    if name == "potential" and isinstance(value, int):
        return Rating(value, 5)
    if name == "sales" and isinstance(value, dict):
        return [Per(period, Money(held)) for period, held in value.items()]
    return value
