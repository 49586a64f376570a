"""The parts of import that stand alone: sorting on disk, the encoding ladder, cells."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.errors import InputError
from dossier.intake import reasons
from dossier.intake.cells import Columns, Refused, numbers, words
from dossier.intake.encoding import verdict
from dossier.intake.plan import Cell
from dossier.intake.sorter import Sorter


@given(st.lists(st.tuples(st.binary(max_size=4), st.binary(max_size=12)), max_size=60), st.integers(100, 3000))
@settings(max_examples=60, deadline=None)
def test_a_sorter_gives_back_what_it_took_in_order_whatever_fits_in_memory(
    entries: list[tuple[bytes, bytes]], budget: int
) -> None:
    sorter = Sorter(budget)
    for key, payload in entries:
        sorter.add(key, payload)
    found = [(key, payload) for key, payloads in sorter.groups() for payload in payloads]
    assert found == sorted(entries)
    assert list(sorter.groups()) == []


@pytest.mark.parametrize("block", [1, 7, 4096])
@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("姓名,地址\n单雄信,山西潞州二贤庄\n", "utf-8", "utf-8"),
        ("姓名,地址\n单雄信,山西潞州二贤庄\n", "gb18030", "gb18030"),
        ("姓名,地址\n秦瓊,山東歷城縣的好漢在此\n", "big5", "big5"),
        (
            "姓名\n鑫婷昊琪瑾堃\n李鑫\n王婷婷\n赵昊\n孙琪\n周瑾\n吴建国\n郑秀英\n冯志强\n陈建华\n褚卫东\n",
            "gb18030",
            "gb18030",
        ),
        ("plain,ascii\n", "ascii", "utf-8"),
        ("姓名\n", "utf-8-sig", "utf-8-sig"),
    ],
)
def test_the_verdict_is_the_same_however_the_file_is_cut(text: str, encoding: str, expected: str, block: int) -> None:
    data = (text * 40).encode(encoding)
    blocks = (
        [data[at : at + block] for at in range(0, len(data), block)] if block > 6 or encoding != "utf-8-sig" else [data]
    )
    assert verdict(lambda: iter(blocks), "f.csv") == expected


@pytest.mark.parametrize("text", ["Constitución México snabbköp père et fils\n", "Würth Göppingen Größe\n"])
def test_western_text_is_asked_about(text: str) -> None:
    with pytest.raises(InputError) as caught:
        verdict(lambda: iter([(text * 30).encode("cp1252")]), "f.csv")
    assert "cp1252" in caught.value.problems[0].en


def test_one_odd_byte_at_the_end_of_a_long_file_counts() -> None:
    data = "姓名,单雄信\n".encode() * 50_000 + b"\xff\n"
    with pytest.raises(InputError):
        verdict(lambda: (data[at : at + 65536] for at in range(0, len(data), 65536)), "f.csv")


COLUMNS = Columns(["a", "b", "rate"], ["-"])


@pytest.mark.parametrize(
    ("cell", "row", "expected"),
    [
        (Cell(multiply=("a", "b")), ["2.55", "80", ""], Decimal("204.00")),
        (Cell(multiply=("a", "b"), discount="rate"), ["15.2", "5", "0.2"], Decimal("60.80")),
        (Cell(column="a"), ["￥1,234.5", "", ""], Decimal("1234.5")),
        (Cell(column="a"), ["50万", "", ""], Decimal(500000)),
        (Cell(column="a", digits=15), ["11129.580000000002", "", ""], Decimal("11129.58")),
        (Cell(column="a", digits=15), ["10.005", "", ""], Decimal("10.005")),
        (Cell(multiply=("a",), sum_of=("b", "rate")), ["3", "2", "1"], Decimal(9)),
        (Cell(column="a"), ["-", "", ""], None),
        (Cell(multiply=("a", "b")), ["1", " ", ""], None),
    ],
)
def test_numbers_are_exact(cell: Cell, row: list[str], expected: Decimal | None) -> None:
    assert numbers(COLUMNS, cell)(row) == expected


@pytest.mark.parametrize(
    ("cell", "given_", "expected"),
    [
        (Cell(column="a"), " x ", "x"),
        (Cell(column="a", map={"是": "退"}), "是", "退"),
        (Cell(column="a", prefix="no "), "7", "no 7"),
        (Cell(column="a", as_written=True), "7.0", "7.0"),
        (Cell(column="a", integer_text=True), "-7.0", "-7"),
        (Cell(columns=("a", "b"), join="/"), "x", "x"),
        (Cell(value="fax"), "", "fax"),
    ],
)
def test_words(cell: Cell, given_: str, expected: str) -> None:
    assert words(COLUMNS, cell)([given_, "", ""]) == expected


def test_a_word_that_is_not_in_the_map_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        words(COLUMNS, Cell(column="a", map={"是": "退"}))(["否", "", ""])
    assert caught.value.code == "intake.map" and "否" not in repr(caught.value.facts)


def test_every_reason_has_both_languages_and_a_remedy() -> None:
    facts = dict.fromkeys(
        ("column", "table", "count", "field", "got", "expected", "encoding", "state", "code", "candidates", "limit",
         "sheet", "nearest", "what", "line", "name"), "x",
    )  # fmt: skip
    for code in reasons.TEXTS:
        problem = reasons.reason(code, "p", **facts)
        assert all((problem.zh, problem.en, problem.fix_zh, problem.fix_en))
        assert "-" not in problem.zh and "{" not in problem.en + problem.zh, code
    assert reasons.reason("nothing.known", "p").code == "intake.refused"
