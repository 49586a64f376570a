"""The command `dossier`. Needs the extra `cli` (click, rich); without it, it says what to install.

Floor: cli (highest).
"""

from __future__ import annotations

import io
import os
import sys
from importlib.util import find_spec


def main() -> None:
    """Entry point of the command `dossier`. Exit code 1 where the extra `cli` is missing."""
    if find_spec("click") is None or find_spec("rich") is None:
        sys.stderr.write(
            "The command needs more than the library / 命令行需要附加组件:\n"
            '  pip install "dossier-archive[cli,sqlite]"\n'
        )
        raise SystemExit(1)
    if sys.getfilesystemencoding() == "ascii":
        # A locale that knows no text but ASCII: names and paths on the command line would not be read for what they
        # are.
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    try:
        from dossier.cli.app import group
    except KeyboardInterrupt:
        raise SystemExit(130) from None

    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Where an encoding knows no Chinese its characters are written as \\u738b: ugly, and nothing is lost.
            stream.reconfigure(errors="backslashreplace")
    group()


def _open_streams() -> None:
    """Give what the caller closed (`>&-`) to nobody, or the next file that is opened, an archive, would be in its
    place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115


__all__ = ["main"]
