"""Canonical JSON: the only form of a body or an event.

Floor: repository. Objects with sorted keys `[a-z][a-z0-9_:]*`, text without NUL or lone surrogates, bool, null,
int within ±(2^53-1), lists; no floats; depth <= 64. Within this subset the standard library, msgspec and RFC 8785
agree byte for byte.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from dossier.errors import CanonicalError
from dossier.repository.rows import MAX_DEPTH

_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder()
_KEY = re.compile(r"[a-z][a-z0-9_:]*\Z")
MAX_INT = 2**53 - 1


def encode(value: Any) -> bytes:
    """Canonical bytes of a value that the caller knows to be in the subset (hot path: not checked; see `check`)."""
    try:
        return _encoder.encode(value)
    except (UnicodeEncodeError, TypeError, OverflowError):
        pass
    raise CanonicalError(what="text or type outside the subset")


def decode(body: bytes) -> Any:
    """The value of canonical bytes. DamagedError is the caller's to raise; CanonicalError if it is no JSON."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    raise CanonicalError(what="no JSON")


def check(value: Any, *, _depth: int = 1) -> None:
    """Raise CanonicalError unless `value` is in the subset."""
    if _depth > MAX_DEPTH:
        raise CanonicalError(what=f"deeper than {MAX_DEPTH}")
    if value is None or value is True or value is False:
        return
    kind = type(value)
    if kind is str:
        _check_text(value)
    elif kind is int:
        if not -MAX_INT <= value <= MAX_INT:
            raise CanonicalError(what="int outside 2^53")
    elif kind is list or kind is tuple:
        for item in value:
            check(item, _depth=_depth + 1)
    elif kind is dict:
        for key, item in value.items():
            if type(key) is not str or not _KEY.match(key):
                raise CanonicalError(what="key")
            check(item, _depth=_depth + 1)
    else:
        raise CanonicalError(what=f"type {kind.__name__}")


def is_canonical(body: bytes) -> bool:
    """Whether the bytes are exactly what `encode` gives for their value, and the value is in the subset."""
    try:
        value = decode(body)
        check(value)
        return encode(value) == body
    except CanonicalError:
        return False


def _check_text(value: str) -> None:
    if "\0" in value:
        raise CanonicalError(what="NUL in text")
    try:
        value.encode()
        return
    except UnicodeEncodeError:
        pass
    raise CanonicalError(what="lone surrogate in text")
