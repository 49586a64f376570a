"""What the commands write: text in columns, JSON, progress. Floor: cli.

Customers' texts are data: control characters in them never reach a terminal, and no colour or progress goes where
nobody looks.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

_GAP = 2
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def safe(text: str, *, lines: bool = False) -> str:
    """A text without control and direction characters (`␀` stands for each); `lines` keeps line ends."""
    if text.isprintable():
        return text
    kept = "\n" if lines else ""
    return "".join(
        each if each in kept or unicodedata.category(each) not in _HIDDEN else " " if each in "\n\t" else "␀"
        for each in text
    )


def line(text: str = "") -> None:
    """One line to stdout."""
    click.echo(safe(text))


def block(text: str) -> None:
    """Several lines to stdout, with one line end behind the last."""
    click.echo(safe(text, lines=True).rstrip("\n"))


def columns(rows: Sequence[Sequence[str]]) -> None:
    """Rows below each other, the first one their headings; a Chinese character takes two columns."""
    plain = [[safe(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*plain, strict=True)]
    for number, row in enumerate(plain):
        padded = [cell + " " * (width - _width(cell) + _GAP) for cell, width in zip(row, widths, strict=True)]
        text = "".join(padded).rstrip()
        click.echo(click.style(text, bold=True) if number == 0 else text)


def document(value: Any) -> None:
    """One JSON document, on one line, to stdout: in UTF-8, or where stdout has another encoding in ASCII. Control and
    direction characters stand as escapes."""
    utf8 = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "") in ("utf8", "utf8sig")
    text = json.dumps(value, ensure_ascii=not utf8, allow_nan=False)
    if not text.isprintable():  # outside texts there is nothing to escape
        text = "".join(json.dumps(c)[1:-1] if unicodedata.category(c) in _HIDDEN else c for c in text)
    click.echo(text)


@contextmanager
def progress(label: str, *, total: int | None = None) -> Iterator[Callable[..., None] | None]:
    """A callback for long work, `(done)` or `(done, total)`; None, and nothing shown, where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*shown, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)

        def step(done: int, of: int | None = None) -> None:
            bar.update(task, completed=done, total=total if of is None else of)

        yield step


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits for the end of a short step that must not stop half-way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        waiting.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting:
        raise KeyboardInterrupt


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


__all__ = ["block", "columns", "document", "line", "progress", "safe", "uninterrupted"]
