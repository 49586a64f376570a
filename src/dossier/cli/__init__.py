"""The command `dossier`. Needs the extra `cli` (click, rich); without it, it says what to install.

Floor: cli (highest).
"""

from __future__ import annotations

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
    from dossier.cli.app import group

    group()


__all__ = ["main"]
