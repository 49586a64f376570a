"""The commands. Floor: cli."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal, cast

import click
from rich.console import Console

from dossier.cli.northwind import SAMPLE, read_sample
from dossier.cli.tour import Tour
from dossier.errors import DossierError

_PLAIN_WIDTH = 120
"""Columns where the output is no terminal."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dossier-archive", prog_name="dossier")
def group() -> None:
    """Customer archives (客户档案)."""


@group.command()
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    default=SAMPLE,
    help="Your own files in the shape of the sample: a folder, or its customers file.",
)
@click.option(
    "--keep", type=click.Path(path_type=Path), default=None, help="Keep the archive at this path (it must not exist)."
)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the tour.")
def tour(data: Path, keep: Path | None, lang: str) -> None:
    """Ten seconds through an archive of real customers (Northwind)."""
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    words = cast('Literal["zh", "en"]', lang)
    sample = read_sample(data)
    try:
        if keep is not None:
            Tour(console, sample, words).run(str(keep), kept=True)
            return
        with tempfile.TemporaryDirectory(prefix="dossier-tour-") as folder:
            Tour(console, sample, words).run(str(Path(folder) / "tour.db"), kept=False)
    except DossierError as error:
        raise click.ClickException(f"{error.text(words)} -> {error.fix(words)} [{error.code}]") from None
