"""`desk.exports.write`: what the views show and nothing else; on record, whole, never over another file."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
import zipfile
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as st

import dossier as ds
from dossier.desk import appearing, exports_files
from dossier.desk.archive import Archive
from dossier.desk.exports import Exported
from dossier.desk.exports_files import guarded
from dossier.ledger import Event
from dossier.model.fields import SectionSpec
from dossier.model.values import Money, PartialDate, PersonName
from dossier.policy import Decision, Fields, Rule, When, standard
from dossier.testing.crash import small_disk
from dossier.testing.desk_place import DeskPlace

errors = ds.errors
FORMULAS = ("=1+1", "+86 138-0000-0000", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠x", " =1", "'=1")

DANGEROUS = re.compile(r"\s*(?!-[\d.]+\Z)[=+\-@＝＋－＠]|[\t\r]")
"""What begins a formula and is no number."""


def manager(archive: Archive, purpose: str = "manage") -> ds.Desk:
    return archive.acting_as("陈静", role="manager", purpose=purpose)


def table(path: Path) -> list[dict[str, Any]]:
    """The lines of a CSV file or a workbook by the labels of their columns, empty cells left out."""
    if path.suffix == ".csv":
        raw = path.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf") and raw.endswith(b"\r\n")
        lines = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    else:
        sheet = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
        lines = sheet.to_python()
    head, *rest = lines
    assert len(set(head)) == len(head), "no two columns have one name"
    return [{str(name): cell for name, cell in zip(head, line, strict=True) if cell != ""} for line in rest]


def plain_text(cell: Any) -> Any:
    """The text that a cell stands for."""
    return cell[1:] if isinstance(cell, str) and cell.startswith("'") and guarded(cell[1:]) == cell else cell


def events(archive: Archive, verb: str = "export") -> list[Event]:
    return [event for event in archive.recorder.events() if event.verb == verb]


@pytest.fixture
def archive(place: DeskPlace) -> Iterable[Archive]:
    with place.create() as made:
        yield made


# -- what is written ------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.sampled_from(FORMULAS),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(lambda t: t.strip() == t),
)


AMOUNTS = st.sampled_from(["1.125", "-3"])


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_read_back_is_what_the_views_show(data: st.DataObject, tmp_path_factory: Any) -> None:
    folder: Path = tmp_path_factory.mktemp("out")
    purpose = data.draw(st.sampled_from(["manage", ""]))
    with DeskPlace.fresh("memory", folder).create() as archive:
        desk = manager(archive, purpose)
        for _ in range(data.draw(st.integers(0, 4))):
            kind = data.draw(st.sampled_from(["person", "organization"]))
            name, title = (data.draw(TEXTS) for _ in range(2))
            taboos, texts = (data.draw(st.lists(TEXTS, max_size=3, unique=True)) for _ in range(2))
            phones = data.draw(st.lists(st.sampled_from(["+8613812345678", "010-12345678"]), max_size=2, unique=True))
            try:
                said = [ds.change("preferences", taboos=taboos, address_as=title)]
                said.append(ds.change("basic", phones=phones, addresses=[{"text": text} for text in texts]))
                if kind == "person":
                    said[1] = ds.change("basic", phones=phones, born="1990-03")
                file = desk.register(PersonName(full=name) if kind == "person" else name, *said, kind=kind)
            except errors.InputError:
                continue
            for _ in range(data.draw(st.integers(0, 2))):
                desk.enter(
                    file, ds.record("order", at="2026-01-02", amount=data.draw(st.sampled_from(["1.125", "-3"])))
                )
        hits = sorted(desk.find(limit=1000), key=lambda view: view.number)
        written = {end: desk.exports.write(folder / f"x.{end}") for end in ("csv", "xlsx", "jsonl")}
        assert {each.rows for each in written.values()} == {len(hits)}
        objects = [json.loads(line) for line in (folder / "x.jsonl").read_text("utf-8").splitlines()]
        tables = [table(folder / f"x.{end}") for end in ("csv", "xlsx")]
        for number, view in enumerate(hits):
            _same_object(objects[number], view)
            for lines in tables:
                line = {name: plain_text(cell) for name, cell in lines[number].items()}
                _same_line(line, view)
                cells = [cell for cell in lines[number].values() if isinstance(cell, str)]
                assert not any(DANGEROUS.match(cell) for cell in cells)


def _same_line(line: dict[str, Any], view: ds.DossierView) -> None:
    assert line["档案编号"] == view.number and line["类别"] == view.kind
    name = view.basic.name
    assert line["基础资料·名称 / 姓名 / 户名"] == (name.full if isinstance(name, PersonName) else name)
    phones = [phone.number.given for phone in view.basic.phones]
    assert line.get("基础资料·电话·号码", "") == "\n".join(phones)
    taboos = view.preferences.taboos
    shown = "\n".join(" ".join(each.splitlines()) for each in taboos) if isinstance(taboos, tuple) else ""
    assert line.get("个性资料·生活禁忌", "") == shown
    total = view.transaction_status.total
    amount, currency = (total.amount, total.currency) if isinstance(total, Money) else (None, None)
    given = line.get("交易现状·交易金额")
    assert (Decimal(str(given)) if given is not None else None) == amount
    assert line.get("交易现状·交易金额·币种") == currency


def _same_object(said: dict[str, Any], view: ds.DossierView) -> None:
    head = {name: said.pop(name) for name in ("number", "kind", "standing", "stage")}
    assert head == {name: getattr(view, name) for name in head}
    shown: dict[str, Any] = {}
    for key in view.sections():
        held = {name: _plain(value) for name, value in attrs.asdict(view.section(key), recurse=False).items()}
        held = {name: value for name, value in held.items() if value is not None}
        if held:
            shown[key] = held
    assert said == shown


def _plain(value: Any) -> Any:
    """An oracle of its own: a value as JSON; None for what is absent or withheld."""
    if value is None or value == () or value is ds.WITHHELD:
        return None
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, str | int):
        return value
    if isinstance(value, PartialDate):
        return value.text("en")
    if isinstance(value, Decimal):
        return str(value)
    held = {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
    return {name: _plain(each) for name, each in held.items() if _plain(each) is not None}


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("end", ["csv", "xlsx"])
def test_no_text_field_begins_a_formula(text: str, end: str, archive: Archive, tmp_path: Path) -> None:
    desk = manager(archive)
    planted = text.strip() if text.strip() != text else text
    person = desk.register(
        PersonName(full=planted),
        ds.change("basic", title=planted, occupation=planted, background=planted, addresses=[{"text": planted}]),
        ds.change("preferences", taboos=[planted], address_as=planted, body=planted),
        kind="person",
    )
    desk.enter(person, ds.record("order", at="2026-01-01", amount="-5", ref=planted, text=planted))
    path = tmp_path / f"x.{end}"
    desk.exports.write(path)
    desk.exports.write(tmp_path / f"orders.{end}", records="order")
    (line,) = table(path)
    found = [cell for cell in line.values() if isinstance(cell, str) and planted in cell]
    assert len(found) >= 6
    assert not any(DANGEROUS.match(cell) for cell in found)
    (order,) = table(tmp_path / f"orders.{end}")
    assert order["金额"] in ("-5", -5.0), "a number that is a number stays one"
    assert order["备注"] == guarded(planted)
    if end == "xlsx":
        sheet = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet and b"<hyperlink" not in sheet


def test_records_are_a_line_each_with_the_number_of_their_file(archive: Archive, tmp_path: Path) -> None:
    desk = manager(archive)
    files = [desk.register(f"客户{n}", kind="organization") for n in range(3)]
    lines = [{"product": "纸", "quantity": "2 箱"}, {"product": "墨", "quantity": "1 瓶"}]
    desk.enter(files[0], ds.record("order", at="2026-01-01", amount="7.5", lines=lines))
    desk.enter(files[2], ds.record("order", at="2026-02-01", amount="1"), ds.record("visit", at="2026-02-02"))
    desk.merges.merge(files[0], files[1])
    desk.enter(files[1], ds.record("order", at="2026-03-01", amount="2"))
    done = desk.exports.write(tmp_path / "o.csv", records="order", fields=["at", "amount", "lines/product"])
    assert done.columns == (
        "number", "record:order/at", "record:order/amount", "record:order/amount/currency",
        "record:order/lines[*]/product",
    )  # fmt: skip
    first, third = files[0].number, files[2].number
    assert [tuple(line.values()) for line in table(tmp_path / "o.csv")] == [
        (first, "2026-03-01", "2", "CNY"),
        (first, "2026-01-01", "7.5", "CNY", "纸\n墨"),
        (third, "2026-02-01", "1", "CNY"),
    ]
    desk.exports.write(tmp_path / "o.jsonl", records="order", lang="en")
    said = json.loads((tmp_path / "o.jsonl").read_text("utf-8").splitlines()[1])
    assert said["amount"] == {"amount": "7.5", "currency": "CNY"} and said["state"] == "open"
    assert [line["quantity"] for line in said["lines"]] == [
        {"amount": "2", "unit": "箱"}, {"amount": "1", "unit": "瓶"}
    ]  # fmt: skip
    last = events(archive)[-1]
    assert {mask.partition(":")[0] for _, _, mask in last.subjects} == {"record"}
    assert len(last.subjects) == 2, "a linked set is one file"


def test_fields_order_and_language(archive: Archive, tmp_path: Path) -> None:
    desk = manager(archive)
    for name in ("甲", "乙", "丙"):
        desk.register(name, ds.change("basic", industry={"甲": "tea", "乙": "toys", "丙": "tea"}[name]),
                      kind="organization")  # fmt: skip
    done = desk.exports.write(
        tmp_path / "x.csv", where=ds.field("basic/industry") == "tea", order="-number", lang="en",
        fields=["stage", "basic/name", "basic/phones"],
    )  # fmt: skip
    assert done == Exported(
        tmp_path / "x.csv", "csv", 2,
        ("number", "stage", "basic/name", "basic/phones[*]/number", "basic/phones[*]/use", "basic/phones[*]/span"), (),
    )  # fmt: skip
    assert [line["number"] for line in table(tmp_path / "x.csv")] == ["KH-2026-00003", "KH-2026-00001"]
    assert "basic data: phones: number" in (tmp_path / "x.csv").read_text("utf-8-sig").splitlines()[0]
    named = desk.exports.write(tmp_path / "named", format="jsonl", name="乙")
    assert named.rows == 1 and json.loads((tmp_path / "named").read_text("utf-8"))["basic"]["name"] == "乙"


def test_more_customers_than_a_page(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dossier.desk.exports.PAGE", 4)
    desk = manager(archive)
    numbers = [desk.register(f"客户{n}", kind="person").number for n in range(10)]
    seen: list[tuple[int, int]] = []
    desk.exports.write(tmp_path / "x.csv", progress=lambda done, total: seen.append((done, total)))
    assert [line["档案编号"] for line in table(tmp_path / "x.csv")] == sorted(numbers)
    assert seen == [(4, 10), (8, 10), (10, 10)]
    assert [len(event.subjects) for event in events(archive)] == [4, 4, 2]
    subjects = {subject[0] for event in events(archive) for subject in event.subjects}
    assert subjects == {row.index["pseudonym"] for row in archive.repository.scan("dossiers")}


# -- who may, and what is on record ---------------------------------------------------------------


@pytest.mark.row("M139")
@pytest.mark.row("M118")
@pytest.mark.parametrize(
    ("role", "may"),
    [("manager", True), ("account_manager", True), ("custodian", True), ("officer", True), ("service", False),
     ("sales", False), ("outsider", False)],
)  # fmt: skip
def test_who_may_export(role: str, may: bool, archive: Archive, tmp_path: Path) -> None:
    manager(archive).register("甲", kind="organization")
    desk = archive.acting_as("谁", role=role, purpose="manage")
    if may:
        assert desk.exports.write(tmp_path / "x.csv").rows == 1
    else:
        with pytest.raises(errors.DeniedError):
            desk.exports.write(tmp_path / "x.csv")
        assert list(tmp_path.glob("x*")) == []
    (event,) = events(archive)
    assert (event.outcome == "allowed") is may and bool(event.subjects) is may
    assert event.roles == (role,)


def test_what_may_not_be_read_is_left_out_or_refused(archive: Archive, tmp_path: Path) -> None:
    manager(archive).register("甲", ds.change("preferences", religion="佛"), kind="person")
    desk = manager(archive, "")
    done = desk.exports.write(tmp_path / "x.jsonl")
    assert "preferences/religion" in done.withheld and "preferences/religion" not in done.columns
    assert "佛" not in (tmp_path / "x.jsonl").read_text("utf-8")
    for fields in (["preferences/religion"], ["basic/name", "preferences/taboos"]):
        with pytest.raises(errors.ReadableFieldError):
            desk.exports.write(tmp_path / "y.csv", fields=fields)
    with pytest.raises(errors.ReadableFieldError):
        desk.exports.write(tmp_path / "y.csv", where=ds.field("preferences/taboos") == "花生")
    assert [event.outcome for event in events(archive)] == ["allowed", "refused", "refused", "refused"]
    masks = events(archive)[0].subjects[0][2]
    preferences = archive.registry.spec("preferences", "person")
    given = int(re.findall(r"preferences:([0-9a-f]+)", masks)[0], 16)
    assert not given >> preferences.bits["religion"] & 1
    some = desk.exports.write(tmp_path / "z.csv", fields=["preferences"])
    assert "preferences/religion" in some.withheld


@pytest.mark.parametrize("when", [(), (When("is_custodian"),)])
@pytest.mark.parametrize("lacking", ["consult", "export"])
def test_what_leaves_is_what_may_be_both_looked_at_and_exported(
    lacking: str, when: tuple[When, ...], tmp_path: Path
) -> None:
    rule = Rule(
        id="no-titles", effect="forbid", kinds=frozenset({"manager"}), verbs=frozenset({lacking}),
        fields=Fields(paths=frozenset({"basic/title"})), when=when,
    )  # fmt: skip
    shipped = standard()
    policy = attrs.evolve(shipped, rules=(*shipped.rules, rule))
    with DeskPlace.fresh("memory", tmp_path).create(policy=policy) as archive:
        desk = manager(archive)
        archive.staff.enrol("王芳", roles=["manager"])
        for name, custodian in (("单雄信", "王芳"), ("秦琼", "陈静")):
            file = desk.register(name, ds.change("basic", title="总瓢把子"), kind="person")
            desk.custody.hand_over(file, to=custodian)
        done = desk.exports.write(tmp_path / "x.jsonl")
        titles = [json.loads(line)["basic"].get("title") for line in done.path.read_text("utf-8").splitlines()]
        title = archive.registry.spec("basic", "person").mask("title")
        masks = [int(re.findall(r"basic:([0-9a-f]+)", mask)[0], 16) for _, _, mask in events(archive)[0].subjects]
        if when:
            assert titles == ["总瓢把子", {"withheld": True}] and [bool(mask & title) for mask in masks] == [
                True,
                False,
            ]
        else:
            assert titles == [None, None] and "basic/title" in done.withheld and not any(mask & title for mask in masks)
            with pytest.raises(errors.ReadableFieldError):
                desk.exports.write(tmp_path / "y.csv", fields=["basic/title"])


def test_a_column_that_only_some_may_be_read_in_stands_as_withheld(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = manager(archive)
    desk.register("甲公司", kind="organization")
    desk.register("单雄信", kind="person")
    person = archive.registry.spec("basic", "person")
    decide = archive.judge.decide

    def less(*given: Any, **more: Any) -> Any:
        decision = decide(*given, **more)
        key = ("basic", "person")
        return attrs.evolve(decision, masks={**decision.masks, key: decision.masks[key] & ~person.mask("name")})

    monkeypatch.setattr(archive.judge, "decide", less)
    done = desk.exports.write(tmp_path / "x.csv", fields=["basic/name"])
    assert done.withheld == ("basic/name",)
    assert [list(line.values())[1] for line in table(tmp_path / "x.csv")] == ["甲公司", "不予显示"]
    desk.exports.write(tmp_path / "x.jsonl", fields=["basic/name"])
    said = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text("utf-8").splitlines()]
    assert [each["basic"]["name"] for each in said] == ["甲公司", {"withheld": True}]


@pytest.mark.law("N1")
@pytest.mark.parametrize("end", ["csv", "jsonl", "xlsx"])
def test_N1_hidden_cells_leave_no_trace_in_an_export(end: str, tmp_path: Path) -> None:
    files = []
    for turn, hidden in enumerate(({"religion": "佛"}, {})):
        place = DeskPlace.fresh("memory", tmp_path).seeded()
        with place.create() as archive:
            archive.acting_as("陈静", role="manager")
            desk = manager(archive)
            for n in range(3):
                more = [ds.change("preferences", **hidden)] if hidden and n else []
                desk.register(f"客户{n}", ds.change("preferences", address_as="您"), *more, kind="person")
            path = tmp_path / f"{turn}.{end}"
            manager(archive, "").exports.write(path)
            files.append(path.read_bytes())
    assert files[0] == files[1]


@pytest.mark.law("N1")
def test_N1_records_stand_in_no_order_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Decision.mask

    def mask(self: Decision, spec: SectionSpec) -> int:
        hidden = 1 << spec.bits["at"] if spec.key == "record:order" else 0
        return shown(self, spec) & ~hidden

    files, pages = [], []
    for days in (("2026-01-01", "2026-01-02"), ("2026-01-02", "2026-01-01")):
        with DeskPlace.fresh("memory", tmp_path).seeded().create() as archive:
            desk = manager(archive)
            number = desk.register("秦琼", kind="person").number
            for amount, day in enumerate(days):
                desk.enter(number, ds.record("order", at=day, amount=amount))
            with monkeypatch.context() as patched:
                patched.setattr(Decision, "mask", mask)
                path = tmp_path / f"{len(files)}.csv"
                desk.exports.write(path, records="order")
                files.append(path.read_bytes())
                for kind in ("order", None):
                    pages.append([record.content.amount for record in desk.consult(number).records(kind)])
    assert files[0] == files[1]
    assert pages[:2] == pages[2:]


def test_the_record_is_on_the_disk_before_the_file_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for level in ("session", "committed", "durable"):
        with DeskPlace.fresh("sqlite", tmp_path).create(level=level) as archive:
            manager(archive).register("甲", kind="person")
            kept: list[bool] = []
            path = tmp_path / f"{level}.csv"
            keep, publish = archive.recorder._keep, appearing.publish

            def kept_now(said: Any, *, durable: bool, keep: Any = keep, kept: list[bool] = kept) -> None:
                keep(said, durable=durable)
                kept.append(durable)

            def publish_now(draft: Path, path: Path, kept: list[bool] = kept, publish: Any = publish) -> None:
                assert kept and kept[-1], "the last event is durable"
                assert not path.exists()
                publish(draft, path)

            monkeypatch.setattr(archive.recorder, "_keep", kept_now)
            monkeypatch.setattr(appearing, "publish", publish_now)
            assert manager(archive).exports.write(path).rows == 1
            monkeypatch.undo()
            assert len(events(archive)) == 1


def test_the_dismissed_are_refused_an_export_as_an_export(archive: Archive, tmp_path: Path) -> None:
    desk = manager(archive)
    archive.staff.dismiss("陈静", role="manager")
    with pytest.raises(errors.DeniedError):
        desk.exports.write(tmp_path / "x.csv")
    last = [event for event in archive.recorder.events() if event.outcome == "refused"]
    assert [event.verb for event in last] == ["export"] and not list(tmp_path.glob("x.csv*"))


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("end", ["csv", "jsonl", "xlsx"])
def test_all_of_a_file_is_on_the_disk_before_it_has_its_name(
    end: str, links: bool, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draft, name and folder are synced, in this order, and the draft is synced whole."""
    manager(archive).register("甲", kind="person")
    path, fsync, link = tmp_path / f"x.{end}", os.fsync, os.link
    synced: list[tuple[str, int]] = []

    def noted(handle: int) -> None:
        fsync(handle)
        name = Path(f"/proc/self/fd/{handle}").readlink()
        if name.name == "draft" or name in (path, tmp_path):
            synced.append((name.name, os.fstat(handle).st_size if name != tmp_path else 0))

    def linked(draft: Any, target: Any) -> None:
        if not links:
            raise OSError(errno.EPERM, "no links")
        synced.append(("named", 0))
        link(draft, target)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(os, "link", linked)
    manager(archive).exports.write(path)
    size = path.stat().st_size
    named = ("named", 0) if links else (path.name, size)
    assert synced == [("draft", size), named, (tmp_path.name, 0)]


