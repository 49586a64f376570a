"""K2 and K8 at the desk: what another program wrote survives; a digest tells any two archives apart.

Floor: testing.
"""

# ruff: noqa: N802
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs

from dossier.codec import SectionRegistry
from dossier.desk.archive import Archive, open, registry
from dossier.desk.changes import change, record
from dossier.desk.desk import Desk
from dossier.desk.transfer import COPIED, HELD
from dossier.errors import InputError, NewerSectionError, OlderSectionError
from dossier.model.absence import Absence
from dossier.model.edits import edit
from dossier.model.fields import Tier, items, many, one, section
from dossier.model.values import PartialDate, Short
from dossier.model.withheld import WITHHELD
from dossier.repository import Batch, Delete, Put, Repository, Row
from dossier.testing.desk_place import DeskPlaces
from dossier.testing.place import holds, raises, same


@attrs.frozen(kw_only=True)
class Guest:
    """A part of a pack's section."""

    key: str = ""
    name: Short | None = one("名", "name", row="M20")
    wish: Short | None = one("愿望", "wish", row="M20")


@section("record:night", zh="夜", en="night")
@attrs.frozen(kw_only=True)
class Night:
    """A kind of record of a pack."""

    at: PartialDate | None = one("日期", "date", row="M33")
    pillow: Short | None = one("枕", "pillow", row="M20")


def _made(version: tuple[int, int], **attributes: Any) -> type:
    annotations = {name: annotation for name, (annotation, _) in attributes.items()}
    body = {"__annotations__": annotations, **{name: field for name, (_, field) in attributes.items()}}
    cls = attrs.frozen(kw_only=True)(type("Stay", (), body))
    return section("pack:stay", zh="住店", en="stay", version=version)(cls)


def _old() -> dict[str, Any]:
    return {"room": (Short | None, one("房", "room", row="M20", index="text"))}


def _more() -> dict[str, Any]:
    return {
        **_old(),
        "pillows": (tuple[Short, ...], many("枕", "pillows", row="M20", index="set")),
        "guests": (tuple[Guest, ...], items("客", "guests", row="M20", identity="name", same="equal")),
        "pets": (tuple[Guest, ...], items("宠物", "pets", row="M20", identity="name", same="ask")),
        "quiet": (Short | None, one("安静", "quiet", row="M20")),
        "secret": (Short | None, one("密", "secret", row="M20", tier=Tier.SPECIAL)),
        "ward": (Short | None, one("病区", "ward", row="M20", tier=Tier.SPECIAL)),
    }


def with_stay(version: tuple[int, int] | None) -> SectionRegistry:
    """The kernel's registry with a pack's section in a version: (1, 0), (1, 1) with more fields, (2, 0) renamed."""
    made = registry()
    if version is None:
        return made
    fields = _old() if version == (1, 0) else _more()
    if version[0] > 1:
        fields["door"] = (Short | None, one("门牌", "door", row="M20", index="text"))
        del fields["room"]
    made.register(_made(version, **fields))
    if version != (1, 0):
        made.register(Night)
    if version[0] > 1:

        @made.upcaster("pack:stay", since=(1, 0), to=(2, 0))
        def up(stored: dict[str, Any]) -> dict[str, Any]:
            return {"door" if name == "room" else name: value for name, value in stored.items()}

    return made


def _desk(archive: Archive) -> Desk:
    return archive.acting_as("陈静", role="manager", purpose="manage")


def _stored(archive: Archive, dossier: str, *, index: bool = True) -> list[Any]:
    """What the rows of a dossier say of the pack's section, read without the library: bytes, claims, index."""
    found: list[Any] = []
    for collection in ("dossiers", "special"):
        for row in archive.repository.scan(collection, start=dossier, stop=dossier + "0"):
            body = json.loads(row.body)
            claims = body["claims"]
            sources = claims.get("sources", [])
            found.append(body.get("sections", {}).get("pack:stay"))
            for path, source, *rest in claims.get("rivals", []) + claims.get("origins", []):
                if path.startswith("pack:"):
                    found.append([path, sources[source], rest])
            for table in ("absent", "marks", "questions"):
                found.append([said for said in claims.get(table, []) if said[0].startswith("pack:")])
            found.append(claims.get("until", ""))
            if index:
                kept = {name: value for name, value in row.index.items() if name.startswith(("pack_", "until"))}
                found.append(kept)
    for collection in ("records", "entries"):
        for row in archive.repository.scan(collection, start=dossier, stop=dossier + "0"):
            found.append([row.id, row.version, row.body, dict(row.index) if index else {}])
    return found


