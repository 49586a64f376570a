"""Finding, making and connecting to a database file. Nothing here changes a file that is not an archive."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from dossier.errors import (
    CanonicalError,
    DamagedError,
    ExistsError,
    MissingArchiveError,
    MissingFolderError,
    NewerFormatError,
    NotAnArchiveError,
    ReadOnlyError,
    RepositoryError,
)
from dossier.repository import Collection, Composite, IndexField, decode, split
from dossier_sqlite.faults import fault, system_fault
from dossier_sqlite.lanes import sync_folder
from dossier_sqlite.modes import open_private

APPLICATION = 0x444F5353
"""PRAGMA application_id of an archive ("DOSS")."""
FORMAT = 1
"""PRAGMA user_version that this plugin writes."""
PAGE_SIZE = 8192

Step = Callable[[str], None]


def path_of(url: str) -> Path:
    """The file that an address names: `hotel.db`, `sqlite:hotel.db`, `sqlite:///srv/hotel.db`."""
    rest = split(url)[1]
    return Path(rest[2:] if rest.startswith("//") else rest)


def create_file(path: Path, max_pages: int | None, step: Step | None) -> None:
    """Make an empty archive under another name and give it its name in one step. ExistsError if the name is taken."""
    from dossier_sqlite.schema import make_base

    if not path.name:
        raise MissingArchiveError
    if os.path.lexists(path) or os.path.lexists(f"{path}-wal"):
        raise ExistsError
    draft = path.with_name(f"{path.name}.new-{uuid.uuid4().hex[:12]}")
    failure: RepositoryError | None = None
    try:
        os.close(open_private(draft, os.O_RDWR))
        conn = sqlite3.connect(f"file:{quote(str(draft))}?mode=rw", uri=True, isolation_level=None)
        try:
            conn.execute(f"pragma page_size={PAGE_SIZE}")
            conn.execute(f"pragma max_page_count={max_pages or 0}")
            conn.execute("begin immediate")
            conn.execute(f"pragma application_id={APPLICATION}")
            conn.execute(f"pragma user_version={FORMAT}")
            make_base(conn)
            conn.execute("commit")
            conn.execute("pragma journal_mode=wal")
        finally:
            conn.close()
        if step is not None:
            step("create.made")
        publish(draft, path)
    except sqlite3.Error as error:
        failure = fault(error)
    except OSError as error:
        failure = system_fault(error)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    if isinstance(failure, MissingArchiveError):
        failure = no_room_for(path)
    if failure is not None:
        raise failure
    if step is not None:
        step("create.named")


def no_room_for(path: Path) -> RepositoryError:
    """Why no file can be made at a path."""
    return ReadOnlyError() if path.parent.is_dir() else MissingFolderError()


def publish(draft: Path, path: Path) -> None:
    """Give a finished file its name, durably, unless the name is taken (ExistsError)."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    taken = False
    try:
        os.link(draft, path)
    except FileExistsError:
        taken = True
    if taken:
        raise ExistsError
    sync_folder(path.parent)


def check_file(path: Path, mode: Literal["rw", "r"]) -> None:
    """Look at the first 100 bytes: MissingArchiveError, NotAnArchiveError, NewerFormatError, ReadOnlyError."""
    failure: RepositoryError | None = None
    head = b""
    try:
        if path.is_dir():
            failure = NotAnArchiveError()
        else:
            with path.open("rb") as file:
                head = file.read(100)
    except OSError as error:
        failure = system_fault(error)
    if failure is not None:
        raise failure
    if len(head) < 100 or head[:16] != b"SQLite format 3\0" or int.from_bytes(head[68:72], "big") != APPLICATION:
        raise NotAnArchiveError
    version = int.from_bytes(head[60:64], "big")
    if version > FORMAT:
        raise NewerFormatError(needed=version, known=FORMAT)
    if mode == "rw" and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise ReadOnlyError


def is_immutable(path: Path) -> bool:
    """Whether the file lies on a medium that nobody can write, and nobody left a write-ahead log. That the reader
    himself may not write says nothing: others may, and what he reads would be stale."""
    wal = Path(f"{path}-wal")
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY) and not (wal.exists() and wal.stat().st_size)


def connect(
    path: Path,
    *,
    mode: Literal["rw", "ro"],
    timeout: float,
    cache_kib: int,
    max_pages: int | None = None,
    frozen: bool = False,
) -> sqlite3.Connection:
    """A connection of the settings that every part relies on; `frozen`: nobody writes the file. sqlite3.Error as it
    comes."""
    immutable = "&immutable=1" if frozen else ""
    conn = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}{immutable}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        timeout=timeout,
    )
    garbled = False
    try:
        conn.execute(f"pragma cache_size=-{cache_kib}")
        conn.execute("pragma temp_store=memory")
        if mode == "rw":
            conn.execute("pragma synchronous=full")
            conn.execute("pragma secure_delete=on")
            if max_pages is not None:
                conn.execute(f"pragma max_page_count={max_pages}")
    except sqlite3.Error:
        conn.close()
        raise
    except UnicodeDecodeError:
        garbled = True
    if garbled:
        # A damaged schema: the module fails at SQLite's message about it, which quotes what it found there.
        conn.close()
        raise sqlite3.OperationalError
    return conn


def sweep(path: Path) -> None:
    """Take away the empty log and its index that a reader left beside an archive, where nobody else has it open.

    SQLite makes them for whoever reads and lets only one who may write take them away. A log that holds something is
    left: reading writes nothing into the archive.
    """
    wal = Path(f"{path}-wal")
    try:
        if wal.stat().st_size or not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
            return
        conn = connect(path, mode="rw", timeout=0, cache_kib=64)
        try:
            conn.execute("select 1 from declared limit 1").fetchall()
        finally:
            conn.close()
    except (OSError, sqlite3.Error):
        pass  # what is left is of use to the next reader


def load_declared(conn: sqlite3.Connection) -> dict[str, Collection]:
    """What was declared so far, by collection name. DamagedError where that cannot be read."""
    rows = conn.execute("select name, declaration from declared order by name").fetchall()
    try:
        return {name: _declared(decode(packed)) for name, packed in rows}
    except (CanonicalError, ValueError, TypeError, LookupError):
        pass
    raise DamagedError(what="declared")


def _declared(plain: Any) -> Collection:
    return Collection(
        name=plain["name"],
        fields=tuple(IndexField(name=n, type=t, many=m, derived=d) for n, t, m, d in plain["fields"]),
        composites=tuple(Composite(fields=tuple(fields)) for fields in plain["composites"]),
        unindexed=tuple(plain["unindexed"]),
    )
