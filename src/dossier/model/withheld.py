"""What a reader is given in place of what he may not read: one sentinel, present and absent alike.

Floor: model. Nothing about the stored value can be had from the sentinel, so everything
that would compare, count or print it differently raises.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn, TypeGuard, TypeVar, final

import attrs

from dossier.errors import Lang, WithheldError

T = TypeVar("T")


@final
class Withheld:
    """The type of `WITHHELD`. Equality is identity; pickle and copy keep identity; everything else raises."""

    __slots__ = ()

    def __new__(cls) -> Withheld:
        return WITHHELD

    def __repr__(self) -> str:
        return "WITHHELD"

    def text(self, lang: Lang = "en") -> str:
        """The words that stand in place of the value."""
        return "不予显示" if lang == "zh" else "withheld"

    def __str__(self) -> str:
        return "WITHHELD"

    def __format__(self, spec: str) -> str:
        return format("WITHHELD", spec)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return 0x57495448

    def __reduce__(self) -> str:
        return "WITHHELD"

    def __copy__(self) -> Withheld:
        return self

    def __deepcopy__(self, memo: object) -> Withheld:
        return self

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("Withheld has no subclasses")

    def _refuse(self, *_: object) -> NoReturn:
        raise WithheldError()

    __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = __int__ = __float__ = __index__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = __abs__ = _refuse
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _refuse


WITHHELD: Final[Withheld] = object.__new__(Withheld)
"""Stands in a view for every field that the caller may not read, whether or not there is a value."""


@attrs.frozen
class Masked:
    """A value shown in part, such as `138****1234`. Not a str, and refused when it comes back in a change."""

    shown: str

    def text(self, lang: Lang = "en") -> str:
        """The part that is shown, the same in both languages."""
        return self.shown


def known(value: T | Withheld | Masked | None) -> TypeGuard[T]:
    """Whether `value` is there and readable: neither None nor WITHHELD nor Masked."""
    return value is not None and value is not WITHHELD and type(value) is not Masked


def mask_repr(value: object) -> str:
    """How a personal value stands in the repr of its owner: values that mask themselves as they do, else `***`."""
    if value is None or value is WITHHELD or type(value) is Masked or value == () or hasattr(value, "masked"):
        return repr(value)
    return "***"


def reveal(value: Any) -> str:
    """The plain text of a value whose repr is masked, and of a section or part all that it holds.

    For places where a person is meant to read it; never for logs.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return "(" + ", ".join(reveal(each) for each in value) + ")"
    kind = type(value)
    show = getattr(kind, "text", None)
    if callable(show):
        return str(show(value, "zh"))
    if attrs.has(kind):
        held = ((field.name, getattr(value, field.name)) for field in attrs.fields(kind))
        shown = (f"{name}={reveal(each)}" for name, each in held if each is not None and each not in ((), ""))
        return f"{kind.__name__}({', '.join(shown)})"
    return str(value)
