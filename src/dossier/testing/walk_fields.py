"""What walks change: a few fields of every shape, few values, and both sides' names for them.

Floor: testing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Literal

import attrs
from hypothesis import settings

from dossier.desk.archive import Archive
from dossier.desk.views import DossierView
from dossier.model.absence import Absence
from dossier.model.values import Money, Rating, Term
from dossier.testing.history_oracle import Nothing, Path
from dossier.testing.place import FULL, Reach, run

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
