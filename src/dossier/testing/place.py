"""What every check of the kit stands on: places where a repository can be made, reach counters, comparison.

Floor: testing. A check is a plain function `check_…(places, *, examples, profile)`; it raises AssertionError where the
law does not hold and where too little of what it promises to visit was visited (a green run means visited).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, NoReturn, TypeAlias

import attrs
from hypothesis import HealthCheck, settings

from dossier.repository import Driver, Repository


@attrs.frozen
class Place:
    """An address where nothing is yet, and the driver that makes a repository there."""

    driver: Driver
    url: str

    def create(self, **options: object) -> Repository:
        """A new repository at the address."""
        return self.driver(self.url, mode="create", options=options)

    def open(self, mode: Literal["rw", "r"] = "rw", **options: object) -> Repository:
        """The repository that is at the address."""
        return self.driver(self.url, mode=mode, options=options)


Places: TypeAlias = Callable[[], Place]
"""Gives a fresh place at each call."""

FULL = 20
"""From this many examples on a check also asserts its reach."""


class Reach(Counter[str]):
    """Counts what a check visited."""

    def missed(self, *names: str) -> list[str]:
        """The names that were never counted."""
        return [name for name in names if not self[name]]

    def require(self, examples: int, *names: str, least: int = 1) -> None:
        """AssertionError unless each name was counted `least` times; not asked of fewer than `FULL` examples."""
        missed = [name for name in names if self[name] < least]
        if examples >= FULL and missed:
            fail(f"never or too rarely reached: {', '.join(missed)}; counts: {dict(self)}")

    def require_share(self, examples: int, part: str, whole: str, percent: int) -> None:
        """AssertionError if `part` is less than `percent` of `whole`; not asked of fewer than `FULL` examples."""
        if examples >= FULL and self[part] * 100 < self[whole] * percent:
            fail(f"only {self[part]} of {self[whole]} {whole} were {part}; {percent} % are asked for")


def run(
    law: Callable[[], None],
    *,
    examples: int,
    profile: settings | None,
    again: Callable[[], bool] = lambda: False,
    rounds: int = 4,
) -> None:
    """Run a `@given` function `examples` times under `profile` (None: the profile that is loaded); and as often anew
    while `again()`, at most `rounds` times in all."""
    ready = settings(
        profile,
        max_examples=examples,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )(law)
    for _ in range(rounds):
        ready()
        if not again():
            break


def fail(what: str) -> NoReturn:
    """Raise AssertionError (also under `python -O`)."""
    raise AssertionError(what)


def same(what: str, got: Any, wanted: Any) -> None:
    """AssertionError unless both are equal and of the same type."""
    if got != wanted or type(got) is not type(wanted):
        fail(f"{what}:\n  got    {_short(got)}\n  wanted {_short(wanted)}")


def holds(what: str, condition: bool) -> None:
    """AssertionError unless the condition holds."""
    if not condition:
        fail(what)


def raises(error: type[BaseException], call: Callable[..., object], what: str, *given: object) -> None:
    """AssertionError unless `call(*given)` raises `error` (or a subclass)."""
    try:
        call(*given)
    except error:
        return
    except Exception as other:
        seen = type(other).__name__
    else:
        seen = "nothing"
    fail(f"{what}: {error.__name__} was due, {seen} came")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 4000 else f"{text[:2000]} … {text[-2000:]}"
