"""The folders and files of one ctui user, and the checks that only their owner can read them."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ctui.errors import Refused, Unavailable

WORKSPACE = "/workspace"
"""Folder of a task's container that its worktree is mounted at."""

MANAGED = "/etc/claude-code"
"""Folder of settings that the CLI reads before all others; a task cannot write there."""

ATTACHED = "/attached"
"""Folder there with what the person gave with messages; a task cannot write in it."""

_SOCKET_PATH_LIMIT = 100
"""Bytes. A unix socket's path has at most 107 on Linux and 103 on macOS (sun_path in unix(7))."""

_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "9p", "afs", "ceph", "fuse.sshfs"}
)


class Paths(NamedTuple):
    """The five folders of one ctui user, demo or test."""

    config: Path
    state: Path
    data: Path
    cache: Path
    runtime: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Paths:
        """Return the platform's folders, or those that `CTUI_HOME` or `CTUI_<NAME>_DIR` name.

        `CTUI_HOME` puts all five below one folder, which is how a demo or a test stays apart.
        """
        environ = os.environ if environ is None else environ
        home = environ.get("CTUI_HOME")
        if home:
            root = Path(home).absolute()
            found = cls(*(root / name for name in cls._fields))
        else:
            found = _platform_paths()
        chosen = {
            name: Path(value).absolute()
            for name in cls._fields
            if (value := environ.get(f"CTUI_{name.upper()}_DIR"))
        }
        return found._replace(**chosen)

    @classmethod
    def variables(cls) -> list[str]:
        """Return the names of the variables that say where the folders are."""
        return ["CTUI_HOME", *(f"CTUI_{name.upper()}_DIR" for name in cls._fields)]

    def environment(self) -> dict[str, str]:
        """Return the variables that make another process use the same folders."""
        return {f"CTUI_{name.upper()}_DIR": str(path) for name, path in self._asdict().items()}

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def database(self) -> Path:
        return self.state / "ctui.db"

    @property
    def worktrees(self) -> Path:
        """The folder of all worktrees, without links: git writes their paths so."""
        return (self.data / "worktrees").resolve()

    @property
    def driver_log(self) -> Path:
        return self.state / "driver.log"

    @property
    def driver_lock(self) -> Path:
        return self.state / "driver.lock"

    @property
    def driver_socket(self) -> Path:
        return self._socket("driver.sock")

    @property
    def gateway_log(self) -> Path:
        return self.state / "gateway.log"

    @property
    def gateway_lock(self) -> Path:
        return self.state / "gateway.lock"

    @property
    def gateway_socket(self) -> Path:
        return self._socket("gateway.sock")

    @property
    def gateway_folders(self) -> Path:
        """The folder in which each sealed run has one with its sockets."""
        return self._socket("gw", below="0123456789ab/egress.sock")

    @property
    def authority(self) -> Path:
        """Key and certificate by which the gateway is a host that it opens."""
        return self.state / "authority.pem"

    @property
    def ports_secret(self) -> Path:
        return self.state / "ports-secret"

    @property
    def network_books(self) -> Path:
        return self.state / "network.db"

    @property
    def instance(self) -> str:
        """Sixteen hex digits that identify this state folder on the engine."""
        import hashlib

        return hashlib.sha256(os.fsencode(self.state)).hexdigest()[:16]

    def task(self, task_id: str) -> Path:
        return self.state / "tasks" / task_id

    def _socket(self, name: str, below: str = "") -> Path:
        """Return the path of a socket, or of a folder of sockets, that is not too long."""
        plain = self.runtime / name
        if len(os.fsencode(plain / below)) <= _SOCKET_PATH_LIMIT:
            return plain
        import hashlib

        digest = hashlib.sha256(os.fsencode(self.runtime)).hexdigest()[:16]
        return Path("/tmp") / f"ctui-{os.getuid()}-{digest}" / name  # noqa: S108 - its folder is checked by private_folder


def private_folder(path: Path) -> Path:
    """Make the folder `path` if it is missing, and refuse it unless it belongs to this user alone.

    Raises:
        Unavailable: it cannot be made or written.
        Refused: it belongs to somebody else, is a link, or lies on a network file system.
    """
    try:
        # `mkdir` gives the mode to the last folder only, so each missing one is made by itself.
        for folder in reversed([path, *path.parents]):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        status = path.lstat()
    except OSError as error:
        raise Unavailable(
            f"the folder {path} cannot be used: {error.strerror}",
            hint="make it writable, or name another with CTUI_HOME",
        ) from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise Refused(
            f"{path} is not a folder of yours", hint="remove it, or name another with CTUI_HOME"
        )
    if status.st_mode & 0o077:
        path.chmod(0o700)
    if not os.access(path, os.W_OK | os.X_OK):
        raise Unavailable(
            f"the folder {path} cannot be written",
            hint="make it writable, or name another with CTUI_HOME",
        )
    return path


def refuse_network_file_system(path: Path) -> None:
    """Raise Refused on NFS and the like, where SQLite is not safe (sqlite.org/wal.html)."""
    kind = _file_system(path)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise Refused(
            f"{path} lies on a network file system ({kind})",
            hint="name a local folder with CTUI_STATE_DIR",
        )


def resource(name: str) -> Path:
    """Return the folder `docker` or `themes` of the installed package, or of the source tree."""
    package = Path(__file__).resolve().parent
    installed = package / "_resources" / name
    return installed if installed.is_dir() else package.parent / name


def _platform_paths() -> Paths:
    import platformdirs

    return Paths(
        config=platformdirs.user_config_path("ctui"),
        state=platformdirs.user_state_path("ctui"),
        data=platformdirs.user_data_path("ctui"),
        cache=platformdirs.user_cache_path("ctui"),
        runtime=_runtime_path(),
    )


def _runtime_path() -> Path:
    import platformdirs

    # Without a login session (cron, a container, macOS) there is no runtime folder to clean up.
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / "ctui"
    return platformdirs.user_state_path("ctui") / "run"


def _file_system(path: Path) -> str:
    """Return the type of the file system that holds `path`, or "" where /proc does not tell."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    best, kind = "", ""
    target = str(path.resolve())
    for line in mounts.splitlines():
        fields = line.split()
        point = fields[1].replace("\\040", " ")
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind
