"""Repositories that are wrong on purpose: proof that the kit finds what it is there to find.

Floor: testing. Each variant is the oracle with one method replaced; it names the check that must fail (`law`), others
that must fail with it (`also`), and in its docstring what is wrong. The checks it does not name pass, but for
`machine`, which mixes all laws. A plugin author may break a repository of their own in the same way. What only a crash
finds is in `crash_variants`: repositories on a file, which say with `broken` whether the crash check must fail.
"""

from __future__ import annotations

from types import ModuleType

from dossier.testing import broken_queries, broken_rows
from dossier.testing.broken_files import FileOracle, KeySavedFirst, KeySavedLater, SavedByOperation, SavedLate
from dossier.testing.broken_rows import Broken

__all__ = ["Broken", "crash_variants", "variants"]


def variants() -> tuple[type[Broken], ...]:
    """Every variant, those of the rows first."""
    return (*_of(broken_rows), *_of(broken_queries))


def crash_variants() -> tuple[type[FileOracle], ...]:
    """The right way to keep a file, and short cuts."""
    return (FileOracle, SavedLate, SavedByOperation, KeySavedLater, KeySavedFirst)


def _of(module: ModuleType) -> list[type[Broken]]:
    kinds = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Broken)]
    # A base that several variants share has no docstring of its own.
    return [one for one in kinds if one.__module__ == module.__name__ and one is not Broken and vars(one)["__doc__"]]
