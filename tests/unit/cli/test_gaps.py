"""`dossier verify` tells of lanes of reads that were not closed, and takes the archive for whole."""

from __future__ import annotations

from pathlib import Path

from cli_support import WHO, done, sample, valid


def test_a_lane_that_lost_its_end_is_told_and_no_damage(tmp_path: Path) -> None:
    path = sample(tmp_path)
    done("find", path, *WHO)  # a reader who closes his lane
    assert valid("verify", done("verify", path, "--json"))["gaps"] == []
    lane = max(Path(f"{path}.lanes").iterdir(), key=lambda file: file.stat().st_size)
    lane.write_bytes(b"".join(lane.read_bytes().splitlines(keepends=True)[:-1]))
    (gap,) = valid("verify", done("verify", path, "--json"))["gaps"]
    assert gap == f"events/{lane.name.removesuffix('.lane')}"
    for lang, told in (("zh", "没有收尾"), ("en", "was not closed")):
        said = done("verify", path, "--lang", lang).splitlines()
        assert any(line.startswith(f"{gap}: ") and told in line for line in said)
        assert said[-1] in ("完好", "whole")
