"""Shelf, registry and projection."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.codec import SectionRegistry, default_registry, lens, view_class, withheld_view
from dossier.codec.anatomy import anatomy, believes
from dossier.errors import DamagedError, InputError, WithheldError
from dossier.model.fields import SectionSpec, Shape, Tier, many, one, section, section_spec
from dossier.model.sections import KERNEL, KeyPerson, OrganizationBasic, PhonePart
from dossier.model.values import Money, Per, PersonName, Phone, Short
from dossier.model.withheld import WITHHELD, Masked, Withheld, known
from dossier.testing.sections import sections

REGISTRY = default_registry()
ORGANIZATION = REGISTRY.spec("basic", "organization")
CODEC = REGISTRY.codec(ORGANIZATION)
SAMPLE = OrganizationBasic(
    name="x",
    short_names=["b", "a", "b"],
    phones=[PhonePart(key="k2", number=Phone("2")), PhonePart(key="k1", number=Phone("1"), use="fax")],
    key_persons=[KeyPerson(key="p1", name=PersonName(family="单"), phones=[PhonePart(key="q1", number=Phone("3"))])],
    assets=[Per("2026", Money("1.50")), Per("2025", Money(2))],
)


def test_stored_form() -> None:
    assert CODEC.dump(SAMPLE) == (
        b'{"assets":[{"period":"2025","value":{"amount":"2","currency":"CNY"}},'
        b'{"period":"2026","value":{"amount":"1.5","currency":"CNY"}}],'
        b'"key_persons":[{"key":"p1","name":{"family":"\xe5\x8d\x95"},"phones":[{"key":"q1","number":{"given":"3"}}]}],'
        b'"name":"x","phones":[{"key":"k1","number":{"given":"1"},"use":"fax"},{"key":"k2","number":{"given":"2"}}],'
        b'"short_names":["a","b"]}'
    )
    assert CODEC.dump(OrganizationBasic()) == b"{}"


def test_leaves() -> None:
    assert CODEC.flatten(SAMPLE) == [
        ("name", b'"x"'),
        ("short_names", b'["a","b"]'),
        ("phones[k1]/number", b'{"given":"1"}'),
        ("phones[k1]/use", b'"fax"'),
        ("phones[k2]/number", b'{"given":"2"}'),
        ("key_persons[p1]/name", '{"family":"单"}'.encode()),
        ("key_persons[p1]/phones[q1]/number", b'{"given":"3"}'),
        ("assets[2025]", b'{"amount":"2","currency":"CNY"}'),
        ("assets[2026]", b'{"amount":"1.5","currency":"CNY"}'),
    ]
    assert ORGANIZATION.leaf("assets[2026]").shape is Shape.SERIES
    with pytest.raises(InputError):
        CODEC.unflatten([("nothing", b"1")])
    with pytest.raises(InputError):
        ORGANIZATION.leaf("name[k1]")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"name":5}', b'{"name":"\xff"}', b'{"phones":[{"number":"1"}]}'])
def test_damage_is_told(body: bytes) -> None:
    with pytest.raises(DamagedError):
        CODEC.load(body)


# -- versions -------------------------------------------------------------------------------------


@section("pack:wine", version=(2, 1), zh="酒", en="wine")
@attrs.frozen(kw_only=True)
class Wine:
    label: Short | None = one("酒标", "label", row="M46", flags="personal")
    grapes: tuple[Short, ...] = many("葡萄", "grapes", row="M46", tier=Tier.INTERNAL)


def _registry() -> SectionRegistry:
    registry = SectionRegistry(KERNEL)
    registry.register(Wine)

    @registry.upcaster("pack:wine", since=(1, 3), to=(2, 0))
    def grape_to_grapes(stored: dict[str, Any]) -> dict[str, Any]:
        grape = stored.pop("grape", None)
        return {**stored, "grapes": [grape]} if grape else stored

    @registry.upcaster("pack:wine", since=(2, 0), to=(2, 1))
    def name_to_label(stored: dict[str, Any]) -> dict[str, Any]:
        return {("label" if key == "name" else key): value for key, value in stored.items()}

    return registry


def test_upcasting() -> None:
    registry = _registry()
    for stored in ((1, 0), (1, 3), (2, 0)):
        assert registry.status("pack:wine", "person", stored) == "older"
    old = b'{"grape":"Riesling","kept":[1],"name":"A"}'
    assert registry.upcast("pack:wine", None, (1, 2), old) == b'{"grapes":["Riesling"],"kept":[1],"label":"A"}'
    assert registry.upcast("pack:wine", None, (2, 0), b'{"name":"A"}') == b'{"label":"A"}'
    with pytest.raises(DamagedError):
        registry.upcast("pack:wine", None, (1, 0), b"[]")
    bare = SectionRegistry([Wine])
    assert bare.status("pack:wine", None, (1, 0)) == "unknown"
    assert bare.status("pack:wine", None, (2, 0)) == "older"
    assert bare.upcast("pack:wine", None, (2, 0), b"{}") == b"{}"
    with pytest.raises(ValueError, match="later"):
        bare.upcaster("pack:wine", since=(2, 0), to=(1, 0))


def test_registries_are_separate_and_know_their_classes() -> None:
    registry = _registry()
    assert default_registry().find("pack:wine") is None and registry.spec("pack:wine", "group").cls is Wine
    assert registry.register(Wine) is Wine
    assert [spec.key for spec in registry.specs("person")].count("basic") == 1

    @section("pack:wine", zh="酒", en="wine")
    @attrs.frozen(kw_only=True)
    class Other:
        label: Short | None = one("酒标", "label", row="M46")

    with pytest.raises(ValueError, match="registered already"):
        registry.register(Other)
    with pytest.raises(TypeError, match="not marked"):
        section_spec(PhonePart)
    with pytest.raises(ValueError, match="section key"):
        section("No Key", zh="x", en="x")


# -- views ----------------------------------------------------------------------------------------


def _all_masked(spec: SectionSpec, view: Any, mask: int) -> None:
    for field in spec.fields.values():
        shown = getattr(view, field.name)
        if not field.mask & mask:
            assert shown is WITHHELD
        elif not field.fields:
            assert shown is not WITHHELD
        else:
            for part in shown:
                for name, inner in field.fields.items():
                    assert (getattr(part, name) is WITHHELD) == (not inner.mask & mask)


@given(st.sampled_from(REGISTRY.specs()).flatmap(lambda spec: st.tuples(st.just(spec), sections(spec), st.integers(0))))
def test_projection_withholds_exactly_what_the_mask_leaves_out(case: tuple[SectionSpec, Any, int]) -> None:
    spec, held, number = case
    mask = number & spec.full
    view = lens(spec, mask).show(held)
    _all_masked(spec, view, mask)
    assert type(view) is view_class(spec.cls)
    full = lens(spec, spec.full).show(held)
    for name in spec.fields:
        if not spec.fields[name].fields:
            assert getattr(full, name) == getattr(held, name)


def test_a_withheld_field_looks_the_same_whether_there_is_a_value_or_not() -> None:
    assert lens(ORGANIZATION, 0).show(SAMPLE) == withheld_view(ORGANIZATION)
    assert repr(lens(ORGANIZATION, 0).show(SAMPLE)) == repr(withheld_view(ORGANIZATION))


def test_what_may_not_be_read_is_not_decoded() -> None:
    through = lens(ORGANIZATION, ORGANIZATION.mask("name"))
    assert through.show(through.load(b'{"name":"A","phones":7,"scope":false}')).name == "A"
    with pytest.raises(DamagedError):
        lens(ORGANIZATION, ORGANIZATION.full).load(b'{"name":"A","phones":7}')


def test_views_are_immutable_and_survive_pickle() -> None:
    view = lens(ORGANIZATION, ORGANIZATION.mask("name", "key_persons")).show(SAMPLE)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        view.name = "y"
    again = pickle.loads(pickle.dumps(view))
    assert again == view and again.phones is WITHHELD and copy.deepcopy(view) == view
    assert view.key_persons[0].phones[0].number == Phone("3")
    assert "给" not in repr(view) and "单" in repr(view)


def test_views_of_packs() -> None:
    registry = _registry()
    spec = registry.spec("pack:wine")
    view = lens(spec, spec.mask("grapes")).show(Wine(label="Z", grapes=["a"]))
    assert view.label is WITHHELD and view.grapes == ("a",) and type(view).__name__ == "WineView"
    assert "Z" not in repr(lens(spec, spec.full).show(Wine(label="Z")))


def test_masks_by_name() -> None:
    assert ORGANIZATION.mask("phones") == ORGANIZATION.mask("phones[*]/number", "phones[*]/use", "phones[*]/span")
    nested = ORGANIZATION.mask("key_persons[*]/phones")
    assert nested == ORGANIZATION.mask(*(f"key_persons[*]/phones[*]/{name}" for name in ("number", "use", "span")))
    assert ORGANIZATION.mask() == 0 and ORGANIZATION.mask(*ORGANIZATION.fields) == ORGANIZATION.full
    with pytest.raises(InputError):
        ORGANIZATION.mask("nothing")


# -- WITHHELD -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "use",
    [
        bool,
        len,
        iter,
        int,
        float,
        lambda x: x < 1,
        lambda x: x <= 1,
        lambda x: x < x,
        lambda x: x + 1,
        lambda x: 1 + x,
        lambda x: x * 2,
        lambda x: x % 2,
        lambda x: -x,
        lambda x: x[0],
        lambda x: 1 in x,
        lambda x: x | 1,
        lambda x: [1, 2][x],
        lambda x: sorted([x, x]),
    ],
)
def test_nothing_is_computed_from_withheld(use: Any) -> None:
    with pytest.raises(WithheldError):
        use(WITHHELD)


def test_withheld_is_one() -> None:
    assert pickle.loads(pickle.dumps(WITHHELD)) is copy.copy(WITHHELD) is copy.deepcopy([WITHHELD])[0] is Withheld()
    assert WITHHELD == WITHHELD and WITHHELD != "WITHHELD" and WITHHELD != ()
    assert hash(WITHHELD) == hash(Withheld())
    assert repr(WITHHELD) == str(WITHHELD) == f"{WITHHELD}" == "WITHHELD"
    assert WITHHELD.text("zh") == "不予显示" and WITHHELD.text() == "withheld"
    with pytest.raises(TypeError):
        type("More", (Withheld,), {})
    with pytest.raises(AttributeError):
        WITHHELD.value = 1  # type: ignore[attr-defined]


def test_known() -> None:
    assert known("x") and known(0) and known(())
    assert not known(None) and not known(WITHHELD) and not known(Masked("138****1234"))
    assert not isinstance(Masked("x"), str)


def test_lenses_end_with_their_registry() -> None:
    registry = default_registry()
    spec = registry.spec("basic", "person")
    assert lens(spec, 1) is lens(spec, 1)
    assert anatomy(spec) is anatomy(spec)
    withheld_view(spec)
    believes(spec, "visit")
    ended = weakref.ref(spec)
    del registry, spec
    gc.collect()
    assert ended() is None
