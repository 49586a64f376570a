"""The examples run and say what they should."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_front_desk(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "front_desk.py"), run_name="__main__")
    assert capsys.readouterr().out.splitlines() == [
        "one booking, one file: True",
        "称呼: 单雄信 (shan)",
        "禁忌: 花生",
        "1 × ¥1,280.50",
    ]
