"""What the tests of the command line share: calling it, an archive of the packaged sample, the schemas."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import jsonschema
from click.testing import CliRunner, Result

from dossier.cli.app import group

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "docs" / "reference" / "cli"
SAMPLE = ROOT / "src" / "dossier" / "cli" / "sample"
FILES = tuple(
    f"{table}={SAMPLE / name}"
    for table, name in (("customers", "customers.csv"), ("orders", "orders.csv"), ("details", "order_details.csv"))
)
COMMAND = (sys.executable, "-c", "from dossier.cli import main; main()")
_UTF8 = {**os.environ, "PYTHONUTF8": "1"}
WHO = ("--as", "王芳", "--role", "manager", "--purpose", "manage")


def run(*words: str | Path) -> Result:
    """Call the command in this process; nothing but its own exits may come out of it."""
    result = CliRunner().invoke(group, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def done(*words: str | Path, code: int = 0) -> str:
    """Its stdout, when it ends with this exit code."""
    result = run(*words)
    assert result.exit_code == code, result.output
    return result.stdout


def valid(schema: str, text: str) -> Any:
    """The one JSON document of an output, which must be of the schema of the verb (or of `error`)."""
    (line,) = text.splitlines()
    document = json.loads(line)
    jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{schema}.json").read_text("utf-8"))).validate(document)
    return document


def sample(folder: Path, name: str = "shop.db") -> Path:
    """An archive of the packaged sample: 20 customers, 241 orders."""
    path = folder / name
    done("import", path, *FILES, "--plan", "northwind", "--create", "--zone", "UTC", *WHO)
    return path


def process(*words: str | Path, stdout: IO[str] | int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start the command as a process of its own, its output in pipes."""
    pipes: dict[str, Any] = {"stdout": stdout, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *map(str, words)], text=True, encoding="utf-8", env=_UTF8, **pipes)


def on_terminal(terminal: int, *words: str | Path) -> subprocess.Popen[bytes]:
    """Start the command with its output on a terminal."""
    return subprocess.Popen(
        [*COMMAND, *map(str, words)], stdout=terminal, stderr=terminal, env={**_UTF8, "TERM": "xterm"}
    )
