from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.engine
def test_the_wheel_works_in_an_empty_environment_elsewhere(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    # What the tests run with is what the wheel needs; a path file makes it visible without a
    # second download, but not ctui itself, which is an editable install there.
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", wheel], check=True)
    site = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    ours = next((Path(sys.prefix) / "lib").glob("python*/site-packages"))
    (site / "dependencies.pth").write_text(f"{ours}\n")
    command = str(tmp_path / "venv" / "bin" / "ctui")
    environ = {**os.environ, "CTUI_HOME": str(tmp_path / "home")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *arguments],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("--version").stdout.startswith("ctui ")
    assert "worktree" in run("--help").stdout
    assert "image" in run("doctor").stdout
    found = subprocess.run(
        [python, "-c", "from ctui.paths import resource; print(resource('docker'))"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    resources = Path(found.stdout.strip())
    assert resources.is_relative_to(site)
    assert (resources / "relay" / "__main__.py").is_file()
    assert (resources.parent / "themes").is_dir()
