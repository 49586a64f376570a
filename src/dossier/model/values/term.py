"""An open code: a vocabulary that packs and hosts extend, and a code in it. Floor: model."""

from __future__ import annotations

import attrs

from dossier.errors import Lang
from dossier.model.values.text import check_code, plain_form


@attrs.frozen
class Term:
    """`code` in `vocabulary`, such as Term("education", "本科"). Unknown codes are kept as they are."""

    vocabulary: str = attrs.field(converter=check_code)
    code: str = attrs.field(converter=check_code)

    @classmethod
    def parse(cls, text: str, /, *, vocabulary: str) -> Term:
        """The code, in the vocabulary of the field it is meant for."""
        return cls(vocabulary, plain_form(text))

    def text(self, lang: Lang = "en") -> str:
        """The code; `labels.term_text` gives the word for it where the vocabulary has one."""
        return self.code
