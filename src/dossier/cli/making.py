"""`create` and `import`: an archive begins, files go in. Floor: cli."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click

import dossier as ds
from dossier.cli.faults import REJECTED
from dossier.cli.options import ARCHIVE, JSON, LANG, NUMBERS_FROM, Acting, Opening, acting, writing
from dossier.cli.output import columns, document, line, progress, uninterrupted
from dossier.cli.reasons import reason
from dossier.cli.secrets import options_of
from dossier.errors import ExistsError, InputError, Lang, MissingArchiveError, NotAnArchiveError, Problem, QueryError

if TYPE_CHECKING:
    from dossier.desk.imports import PlannedImport
    from dossier.intake import Plan, Report

PLANS: Final = Path(__file__).parent / "plans"
"""The plans that come along; `--plan` takes their names."""
_NUMBERS: Final = "KH-{year}-{serial:05}"
_ZONE: Final = "UTC"
_PATIENCE: Final = 3.0
"""Seconds for which an archive that another command is making is waited for."""
_COUNTED: Final = {
    "rows": ("读入行", "rows read"),
    "accepted": ("接受", "accepted"),
    "rejected": ("不能读的行", "rejected"),
    "quarantined": ("搁置待查的行", "quarantined"),
    "duplicated": ("与前面相同的行", "duplicated"),
    "created": ("新建档案", "dossiers created"),
    "updated": ("更新档案", "dossiers updated"),
    "unchanged": ("未变档案", "dossiers unchanged"),
    "records": ("登记业务记录", "records entered"),
    "corrected": ("更正业务记录", "records corrected"),
}


@click.command()
@ARCHIVE
@click.option("--zone", default=_ZONE, show_default=True, help="Time zone of days and deadlines (IANA).")
@click.option("--numbers", default=_NUMBERS, show_default=True, help="Scheme of registration numbers.")
@click.option(
    "--staff", type=click.Choice(["open", "enrolled"]), default="open", show_default=True,
    help="Who may act: anybody who gives a name, or only who was enrolled.",
)  # fmt: skip
@click.option("--roles", "words", nargs=2, multiple=True, metavar="WORD KIND", help="Your word for a kind of role.")
@click.option("--enrol", nargs=2, multiple=True, metavar="NAME ROLE", help="Enrol somebody at once.")
@LANG
@JSON
def create(
    archive: str, zone: str, numbers: str, staff: str, words: tuple[tuple[str, str], ...],
    enrol: tuple[tuple[str, str], ...], lang: Lang, as_json: bool,
) -> None:  # fmt: skip
    """Make an empty archive.

    ARCHIVE is a path (SQLite) or an address such as mongodb://…; nothing that exists is overwritten.
    """
    if archive == "memory:":
        raise InputError([reason("cli.memory", "ARCHIVE")])
    if staff == "enrolled" and not enrol:
        raise InputError([reason("cli.enrol", "--staff")])
    with uninterrupted(), _made(archive, zone, numbers, staff=staff, roles=dict(words)) as made:
        for name, role in enrol:
            made.staff.enrol(name, roles=[role])
        said = {
            "archive": made.manifest.id, "zone": made.manifest.zone, "numbers": made.manifest.numbers,
            "staff": made.manifest.staff, "enrolled": len(made.staff.all()),
        }  # fmt: skip
    if as_json:
        document(said)
    else:
        line(f"已建立档案库 {said['archive']}" if lang == "zh" else f"made the archive {said['archive']}")


@click.command("import")
@ARCHIVE
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--plan", required=True, metavar="PLAN", help="A plan file (.toml), or the name of one that comes along.")
@click.option("--dry-run", is_flag=True, help="Count what would be done, write nothing.")
@click.option(
    "--rejects", metavar="NEW_FILE", type=click.Path(dir_okay=False, path_type=Path), default=None,
    help="A new CSV file for the rows that were not taken, with reasons; it holds customers' data.",
)  # fmt: skip
@click.option("--create", "making", is_flag=True, help="Make the archive first if there is none.")
@click.option("--zone", default=None, help=f"With --create: its time zone.  [default: {_ZONE}]")
@click.option("--numbers", default=None, help=f"With --create: its scheme of numbers.  [default: {_NUMBERS}]")
@NUMBERS_FROM
@acting
@writing
@LANG
@JSON
@click.pass_context
def import_(
    context: click.Context, archive: str, files: tuple[str, ...], plan: str, dry_run: bool, rejects: Path | None,
    making: bool, zone: str | None, numbers: str | None, numbers_from: int | None, who: Acting, opening: Opening,
    lang: Lang, as_json: bool,
) -> None:  # fmt: skip
    """Import customers and their dealings from files by a plan.

    FILE is one workbook or table for the whole plan, or TABLE=FILE for each table of it. An import that was interrupted
    is run again; what was done is found unchanged. Exit code 1: some rows were not taken.
    """
    wanted = {name: said for name, said in (("zone", zone), ("numbers", numbers)) if said is not None}
    if wanted and not making:
        raise InputError([reason("cli.create_options", f"--{name}", option=f"--{name}") for name in wanted])
    loaded = read_plan(plan)
    paths = tables(loaded, files)

    def planned(opened: ds.Archive) -> PlannedImport:
        return who.at(opened).imports.plan(loaded, cast("Any", paths))

    with (
        _appearing(rejects) as draft,
        _new_or_open(archive, opening, numbers_from, wanted, planned, making=making, dry_run=dry_run) as opened,
    ):
        job = planned(opened)
        with progress("导入" if lang == "zh" else "importing") as step:
            run = job.dry_run if dry_run else job.apply
            report = run(rejects=draft, progress=step)
    if as_json:
        document(_document(report))
    else:
        _say(report, lang)
    if report.counts.rejected or report.counts.quarantined:
        context.exit(REJECTED)


def read_plan(given: str) -> Plan:
    """The plan of a file, or one that comes along by its name. InputError with the nearest name."""
    from dossier.desk.archive import registry
    from dossier.intake import load_plan
    from dossier.intake.compile import wrong_paths
    from dossier.model.fields import nearest_name

    path = Path(given)
    if path.is_file():
        return load_plan(path, check=lambda plan, name: wrong_paths(plan, registry(), name))
    if path.suffix == ".toml":
        raise InputError([reason("cli.file_missing", "--plan")])
    known = sorted(each.stem for each in PLANS.glob("*.toml"))
    if given not in known:
        nearest = nearest_name(given, known)
        raise InputError([reason("cli.plan", "--plan", plans=", ".join(known), nearest=nearest)])
    return load_plan(PLANS / f"{given}.toml")


def tables(plan: Plan, files: tuple[str, ...]) -> Path | dict[str, Path]:
    """One file for all tables, or the file of each: `TABLE=FILE`. InputError with all that is wrong."""
    from dossier.model.fields import nearest_name

    problems: list[Problem] = []
    named: dict[str, Path] = {}
    whole: list[Path] = []
    for number, given in enumerate(files, 1):
        table, equals, rest = given.partition("=")
        is_named = bool(equals) and table in plan.tables
        path = Path(rest if is_named else given)
        if path.is_dir():
            problems.append(reason("cli.file_folder", f"FILE {number}"))
        elif equals and not is_named and not path.exists() and Path(rest).is_file():
            known, nearest = ", ".join(plan.tables), nearest_name(table, plan.tables)
            problems.append(reason("cli.table_unknown", f"FILE {number}", tables=known, nearest=nearest))
        elif not path.is_file():
            problems.append(reason("cli.file_missing", f"FILE {number}"))
        elif is_named and table in named:
            problems.append(reason("cli.table", f"FILE {number}", table=table))
        elif is_named:
            named[table] = path
        else:
            whole.append(path)
    if whole and len(whole) + len(named) > 1:
        problems.append(reason("cli.tables", "FILE", tables=", ".join(plan.tables)))
    if problems:
        raise InputError(problems)
    return whole[0] if whole else named


def _made(url: str, zone: str, numbers: str, *, staff: str = "open", roles: dict[str, str] | None = None) -> ds.Archive:
    words = cast("Any", staff)
    return ds.create(url, zone=zone, numbers=numbers, staff=words, roles=roles or None, options=options_of(url))


def _new_or_open(
    url: str,
    opening: Opening,
    numbers_from: int | None,
    wanted: Mapping[str, str],
    planned: Callable[[ds.Archive], PlannedImport],
    *,
    making: bool,
    dry_run: bool,
) -> ds.Archive:
    """The archive; where there is none and one is to be made, a new one as `wanted` (in memory for a dry run).

    What is wrong with the command, its plan and its files is found before anything is made.
    """
    try:
        return _opened(url, opening, None if dry_run else numbers_from, wanted)
    except MissingArchiveError:
        if not making:
            raise
    except (NotAnArchiveError, QueryError):
        if not making:
            raise
        return _others(lambda: _opened(url, opening, None if dry_run else numbers_from, wanted))
    place = wanted.get("zone", _ZONE), wanted.get("numbers", _NUMBERS)
    if dry_run:
        return _made("memory:", *place)
    with _made("memory:", *place) as rehearsal:
        planned(rehearsal).check()
    try:
        with uninterrupted():
            return _made(url, *place)
    except ExistsError:
        pass
    return _others(lambda: _opened(url, opening, numbers_from, wanted))


def _opened(url: str, opening: Opening, numbers_from: int | None, wanted: Mapping[str, str]) -> ds.Archive:
    """The archive that is there, which must be as `wanted`."""
    opened = opening.archive(url, numbers_from=numbers_from)
    others = [name for name, said in wanted.items() if getattr(opened.manifest, name) != said]
    if others:
        opened.close()
        raise InputError([reason("cli.differs", f"--{name}", option=f"--{name}") for name in others])
    return opened


def _others(opened: Callable[[], ds.Archive]) -> ds.Archive:
    """An archive that somebody else is just making: it has its name a moment before it has what belongs into one."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return opened()
        except (MissingArchiveError, NotAnArchiveError, QueryError):
            if time.monotonic() >= deadline:
                raise
        time.sleep(0.05)


