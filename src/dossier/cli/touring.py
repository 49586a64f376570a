"""`tour`: ten seconds through an archive of real customers. Floor: cli."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from dossier.errors import Lang

_SAMPLE = Path(__file__).parent / "sample"
_PLAIN_WIDTH = 120
"""Columns where the output is no terminal."""


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    default=_SAMPLE,
    show_default="the packaged sample",
    help="Your own files in the shape of the sample: a folder, or its customers file.",
)
@click.option(
    "--keep", type=click.Path(path_type=Path), default=None, help="Keep the archive at this path (it must not exist)."
)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the tour.")
def tour(data: Path, keep: Path | None, lang: Lang) -> None:
    """Ten seconds through an archive of real customers (Northwind)."""
    from rich.console import Console

    from dossier.cli.northwind import read_sample
    from dossier.cli.tour import Tour

    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    sample = read_sample(data)
    if keep is not None:
        Tour(console, sample, lang).run(str(keep), kept=True)
        return
    with tempfile.TemporaryDirectory(prefix="dossier-tour-") as folder:
        Tour(console, sample, lang).run(str(Path(folder) / "tour.db"), kept=False)


__all__ = ["tour"]
