"""How sections are registered, parsed (door), stored (shelf) and shown (projection). Floor: codec."""

from dossier.codec.door import Door, Parsed
from dossier.codec.loads import strict_loads
from dossier.codec.projection import Lens, lens, view_class, withheld_view
from dossier.codec.registry import SectionRegistry, default_registry
from dossier.codec.shelf import SectionCodec

__all__ = [
    "Door",
    "Lens",
    "Parsed",
    "SectionCodec",
    "SectionRegistry",
    "default_registry",
    "lens",
    "strict_loads",
    "view_class",
    "withheld_view",
]