def _planted(archive: Archive) -> list[str]:
    """Two files of which a pack's section has everything that a state can say of its fields, special ones too: rivals,
    marks, absences, a question, a span of validity; and a record of a kind of the pack."""
    desk = _desk(archive)
    name = "door" if with_door(archive) else "room"
    stay = change("pack:stay", **{name: "1203"}, pillows=["软", "硬"], guests=[{"name": "李", "wish": "静"}],
                  pets=[{"name": "阿黄"}], secret="不可说", quiet="是", ward="东")  # fmt: skip
    first = desk.register("甲", stay, kind="person", channel="form").id
    later = change("pack:stay", **{name: "1204"}, pillows=["高"], pets=[{"name": "阿黄"}], secret="可说")
    desk.update(first, later, channel="visit", valid_to="2026-12-01")
    desk.update(first, change("pack:stay", quiet=Absence.NONE, ward=Absence.DECLINED), channel="visit")
    for field in (name, "secret"):
        for statement in desk.claims.of(first, f"pack:stay/{field}"):
            desk.claims.verify(statement)
            if not statement.shown:
                desk.claims.dispute(statement)
    desk.enter(first, record("night", at="2026-01-01", pillow="软"))
    second = desk.register("乙", change("pack:stay", **{name: "9"}), kind="person").id
    view = desk.consult(first)
    absences = view.absence("pack:stay/quiet"), view.absence("pack:stay/ward")
    same("absences that are planted", absences, (Absence.NONE, Absence.DECLINED))
    stored = repr(_stored(archive, first))
    for planted in ("阿黄", "declined", "2026-12-01", "可说", "软"):
        holds(f"{planted} is planted", planted in stored)
    holds("a question is planted", len(desk.consult(first).questions()) == 1)
    return [first, second]


def with_door(archive: Archive) -> bool:
    """Whether the archive's program knows the pack's section in its second major version."""
    return archive.registry.spec("pack:stay").version[0] > 1


def check_K2_survival(places: DeskPlaces, backup: Callable[[], str] | None = None) -> None:
    """What a program that does not know a section, or knows an older one, does to the rest leaves it bit for bit."""
    for writer, reader in (((1, 1), None), ((1, 1), (1, 0)), ((2, 0), (1, 0))):
        place = places()
        with place.create(sections=with_stay(writer)) as archive:
            desk = _desk(archive)
            files = first, second = _planted(archive)
            before = [_stored(archive, file) for file in files]
            bare = [_stored(archive, file, index=False) for file in files]
            shown = _shown(desk, first)
        with place.open(sections=with_stay(reader)) as archive:
            desk = _desk(archive)
            view = desk.consult(first)
            if reader is None:
                raises(InputError, view.section, "a section that is not registered", "pack:stay")
                raises(InputError, desk.update, "a change to it", first, change("pack:stay", room="1"))
            else:
                seen = view.section("pack:stay")
                holds("an unknown field is in no view", not hasattr(seen, "pillows"))
                newer_major = writer[0] > reader[0]
                same("what can be read", seen.room, WITHHELD if newer_major else "1204")
                if newer_major:
                    raises(NewerSectionError, desk.update, "a newer major", first, change("pack:stay", room="1"))
                    same("its rivals", [r for r in view.rivals() if r.path.startswith("pack:")], [])
            desk.card(first)
            (night,) = view.records()
            same("a record of a kind that is not registered", (night.kind, night.content), ("night", WITHHELD))
            holds("a token", bool(view.token))
            for act in desk.history(first):
                holds("no unknown field in the history", not any("pillows" in said.path for said in act.said))
            desk.update(first, change("basic", title="经理"), change("preferences", taboos=["花生"]))
            desk.merges.merge(first, second)
            desk.card(first)
            desk.update(second, change("basic", title="董事"), channel="form")
            desk.history(first, on="2026-12-31").view  # noqa: B018
            desk.merges.unmerge(first, second)
            archive.reindex()
            same("what the rows say of it", [_stored(archive, file) for file in files], before)
            target = places()
            archive.copy(target.url)
            with target.open(sections=with_stay(reader)) as copied:
                same("a copy", [_stored(copied, file, index=False) for file in files], bare)
            with target.open(sections=with_stay(writer)) as copied:
                same("a copy, indexed", [_stored(copied, file) for file in files], before)
            if backup is not None:
                path = backup()
                archive.backup(path)
                with open(path, sections=with_stay(reader)) as saved:
                    same("a backup", [_stored(saved, file) for file in files], before)
        with place.open(sections=with_stay(writer)) as archive:
            same("read by its own program", _shown(_desk(archive), first), shown)


