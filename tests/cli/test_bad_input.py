"""Whatever is wrong gets one clear line, an exit code, and no traceback."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ctui.paths import Paths
from tests.cli.commands import run
from tests.conftest import git


def ctui(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    done = run(folder, *arguments, **environ)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def refused(folder: Path, *arguments: str, **environ: str) -> str:
    """The one line that a refused command says."""
    done = ctui(folder, *arguments, **environ)
    assert done.returncode == 1, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    assert "is not in a git repository" in refused(tmp_path, "worktree", "list")


def test_a_path_that_leads_nowhere(tmp_path: Path) -> None:
    assert refused(tmp_path, "./nowhere") == "ctui: there is no folder ./nowhere (ctui PATH)"
    assert "there is no folder" in refused(tmp_path, os.fsdecode(b"./\xff"))


def test_a_path_that_the_system_does_not_take(tmp_path: Path) -> None:
    assert "cannot be opened: File name too long" in refused(tmp_path, "./" + "a" * 5000)
    done = ctui(tmp_path, "a" * 5000)
    assert (done.returncode, done.stderr[:22]) == (2, "ctui: no such command ")


def test_a_bare_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    assert "bare repository" in refused(tmp_path / "bare.git", "run", "hello")


def test_a_repository_without_commits(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "empty")
    assert "no commits yet" in refused(tmp_path / "empty", "worktree", "create", "x")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("objectformat", "sha256", "sha256 objects"), ("refstorage", "reftable", "reftable")],
)
def test_a_format_that_cannot_be_read(repository: Path, key: str, value: str, said: str) -> None:
    config = repository / ".git" / "config"
    config.write_text(config.read_text() + f"[extensions]\n\t{key} = {value}\n")
    assert said in refused(repository, "worktree", "list")


def test_a_detached_head_is_fine(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach", "HEAD~1")
    done = ctui(repository, "worktree", "create", "spike", "--json")
    record = json.loads(done.stdout)
    assert record["base"] == git(repository, "rev-parse", "HEAD")


def test_an_empty_prompt(repository: Path) -> None:
    assert "the prompt is empty" in refused(repository, "run", " \n")


def test_a_worktree_name_that_exists(repository: Path) -> None:
    assert ctui(repository, "worktree", "create", "same").returncode == 0
    assert "exists" in refused(repository, "worktree", "create", "same")
    assert len(git(repository, "worktree", "list").splitlines()) == 2


def test_a_base_that_does_not_exist(repository: Path) -> None:
    assert "no commit 'nowhere'" in refused(repository, "worktree", "create", "x", "--base=nowhere")
    assert "ctui/x" not in git(repository, "branch", "--list")


def test_an_engine_that_does_not_answer(repository: Path, tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/no.sock"
    line = refused(repository, "run", "hello", DOCKER_HOST=host)
    assert "no Docker engine answers" in line
    assert git(repository, "branch", "--list", "ctui/*") == ""


def test_errors_are_json_where_json_was_asked_for(tmp_path: Path) -> None:
    done = ctui(tmp_path, "worktree", "list", "--json")
    assert done.returncode == 1
    assert set(json.loads(done.stdout)) == {"error", "hint"}


def test_wrong_usage_is_exit_code_2(repository: Path) -> None:
    assert ctui(repository, "task", "answer").returncode == 2
    assert ctui(repository, "nonsense").returncode == 2


def test_a_task_that_does_not_exist(repository: Path) -> None:
    assert "there is no task x" in refused(repository, "task", "show", "x")


def test_a_damaged_store_is_named_and_left_alone(repository: Path, paths: Paths) -> None:
    paths.state.mkdir(parents=True, mode=0o700)
    paths.database.write_bytes(b"not a database" * 1000)
    assert "is damaged" in refused(repository, "task", "list")
    assert paths.database.read_bytes() == b"not a database" * 1000


def test_a_store_of_a_newer_ctui_is_refused(repository: Path, paths: Paths) -> None:
    assert ctui(repository, "task", "list").returncode == 0
    with sqlite3.connect(paths.database) as database:
        database.execute("PRAGMA user_version = 999")
    database.close()
    assert "newer ctui" in refused(repository, "task", "list")


def test_a_state_folder_that_is_a_file(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "is not a folder of yours" in refused(
        repository, "task", "list", CTUI_STATE_DIR=f"{tmp_path}/file"
    )


def test_a_full_disk_is_said_and_nothing_is_left(repository: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can make a small file system")
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)], check=True)
    try:
        (small / "fill").write_bytes(b"x" * 15 * 4096)
        line = refused(repository, "worktree", "create", "x", CTUI_DATA_DIR=str(small / "data"))
        assert line.startswith("ctui: ")
        assert len(git(repository, "worktree", "list").splitlines()) == 1
        assert "ctui/x" not in git(repository, "branch", "--list")
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_config_error_names_file_and_key(repository: Path, paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.config_file.write_text("[sandbox]\nmemory = 'lots'\n")
    assert "'lots' is not a size" in refused(repository, "worktree", "create", "x")


@pytest.mark.engine
def test_a_task_in_the_checkout_is_refused_for_root(repository: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root is refused")
    assert "as root" in refused(repository, "run", "--workspace-dir", "hello")


def test_doctor_says_how_to_mend_what_is_missing(tmp_path: Path) -> None:
    done = ctui(tmp_path, "doctor", "--json", DOCKER_HOST=f"unix://{tmp_path}/no.sock")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 1
    assert not checks["engine"]["ok"]
    assert "ctui setup" in checks["login"]["mend"]


def test_setup_keeps_a_token_for_its_owner_alone(tmp_path: Path, paths: Paths) -> None:
    token = "sk-ant-oat-0123456789abcdef"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ctui", "setup", "--no-image"],
        input=token + "\n",
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert token not in done.stdout + done.stderr
    assert (paths.config / "credential").stat().st_mode & 0o777 == 0o600
    assert ctui(tmp_path, "setup", "--logout").returncode == 0
    assert not (paths.config / "credential").exists()


def test_what_is_no_text_is_refused_and_nothing_is_made(repository: Path) -> None:
    broken = os.fsdecode(b"a\xff")
    for arguments in (["run", broken], ["task", "send", "t", broken], ["task", "show", broken]):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "ctui", *arguments],
            cwd=repository,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 1
        assert b"is not UTF-8" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    piped = subprocess.run(
        [sys.executable, "-P", "-m", "ctui", "run", "-"],
        cwd=repository,
        input=b"he\xfflo",
        capture_output=True,
        check=False,
    )
    assert b"stdin is not UTF-8" in piped.stderr
    assert git(repository, "branch", "--list", "ctui/*") == ""


@pytest.mark.parametrize("name", [b"bad\xff", b"two\nlines"])
def test_a_path_that_git_s_own_files_cannot_name_is_refused(tmp_path: Path, name: bytes) -> None:
    folder = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))  # noqa: PTH118 - bytes
    folder.mkdir()
    git(folder, "init", "-q")
    assert "control character" in refused(folder, "worktree", "list")


def test_closed_streams_are_no_mistake_of_the_person(repository: Path) -> None:
    for redirected in ("<&-", ">&-", "2>&-"):
        command = f"{sys.executable} -P -m ctui task list {redirected}"
        done = subprocess.run(
            ["sh", "-c", command], cwd=repository, capture_output=True, check=False
        )
        assert done.returncode == 0
        assert b"Traceback" not in done.stderr


def test_a_full_device_is_said(repository: Path) -> None:
    command = f"{sys.executable} -P -m ctui doctor --json >/dev/full"
    done = subprocess.run(["sh", "-c", command], cwd=repository, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"cannot be written" in done.stderr


def test_an_ask_s_number_has_an_end(repository: Path) -> None:
    done = ctui(repository, "task", "answer", "t", "allow", "--ask", "9" * 30)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.engine
def test_a_start_that_is_refused_leaves_no_worktree(repository: Path) -> None:
    for arguments in (["--task-id", "A B", "x"], ["--budget", "1", "x" * (9 << 20)]):
        prompt = arguments.pop()
        done = subprocess.run(
            [sys.executable, "-P", "-m", "ctui", "run", "--detach", *arguments, "-"],
            cwd=repository,
            input=prompt,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
    assert git(repository, "branch", "--list", "ctui/*") == ""
    assert len(git(repository, "worktree", "list").splitlines()) == 1


@pytest.mark.engine
def test_something_else_at_the_driver_s_socket_is_named(repository: Path, paths: Paths) -> None:
    paths.runtime.mkdir(parents=True, mode=0o700)
    paths.driver_socket.mkdir()
    assert "is in the way" in refused(repository, "run", "hello")
