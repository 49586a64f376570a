"""Which encoding a text file is in: a verdict over the whole file, or a question. Floor: intake.

The ladder: byte order mark, UTF-8, GB18030, Big5. The last two accept almost any bytes, so what they give must also
look like Chinese text; where none or both do, the person who knows is asked.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable

from dossier.errors import InputError
from dossier.intake.reasons import reason

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_LADDER = {"gb18030": "gb2312", "big5": "big5"}
"""Encoding → the older set whose characters make up nearly all of real text in it."""
_COMMON = 0.95
"""Share of characters beyond ASCII that must be of that set."""
_OTHERS = ("cp1252", "shift_jis", "euc_kr")
_ENOUGH = 200_000
"""Characters beyond ASCII after which their share is known well enough."""


class _Rung:
    """One encoding being tried over a whole file."""

    def __init__(self, encoding: str, older: str) -> None:
        self.encoding = encoding
        self._older = older
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self.fits = True
        self._beyond = 0
        self._common = 0

    def feed(self, block: bytes, *, last: bool = False) -> None:
        """Look at the next bytes."""
        if not self.fits:
            return
        try:
            text = self._decoder.decode(block, last)
        except UnicodeDecodeError:
            self.fits = False
            return
        if not text.isascii() and self._beyond < _ENOUGH:
            beyond = [each for each in text if each > "\x7f"]
            self._beyond += len(beyond)
            self._common += sum(_usual(each, self._older) for each in beyond)

    @property
    def likely(self) -> bool:
        """Whether all of it could be decoded and looks like text of that encoding."""
        return self.fits and self._common >= _COMMON * self._beyond


def _usual(character: str, older: str) -> bool:
    """Whether a character is of the older set; of Big5 only its first level, which text in GB18030 seldom meets."""
    try:
        code = character.encode(older)
        return older == "gb2312" or code < b"\xc9"
    except UnicodeEncodeError:
        return False


def verdict(blocks: Callable[[], Iterable[bytes]], path: str) -> str:
    """The encoding of a file, whose bytes `blocks()` gives anew each time. InputError `intake.encoding` that names
    the candidates where it is not certain."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    marked, fits = "", True
    for number, block in enumerate(blocks()):
        if number == 0:
            marked = next((encoding for mark, encoding in _MARKS if block.startswith(mark)), "")
        # Read to the end even so: a file that is cut off is found before anything is taken from it.
        fits = fits and not marked and _decodes(decoder, block)
    if marked:
        return marked
    if fits and _decodes(decoder, b"", last=True):
        return "utf-8"
    rungs = [_Rung(encoding, older) for encoding, older in _LADDER.items()]
    for block in blocks():
        for rung in rungs:
            rung.feed(block)
    for rung in rungs:
        rung.feed(b"", last=True)
    likely = [rung.encoding for rung in rungs if rung.likely]
    if len(likely) == 1:
        return likely[0]
    candidates = likely or [*(rung.encoding for rung in rungs if rung.fits), *_OTHERS]
    raise InputError([reason("intake.encoding", path, candidates=", ".join(candidates))])


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, last: bool = False) -> bool:
    try:
        decoder.decode(block, last)
        return True
    except UnicodeDecodeError:
        return False


def known(encoding: str, path: str) -> str:
    """The name of an encoding that the plan gives, if there is such a codec of text."""
    found = ""
    try:
        found = codecs.lookup(encoding).name
        "x".encode(found)
    except (LookupError, UnicodeError):
        found = ""
    if not found:
        raise InputError([reason("intake.codec", path, encoding=encoding[:40])])
    # A mark at the beginning is no part of the first column.
    return "utf-8-sig" if found == "utf-8" else encoding
