"""The manifest: the one row that says what this archive is. Checked in every batch.

Floor: desk.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

import msgspec

from dossier.errors import (
    ConflictError,
    DamagedError,
    LockedError,
    NewerFormatError,
    NotAnArchiveError,
    UnfinishedCopyError,
)
from dossier.repository import Key, Put, Reader

FORMAT = 1
"""The format this program reads and writes."""
KEY = Key("manifest", "manifest")
UNFINISHED = Key("manifest", "unfinished")
"""Stands in a store while a copy or restore fills it; the batch that writes the manifest takes it away."""
_TRIES = 40


class Manifest(msgspec.Struct, kw_only=True):
    """What an archive is.

    `id` of the archive, `zone` its time zone, `numbers` its number scheme, `roles` the host's words → role kinds,
    `staff` "open" (acting_as enrols) or "enrolled", `declared` the index fields as a digest ("" while they are being
    filled), `derivation` the version of the rules they were filled by, `policy` digest, `exceptions` declared when it
    was created, `derived_from` the archive it was copied from, `restored` serials wait to be told where they go on,
    `dismissals` how often somebody lost a role, `secret` keys cursors and tokens, `staff_secret` ids of staff (a copy
    keeps it, for its people are the same).
    """

    created: str
    declared: str
    derivation: int
    derived_from: str = ""
    dismissals: int = 0
    exceptions: tuple[str, ...] = ()
    format: int = FORMAT
    id: str
    min_reader: int = FORMAT
    min_writer: int = FORMAT
    numbers: str
    policy: str
    restored: bool = False
    roles: dict[str, str]
    secret: str
    sections: dict[str, tuple[int, int]]
    staff: str = "open"
    staff_secret: str
    zone: str

    @property
    def key(self) -> bytes:
        """The secret that cursors and view tokens are keyed with."""
        return base64.b64decode(self.secret)

    @property
    def staff_key(self) -> bytes:
        """The secret that ids of staff are keyed with."""
        return base64.b64decode(self.staff_secret)

    def __repr__(self) -> str:
        return f"<Manifest {self.id}>"  # the fields hold secrets


class _Minimum(msgspec.Struct):
    format: int
    min_reader: int
    min_writer: int


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Manifest)
_minimum = msgspec.json.Decoder(_Minimum)


def encode_manifest(manifest: Manifest) -> bytes:
    """Canonical body."""
    return _encoder.encode(manifest)


def read_manifest(reader: Reader, *, writing: bool) -> tuple[Manifest, int]:
    """(manifest, its row version). NotAnArchiveError, UnfinishedCopyError, NewerFormatError before anything else is
    touched."""
    row, unfinished = reader.get_many([KEY, UNFINISHED])
    if row is None:
        raise NotAnArchiveError() if unfinished is None else UnfinishedCopyError()
    needed = _needed(row.body, writing=writing)
    if needed > FORMAT:
        raise NewerFormatError(needed=needed, known=FORMAT)
    try:
        return _decoder.decode(row.body), row.version
    except msgspec.DecodeError:
        pass
    raise DamagedError(what="manifest")


def _needed(body: bytes, *, writing: bool) -> int:
    try:
        minimum = _minimum.decode(body)
        return minimum.min_writer if writing else minimum.min_reader
    except msgspec.DecodeError:
        pass
    raise DamagedError(what="manifest")


def rewrite(
    reader: Reader, change: Callable[[Manifest], Manifest], commit: Callable[[Put], object]
) -> tuple[Manifest, int]:
    """Change the manifest as it stands now; (the manifest, its row version). The only way it is ever changed.

    `commit` writes the row that it is given, alone or with others, and raises ConflictError where a race was lost; it
    runs again then, against what is stored by that time. LockedError after many losses.
    """
    for _ in range(_TRIES):
        manifest, version = read_manifest(reader, writing=True)
        changed = change(manifest)
        put = Put(KEY.collection, KEY.id, encode_manifest(changed), {}, "", version)
        try:
            commit(put)
            return changed, version + 1
        except ConflictError:
            pass
    raise LockedError(path="manifest")