@contextmanager
def _appearing(path: Path | None) -> Iterator[Path | None]:
    """A place for a file that has its name only when it is whole: who is interrupted runs the same command again."""
    if path is None:
        yield None
        return
    from dossier.desk.appearing import appearing
    from dossier.intake.reasons import reason as intake_reason

    if path.exists():
        raise InputError([intake_reason("intake.exists", "--rejects", what=path.name)])
    if not path.parent.is_dir():
        raise InputError([reason("cli.folder", "--rejects")])
    with appearing(path, called="--rejects") as draft:
        yield draft


def _document(report: Report) -> dict[str, Any]:
    return {
        "written": report.written,
        "counts": {name: getattr(report.counts, name) for name in _COUNTED},
        "reasons": report.reasons,
        "notices": [
            {"place": each.place, "code": each.problem.code, "zh": each.problem.zh, "en": each.problem.en,
             "fix_zh": each.problem.fix_zh, "fix_en": each.problem.fix_en}
            for each in report.notices
        ],
    }  # fmt: skip


def _say(report: Report, lang: Lang) -> None:
    zh = lang == "zh"
    if not report.written:
        line("试算, 未写入:" if zh else "tried, nothing was written:")
    columns([
        ("", "数" if zh else "count"),
        *((words[not zh], str(count)) for name, words in _COUNTED.items() if (count := getattr(report.counts, name))),
    ])  # fmt: skip
    if report.reasons:
        line()
        columns([
            ("原因" if zh else "reason", "行" if zh else "rows"),
            *((code, str(count)) for code, count in report.reasons.items()),
        ])  # fmt: skip
    for notice in report.notices:
        line(f"{notice.place}: {notice.problem.text(lang)}")


__all__ = ["PLANS", "create", "import_", "read_plan", "tables"]
