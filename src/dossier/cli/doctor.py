"""`doctor`: what an archive is, what it stands on, and what should be done about it. Floor: cli."""

from __future__ import annotations

import os
import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import click

import dossier as ds
from dossier.cli.faults import plain
from dossier.cli.options import ARCHIVE, JSON, LANG, Opening
from dossier.cli.output import columns, document, line
from dossier.cli.reasons import reason
from dossier.errors import Lang, Problem

_COUNTED: Final = ("dossiers", "acts", "records", "events", "staff", "unplaced")
_LIBRARIES: Final = (
    "dossier-archive", "dossier-sqlite", "dossier-mongodb", "dossier-vault", "attrs", "cattrs", "msgspec", "pymongo",
    "click", "rich",
)  # fmt: skip
_NETWORK: Final = frozenset(
    {"9p", "afpfs", "afs", "ceph", "cifs", "davfs", "fuse.sshfs", "glusterfs", "fuse.glusterfs", "lustre", "ncpfs",
     "nfs", "nfs4", "smb3", "smbfs", "vboxsf"}
)  # fmt: skip
_LANES: Final = 5
_MIB: Final = 1024 * 1024


@click.command()
@ARCHIVE
@LANG
@JSON
def doctor(archive: str, lang: Lang, as_json: bool) -> None:
    """Say what an archive is, what it stands on, and what to do next. Nothing is written."""
    with Opening(mode="r").archive(archive, lang=lang) as opened:
        found = examined(opened, archive)
        advice = advised(found)
    if as_json:
        document({**found, "advice": [plain(each) for each in advice]})
        return
    rows = [(f"{part}.{name}", "" if value is None else str(value)) for part in found for name, value in
            found[part].items()]  # fmt: skip
    columns([("项目", "内容") if lang == "zh" else ("what", "is"), *rows])
    line()
    for each in advice:
        line(f"{each.text(lang)} → {each.fix(lang)} [{each.code}]")
    if not advice:
        line("没有需要处理的事项" if lang == "zh" else "nothing needs to be done")


def examined(archive: ds.Archive, url: str) -> dict[str, dict[str, Any]]:
    """What can be seen of an archive without changing it."""
    from dossier.desk.layout import DERIVATION
    from dossier.repository import TRUE, Lanes

    manifest, repository = archive.manifest, archive.repository
    lanes = len(repository.idle_lanes()) if isinstance(repository, Lanes) else None
    current = manifest.declared == archive.indexing.digest() and manifest.derivation == DERIVATION
    sqlite = sys.modules.get("sqlite3")
    return {
        "archive": {
            "id": manifest.id, "derived_from": manifest.derived_from or None, "created": manifest.created,
            "format": manifest.format, "zone": manifest.zone, "numbers": manifest.numbers, "staff": manifest.staff,
            "waits_for_numbers": manifest.restored, "last_recorded": archive.recorder.last_recorded() or None,
            "indexes_current": current, "idle_lanes": lanes,
        },
        "rows": {name: repository.count(name, TRUE) for name in _COUNTED},
        "place": _place(url),
        "software": {
            **{name: found for name in _LIBRARIES if (found := _version(name))},
            "python": ".".join(map(str, sys.version_info[:3])),
            "sqlite": sqlite.sqlite_version if sqlite is not None else None,
        },
    }  # fmt: skip


def advised(found: dict[str, dict[str, Any]]) -> list[Problem]:
    """What should be done, most urgent first."""
    said, place = found["archive"], found["place"]
    advice: list[Problem] = []
    if place["network"]:
        advice.append(reason("doctor.network", "place", what=place["file_system"]))
    if said["waits_for_numbers"]:
        advice.append(reason("doctor.numbers", "archive"))
    if not said["indexes_current"]:
        advice.append(reason("doctor.index", "archive"))
    if place["writable"] is False:
        advice.append(reason("doctor.writable", "place"))
    if place["free"] is not None and place["size"] is not None and place["free"] < place["size"]:
        free, size = place["free"] // _MIB, place["size"] // _MIB
        advice.append(reason("doctor.room", "place", free=free, size=size))
    # Each reader leaves a lane for the next writer to fold; many of them say that none has come for long.
    if (said["idle_lanes"] or 0) > _LANES:
        advice.append(reason("doctor.lanes", "archive", count=said["idle_lanes"]))
    return advice


def _place(url: str) -> dict[str, Any]:
    """Sizes in bytes; all None where the archive is no file or folder of this machine."""
    from dossier.repository import split

    scheme, rest = split(url)
    path = Path(rest.removeprefix("//"))
    if scheme in ("memory", "mongodb", "mongodb+srv") or not path.exists():
        return {"size": None, "free": None, "writable": None, "file_system": None, "network": None}
    files = path.rglob("*") if path.is_dir() else (path, *(Path(f"{path}{end}") for end in ("-wal", "-shm")))
    kind = _file_system(path.resolve())
    return {
        "size": sum(each.stat().st_size for each in files if each.is_file()),
        "free": shutil.disk_usage(path.parent).free,
        "writable": os.access(path, os.W_OK) and os.access(path.parent, os.W_OK),
        "file_system": kind,
        "network": kind in _NETWORK if kind is not None else None,
    }


def _file_system(path: Path) -> str | None:
    """The kind of file system a path lies on, None where the system does not say."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    best, kind = "", None
    for mount in mounts:
        _, where, sort, *_ = mount.split(" ")
        where = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), where)  # blanks stand as \040
        inside = where == "/" or str(path) == where or str(path).startswith(f"{where}/")
        if inside and len(where) >= len(best):
            best, kind = where, sort
    return kind


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


__all__ = ["advised", "doctor", "examined"]
