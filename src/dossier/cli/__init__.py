"""The command `dossier`. Needs the extra `cli` (click, rich); without it, it says what to install.

Floor: cli (highest).
"""

from __future__ import annotations

import io
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
    try:
        from dossier.cli.app import group
    except KeyboardInterrupt:
        raise SystemExit(130) from None

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows no Chinese shows marks in its place; nothing ends there.
            stream.reconfigure(errors="replace")
    group()


__all__ = ["main"]
