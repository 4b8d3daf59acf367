"""Signatures of commits that ctui makes, as `git commit -S` would make them.

Commits are written byte for byte by ctui itself, and git signs only those that it writes. So the
program that git would run is run here: gpg, gpgsm or ssh-keygen, or what the person put in its
place. A program is only taken from the person's own configuration, never from a repository's.
"""

from __future__ import annotations

import asyncio
import shlex
import shutil
import tempfile
from collections.abc import Sequence
from contextvars import copy_context
from pathlib import Path
from typing import NamedTuple

from ctui.errors import Refused
from ctui.git.commits.identity import name_and_address
from ctui.git.process.caller import environ
from ctui.git.process.command import run_git
from ctui.git.process.process import communicate, held_locks
from ctui.text import one_line, sanitise

_SECONDS = 120
"""A person may have to type a passphrase."""

_KEYS = r"^(commit[.]gpgsign|user[.]signingkey|gpg[.](.*[.])?(format|program|defaultkeycommand))$"
_OWN_SCOPES = frozenset({"system", "global", "command"})
"""Scopes of a person's own configuration; `local` and `worktree` are a repository's."""

_PROGRAMS = {"openpgp": "gpg", "x509": "gpgsm", "ssh": "ssh-keygen"}
_OFF = "or turn signing off here: git config commit.gpgSign false"


class _Setting(NamedTuple):
    value: str
    scope: str


class Signer(NamedTuple):
    """A program and a key of the person's."""

    kind: str
    """`openpgp`, `x509` or `ssh`."""
    program: str
    key: str

    def check(self) -> None:
        """Refuse what can be seen to be missing, without asking for a signature.

        Raises:
            Refused: the program, or the file of an ssh key.
        """
        if shutil.which(self.program, path=environ().get("PATH")) is None:
            raise self._failure("it is not installed")
        literal = self.kind != "ssh" or _literal_key(self.key)
        if not literal and not Path(self.key).expanduser().is_file():
            raise self._failure(f"there is no key {self.key}")

    async def sign(self, payload: bytes) -> bytes:
        """Return the signature of a commit without one.

        Raises:
            Refused: with what the program said.
        """
        if self.kind == "ssh":
            signature = await self._by_ssh(payload)
        else:
            signature = await self._by_gpg(payload)
        if not signature.startswith(b"-----BEGIN "):
            raise self._failure("it made no signature")
        return signature.replace(b"\r\n", b"\n")

    async def _by_gpg(self, payload: bytes) -> bytes:
        signature, said = await self._run(["--status-fd=2", "-bsau", self.key], payload)
        if b"[GNUPG:] SIG_CREATED " not in said:
            raise self._failure(_without_status(said))
        return signature

    async def _by_ssh(self, payload: bytes) -> bytes:
        with tempfile.TemporaryDirectory(prefix="ctui-sign-") as folder:
            signed, key = Path(folder) / "commit", Path(folder) / "key"
            signed.write_bytes(payload)
            literal = _literal_key(self.key)
            if literal:
                # The private part is with the agent.
                key.write_text(f"{literal}\n")
            named = str(key if literal else Path(self.key).expanduser())
            options = ["-U"] if literal else []
            command = ["-Y", "sign", "-n", "git", "-f", named, *options, str(signed)]
            _, said = await self._run(command, None)
            try:
                return signed.with_name("commit.sig").read_bytes()
            except OSError as error:
                raise self._failure(_without_status(said)) from error

    async def _run(self, arguments: Sequence[str], payload: bytes | None) -> tuple[bytes, bytes]:
        program = shutil.which(self.program, path=environ().get("PATH"))
        if program is None:
            raise self._failure("it is not installed")
        try:
            async with asyncio.timeout(_SECONDS):
                stdout, stderr, code = await _apart([program, *arguments], payload)
        except TimeoutError as error:
            raise self._failure(f"it took longer than {_SECONDS} s") from error
        except OSError as error:
            raise self._failure(f"it does not start: {error.strerror}") from error
        if code != 0:
            raise self._failure(_without_status(stderr) or f"exit status {code}")
        return stdout or b"", stderr

    def _failure(self, reason: str) -> Refused:
        return Refused(
            f"the commit cannot be signed by {one_line(self.program, 80)}: {one_line(reason, 200)}",
            hint=f"`git commit -S` has to work in a shell without a question, {_OFF}",
        )


