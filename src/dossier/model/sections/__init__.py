"""The kernel's five sections and the parts they are made of. Floor: model. Packs declare theirs in the same way."""

from dossier.model.sections.basic import GroupBasic, Member, OrganizationBasic, PersonBasic
from dossier.model.sections.parts import Address, KeyPerson, OnlinePart, PhonePart
from dossier.model.sections.preferences import Preferences
from dossier.model.sections.trade import BusinessStatus, Characteristics, Competitor, Issue, TransactionStatus

KERNEL: tuple[type, ...] = (
    OrganizationBasic,
    PersonBasic,
    GroupBasic,
    Characteristics,
    BusinessStatus,
    TransactionStatus,
    Preferences,
)
"""The section classes of the kernel, in the order of a card."""

__all__ = [
    "KERNEL",
    "Address",
    "BusinessStatus",
    "Characteristics",
    "Competitor",
    "GroupBasic",
    "Issue",
    "KeyPerson",
    "Member",
    "OnlinePart",
    "OrganizationBasic",
    "PersonBasic",
    "PhonePart",
    "Preferences",
    "TransactionStatus",
]
