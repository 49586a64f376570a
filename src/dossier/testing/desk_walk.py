"""Walks: random but guided sequences of acts at a desk, told to the naive history as well (K7, K9).

Floor: testing. What a walk draws is small on purpose: few values, few channels, days close to today, so that claims
meet. Part keys are minted by the desk; the walk looks them up and checks that they are those the oracle expects.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable
from typing import Any, Literal

import attrs
from hypothesis import settings
from hypothesis import strategies as st

from dossier.desk.archive import Archive
from dossier.desk.changes import Change, change
from dossier.desk.claims import Statement
from dossier.desk.desk import Desk
from dossier.desk.history import Act
from dossier.desk.views import DossierView
from dossier.model.absence import Absence
from dossier.model.edits import UNSET, edit
from dossier.model.values import Money, Per, Rating, Term
from dossier.testing.desk_place import DeskPlace
from dossier.testing.history_oracle import Done, File, HistoryOracle, Nothing, Path, Said, World
from dossier.testing.place import FULL, Reach, fail, holds, run, same

Shape = Literal["one", "set", "series", "items"]


@attrs.frozen
class Drawn:
    """A field that walks change: where it stands, its shape, the values that are drawn for it."""

    section: str
    shape: Shape
    values: tuple[Any, ...]
    leaves: tuple[str, ...] = ()


FIELDS: dict[str, Drawn] = {
    "name": Drawn("basic", "one", ("甲公司", "乙公司", "丙公司")),
    "industry": Drawn("basic", "one", ("tea", "toys")),
    "short_names": Drawn("basic", "set", ("甲", "乙", "丙")),
    "phones": Drawn("basic", "items", ("0371-1000001", "0371-1000002"), ("number", "use")),
    "key_persons": Drawn("basic", "items", ("李敏", "王芳"), ("name", "title")),
    "sales": Drawn("characteristics", "series", ("2024", "2025")),
    "potential": Drawn("characteristics", "one", (1, 2, 3)),
    "taboos": Drawn("preferences", "set", ("花生", "香菜")),
    "address_as": Drawn("preferences", "one", ("李总", "老李")),
    "habits": Drawn("transaction_status", "one", ("月底订货", "月初订货")),
}
NEXT = {
    "prospect": ("active", "closed"), "active": ("dormant", "closed"), "dormant": ("active", "closed"),
    "closed": ("active",),
}  # fmt: skip
"""The stages that a walk moves to, by the one before."""
PEOPLE = ("陈静", "李敏")
"""Who acts, both as manager."""
CHANNELS = ("desk", "visit", "form", "agency", "document", "assessment", "observation", "小红书", "supplier")


def run_until(
    law: Callable[[], None], reach: Reach, wanted: Iterable[str], *, examples: int, profile: settings | None,
    least: int = 1,
) -> None:  # fmt: skip
    """Run a `@given` function, and again, for chance deals unevenly, until all that is wanted was counted `least`
    times; then ask for it."""
    names = tuple(wanted)

    def lacks() -> bool:
        return examples >= FULL and any(reach[name] < least for name in names)

    run(law, examples=examples, profile=profile, again=lacks)
    reach.require(examples, *names, least=least)


def rankings(archive: Archive) -> dict[str, str]:
    """The ranking of each drawn field, or leaf of its parts."""
    found: dict[str, str] = {}
    for name, drawn in FIELDS.items():
        spec = archive.registry.spec(drawn.section, "organization")
        for leaf in drawn.leaves or ("",):
            pattern = f"{name}[*]/{leaf}" if leaf else name
            found[f"{name}/{leaf}" if leaf else name] = spec.leaf(pattern).ranking
    return found


def plain(value: Any) -> Any:
    """A value as the oracle has it."""
    if isinstance(value, Absence):
        return Nothing(value.value)
    if isinstance(value, Term):
        return value.code
    if isinstance(value, Rating):
        return value.value
    if isinstance(value, Money):
        return int(value.amount)
    return value if isinstance(value, str) else value.text("zh")


def path_of(path: str) -> Path:
    """The oracle's path for a path of the desk."""
    _, _, rest = path.partition("/")
    if "{" in rest:
        field, _, member = rest.partition("{")
        return field, json.loads(member[:-1])
    field, bracket, inner = rest.partition("[")
    if not bracket:
        return (field,)
    key, _, leaf = inner.partition("]")
    return (field, key, leaf[1:]) if leaf else (field, key)


def shown_in(view: DossierView) -> dict[Path, Any]:
    """Path → value for everything that a view shows of the drawn fields."""
    found: dict[Path, Any] = {}
    for name, drawn in FIELDS.items():
        value = getattr(view.section(drawn.section), name)
        reason = view.absence(f"{drawn.section}/{name}") if drawn.shape != "items" else None
        if reason is not None:
            found[name,] = Nothing(reason.value)
        if drawn.shape == "one" and value is not None:
            found[name,] = plain(value)
        elif drawn.shape == "set":
            found.update({(name, member): member for member in value})
        elif drawn.shape == "series":
            found.update({(name, each.period): plain(each.value) for each in value})
        elif drawn.shape == "items":
            for part in value:
                for leaf in drawn.leaves:
                    if getattr(part, leaf) is not None:
                        found[name, part.key, leaf] = plain(getattr(part, leaf))
    return found


class Walk:
    """One archive, a few files of it, an oracle beside it. `step()` does something; `check()` compares everything."""

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

    # -- steps ------------------------------------------------------------------------------------

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

    # -- comparison -------------------------------------------------------------------------------

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
            until = _text(known)
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

    def _rivals(
        self, what: str, view: DossierView, world: World, file: str, shown: dict[Path, Said], day: str
    ) -> None:
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

    # -- drawing ----------------------------------------------------------------------------------

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

    # -- telling both -----------------------------------------------------------------------------

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
            seen = _text(how["observed"]) if "observed" in how else ""
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

    def _act(self, file: str) -> Act:
        """The last act on a file."""
        return [act for act in self.desk.history(file) if act.number == self.files[file]][-1]

    def _statements(self, file: str, name: str) -> list[Statement]:
        return list(self.desk.claims.of(self.files[file], f"{FIELDS[name].section}/{name}"))

    def _day(self, at: str) -> str:
        return dt.datetime.fromisoformat(at).astimezone(self.archive.zone).date().isoformat()


def desk_path(path: Path) -> str:
    """The desk's path for a path of the oracle."""
    name, *rest = path
    drawn = FIELDS[name]
    here = f"{drawn.section}/{name}"
    if not rest:
        return here
    if drawn.shape == "set":
        return f'{here}{{"{rest[0]}"}}'
    return f"{here}[{rest[0]}]" + "".join(f"/{leaf}" for leaf in rest[1:])


def _done(act: Act) -> Done:
    said = [(path_of(one.path), plain(one.value), one.channel, one.told_by) for one in act.said]
    because = act.because if isinstance(act.because, str) else "?"
    return _in_order(Done(act.verb, act.by, because, tuple(said), act.withdrew, act.marked, act.moved))


def _in_order(done: Done) -> Done:
    said = tuple(sorted(done.said, key=repr))
    return attrs.evolve(done, said=said, withdrew=tuple(sorted(done.withdrew)), moved=tuple(sorted(done.moved)))


def _given(name: str, value: Any) -> Any:
    if name == "potential" and isinstance(value, int):
        return Rating(value, 5)
    if name == "sales" and isinstance(value, dict):
        return [Per(period, Money(held)) for period, held in value.items()]
    return value


def _some(values: Iterable[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(list(values)), min_size=1, max_size=2, unique=True)


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
