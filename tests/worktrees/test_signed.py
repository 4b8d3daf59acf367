"""Commits of ctui are signed as the person's own, by real programs and real keys, or refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctui.errors import Refused
from ctui.git.commits.beginning import begin_repository, find_beginning
from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.landing.commit import commit_all
from ctui.worktrees.landing.land import land
from ctui.worktrees.landing.landing_commit import Method
from tests.git.people import as_person, configure
from tests.worktrees.landing import Place

pytestmark = [
    pytest.mark.usefixtures("home"),
    pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed"),
]

ADA = "[user]\n\tname = Ada\n\temail = ada@example.org\n"
SAFE = "[safe]\n\tdirectory = *\n"
SIGNED = "[commit]\n\tgpgSign = true\n"


def _run(*arguments: str, **environ: str) -> str:
    done = subprocess.run(
        arguments, env={**os.environ, **environ}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def keyring() -> Iterator[str]:
    """A folder of gpg's with Ada's key; its name is short, because a socket is in it."""
    with tempfile.TemporaryDirectory(prefix="g", dir="/tmp") as folder:
        who = "Ada <ada@example.org>"
        generate = ("--batch", "--passphrase", "", "--quick-gen-key", who, "ed25519", "sign")
        _run("gpg", *generate, GNUPGHOME=folder)
        yield folder
        _run("gpgconf", "--kill", "all", GNUPGHOME=folder)


@pytest.fixture
def gpg(
    repository: Path,  # noqa: ARG001 - it is made before, by somebody who signs nothing
    home: Path,
    keyring: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    monkeypatch.setenv("GNUPGHOME", keyring)
    configure(home, ADA + SAFE + SIGNED)
    return home


@pytest.fixture
def ssh(repository: Path, home: Path) -> Path:  # noqa: ARG001 - as for gpg
    """A person who signs by an ssh key in a file, and knows it again."""
    key = home / "key"
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", str(key))
    public = key.with_suffix(".pub").read_text()
    (home / "allowed").write_text(f"ada@example.org {public}")
    configure(home, f"{ADA}{SAFE}{SIGNED}{_by_ssh(home)}[user]\n\tsigningKey = ~/key.pub\n")
    return home


def _by_ssh(home: Path) -> str:
    return f'[gpg]\n\tformat = ssh\n[gpg "ssh"]\n\tallowedSignersFile = {home}/allowed\n'


async def _place(repository: Path, tmp_path: Path) -> Place:
    found = open_repository(repository)
    record = await create_worktree(found, tmp_path / "worktrees", name="work")
    return Place(repository, found, record)


def _signer(place: Place, commit: str) -> str:
    """Who signed a commit, if git says that the signature is good."""
    as_person(place.main, "verify-commit", commit)
    return as_person(place.main, "log", "-1", "--format=%G? %GS", commit)


async def _committed(place: Place, name: str = "a") -> str:
    (place.path / name).write_text(name)
    made = await commit_all(place.worktree, f"Add {name}\n\nBecause.")
    assert made is not None
    return made.after


def _by_another(folder: Path, name: str) -> None:
    """Commit as somebody else, who signs nothing."""
    (folder / name).write_text(name)
    as_person(folder, "add", name)
    test = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    as_person(folder, *test, "commit", "-q", "--no-gpg-sign", "-m", f"Add {name}")


async def test_a_commit_is_signed_by_gpg(repository: Path, tmp_path: Path, gpg: Path) -> None:
    """G19: it was unsigned, without a word."""
    assert gpg.is_dir()
    place = await _place(repository, tmp_path)
    made = await _committed(place)
    assert _signer(place, made) == "G Ada <ada@example.org>"
    assert as_person(place.main, "log", "-1", "--format=%B", made).strip() == "Add a\n\nBecause."
    as_person(place.main, "fsck", "--strict")


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
@pytest.mark.usefixtures("gpg")
async def test_each_method_of_landing_signs_what_it_makes(
    repository: Path, tmp_path: Path, method: Method
) -> None:
    """G19: also each commit of a rebase, whose authors stay."""
    place = await _place(repository, tmp_path)
    for name in ("a", "b"):
        _by_another(place.path, name)
    _by_another(place.main, "c")
    landed = await land(place.repository, place.worktree, method=method)
    new = as_person(place.main, "rev-list", f"{landed.before}..{landed.after}").splitlines()
    own = as_person(place.main, "rev-list", f"{landed.before}..ctui/work").splitlines()
    made = [commit for commit in new if commit not in own]
    assert len(made) == (2 if method == "rebase" else 1)
    assert {_signer(place, commit) for commit in made} == {"G Ada <ada@example.org>"}
    if method == "rebase":
        authors = as_person(place.main, "log", "-2", "--format=%an %cn", landed.after)
        assert set(authors.splitlines()) == {"Test Ada"}
    as_person(place.main, "fsck", "--strict")


async def test_a_commit_is_signed_by_a_key_of_ssh(
    repository: Path, tmp_path: Path, ssh: Path
) -> None:
    """G19: `gpg.format = ssh`."""
    assert ssh.is_dir()
    place = await _place(repository, tmp_path)
    assert _signer(place, await _committed(place)) == "G ada@example.org"
    _by_another(place.main, "c")
    landed = await land(place.repository, place.worktree)
    assert _signer(place, landed.after) == "G ada@example.org"


@pytest.fixture
def agent(ssh: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The public key of a private one that only ssh's agent has."""
    with (
        tempfile.TemporaryDirectory(prefix="a", dir="/tmp") as folder,
        subprocess.Popen(
            ["ssh-agent", "-D", "-a", f"{folder}/agent"], stdout=subprocess.PIPE
        ) as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()  # it listens
        monkeypatch.setenv("SSH_AUTH_SOCK", f"{folder}/agent")
        _run("ssh-add", "-q", str(ssh / "key"))
        (ssh / "key").unlink()
        yield (ssh / "key.pub").read_text().strip()
        process.terminate()


async def test_a_key_that_only_the_agent_has_signs(
    repository: Path, tmp_path: Path, ssh: Path, agent: str
) -> None:
    """G19: a literal key, and the first one that the person's command names."""
    place = await _place(repository, tmp_path)
    literal = f'[user]\n\tsigningKey = "key::{agent}"\n'
    configure(ssh, ADA + SAFE + SIGNED + _by_ssh(ssh) + literal)
    assert _signer(place, await _committed(place, "a")) == "G ada@example.org"
    command = '[gpg "ssh"]\n\tdefaultKeyCommand = ssh-add -L\n'
    configure(ssh, ADA + SAFE + SIGNED + _by_ssh(ssh) + command)
    assert _signer(place, await _committed(place, "b")) == "G ada@example.org"


@pytest.mark.usefixtures("gpg")
async def test_a_condition_decides_whether_it_is_signed(
    repository: Path, tmp_path: Path, gpg: Path
) -> None:
    """G19: signing is on for the worktree's branch, and not for the landing's."""
    configure(gpg, f'{ADA}{SAFE}[includeIf "onbranch:ctui/**"]\n\tpath = signed.inc\n')
    (gpg / "signed.inc").write_text(SIGNED)
    place = await _place(repository, tmp_path)
    assert _signer(place, await _committed(place)) == "G Ada <ada@example.org>"
    landed = await land(place.repository, place.worktree)
    assert as_person(place.main, "log", "-1", "--format=%G?", landed.after) == "N"


@pytest.mark.usefixtures("gpg")
async def test_the_first_commit_of_a_folder_is_signed(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "a").write_text("a")
    await begin_repository(await find_beginning(folder))
    as_person(folder, "verify-commit", "HEAD")


REFUSED = {
    "no key of that name": ("[user]\n\tsigningKey = NOBODY\n", "gpg: .*secret key|No secret key"),
    "a program that is not there": ("[gpg]\n\tprogram = /nowhere/gpg\n", "it is not installed"),
    "a program that fails": ("[gpg]\n\tprogram = false\n", "exit status 1"),
    "a program that signs nothing": ("[gpg]\n\tprogram = true\n", "cannot be signed by true"),
    "a relative program": ("[gpg]\n\tprogram = ./sign\n", "gpg.program is a relative path"),
    "a format of tomorrow": ("[gpg]\n\tformat = pq\n", "gpg.format is pq"),
    "ssh without a key": ("[gpg]\n\tformat = ssh\n", "by which ssh key"),
    "an ssh key that is gone": (
        "[gpg]\n\tformat = ssh\n[user]\n\tsigningKey = /nowhere/key\n",
        "cannot be signed by ssh-keygen",
    ),
    "a command for a key that gives none": (
        '[gpg]\n\tformat = ssh\n[gpg "ssh"]\n\tdefaultKeyCommand = true\n',
        "gives no key",
    ),
    "no boolean": ("[commit]\n\tgpgSign = perhaps\n", "commit.gpgSign cannot be read"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_signed_is_refused_with_the_reason(
    repository: Path, tmp_path: Path, gpg: Path, name: str
) -> None:
    """G19: and nothing has moved."""
    place = await _place(repository, tmp_path)
    configuration, reason = REFUSED[name]
    configure(gpg, ADA + SAFE + SIGNED + configuration)
    (place.path / "a").write_text("a")
    before = (
        as_person(place.path, "-c", "commit.gpgSign=false", "rev-parse", "HEAD")
        if (name != "no boolean")
        else place.record.base
    )
    with pytest.raises(Refused, match=reason) as refused:
        await commit_all(place.worktree, "Add a")
    assert refused.value.hint
    configure(gpg, ADA + SAFE)
    assert as_person(place.path, "rev-parse", "HEAD") == before
    assert as_person(place.path, "status", "--porcelain") == "?? a"


@pytest.mark.parametrize("scope", ["--local", "--worktree"])
@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        ("openpgp", "gpg.program"),
        ("openpgp", "gpg.openpgp.program"),
        ("ssh", "gpg.ssh.program"),
        ("ssh", "gpg.ssh.defaultKeyCommand"),
    ],
)
async def test_a_program_that_a_repository_names_is_never_run(
    repository: Path, tmp_path: Path, gpg: Path, scope: str, kind: str, setting: str
) -> None:
    """G19: only the person's own configuration says what is started."""
    marker, program = tmp_path / "executed", tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {marker}\n")
    program.chmod(0o755)
    place = await _place(repository, tmp_path)
    configure(gpg, f"{ADA}{SAFE}{SIGNED}[gpg]\n\tformat = {kind}\n")
    as_person(place.main, "config", "extensions.worktreeConfig", "true")
    as_person(place.path, "config", scope, setting, str(program))
    (place.path / "a").write_text("a")
    with pytest.raises(Refused, match="set in the repository's own configuration"):
        await commit_all(place.worktree, "Add a")
    assert not marker.exists()


@pytest.mark.usefixtures("gpg")
async def test_a_look_at_a_landing_asks_for_no_signature(
    repository: Path, tmp_path: Path, gpg: Path
) -> None:
    place = await _place(repository, tmp_path)
    await _committed(place)
    marker, program = tmp_path / "executed", tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {marker}\nexit 1\n")
    program.chmod(0o755)
    configure(gpg, f"{ADA}{SAFE}{SIGNED}[gpg]\n\tprogram = {program}\n")
    await land(place.repository, place.worktree, dry_run=True)
    assert not marker.exists()
    with pytest.raises(Refused, match="cannot be signed"):
        await land(place.repository, place.worktree)
    assert marker.exists()
    program.unlink()
    with pytest.raises(Refused, match="it is not installed"):
        await land(place.repository, place.worktree, dry_run=True)


async def test_a_repository_can_say_that_nothing_is_signed(
    repository: Path, tmp_path: Path, gpg: Path
) -> None:
    configure(gpg, f"{ADA}{SAFE}{SIGNED}[gpg]\n\tprogram = /nowhere\n")
    place = await _place(repository, tmp_path)
    as_person(place.main, "config", "commit.gpgSign", "false")
    made = await _committed(place)
    assert as_person(place.main, "log", "-1", "--format=%G?", made) == "N"
