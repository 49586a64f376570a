"""Exit codes, reached for real: by roles, locks, damage, a signal, a reader who goes away; and what is said then."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shlex
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import click
import pytest
from cli_support import COMMAND, FILES, WHO, done, on_terminal, process, run, sample, valid
from click.testing import CliRunner

import dossier as ds
from dossier import errors
from dossier.cli import faults, secrets
from dossier.cli.app import group
from dossier.cli.output import uninterrupted
from dossier.cli.reasons import REMEDIES

MARKER = "zqx8单雄信mmm7"
PLAN = """\
name = "t"
kind = "person"
[tables.t]
key = "id"
[tables.t.fields]
"basic/name" = "name"
"""


def _classes(cls: type[errors.DossierError]) -> set[type[errors.DossierError]]:
    found = {cls} if cls.__module__.startswith("dossier.") else set()
    return found.union(*map(_classes, cls.__subclasses__()))


def test_every_error_of_the_library_has_an_exit_code() -> None:
    for cls in _classes(errors.DossierError):
        error = cls.__new__(cls)
        errors.DossierError.__init__(error)
        assert faults.exit_code(error) in (2, 3, 4, 5), cls
    codes = {
        errors.ReadableFieldError: 3, errors.DeniedError: 3, errors.ConflictError: 4, errors.LockedError: 4,
        errors.OutcomeUnknown: 4, errors.StorageFullError: 4, errors.DamagedError: 5, errors.LedgerError: 5,
        errors.NotFoundError: 2, errors.InputError: 2, errors.ExistsError: 2, errors.NewerFormatError: 2,
    }  # fmt: skip
    assert {cls: faults.exit_code(cls()) for cls in codes} == codes


@pytest.mark.parametrize(
    "words",
    [
        ("find",),
        ("find", "a.db"),
        ("find", "a.db", "x", MARKER, *WHO),
        ("find", "a.db", *WHO, "--limit", MARKER),
        ("find", "a.db", *WHO, "--lang", MARKER),
        ("find", "a.db", *WHO, "--limitt", "1"),
        ("find", "a.db", *WHO, "--limit"),
        ("find", "a.db", *WHO, "--wait", "-1"),
        ("find", "none.db", *WHO),
        ("find", "other:thing", *WHO),
        ("find", "a.db", *WHO, "--where", f"{MARKER} {MARKER}"),
        ("create", "none/a.db"),
        ("unknown",),
    ],
)  # fmt: skip
@pytest.mark.law("K3")
def test_2_what_was_given_is_wrong(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("dossier: ")
    assert "→" in result.stderr
    assert MARKER not in result.output
    assert valid("error", done(*words, "--json", code=2))["error"]["exit"] == 2


def test_2_all_problems_are_told(tmp_path: Path) -> None:
    path = sample(tmp_path)
    result = run("find", path, *WHO, "--where", "a = 1 and basic/trading_since > x", "--limit", "0")
    assert result.exit_code == 2
    for code in ("find.unknown", "find.limit", "value."):
        assert code in result.stderr
    assert result.stderr.count("  - ") == 3
    assert "没有" in result.stderr


@pytest.mark.row("M118", "M124")
def test_3_a_role_that_may_not(tmp_path: Path) -> None:
    path = sample(tmp_path)
    result = run("find", path, "--as", "高强", "--role", "sales")
    assert result.exit_code == 3
    assert "角色 sales 不得查寻" in result.stderr
    field = run("find", path, "--as", "陈晓", "--role", "service", "--where", "preferences/taboos = 花生", "--json")
    assert field.exit_code == 3
    assert valid("error", field.stdout)["error"]["code"] == "policy.field"


def test_4_another_writer_holds_the_archive(tmp_path: Path) -> None:
    path = sample(tmp_path)
    with Path(f"{path}-lock").open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        writer = process("import", path, *FILES, "--plan", "northwind", *WHO, "--as", "新人", "--wait", "0.2", "--json")
        out, err = writer.communicate(timeout=60)
        assert writer.returncode == 4
        assert valid("error", out)["error"]["code"] == "repository.locked"
        assert "存储被另一写入者占用" in err
        # Whoever only looks need not wait for him.
        done("digest", path)
        done("find", path, "--read-only", *WHO)
    done("reindex", path, "--wait", "0.2")


def test_5_a_damaged_file(tmp_path: Path) -> None:
    path = sample(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3 : len(raw) // 2] = b"\x5a" * (len(raw) // 2 - len(raw) // 3)
    path.write_bytes(raw)
    for verb in ("digest", "verify"):
        result = run(verb, path, "--json")
        assert result.exit_code == 5, result.output


def test_5_a_ledger_that_was_cut(tmp_path: Path) -> None:
    path = sample(tmp_path)
    with sqlite3.connect(path) as conn:
        conn.execute("delete from c_events where id = (select id from c_events order by id limit 1 offset 3)")
    conn.close()
    assert run("verify", path).exit_code == 5


def test_5_a_row_that_was_changed_behind_the_back(tmp_path: Path) -> None:
    path = sample(tmp_path)
    with sqlite3.connect(path) as conn:
        changed = "cast(replace(cast(body as text), 'Alfreds', 'Alfrodo') as blob)"
        conn.execute(f"update c_dossiers set body = {changed}")
    conn.close()
    before = path.read_bytes()
    result = run("verify", path, "--json")
    assert result.exit_code == 5
    assert {each["code"] for each in valid("verify", result.stdout)["problems"]} >= {"verify.state"}
    assert path.read_bytes() == before
    said = run("verify", path)
    assert "已损坏" in said.stdout
    assert "Alfr" not in said.output


def test_remedies_speak_to_who_sits_at_a_shell(tmp_path: Path) -> None:
    known = {cls.code for cls in _classes(errors.DossierError)}
    assert set(REMEDIES) <= known
    assert "dossier create" in run("digest", tmp_path / "none.db").stderr
    path = sample(tmp_path)
    assert "another place" in run("create", path).stderr
    assert "listed below" in run("find", path, "--limit", "0", *WHO).stderr


def test_not_an_archive_and_no_plugin(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.write_bytes(b"x" * 200)
    for words in (("digest", other), ("restore", other, tmp_path / "new.db"), ("doctor", other), ("verify", other)):
        assert run(*words).exit_code == 2
    assert not (tmp_path / "new.db").exists()
    assert other.read_bytes() == b"x" * 200


def test_130_interrupted_it_is_run_again(tmp_path: Path) -> None:
    table, plan, path, rejects = (tmp_path / name for name in ("t.csv", "p.toml", "a.db", "r.csv"))
    plan.write_text(PLAN)
    table.write_text("id,name\n,nobody\n" + "".join(f"{n},客户{n}\n" for n in range(5_000)), encoding="utf-8")
    words = ("import", path, table, "--plan", plan, "--create", "--rejects", rejects, *WHO)
    running = process(*words)
    deadline = time.monotonic() + 60
    wal = Path(f"{path}-wal")
    while time.monotonic() < deadline and not (wal.exists() and wal.stat().st_size > 1_000_000):
        time.sleep(0.005)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "Traceback" not in out + err
    assert "cli.interrupted" in err
    # What was done is whole, nothing is half-written, and the same command goes on.
    assert not rejects.exists()
    assert not list(tmp_path.glob(".*"))
    assert not list(tmp_path.glob("*.new-*"))
    assert valid("verify", done("verify", path, "--json"))["problems"] == []
    report = valid("import", done(*words, "--json", code=1))["counts"]
    assert report["created"] + report["unchanged"] == 5_000
    assert report["unchanged"] > 0
    assert rejects.exists()


@pytest.mark.law("K8")
@pytest.mark.parametrize("verb", ["copy", "restore", "backup"])
def test_130_interrupted_copies_are_no_archives_and_go_on(verb: str, tmp_path: Path) -> None:
    table, plan, path, target = (tmp_path / name for name in ("t.csv", "p.toml", "a.db", "b.db"))
    plan.write_text(PLAN)
    table.write_text("id,name\n" + "".join(f"{n},客户{n}\n" for n in range(4_000)), encoding="utf-8")
    done("import", path, table, "--plan", plan, "--create", *WHO)
    more = ("--unmarked",) if verb == "restore" else ()
    running = process(verb, path, target, *more)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (target.exists() or list(tmp_path.glob("b.db*"))):
        time.sleep(0.002)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode in (0, 130), err
    assert "Traceback" not in out + err
    if running.returncode == 130:
        assert run("digest", target).exit_code == 2
        assert not list(tmp_path.glob("*.new-*"))
        done(verb, path, target, *more)
    assert done("digest", target) == done("digest", path)


def test_no_colour_and_no_progress_where_nobody_looks(tmp_path: Path) -> None:
    path = sample(tmp_path)
    running = process("find", path, *WHO)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0
    assert "\x1b" not in out
    assert err == ""


def test_on_a_terminal_headings_stand_out_and_progress_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.db"

    def seen(*words: str | Path) -> str:
        leader, follower = os.openpty()
        with on_terminal(follower, *words) as running:
            os.close(follower)
            shown = b""
            try:
                while piece := os.read(leader, 65_536):
                    shown += piece
            except OSError:
                pass  # the other side is closed
            os.close(leader)
            assert running.wait(timeout=60) == 0, shown.decode()
        return shown.decode()

    assert "导入" in seen("import", path, *FILES, "--plan", "northwind", "--create", *WHO)
    assert "\x1b[1m" in seen("find", path, *WHO)


def test_a_reader_who_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    path = sample(tmp_path)
    running = process("find", path, *WHO)
    assert running.stdout is not None
    running.stdout.close()
    running.wait(timeout=60)
    assert running.stderr is not None
    with running.stderr as err:
        assert err.read() == ""
    assert running.returncode == faults.CUT_OFF


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_disk_that_is_full_while_something_is_said(more: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    done("create", path)
    with Path("/dev/full").open("w") as full:
        running = process("digest", path, *more, stdout=full)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 2
    assert "ENOSPC" in err
    assert "Traceback" not in err
    assert "Exception" not in err


def test_closed_streams_are_nobody(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    done("create", path)
    before = path.read_bytes()
    command = shlex.join([*COMMAND, "digest", str(path), "--json"])
    assert subprocess.run(["sh", "-c", f"{command} >&- 2>&- <&-"], check=False).returncode == 0
    assert path.read_bytes() == before


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "ascii", "utf-8"])
def test_nothing_is_lost_in_an_encoding(encoding: str, tmp_path: Path) -> None:
    table, plan, path = (tmp_path / name for name in ("t.csv", "p.toml", "a.db"))
    plan.write_text(PLAN)
    table.write_text("id,name\n1,Ďuro 㐀仝\n", encoding="utf-8")
    done("import", path, table, "--plan", plan, "--create", *WHO)
    words = [*COMMAND, "find", str(path), *WHO]
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    told = subprocess.run([*words, "--json"], env=env, check=True, capture_output=True).stdout
    assert json.loads(told.decode("utf-8"))["hits"][0]["name"] == {"full": "Ďuro 㐀仝"}
    text = subprocess.run(words, env=env, check=True, capture_output=True).stdout
    assert b"?" not in text
    for each in "Ď㐀仝":
        written = each.encode("utf-8" if encoding == "ascii" else encoding, "backslashreplace")
        assert written in text


def test_names_typed_in_a_plain_c_locale(tmp_path: Path) -> None:
    path = sample(tmp_path)
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    path = path.rename(tmp_path / "商店.db")
    words = [*COMMAND, "find", str(path), *WHO, "--as", "柴进", "--json"]
    told = subprocess.run(words, env={**os.environ, **plain}, check=False, capture_output=True)
    assert told.returncode == 0, told.stderr
    with ds.open(str(path)) as archive:
        assert "柴进" in [each.name for each in archive.staff.all()]


def test_faults_of_the_system_and_of_the_program_are_told_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = faults.told(OSError(errno.ENOSPC, MARKER, MARKER))
    assert (code, said["error"]["code"]) == (2, "cli.file")
    assert "ENOSPC" in said["error"]["en"]
    other, fault = faults.told(ValueError(MARKER))
    assert (other, fault["error"]["code"]) == (70, "cli.fault")
    assert MARKER not in str(said) + str(fault)

    def broken(**_: object) -> None:
        raise RuntimeError(MARKER)

    monkeypatch.setitem(group.commands, "digest", click.Command("digest", callback=broken))
    result = CliRunner().invoke(group, ["digest"])
    assert result.exit_code == 70
    assert MARKER not in result.output
    assert "Traceback" not in result.output


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    words = ("import", tmp_path / "a.db", *FILES, "--plan", "northwind", "--create", "--rejects")
    result = run(*words, tmp_path / "none" / "r.csv", *WHO)
    assert result.exit_code == 2
    assert "--rejects" in result.stderr
    assert "cli.folder" in result.stderr


def test_a_password_never_stands_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sample(tmp_path)
    with_secret = f"mongodb://clerk:{MARKER}@127.0.0.1/shop"
    alone = [(verb, with_secret) for verb in ("create", "digest", "doctor", "verify")]
    for words in (*alone, ("copy", path, with_secret), ("restore", path, with_secret), ("find", with_secret, *WHO)):
        result = run(*words)
        assert result.exit_code == 2
        assert "cli.secret" in result.stderr
        assert MARKER not in result.output
    monkeypatch.delenv(secrets.VARIABLE, raising=False)
    credentials = secrets.options_of("mongodb://the%20clerk@127.0.0.1/shop")["credentials"]
    assert callable(credentials)
    with pytest.raises(errors.InputError) as caught:
        credentials()
    assert caught.value.problems[0].code == "cli.password"
    monkeypatch.setenv(secrets.VARIABLE, MARKER)
    assert credentials() == {"username": "the clerk", "password": MARKER}
    assert secrets.options_of("a@b:c.db", wait=1.5) == {"timeout": 1.5}


@pytest.mark.law("K3")
def test_K3_no_message_repeats_what_was_given(tmp_path: Path) -> None:
    path = sample(tmp_path)
    for words in (
        ("show", path, MARKER, *WHO),
        ("show", path, "KH-1", "--records", MARKER, *WHO),
        ("history", path, MARKER, *WHO),
        ("history", path, "KH-1", "--known", MARKER, *WHO),
        ("history", path, "KH-1", "--on", MARKER, *WHO),
        ("find", path, "--where", f"basic/trading_since = {MARKER}", *WHO),
        ("find", path, "--where", f"basic/industry < {MARKER} and kind = {MARKER}", *WHO),
        ("find", path, "--where", f"transaction_status/times = {MARKER}", *WHO),
        ("find", path, "--after", MARKER, *WHO),
        ("find", path, "--as", "王芳", "--role", MARKER),
        ("find", path, "--as", "王芳", "--role", "manager", "--purpose", MARKER),
        ("find", path, "--as", f"{MARKER}\0" * 40, "--role", "manager"),
        ("create", tmp_path / "n.db", "--zone", MARKER),
        ("create", tmp_path / "n.db", "--numbers", MARKER),
        ("create", tmp_path / "n.db", "--roles", MARKER, MARKER),
        ("import", path, *FILES, "--plan", MARKER, *WHO),
        ("export", path, tmp_path / "x.csv", "--field", MARKER, *WHO),
        ("export", path, tmp_path / "x.csv", "--records", MARKER, *WHO),
        ("export", path, tmp_path / f"x.{MARKER}", *WHO),
        ("backup", path, tmp_path / MARKER / "b.db"),
    ):
        result = run(*words)
        assert result.exit_code == 2, words
        assert MARKER not in result.output, words


def test_ctrl_c_waits_for_a_step_that_must_not_stop_half_way() -> None:
    steps = []

    def step() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
            steps.append("the rest")

    with pytest.raises(KeyboardInterrupt):
        step()
    assert steps == ["the rest"]


def test_help_is_english_and_needs_no_archive() -> None:
    for words in (("--help",), *((name, "--help") for name in group.commands)):
        text = done(*words)
        assert text.startswith("Usage:")