def test_a_reason_leaves_a_hash(archive: Archive, tmp_path: Path) -> None:
    desk = manager(archive)
    for n, why in enumerate(("年终盘点ABCDEFGHIJKL", "年终盘点ABCDEFGHIJKL", "别的", "")):
        desk.exports.write(tmp_path / f"{n}.csv", because=why)
    one, two, three, four = (event.reason for event in events(archive))
    assert one == two != three and four == ""
    assert not any(b"ABCDEFGHIJKL" in line for name in archive.recorder.lanes()
                   for line in archive.recorder.lines(name))  # fmt: skip


# -- the file -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"format": "pdf"}, "export.format"),
        ({"lang": "fr"}, "export.lang"),
        ({"because": 5}, "told.text"),
        ({"fields": "basic/name"}, "export.fields"),
        ({"fields": ["basic/nam"]}, "field.unknown"),
        ({"records": "ordr"}, "section.unknown"),
        ({"where": ds.field("basic/nam") == "x"}, "find.unknown"),
    ],
)
def test_what_is_wrong_with_the_question(options: dict[str, Any], code: str, archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(errors.InputError) as info:
        manager(archive).exports.write(tmp_path / "x.csv", **options)
    assert [problem.code for problem in info.value.problems] == [code]
    with pytest.raises(errors.InputError):
        manager(archive).exports.write(tmp_path / "no_ending")
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize("end", ["csv", "jsonl", "xlsx"])
def test_a_file_is_never_written_over(end: str, archive: Archive, tmp_path: Path) -> None:
    manager(archive).register("甲", kind="person")
    path = tmp_path / f"x.{end}"
    path.write_text("a letter", encoding="utf-8")
    with pytest.raises(errors.ExistsError):
        manager(archive).exports.write(path)
    assert path.read_text("utf-8") == "a letter"
    with pytest.raises(errors.MissingFolderError):
        manager(archive).exports.write(tmp_path / "none" / f"x.{end}")
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith((".x", "x"))] == [path.name]
    done = manager(archive).exports.write(tmp_path / f"y.{end}")
    assert done.path.stat().st_mode & 0o077 == 0, "nobody else may read it"


