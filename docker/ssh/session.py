"""One session of sshd in a task's sandbox, on the streams of a command: no port, no password.

It comes from the host as an argument (`python3 -c`), so that it needs no place in an image. The
first line of stdin is a JSON object with the host's key and the line of the one client that may
log in. They lie in a folder of /tmp, outside of HOME, for as long as the session takes; sshd runs
as the task's user, and so gives nobody more than the task has itself.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_SSHD = ("/ctui/tree/bin/sshd", "/usr/sbin/sshd", "/usr/bin/sshd")
_OWN = {"_", "OLDPWD", "PWD", "SHLVL", "TERM"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MISSING = 126
_CONFIG = """\
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
AuthenticationMethods publickey
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
DisableForwarding yes
PermitTunnel no
GatewayPorts no
PermitUserEnvironment no
PermitUserRC no
PrintMotd no
PrintLastLog no
UseDNS no
PidFile none
LogLevel ERROR
Subsystem sftp internal-sftp
"""
# StrictModes: /tmp and the home are everybody's in the sandbox, where there is only one user.


def main() -> int:
    """Run one session; return the exit code of its sshd."""
    given = json.loads(_first_line())
    sshd = next((path for path in _SSHD if os.access(path, os.X_OK)), None)
    if sshd is None:
        print(
            "the image of this task has no sshd: `ctui image build`, then stop and resume it",
            file=sys.stderr,
        )
        return _MISSING
    folder = Path(tempfile.mkdtemp(prefix=".ctui-ssh-", dir="/tmp"))
    try:
        for name in ("host_key", "authorized_keys"):
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(str(given[name]))
        (folder / "config").write_text(_CONFIG.format(folder=folder) + _environment())
        return subprocess.call([sshd, "-i", "-e", "-f", str(folder / "config")])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _first_line() -> bytes:
    """Read the first line and nothing behind it, which is sshd's."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            sys.exit(0)
        line += byte
    return line


def _environment() -> str:
    """Return the line that gives sessions the environment of this process: sshd has its own."""
    words = [
        '"{}={}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"'))
        for name, value in os.environ.items()
        if name not in _OWN and _NAME.fullmatch(name) and "\n" not in value
    ]
    return f"SetEnv {' '.join(words)}\n" if words else ""


if __name__ == "__main__":
    sys.exit(main())