def _shown(desk: Desk, file: str) -> list[Any]:
    """All that a view shows of the pack."""
    view = desk.consult(file)
    absences = [view.absence(f"pack:stay/{field}") for field in ("quiet", "ward")]
    (night,) = view.records("night")
    said = [(rival.path, rival.value, rival.origin) for rival in view.rivals("pack:stay")]
    stay = attrs.asdict(view.section("pack:stay"))
    return [stay, said, absences, view.questions(), night.state, night.content.pillow]


def check_K2_minor_edit(places: DeskPlaces) -> None:
    """A newer minor may be edited; the fields that the editor does not know stay."""
    place = places()
    with place.create(sections=with_stay((1, 1))) as archive:
        stay = change("pack:stay", room="1", pillows=["软"], secret="密")
        file = _desk(archive).register("甲", stay, kind="person").id
    with place.open(sections=with_stay((1, 0))) as archive:
        _desk(archive).update(file, change("pack:stay", room="2"), channel="form")
    with place.open(sections=with_stay((1, 1))) as archive:
        stay = _desk(archive).consult(file).section("pack:stay")
        same("fields", (stay.room, stay.pillows, stay.secret), ("1", ("软",), "密"))
        _desk(archive).update(file, change("pack:stay", pillows=edit(add=["硬"])))


def check_K2_upcast(places: DeskPlaces) -> None:
    """An older major is read through its upcaster and upgraded by an edit; with no way up it stays as it is."""
    place = places()
    with place.create(sections=with_stay((1, 0))) as archive:
        files = [_desk(archive).register("甲", change("pack:stay", room="1"), kind="person").id for _ in range(2)]
    bare = registry()
    bare.register(_made((2, 0), door=(Short | None, one("门牌", "door", row="M20"))))
    with place.open(sections=bare) as archive:
        desk = _desk(archive)
        same("without a way up", desk.consult(files[0]).section("pack:stay").door, WITHHELD)
        raises(OlderSectionError, desk.update, "an edit", files[0], change("pack:stay", door="2"))
        desk.update(files[0], change("basic", title="经理"))
    with place.open(sections=with_stay((2, 0))) as archive:
        desk = _desk(archive)
        same("read", desk.consult(files[0]).section("pack:stay").door, "1")
        edited = desk.update(files[0], change("pack:stay", pillows=["软"]))
        same("after an edit", (edited.section("pack:stay").door, edited.section("pack:stay").pillows), ("1", ("软",)))
        stored = json.loads(next(iter(archive.repository.scan("dossiers", start=files[0]))).body)
        same("as stored", stored["sections"]["pack:stay"], {"door": "1", "pillows": ["软"]})
        same("its version", stored["head"]["versions"]["pack:stay"], [2, 0])
        desk.merges.merge(files[0], files[1])
        same("merged with an older one", desk.consult(files[0]).section("pack:stay").door, "1")
        archive.reindex()


