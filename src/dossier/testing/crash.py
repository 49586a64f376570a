"""Children that are killed: at a chosen physical step by `os._exit`, or from outside by SIGKILL.

Floor: testing. A child is a fork, so that a scenario may be any function; it says what it has done through a pipe,
one line each, and what it said before it died is what it had acknowledged. Needs `os.fork` (no Windows).
"""

from __future__ import annotations

import os
import signal
import subprocess
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TypeAlias

import attrs

KILLED = 77
FAILED = 78

Say: TypeAlias = Callable[[str], None]
Scenario: TypeAlias = Callable[[Say, Callable[[str], None]], None]
"""Gets `say` (acknowledge a line) and `on_step` (to hand to the driver)."""


@attrs.frozen
class Death:
    """How a child ended: `lines` it said, `steps` it reached by name, `killed` at the chosen step or not."""

    lines: tuple[str, ...]
    steps: tuple[str, ...]
    killed: bool


def can_fork() -> bool:
    """Whether this system can run what is in this module."""
    return hasattr(os, "fork")


def run_until(scenario: Scenario, step: int) -> Death:
    """Run the scenario in a child that dies at its step number `step` (from 1; 0: never). AssertionError if it fails
    by itself."""
    with child(lambda say: scenario(say, _stepper(say, step))) as (_, lines):
        said = list(lines)
    steps = tuple(line[5:] for line in said if line.startswith("step "))
    wrong = [line for line in said if line.startswith("failed ")]
    if wrong:
        raise AssertionError(f"the scenario failed by itself: {wrong[0]}")
    killed = "end" not in said
    if killed and len(steps) != step:
        raise AssertionError(f"the child died by itself after step {len(steps)}")
    return Death(tuple(line for line in said if not line.startswith("step ") and line != "end"), steps, killed)


@contextmanager
def child(act: Callable[[Say], None]) -> Iterator[tuple[int, Iterator[str]]]:
    """Fork; the child acts and ends, the parent gets its process id and what it says, line by line.

    The child says "end" at its end or "failed …" where it raised. On leaving it is killed and reaped.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _act(act, writing)
    os.close(writing)
    try:
        with os.fdopen(reading, encoding="utf-8") as stream:
            yield pid, (line.rstrip("\n") for line in stream)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def kill(pid: int) -> None:
    """SIGKILL: the process does nothing more."""
    os.kill(pid, signal.SIGKILL)


@contextmanager
def small_disk(folder: Path, *, megabytes: int = 8) -> Iterator[Path | None]:
    """Mount a small tmpfs at `folder / "disk"` for real ENOSPC; None where the system does not allow it."""
    disk = folder / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield disk if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", str(disk)], capture_output=True, check=False)


def _act(act: Callable[[Say], None], writing: int) -> NoReturn:
    def say(line: str) -> None:
        os.write(writing, f"{line}\n".encode())

    try:
        act(say)
        say("end")
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        say(f"failed {type(error).__name__} {error} at {place.filename}:{place.lineno}".replace("\n", " "))
        os._exit(FAILED)
    os._exit(0)


def _stepper(say: Say, step: int) -> Callable[[str], None]:
    reached = 0

    def on_step(name: str) -> None:
        nonlocal reached
        reached += 1
        say(f"step {name}")
        if reached == step:
            os._exit(KILLED)

    return on_step