async def signer(git_dir: Path, work_tree: Path | None, committer: bytes) -> Signer | None:
    """Return what signs the commits of a checkout, or None where they are not signed.

    Args:
        git_dir: of the checkout.
        work_tree: its files.
        committer: of the commits, in their form; its key is the one without `user.signingKey`.

    Raises:
        Refused: they are to be signed, and the configuration does not say how.
    """
    wanted = await run_git(
        ["config", "--type=bool", "--get", "commit.gpgSign"],
        git_dir=git_dir,
        work_tree=work_tree,
        blanked=(),
        check=False,
    )
    if wanted.exit_code == 1 or wanted.stdout.strip() == b"false":
        return None
    if wanted.exit_code:
        raise Refused(
            f"commit.gpgSign cannot be read: {one_line(wanted.stderr, 200)}", hint="mend it"
        )
    found = await _settings(git_dir, work_tree)
    kind = found["gpg.format"].value.lower() if "gpg.format" in found else "openpgp"
    if kind not in _PROGRAMS:
        raise Refused(
            f"gpg.format is {one_line(kind, 40)}, with which ctui cannot sign",
            hint=f"openpgp, x509 or ssh, {_OFF}",
        )
    program = _program(found, kind)
    return Signer(kind, program, await _key(found, kind, committer))


def with_signature(payload: bytes, signature: bytes) -> bytes:
    """Return a commit with the signature of what it was before, as its last header."""
    headers, _, message = payload.partition(b"\n\n")
    lines = signature.rstrip(b"\n").replace(b"\n", b"\n ")
    return headers + b"\ngpgsig " + lines + b"\n\n" + message


async def _settings(git_dir: Path, work_tree: Path | None) -> dict[str, _Setting]:
    output = await run_git(
        ["config", "--show-scope", "-z", "--get-regexp", _KEYS],
        git_dir=git_dir,
        work_tree=work_tree,
        blanked=(),
    )
    fields = iter(output.stdout.decode("utf-8", "surrogateescape").split("\0"))
    found = {}
    for scope, entry in zip(fields, fields, strict=False):
        key, _, value = entry.partition("\n")
        found[key] = _Setting(value, scope)
    return found


def _program(found: dict[str, _Setting], kind: str) -> str:
    names = [f"gpg.{kind}.program", *(["gpg.program"] if kind == "openpgp" else [])]
    for name in names:
        if name in found:
            return _own(found, name)
    return _PROGRAMS[kind]


def _own(found: dict[str, _Setting], name: str) -> str:
    """Return the value of a setting that names a program, if it is the person's own."""
    value, scope = found[name]
    if scope not in _OWN_SCOPES:
        raise Refused(
            f"commits are to be signed, and {name} is set in the repository's own configuration",
            hint=f"ctui starts only programs of yours: git config --global {name} PROGRAM; {_OFF}",
        )
    # Where git runs it, a relative path would be among the files of the checkout.
    if "/" in value and not value.startswith(("/", "~")):
        raise Refused(f"{name} is a relative path", hint="make it absolute")
    return str(Path(value).expanduser()) if value.startswith("~") else value


async def _key(found: dict[str, _Setting], kind: str, committer: bytes) -> str:
    if (chosen := found.get("user.signingkey")) is not None and chosen.value:
        return chosen.value
    if kind != "ssh":
        who = name_and_address(committer)
        if who is None:
            raise Refused("the committer's name is not UTF-8", hint="git config user.signingKey ID")
        return f"{who[0]} <{who[1]}>"
    if "gpg.ssh.defaultkeycommand" in found:
        return await _default_key(_own(found, "gpg.ssh.defaultkeycommand"))
    raise Refused(
        "commits are to be signed, and git does not know by which ssh key",
        hint=f"git config --global user.signingKey ~/.ssh/KEY.pub, {_OFF}",
    )


async def _default_key(command: str) -> str:
    """Return the first key that the person's command names (git-config(1))."""
    problem = Refused(
        f"gpg.ssh.defaultKeyCommand gives no key: {one_line(command, 80)}",
        hint=f"git config --global user.signingKey ~/.ssh/KEY.pub, {_OFF}",
    )
    try:
        program, *arguments = shlex.split(command)
        found = shutil.which(program, path=environ().get("PATH"))
        async with asyncio.timeout(_SECONDS):
            stdout, _, code = await _apart([found or program, *arguments], None)
    except (ValueError, OSError, TimeoutError) as error:
        raise problem from error
    key = (stdout or b"").decode("utf-8", "replace").partition("\n")[0].strip()
    if code != 0 or _literal_key(key) is None:
        raise problem
    return key


def _literal_key(key: str) -> str | None:
    """Return a public key that stands where a file's name could, or None."""
    if key.startswith("key::"):
        return key.removeprefix("key::")
    return key if key.startswith("ssh-") else None


async def _apart(argv: Sequence[str], payload: bytes | None) -> tuple[bytes | None, bytes, int]:
    """Run a program that is not git's, and may leave an agent behind: it inherits no lock."""
    env = {name: value for name, value in environ().items() if not name.startswith("GIT_")}
    context = copy_context()
    context.run(held_locks.set, ())
    running = communicate(argv, {**env, "LC_ALL": "C.UTF-8"}, payload, nice=False)
    return await asyncio.get_running_loop().create_task(running, context=context)


def _without_status(said: bytes) -> str:
    lines = sanitise(said.decode("utf-8", "replace")).splitlines()
    told = [line for line in lines if line.strip() and not line.startswith("[GNUPG:]")]
    return told[-1] if told else ""
