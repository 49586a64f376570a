"""The values a field may hold: frozen, compared by what they say, read from what people write.

Floor: model. Each has `text(lang)`; those that people write as text have `parse`; a bad input is a `BadValue`, which
the door turns into a problem. The repr of personal values is masked; `reveal` shows them.
"""

from dossier.model.values.contact import Phone, Ref, Region
from dossier.model.values.dates import PartialDate, Span
from dossier.model.values.names import PersonName
from dossier.model.values.numbers import Money, Quantity, Rating
from dossier.model.values.period import Per, parse_period
from dossier.model.values.term import Term
from dossier.model.values.text import Long, Short

SELF_CHECKING: frozenset[type] = frozenset(
    {Money, PartialDate, PersonName, Phone, Quantity, Rating, Ref, Region, Span, Term}
)
"""Values whose constructors check everything about them, so that an object of the type is a valid one."""

__all__ = [
    "SELF_CHECKING",
    "Long",
    "Money",
    "PartialDate",
    "Per",
    "PersonName",
    "Phone",
    "Quantity",
    "Rating",
    "Ref",
    "Region",
    "Short",
    "Span",
    "Term",
    "parse_period",
]
