"""The language of `--where`: what is printed is parsed back; what is not understood is refused with its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dossier as ds
from dossier.cli.where import LIMIT, parse, show, typed
from dossier.desk.finding import Condition

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="()=<>!,\"'“”"),
                min_size=1, max_size=8).filter(lambda word: word.split() == [word])  # fmt: skip
KEYWORDS = {"and", "or", "not", "in", "absent", "prefix", "contains"}
PATHS = WORDS.filter(lambda word: word not in KEYWORDS)
VALUES = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
TESTS = st.one_of(
    st.builds(lambda op, path, value: Condition(op, path, (value,)),
              st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge", "prefix", "contains"]), PATHS, VALUES),
    st.builds(lambda path, values: Condition("in", path, tuple(values)), PATHS, st.lists(VALUES, max_size=3)),
    st.builds(lambda path: Condition("absent", path), PATHS),
)  # fmt: skip
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
    ),
    max_leaves=12,
)  # fmt: skip


@given(CONDITIONS)
def test_what_is_printed_is_parsed_back(condition: Condition) -> None:
    assert parse(show(condition)) == condition


@given(
    st.text(max_size=40) | st.lists(st.sampled_from([*KEYWORDS, *"()=<>!,\"'“”\\", "a", " "]), max_size=14).map("".join)
)
def test_any_text_is_a_condition_or_refused_with_its_place(text: str) -> None:
    try:
        condition = parse(text)
    except ds.errors.InputError as refusal:
        (problem,) = refusal.problems
        assert problem.code in ("where.expected", "where.quote")
        place = int(problem.path.removeprefix("where:"))
        assert 1 <= place <= len(text) + 1
    else:
        assert parse(show(condition)) == condition


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("basic/addresses/region = 华东", ds.field("basic/addresses/region") == "华东"),
        ("a != 1 and b < 2 or c >= 3", ((ds.field("a") != "1") & (ds.field("b") < "2")) | (ds.field("c") >= "3")),
        ("a = 1 and (b <= 2 or c > 3)", (ds.field("a") == "1") & ((ds.field("b") <= "2") | (ds.field("c") > "3"))),
        ("not not kind = person", ~~(ds.field("kind") == "person")),
        ("not a absent and b absent", ~ds.field("a").absent() & ds.field("b").absent()),
        ("total >= 'CNY 500.50'", ds.field("total") >= "CNY 500.50"),
        ('a in (1, “华 东”, "x\\"y")', ds.field("a").one_of("1", "华 东", 'x"y')),
        ("a in ()", ds.field("a").one_of()),
        ("name prefix 单", ds.field("name").starts_with("单")),
        ("name contains and", ds.field("name").contains("and")),
        ("a=1", ds.field("a") == "1"),
    ],
)
def test_conditions_mean_what_they_say(text: str, wanted: Condition) -> None:
    assert parse(text) == wanted


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "where.expected", 1),
        ("a", "where.expected", 2),
        ("a =", "where.expected", 4),
        ("a = 1 b = 2", "where.expected", 7),
        ("a ! 1", "where.expected", 3),
        ("a = and b = x", "where.expected", 9),
        ("a = 'x", "where.quote", 5),
        ("(a = 1", "where.expected", 7),
        ("a in 1", "where.expected", 6),
        ("a in (1 2)", "where.expected", 9),
        ("and = 1", "where.expected", 1),
    ],
)  # fmt: skip
def test_what_is_not_understood_has_a_place(text: str, code: str, place: int) -> None:
    with pytest.raises(ds.errors.InputError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert (problem.code, problem.path) == (code, f"where:{place}")


@pytest.mark.parametrize("text", ["(" * (LIMIT + 1), "not " * (LIMIT + 1), " or ".join(["a = 1"] * (LIMIT + 1))])
def test_what_is_too_long_is_refused(text: str) -> None:
    with pytest.raises(ds.errors.InputError) as caught:
        parse(text)
    assert caught.value.problems[0].code == "where.deep"


@pytest.mark.law("K3")
@given(st.sampled_from(["{0} {0}", "a = {0} {0}", "a = '{0}", "({0} = 1", "transaction_status/times = {0}"]))
def test_K3_no_error_repeats_what_was_typed(form: str) -> None:
    marker = "zqx8单雄信mmm7"
    with pytest.raises(ds.errors.InputError) as caught:
        typed(parse(form.format(marker)))
    assert marker not in f"{caught.value} {caught.value!r} {caught.value.args} {caught.value.problems}"


def test_values_are_typed_by_their_fields() -> None:
    path = "transaction_status/times"
    assert typed(parse(f"not {path} >= 15")) == ~(ds.field(path) >= 15)
    assert typed(parse(f"{path} in (1, 2)")) == ds.field(path).one_of(1, 2)
    assert typed(parse("basic/phones/number = 18612345678")) == (ds.field("basic/phones/number") == "18612345678")
    with pytest.raises(ds.errors.InputError) as caught:
        typed(parse(f"{path} = 1.5"))
    assert caught.value.problems[0].code == "where.whole"
