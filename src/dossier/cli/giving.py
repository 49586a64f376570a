"""`export`: views into a file, on record. Floor: cli."""

from __future__ import annotations

from pathlib import Path

import click

from dossier.cli.options import ARCHIVE, JSON, LANG, Acting, Opening, acting, kind_of, reading
from dossier.cli.output import document, line
from dossier.cli.reading import ORDER, WHERE, condition_of
from dossier.errors import Lang


@click.command()
@ARCHIVE
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format", "kind", type=click.Choice(["csv", "jsonl", "xlsx"]), default=None,
    help="What the file is to be; its ending says it otherwise.",
)  # fmt: skip
@click.option("--name", default=None, metavar="TEXT", help="Only customers with this part of a name.")
@WHERE
@ORDER
@click.option(
    "--field", "fields", multiple=True, metavar="FIELD", help="A field to export, as often as needed; all if not said."
)
@click.option("--records", metavar="KIND", default=None, help="The records of a kind instead, one line each.")
@click.option("--because", default="", metavar="REASON", help="Why; on record.")
@acting
@reading
@LANG
@JSON
def export(
    archive: str, file: Path, kind: str | None, name: str | None, where: str | None, order: str | None,
    fields: tuple[str, ...], records: str | None, because: str, who: Acting, opening: Opening, lang: Lang,
    as_json: bool,
) -> None:  # fmt: skip
    """Write what a role may see of customers to a new file.

    Or of their records, one line each. A CSV has a byte order mark, and no cell begins a formula. The file appears when
    it is whole; an existing one is not overwritten.
    """
    with opening.archive(archive, lang=lang) as opened:
        done = who.at(opened).exports.write(
            file, format=kind, name=name, where=condition_of(where), order=order, fields=list(fields) or None,
            records=kind_of(opened, records, every=False), lang=lang, because=because,
        )  # fmt: skip
    if as_json:
        document({
            "format": done.format, "rows": done.rows, "columns": list(done.columns), "withheld": list(done.withheld)
        })  # fmt: skip
        return
    line(f"已导出 {done.rows} 行" if lang == "zh" else f"exported {done.rows} rows")
    if done.withheld:
        line(f"{'不予显示' if lang == 'zh' else 'withheld'}: {', '.join(done.withheld)}")


__all__ = ["export"]