@pytest.mark.parametrize("links", [True, False])
def test_a_name_that_is_taken_meanwhile(
    links: bool, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, publish = tmp_path / "x.csv", appearing.publish

    def taken(draft: Path, target: Path) -> None:
        path.write_text("another was quicker", encoding="utf-8")
        publish(draft, target)

    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links")

    monkeypatch.setattr(appearing, "publish", taken)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(errors.ExistsError):
        manager(archive).exports.write(path)
    assert path.read_text("utf-8") == "another was quicker"
    assert [each.name for each in tmp_path.iterdir() if ".new" in each.name] == []


@pytest.mark.parametrize("end", ["csv", "jsonl", "xlsx"])
def test_a_full_disk_leaves_nothing(end: str, tmp_path: Path) -> None:
    with small_disk(tmp_path) as folder, DeskPlace.fresh("memory", tmp_path).create() as archive:
        if folder is None:
            pytest.skip("no small disk can be made here")
        desk = manager(archive)
        with desk.unit() as unit:
            for n in range(400):
                unit.register(f"客户{n}", ds.change("basic", background=f"{n}" + "经历" * 4000), kind="person")
        for n in range(20):
            try:
                (folder / f"filler{n}").write_bytes(bytes(1_000_000))
            except OSError:
                break
        (folder / "filler0").unlink()
        before = sorted(each.name for each in folder.iterdir())
        with pytest.raises(errors.StorageFullError):
            desk.exports.write(folder / f"x.{end}")
        assert sorted(each.name for each in folder.iterdir()) == before
        assert desk.exports.write(tmp_path / f"x.{end}").rows == 400


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK])
def test_where_there_are_no_hard_links(
    code: int, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise OSError(code, "no links")

    manager(archive).register("甲", kind="person")
    monkeypatch.setattr(os, "link", link)
    path = tmp_path / "x.csv"
    assert manager(archive).exports.write(path).rows == 1
    assert len(table(path)) == 1
    assert path.stat().st_mode & 0o077 == 0
    taken = tmp_path / "y.csv"
    monkeypatch.setattr(os, "link", lambda *_: (taken.write_text("another was quicker"), link()))
    with pytest.raises(errors.ExistsError):
        manager(archive).exports.write(taken)
    assert taken.read_text() == "another was quicker"
    assert not list(tmp_path.glob(".*.new-*"))


def test_errors_of_the_host_are_its_own(archive: Archive, tmp_path: Path) -> None:
    def progress(done: int, total: int) -> None:
        raise OSError(errno.EIO, "the host's own")

    with pytest.raises(OSError, match="the host's own"):
        manager(archive).exports.write(tmp_path / "x.csv", progress=progress)
    assert not list(tmp_path.glob("*x.csv"))
    assert not list(tmp_path.glob(".*.new-*"))


def test_a_file_that_cannot_be_written_is_no_damage(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.EIO, "a disk that fails")

    with pytest.raises(errors.OutputError):
        manager(archive).exports.write(tmp_path / ("x" * 300 + ".csv"))
    long = tmp_path / ("档" * 83 + ".csv")
    assert manager(archive).exports.write(long).rows == 0, "a name of 253 bytes is one"
    with monkeypatch.context() as patched:
        patched.setattr(appearing, "publish", fails)
        with pytest.raises(errors.OutputError) as caught:
            manager(archive).exports.write(tmp_path / "x.csv")
    assert (caught.value.path, caught.value.facts["what"]) == ("path", "EIO")
    assert caught.value.__context__ is None


def test_what_a_killed_export_left_is_cleared_away(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    child = os.fork()
    if child == 0:
        with appearing.appearing(path):
            os._exit(0)
    os.waitpid(child, 0)
    assert len(list(tmp_path.glob(".*.new-*"))) == 1
    with appearing.appearing(path) as draft:
        draft.write_text("slower", encoding="utf-8")
        with appearing.appearing(path) as quicker:
            quicker.write_text("quicker", encoding="utf-8")
            assert draft.exists(), "whoever is at work is left alone"
        path.unlink()
    assert path.read_text("utf-8") == "slower"
    assert not list(tmp_path.glob(".*.new-*"))


def test_a_sheet_has_limits(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = manager(archive)
    for n in range(3):
        desk.register(f"客户{n}", kind="person")
    for name, limit in (("SHEET_ROWS", 3), ("SHEET_CELL", 5), ("SHEET_COLUMNS", 4)):
        with monkeypatch.context() as patch:
            patch.setattr(exports_files, name, limit)
            with pytest.raises(errors.LimitError):
                desk.exports.write(tmp_path / "x.xlsx")
        assert not (tmp_path / "x.xlsx").exists()
    (path,) = [desk.exports.write(tmp_path / "y.xlsx").path]
    assert len(table(path)) == 3


def test_without_the_extra_it_says_what_to_install(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(errors.InputError) as info:
        manager(archive).exports.write(tmp_path / "x.xlsx")
    assert "dossier-archive[excel]" in info.value.problems[0].fix_en
    assert manager(archive).exports.write(tmp_path / "x.csv").rows == 0


def test_an_empty_export_is_on_record_too(archive: Archive, tmp_path: Path) -> None:
    assert manager(archive).exports.write(tmp_path / "x.xlsx").rows == 0
    assert len(events(archive)) == 1
    assert table(tmp_path / "x.xlsx") == []
