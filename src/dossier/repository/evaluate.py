"""What the closed query language means, in Python: the plainest reading of `query`, used by the memory repository.

Floor: repository. Law K6 compares every backend with an evaluator of its own kit, not with this one.
"""

from __future__ import annotations

from collections.abc import Mapping

from dossier.repository.query import And, Contains, Eq, Expr, Ge, Has, In, Lt, Not, Or, Prefix
from dossier.repository.rows import IndexValue


def holds(where: Expr, index: Mapping[str, IndexValue]) -> bool:
    """Whether a checked condition holds for a row with these present index fields."""
    if isinstance(where, And):
        return all(holds(term, index) for term in where.terms)
    if isinstance(where, Or):
        return any(holds(term, index) for term in where.terms)
    if isinstance(where, Not):
        return not holds(where.term, index)
    value = index.get(where.field)
    if isinstance(where, Eq):
        return value == where.value
    if value is None:
        return False
    if isinstance(where, In):
        return value in where.values
    if isinstance(where, Lt):
        return value < where.value  # type: ignore[operator]
    if isinstance(where, Ge):
        return value >= where.value  # type: ignore[operator]
    if isinstance(where, Prefix):
        return isinstance(value, str) and value.startswith(where.value)
    if isinstance(where, Has):
        return isinstance(value, tuple) and where.value in value
    assert isinstance(where, Contains)
    return isinstance(value, str) and where.needle in value
