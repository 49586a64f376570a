"""`digest`, `verify`, `backup`, `restore`, `copy`, `reindex`: what keeps an archive. Floor: cli."""

from __future__ import annotations

import click

import dossier as ds
from dossier.cli.faults import DAMAGED, plain
from dossier.cli.options import ARCHIVE, JSON, LANG, NUMBERS_FROM, READS, Opening, reading, writing
from dossier.cli.output import document, line, progress
from dossier.cli.reasons import reason
from dossier.cli.secrets import options_of
from dossier.errors import InputError, Lang


@click.command()
@ARCHIVE
@JSON
def digest(archive: str, as_json: bool) -> None:
    """Print the SHA-256 of what an archive holds.

    A copy on any backend has the same.
    """
    with Opening(mode="r").archive(archive) as opened:
        found = opened.digest()
    if as_json:
        document({"digest": found})
    else:
        line(found)


@click.command()
@ARCHIVE
@READS
@LANG
@JSON
@click.pass_context
def verify(context: click.Context, archive: str, reads: str | None, lang: Lang, as_json: bool) -> None:
    """Check every row against every other, and the ledger.

    Exit code 5: something is damaged. The archive is opened for reading only: what is damaged is left as it is. A lane
    of reads that its writer did not close is told, and is no damage by itself.
    """
    zh = lang == "zh"
    with (
        Opening(mode="r", reads=reads).archive(archive, lang=lang) as opened,
        progress("核对" if zh else "verifying") as step,
    ):
        found = opened.verify(progress=step)
    if as_json:
        document({
            "rows": found.rows, "dossiers": found.dossiers, "acts": found.acts, "events": found.events,
            "problems": [plain(each) for each in found.problems], "gaps": list(found.gaps),
        })  # fmt: skip
    else:
        counted = f"{found.rows} 行, {found.dossiers} 份档案, {found.acts} 个行为, {found.events} 条日志"
        if not zh:
            counted = f"{found.rows} rows, {found.dossiers} dossiers, {found.acts} acts, {found.events} events"
        line(counted)
        for each in found.problems:
            line(f"{each.path}: {each.text(lang)} → {each.fix(lang)} [{each.code}]")
        for gap in found.gaps:
            line(f"{gap}: 这条读取日志没有收尾, 末尾的记录可能缺失" if zh else
                 f"{gap}: this lane of reads was not closed, events at its end may be missing")  # fmt: skip
        whole = ("完好", "whole") if not found.problems else ("已损坏", "damaged")
        line(whole[not zh])
    if found.problems:
        context.exit(DAMAGED)


@click.command()
@ARCHIVE
@click.argument("target")
@writing
@LANG
@JSON
def backup(archive: str, target: str, opening: Opening, lang: Lang, as_json: bool) -> None:
    """Write a consistent copy of an archive in use to a new file.

    Whoever opens the backup for writing must say where numbers go on; `dossier restore` does.
    """
    with opening.archive(archive, lang=lang) as opened:
        opened.backup(target)
        archive_id = opened.manifest.id
    _done("backup", archive_id, lang, as_json)


@click.command()
@click.argument("backup", metavar="BACKUP")
@ARCHIVE
@NUMBERS_FROM
@click.option("--unmarked", is_flag=True, help="BACKUP was not made by dossier backup but copied by other means.")
@LANG
@JSON
def restore(backup: str, archive: str, numbers_from: int | None, unmarked: bool, lang: Lang, as_json: bool) -> None:
    """Make an archive of a backup.

    Interrupted, it is run again and goes on. Numbers that were given since the backup must not be given again: without
    --numbers-from nobody can be registered until it is said, there or by the next import.
    """
    source, options = options_of(backup), options_of(archive)
    with Opening(mode="r").archive(backup, lang=lang) as opened:
        archive_id = opened.manifest.id  # the archive has the id of the one that was backed up
        if not (opened.manifest.restored or unmarked):
            raise InputError([reason("cli.no_backup", "BACKUP")])
    with progress("恢复" if lang == "zh" else "restoring") as step:
        ds.restore(backup, archive, numbers_from=numbers_from, options=options, source_options=source, progress=step)
    _done("restore", archive_id, lang, as_json)


@click.command()
@ARCHIVE
@click.argument("url", metavar="URL")
@reading
@LANG
@JSON
def copy(archive: str, url: str, opening: Opening, lang: Lang, as_json: bool) -> None:
    """Copy an archive to a new one, on any backend.

    Interrupted, it is run again and goes on. URL is a path or an address; nothing that exists is overwritten.
    """
    with opening.archive(archive, lang=lang) as opened:
        with progress("复制" if lang == "zh" else "copying") as step:
            opened.copy(url, options=options_of(url), progress=step)
        archive_id = opened.manifest.id
    _done("copy", archive_id, lang, as_json)


@click.command()
@ARCHIVE
@writing
@LANG
@JSON
def reindex(archive: str, opening: Opening, lang: Lang, as_json: bool) -> None:
    """Fill the indexes again, while others work."""
    with opening.archive(archive, lang=lang) as opened:
        count = opened.reindex()
    if as_json:
        document({"dossiers": count})
    else:
        line(f"已更新 {count} 份档案的索引" if lang == "zh" else f"indexed {count} dossiers again")


_SAID = {
    "backup": ("已备份", "backed up"),
    "restore": ("已恢复", "restored"),
    "copy": ("已复制", "copied"),
}


def _done(verb: str, archive_id: str, lang: Lang, as_json: bool) -> None:
    if as_json:
        document({"done": verb, "archive": archive_id})
    else:
        zh, en = _SAID[verb]
        line(f"{zh}档案库 {archive_id}" if lang == "zh" else f"{en} the archive {archive_id}")


__all__ = ["backup", "copy", "digest", "reindex", "restore", "verify"]
