"""The laws K1 to K3 as far as door and shelf can break them, as functions that a pack runs over its own registry.

Floor: testing. Use, in a test of a pack: `check_K1(registry)`, `check_K2(registry)`,
`check_K3(Door(registry), registry)`. Each raises AssertionError with the counterexample; `broken_codec` holds the
variants that must fail them.
"""

# ruff: noqa: N802 - a law keeps its number's spelling

from __future__ import annotations

import logging
import pickle
import random
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import msgspec
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from dossier.codec.documents import get, put
from dossier.codec.door import Door
from dossier.codec.registry import SectionRegistry
from dossier.codec.shelf import SectionCodec
from dossier.errors import DamagedError, DossierError, InputError
from dossier.model.edits import edit
from dossier.model.fields import FieldSpec, SectionSpec, Shape
from dossier.model.values import Money, PartialDate, Term
from dossier.model.withheld import WITHHELD
from dossier.repository.canonical import decode, encode, is_canonical
from dossier.testing.sections import plain, sections

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def same(one: Any, other: Any) -> bool:
    """Equal in value and in type, all the way down."""
    if type(one) is not type(other):
        return False
    if attrs.has(type(one)):
        return all(same(getattr(one, each.name), getattr(other, each.name)) for each in attrs.fields(type(one)))
    if isinstance(one, tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def _run(examples: int, test: Callable[..., None], **strategies: st.SearchStrategy[Any]) -> None:
    settings(max_examples=examples, deadline=None, database=None, suppress_health_check=_QUIET)(
        given(**strategies)(test)
    )()


def check_K1(registry: SectionRegistry, *, examples: int = 60) -> None:
    """`load(dump(x)) == x`, types compared; equal dumps exactly for equal objects; canonical; leaves and back."""

    def law(spec: SectionSpec, data: st.DataObject) -> None:
        codec = registry.codec(spec)
        one = data.draw(sections(spec))
        body = codec.dump(one)
        assert is_canonical(body), "the bytes are canonical"
        assert same(_loaded(codec, body), one), "load(dump(x)) is x"
        other = data.draw(st.one_of(sections(spec), _neighbour(spec, one)))
        assert (codec.dump(other) == body) == same(one, other), "equal bytes exactly for equal objects"
        quick = codec.quick(one)
        assert quick is not None and quick.raw == body, "a valid object passes the quick check as the same bytes"
        values = {each.name: held for each in attrs.fields(spec.cls) if (held := getattr(one, each.name)) is not None}
        for document in (quick.document(), quick.document(), codec.document(values)):
            stands_for = document == decode(body) and encode(document) == body
            assert stands_for, "the JSON object that was made is the one that the bytes stand for"
        leaves = codec.flatten(one)
        random.Random(0).shuffle(leaves)
        assert codec.unflatten(leaves) == body, "the leaves make the section again"

    _run(examples, law, spec=st.sampled_from(registry.specs()), data=st.data())


def _loaded(codec: SectionCodec, body: bytes) -> Any:
    """The object of stored bytes, None if the codec calls them damaged."""
    try:
        return codec.load(body)
    except DamagedError:
        return None


def _neighbour(spec: SectionSpec, one: Any) -> st.SearchStrategy[Any]:
    """The same section, or one that differs in one field, with the members of each container given in reverse."""
    held = plain(one)
    turned = {name: tuple(reversed(value)) if isinstance(value, tuple) else value for name, value in held.items()}
    again = st.just(spec.cls(**turned))
    changed = sections(spec).map(lambda other: spec.cls(**{**held, **dict(list(plain(other).items())[:1])}))
    return st.one_of(again, changed)


def check_K2(registry: SectionRegistry, *, examples: int = 40) -> None:
    """Unknown fields of a newer minor survive an edit bit for bit and never reach an object; majors are told apart."""

    def law(spec: SectionSpec, data: st.DataObject) -> None:
        codec = registry.codec(spec)
        one = data.draw(sections(spec))
        more = data.draw(st.dictionaries(_NEWER, _JSON, min_size=1, max_size=3))
        document = {**decode(codec.dump(one)), **more}
        body = encode(document)
        assert same(_loaded(codec, body), one), "fields that are not known are left out of the object"
        single = [each for each in spec.fields.values() if each.declared.shape is Shape.ONE]
        field = data.draw(st.sampled_from(single))
        path = f"{spec.key}/{field.name}"
        put(document, path, get(document, path) or "x")
        for name, value in more.items():
            kept = msgspec.json.decode(encode(document), type=dict[str, msgspec.Raw])[name]
            assert bytes(kept) == encode(value), "and are there, bit for bit, after an edit of another field"
        major, minor = spec.version
        stored = data.draw(st.tuples(st.integers(major, major + 2), st.integers(0, minor + 2)))
        expected = "known" if stored == spec.version else "newer_minor" if stored[0] == major else "opaque_newer"
        if stored >= spec.version:
            assert registry.status(spec.key, spec.kind, stored) == expected, "the status follows from the version"
        assert registry.status("nobody:knows", None, stored) == "unknown"

    _run(examples, law, spec=st.sampled_from(registry.specs()), data=st.data())


_NEWER = st.sampled_from(["newer", "zz_more", "aa_more", "later_field"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text('aé花\\"\n', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b_c"]), inner, max_size=2),
    max_leaves=5,
)

Planted = tuple[Any, list[tuple[str, str]]]
"""A value to plant, and the (step below the field, code) of each problem it makes."""


def check_K3(door: Door, registry: SectionRegistry, *, examples: int = 120) -> None:
    """k planted problems give exactly those k; no planted value occurs in anything that hangs on the error."""

    def law(spec: SectionSpec, data: st.DataObject) -> None:
        marker = data.draw(st.text("ABCDEFGHJKMNPQRSTUVWXYZ", min_size=14, max_size=14))
        values: dict[str, Any] = dict(plain(data.draw(sections(spec))))
        wrong = data.draw(st.lists(st.sampled_from(sorted(spec.fields)), unique=True, max_size=6))
        expected: list[tuple[str, str]] = []
        for name in wrong:
            value, found = data.draw(st.sampled_from(faults(spec.fields[name], marker)))
            values[name] = value
            expected.extend((f"{spec.key}/{name}{step}", code) for step, code in found)
        if data.draw(st.booleans()):
            values["nmae"] = marker
            expected.append((f"{spec.key}/nmae", "field.unknown"))
        if data.draw(st.booleans()):
            values[marker] = marker
            expected.append((f"{spec.key}/?", "field.unknown"))
        note(f"planted {expected}")
        error = _refused(door, spec, values)
        found = [] if error is None else [(each.path, each.code) for each in getattr(error, "problems", ())]
        assert sorted(found) == sorted(expected), f"found {sorted(found)}"
        if error is not None:
            assert not leaks(error, marker), "a planted value hangs on the error"
            for each in getattr(error, "problems", ()):
                assert each.zh and each.en and each.fix_zh and each.fix_en, "both languages and a remedy"

    _run(examples, law, spec=st.sampled_from(registry.specs()), data=st.data())


def _refused(door: Door, spec: SectionSpec, values: Mapping[str, Any]) -> DossierError | None:
    caught: DossierError | None = None
    try:
        parsed = door.parse(spec, values)
        if parsed.problems:
            raise InputError(parsed.problems)
    except DossierError as error:
        caught = error
    return caught


def leaks(error: BaseException, marker: str) -> list[str]:
    """Where `marker` occurs in what hangs on an error: texts, arguments, notes, log, traceback, causes, pickle."""
    seen: dict[str, str] = {}
    chain: list[BaseException] = [error]
    while chain:
        each = chain.pop()
        name = type(each).__name__
        seen[f"str {name}"] = str(each)
        seen[f"repr {name}"] = repr(each)
        seen[f"args {name}"] = repr(each.args)
        seen[f"dict {name}"] = repr(vars(each))
        seen[f"notes {name}"] = repr(getattr(each, "__notes__", ()))
        seen[f"traceback {name}"] = "".join(traceback.format_exception(each))
        record = logging.LogRecord("dossier", logging.ERROR, "", 0, "%s", (each,), (type(each), each, None))
        seen[f"log {name}"] = logging.Formatter().format(record)
        chain.extend(found for found in (each.__cause__, each.__context__) if found is not None)
        chain.extend(getattr(each, "exceptions", ()))
    seen["pickle"] = repr(pickle.dumps(error))
    return [where for where, text in seen.items() if marker in text]


def faults(field: FieldSpec, marker: str) -> list[Planted]:
    """Wrong values for a field, with the problems each of them makes; the marker stands in what can hold it."""
    shape = field.declared.shape
    if shape is Shape.COMPUTED:
        return [(marker, [("", "field.computed")])]
    common: list[Planted] = [(None, [("", "value.none")]), (1.5j, [("", _OTHER[shape])])]
    if shape is Shape.ONE:
        return [*common, (edit(add=[marker]), [("", "field.edit")]), *_single(field, marker, "")]
    common += [(marker, [("", "value.container")]), ([marker] * 1001, [("", "value.too_many")])]
    if shape is Shape.SERIES:
        return [
            (None, [("", "value.none")]),
            ({marker: 1.5j}, [("[0]/period", "value.period"), ("[0]/value", "value.type")]),
            ([{"period": "2026", "value": None}, {"period": marker, "value": None}],
             [("[0]/value", "value.none"), ("[1]/period", "value.period"), ("[1]/value", "value.none")]),
        ]  # fmt: skip
    found: list[Planted] = [*common]
    for value, problems in _single(field, marker, "[0]"):
        found.append(([value], problems))
        found.append((edit(add=[value]), [(f"/add{step}", code) for step, code in problems]))
    if shape is Shape.ITEMS:
        bad = {name: 1.5j for name, inner in field.fields.items() if inner.declared.shape is Shape.ONE}
        found.append(([bad], [(f"[0]/{name}", "value.type") for name in bad]))
        found.append((edit(change={"k1": bad}), [(f"[k1]/{name}", "value.type") for name in bad]))
        found.append(([{}], [("[0]", "part.empty")]))
        found.append(([{marker: marker}], [("[0]/?", "field.unknown")]))
    return found


_OTHER = {Shape.ONE: "value.type", Shape.SET: "value.container", Shape.ITEMS: "value.container", Shape.SERIES: ""}


def _single(field: FieldSpec, marker: str, step: str) -> list[Planted]:
    """Wrong single values: types, limits, forms."""
    found: list[Planted] = [(WITHHELD, [(step, "value.withheld")]), ([marker], [(step, "value.type")])]
    if field.type is str:
        found += [
            (marker + "\0", [(step, "value.nul")]),
            (marker + "\ud800", [(step, "value.surrogate")]),
            (marker * 1000, [(step, "value.too_long")]),
            ("", [(step, "value.empty")]),
            (marker.encode(), [(step, "value.type")]),
        ]
    elif field.type is Money:
        found += [
            (1.5, [(step, "value.float_money")]),
            (marker, [(step, "value.number")]),
            ("7" * 70, [(step, "value.number_long")]),
            ("NaN", [(step, "value.not_finite")]),
            (
                {"amount": marker, "currency": marker},
                [(f"{step}/amount", "value.number"), (f"{step}/currency", "value.currency")],
            ),
        ]
    elif field.type is PartialDate:
        found += [
            (marker, [(step, "value.date")]),
            ("2023-02-29", [(step, "value.date_leap")]),
            ("2023-13", [(step, "value.date_month")]),
            ({"year": marker, "mnth": marker}, [(f"{step}/year", "value.type"), (f"{step}/mnth", "field.unknown")]),
        ]
    elif field.type is Term:
        found += [({"cod": marker}, [(f"{step}/cod", "field.unknown")]), (f"{marker}[", [(step, "value.code")])]
    return found
