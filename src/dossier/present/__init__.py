"""What people read: the customer card and the brief, from views alone.

Floor: present. Nothing here sees more than the caller of the desk may see.
"""

from dossier.present.brief import Brief, brief_of
from dossier.present.card import card_text

__all__ = ["Brief", "brief_of", "card_text"]
