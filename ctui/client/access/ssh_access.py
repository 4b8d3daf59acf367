"""The way of OpenSSH's client into tasks: the keys of this home, and its configuration."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ctui.errors import InvalidInput, Refused, Unavailable
from ctui.files import replace_file
from ctui.paths import Paths, private_folder, resource

DOMAIN = "ctui"
_KEY_SECONDS = 30
_RUN = 'for p in /ctui/tree/bin/python3 python3; do command -v "$p" >/dev/null && break; done; '
SESSION = ("/bin/sh", "-c", f'{_RUN}exec "$p" -I -S -c "$0" "$@"')
"""Command that runs the Python program that is its next argument, with those behind it."""

_STANZA = """\
# Tasks of ctui by SSH, written by `ctui ssh-config`. There is no port and no password: the
# connection is a command in the task's sandbox, and nothing of this machine is forwarded there.
Host *.{domain}
    ProxyCommand {proxy} '%n'
    User claude
    HostKeyAlias {domain}
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    UpdateHostKeys no
    CheckHostIP no
    CanonicalizeHostname no
    IdentityFile {folder}/client_key
    IdentitiesOnly yes
    IdentityAgent none
    PreferredAuthentications publickey
    PubkeyAuthentication yes
    PasswordAuthentication no
    KbdInteractiveAuthentication no
    HostbasedAuthentication no
    GSSAPIAuthentication no
    ForwardAgent no
    ForwardX11 no
    ForwardX11Trusted no
    ClearAllForwardings yes
    GatewayPorts no
    Tunnel no
    PermitLocalCommand no
    RemoteCommand none
    SetEnv SSH_TO_TASK=1
    ControlMaster no
    ControlPath none
    ServerAliveInterval 0
"""


class SshFiles(NamedTuple):
    """Files of one home, all in a folder of its own."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def client_key(self) -> Path:
        return self.folder / "client_key"

    @property
    def host_key(self) -> Path:
        return self.folder / "host_key"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"


def ssh_files(paths: Paths) -> SshFiles:
    return SshFiles(paths.state / "ssh")


def stanza(paths: Paths) -> str:
    """Return the configuration of OpenSSH's client for the tasks of this home.

    Raises:
        InvalidInput: the folder's name cannot be written in it.
    """
    folder = str(ssh_files(paths).folder)
    if any(not char.isprintable() or char in "\"'%$`\\ " for char in folder):
        raise InvalidInput(
            f"ssh's configuration cannot name {folder!r}", hint="name another with CTUI_STATE_DIR"
        )
    return _STANZA.format(domain=DOMAIN, folder=folder, proxy=_proxy(paths))


def _proxy(paths: Paths) -> str:
    """Return the command line that begins a session, whatever the environment of ssh is."""
    variables = [f"{name}={value}" for name, value in paths.environment().items()]
    command = ["env", *variables, sys.executable, "-P", "-m", "ctui", "ssh-config", "--connect"]
    # ssh replaces what begins with a percent sign.
    return shlex.join(command).replace("%", "%%")


def make_keys(paths: Paths) -> None:
    """Make the keys of this home, where they are missing, and the list that pins the host's.

    Raises:
        Unavailable: there is no `ssh-keygen`, or it fails.
    """
    files = ssh_files(paths)
    private_folder(files.folder)
    for key in (files.client_key, files.host_key):
        if not key.is_file():
            _make_key(key)
    public = _public(files.host_key)
    replace_file(files.known_hosts, f"{DOMAIN} {public}\n".encode())


def _make_key(key: Path) -> None:
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ctui", "-f", str(key)]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_KEY_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable("ssh-keygen does not run", hint="install OpenSSH's client") from error
    if done.returncode:
        raise Unavailable(f"{key} cannot be made by ssh-keygen", hint="is its folder writable?")


def _public(key: Path) -> str:
    words = key.with_name(f"{key.name}.pub").read_text(encoding="utf-8").split()
    return " ".join(words[:2])


def first_line(paths: Paths) -> bytes:
    """Return the line that begins a session: the host's key, and who may log in.

    Raises:
        Refused: nobody has written the configuration.
    """
    files = ssh_files(paths)
    try:
        message = {
            "host_key": files.host_key.read_text(encoding="utf-8"),
            "authorized_keys": f"restrict,pty {_public(files.client_key)}\n",
        }
    except OSError as error:
        raise Refused("ssh has no keys for tasks", hint="run `ctui ssh-config`") from error
    return json.dumps(message).encode() + b"\n"


def session_command() -> tuple[str, ...]:
    """Return the command that runs one session in a sandbox; it says nothing secret."""
    program = (resource("docker") / "ssh" / "session.py").read_text(encoding="utf-8")
    return (*SESSION, program)


def user_config(environ: Mapping[str, str] | None = None) -> Path:
    """Return the person's own configuration of ssh; a link to it is followed."""
    environ = os.environ if environ is None else environ
    return Path(environ.get("HOME") or Path.home()).resolve() / ".ssh" / "config"


def write_config(paths: Paths, config: Path) -> None:
    """Write the stanza, and the line that includes it as the first one of the person's file.

    Raises:
        CtuiError: something cannot be written; the person's file is as it was.
    """
    make_keys(paths)
    files = ssh_files(paths)
    replace_file(files.config, stanza(paths).encode())
    text = _read(config)
    line = _include(files)
    wanted = line + _without(text, line)
    if wanted != text:
        _write(config, wanted)


def sent_variables(config: Path) -> list[str]:
    """Return the variables that ssh sends into tasks all the same, but for languages.

    A later `SendEnv` adds to an earlier one, so no first stanza can take it back.
    """
    argv = ["ssh", "-G", "-F", str(config), f"x.{DOMAIN}"]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_KEY_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = [line.split() for line in done.stdout.decode("utf-8", "replace").splitlines()]
    names = {name for words in lines if words[:1] == ["sendenv"] for name in words[1:]}
    return sorted(name for name in names if not name.startswith(("LANG", "LC_")))


def remove_config(paths: Paths, config: Path) -> bool:
    """Take the line, the stanza and the keys away; return True if there was anything."""
    files = ssh_files(paths)
    text = _read(config)
    left = _without(text, _include(files))
    if left != text:
        _write(config, left)
    found = left != text
    public = [key.with_name(f"{key.name}.pub") for key in (files.client_key, files.host_key)]
    for path in (files.config, files.known_hosts, files.client_key, files.host_key, *public):
        found |= path.exists()
        path.unlink(missing_ok=True)
    return found


def is_included(paths: Paths, config: Path) -> bool:
    """Return True where the person's file has the line that includes ours."""
    try:
        text = _read(config)
    except Unavailable:
        return False
    return _without(text, _include(ssh_files(paths))) != text


def _include(files: SshFiles) -> str:
    return f"Include {files.config}\n"


def _without(text: str, line: str) -> str:
    return "".join(one for one in text.splitlines(keepends=True) if one.strip() != line.strip())


def _read(config: Path) -> str:
    try:
        return config.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Unavailable(f"{config} cannot be read: {error.strerror}") from error


def _write(config: Path, text: str) -> None:
    """Replace the file that a link may lead to, and keep its mode."""
    real = config.resolve()
    try:
        if not real.parent.is_dir():
            real.parent.mkdir(mode=0o700)
        like = real.stat() if real.exists() else None
        replace_file(real, text.encode("utf-8", "surrogateescape"), like=like)
    except OSError as error:
        raise Unavailable(f"{config} cannot be written: {error.strerror}") from error