def check_K8_digest(places: DeskPlaces, other: DeskPlaces) -> None:
    """A copy to another backend and back is the archive, row by row, and keeps the digest, and gives no number again;
    any one row changed, added or dropped, wherever it stands, changes the digest."""
    with places().create() as archive:
        desk = _desk(archive)
        given = _filled(archive)
        digest = archive.digest()
        desk.consult(given[0])
        same("a read leaves the digest", archive.digest(), digest)
        there, back = other(), places()
        archive.copy(there.url)
        held = _held(archive)
        with there.open() as copied:
            same("a copy on another backend", copied.digest(), digest)
            _same_rows("a copy on another backend", _held(copied), held)
            holds("it is another archive", copied.manifest.id != archive.manifest.id)
            same("derived from", copied.manifest.derived_from, archive.manifest.id)
            copied.copy(back.url)
            same("the copy is found", _desk(copied).find(name="乙").rows[0].number, given[0])
        with back.open() as again:
            same("and back", again.digest(), digest)
            _same_rows("and back", _held(again), held)
            desk = _desk(again)
            desk.enter(given[1], record("visit", at="2026-02-01"), request_id="一次")
            same("a request carried out before the copy has no second effect", again.digest(), digest)
            for collection in HELD:
                _each_row(again, again.repository, collection, digest)
            number = desk.register("新", kind="person").number
            holds("a copy gives no number again", number not in given)
            desk.ledger.verify()


def _filled(archive: Archive) -> list[str]:
    """The numbers of five files, and at least three rows in every collection."""
    desk = _desk(archive)
    for name in ("李敏", "王芳"):
        archive.staff.enrol(name, roles=["service"])
    liked = change("preferences", taboos=["花生"], religion="无")
    files = [desk.register(name, liked, kind="person") for name in "甲乙丙丁戊"]
    numbers = [file.number for file in files]
    for number in numbers[:3]:
        desk.enter(number, record("order", at="2026-01-01", amount=5))
    desk.enter(numbers[1], record("visit", at="2026-02-01"), request_id="一次")
    desk.update(numbers[2], change("basic", title="经理"), request_id="二次")
    for other in files[1:4]:
        desk.relations.add(files[0], other, kind="friend")
    desk.merges.merge(numbers[0], numbers[1])
    sales = archive.acting_as("张强", role="sales")
    for turn in range(3):
        sales.collect(f"KH-1999-{turn}", change("basic", name="谁"))
    for _ in range(2):
        desk.policies.propose(archive.policy, because="年度核对")
    return numbers


Held = dict[str, list[Any]]


def _held(archive: Archive) -> Held:
    """Every row of an archive but its manifest, by collection."""
    return {
        name: [(row.id, row.version, row.body, dict(row.index), row.scope) for row in archive.repository.scan(name)]
        for name in COPIED
    }


def _same_rows(what: str, got: Held, wanted: Held) -> None:
    for name in COPIED:
        holds(f"{name} has rows", bool(wanted[name]))
        same(f"{what}: rows of {name}", got[name], wanted[name])


def _each_row(archive: Archive, repository: Repository, collection: str, digest: str) -> None:
    rows = list(repository.scan(collection))
    holds(f"{collection} has a first row, a last one and one between", len(rows) > 2)
    for row in (rows[0], rows[len(rows) // 2], rows[-1]):
        _one_row(archive, repository, row, digest)


def _one_row(archive: Archive, repository: Repository, row: Row, digest: str) -> None:
    collection = row.collection
    kept = Put(collection, row.id, row.body, {}, row.scope, None, row.version)
    changed = row.body[:-1] + (b',"~":1}' if len(row.body) > 2 else b'"~":1}')
    for what, op in (
        ("dropped", Delete(collection, row.id)),
        ("changed", Put(collection, row.id, changed.replace(b'"~"', b'"zzz"'), {}, row.scope, None, row.version)),
        ("added", Put(collection, row.id + "z", row.body, {}, row.scope, None, 1)),
        ("of another version", Put(collection, row.id, row.body, {}, row.scope, None, row.version + 1)),
    ):
        repository.commit(Batch((op,)))
        holds(f"a row of {collection} {what} changes the digest", archive.digest() != digest)
        repository.commit(Batch((Delete(collection, row.id + "z"), Delete(collection, row.id))))
        repository.commit(Batch((kept,)))
        same("the digest of the same rows", archive.digest(), digest)
