"""SQLite repository of dossier-archive: `ds.open("hotel.db")`, `ds.open("sqlite:///srv/hotel.db")`.

A plugin: it sees rows, never customers, and imports the repository contract and the errors of the core only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from dossier.repository.checking import check_options, mistyped_option
from dossier_sqlite.opening import check_file, create_file, path_of
from dossier_sqlite.repository import STEPS, SqliteRepository

__all__ = ["STEPS", "SqliteRepository", "open_sqlite"]


def open_sqlite(url: str, *, mode: Literal["create", "rw", "r"], options: Mapping[str, object]) -> SqliteRepository:
    """The driver of the scheme `sqlite`; see `Driver` for the errors.

    Options: `timeout`, seconds that a write waits for its turn before LockedError (30); `max_pages`, the most pages of
    8 KiB that the file may have before StorageFullError (no bound); `frozen`, for mode "r" alone: nobody writes the
    file (False). Who may not write in the file's folder needs it where no writer has the archive open (ReadOnlyError
    otherwise), for SQLite shares a log there; while others do write, what he reads would be stale. A medium that cannot
    be written needs no option. `on_step`, called with a name of `STEPS` between physical steps (crash tests).
    """
    check_options(options, ("frozen", "max_pages", "on_step", "timeout"))
    frozen = options.get("frozen", False)
    timeout, pages, step = options.get("timeout", 30.0), options.get("max_pages"), options.get("on_step")
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 <= timeout < 1e6:
        raise mistyped_option("timeout", zh="非负秒数", en="a number of seconds that is not negative")
    if pages is not None and (isinstance(pages, bool) or not isinstance(pages, int) or pages < 1):
        raise mistyped_option("max_pages", zh="正整数", en="a positive int")
    if type(frozen) is not bool or (frozen and mode != "r"):
        raise mistyped_option("frozen", zh="布尔值, 且只用于 mode=\"r\"", en="a bool, and for mode=\"r\" only")
    if step is not None and not callable(step):
        raise mistyped_option("on_step", zh="可调用对象", en="callable")
    path = path_of(url)
    if mode == "create":
        create_file(path, pages, step)
    else:
        check_file(path, mode)
    return SqliteRepository(
        path, read_only=mode == "r", timeout=timeout, max_pages=pages, frozen=frozen, on_step=step
    )
