"""What a broken desk is, and the list of them.

Floor: testing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import attrs

Replace = tuple[Any, str, Any]
"""(owner, name, what stands there instead)."""


@attrs.frozen
class BrokenDesk:
    """One wrong desk. `law` is the check that must fail, `also` names others that must fail with it, and `perhaps`
    those that do when two things happen at one moment."""

    name: str
    law: str
    what: str
    pieces: Callable[[], Sequence[Replace]]
    also: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Break the library for a while."""
        with ExitStack() as stack:
            for owner, name, instead in self.pieces():
                stack.enter_context(patch.object(owner, name, instead))
            yield

    def __str__(self) -> str:
        return self.name


VARIANTS: list[BrokenDesk] = []


def variant(
    law: str, *also: str, perhaps: tuple[str, ...] = ()
) -> Callable[[Callable[[], Sequence[Replace]]], Callable[[], Sequence[Replace]]]:
    """Note a function that gives the pieces of a broken desk; its docstring says what is wrong."""

    def note(pieces: Callable[[], Sequence[Replace]]) -> Callable[[], Sequence[Replace]]:
        VARIANTS.append(BrokenDesk(pieces.__name__, law, str(pieces.__doc__), pieces, also, perhaps))
        return pieces

    return note
