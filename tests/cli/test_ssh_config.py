"""`ctui ssh-config`: what OpenSSH's own client makes of it, whatever else is configured."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ctui.client.access.ssh_access import sent_variables, stanza, user_config, write_config
from ctui.client.cleaning.uninstall import Part, Uninstall, plan_uninstall, uninstall
from ctui.errors import CtuiError
from ctui.paths import Paths
from tests.cli.commands import ctui, refused

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="OpenSSH's client is not here")

_REST = """\
Host *
    ForwardAgent yes
    ForwardX11 yes
    ForwardX11Trusted yes
    LocalForward 9999 localhost:80
    RemoteForward 9998 localhost:22
    DynamicForward 9997
    Tunnel yes
    PermitLocalCommand yes
    LocalCommand touch /tmp/never
    RemoteCommand reboot
    SendEnv AWS_* LANG
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    PasswordAuthentication yes
    GSSAPIAuthentication yes
    IdentityFile ~/.ssh/id_rsa
    IdentityAgent /agent
    ProxyJump elsewhere
    ControlMaster auto
    ControlPath /tmp/%C
    User root
    ServerAliveInterval 15
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The person's own configuration, which allows everything everywhere."""
    file = tmp_path / "home/.ssh/config"
    file.parent.mkdir(mode=0o700, parents=True)
    file.write_text(_REST)
    return file


def asked(config: Path, host: str) -> dict[str, str]:
    """What ssh would do for a host: `ssh -G`."""
    done = subprocess.run(
        ["ssh", "-G", "-F", str(config), host], capture_output=True, text=True, check=True
    )
    lines = (line.partition(" ") for line in done.stdout.splitlines())
    found: dict[str, str] = {}
    for name, _, value in lines:
        found[name] = f"{found[name]} {value}" if name in found else value
    return found


def ssh_config(
    folder: Path, environ: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return ctui(folder, "ssh-config", *arguments, given="", code=0, **environ)


def test_nothing_is_forwarded_whatever_else_is_configured(config: Path, paths: Paths) -> None:
    """Part 5: no agent, no X11, no forwarding, a pinned host, one key, our own connection."""
    write_config(paths, config)
    found = asked(config, "add-test.ctui")
    for name in ("forwardagent", "forwardx11", "permitlocalcommand", "passwordauthentication"):
        assert found[name] == "no", name
    assert found["clearallforwardings"] == "yes"
    assert not {"localforward", "remoteforward", "dynamicforward"} & set(found)
    assert found["tunnel"] == "false"
    assert found["stricthostkeychecking"] == "true"
    assert found["userknownhostsfile"] == str(paths.state / "ssh/known_hosts")
    assert found["hostkeyalias"] == "ctui"
    assert found["identityagent"] == "none"
    assert found["identitiesonly"] == "yes"
    assert found["identityfile"].split()[0] == str(paths.state / "ssh/client_key")
    assert found["user"] == "claude"
    assert found["controlmaster"] == "false"
    assert found["serveraliveinterval"] == "0"
    assert found.get("remotecommand", "none") == "none"
    assert "--connect" in found["proxycommand"]
    assert "proxyjump" not in found
    assert sent_variables(config) == ["AWS_*"]  # which nothing that comes first can prevent
    elsewhere = asked(config, "example.org")
    assert elsewhere["forwardagent"] == "yes"
    assert elsewhere["user"] == "root"


def test_the_line_is_the_first_one_and_can_be_taken_back(config: Path, paths: Paths) -> None:
    """Part 5: shown, written once as the first line, removed to the last byte; links followed."""
    real = config.parent.parent / "dotfiles"
    config.rename(real)
    config.symlink_to(real)
    real.chmod(0o640)
    environ = {"HOME": str(config.parent.parent), **paths.environment()}
    shown = ssh_config(config.parent, environ, "--print").stdout
    assert shown == stanza(paths)
    assert real.read_text() == _REST
    assert not (paths.state / "ssh").exists()

    for _ in range(2):
        done = ssh_config(config.parent, environ)
        assert done.stdout == shown
        assert str(config) in done.stderr
        assert "your ssh sends AWS_* to tasks too" in done.stderr
        assert real.read_text() == f"Include {paths.state}/ssh/config\n{_REST}"
    assert config.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    for key in ("client_key", "host_key"):
        assert (paths.state / "ssh" / key).stat().st_mode & 0o777 == 0o600
    ssh_config(config.parent, environ, "--remove")
    assert real.read_text() == _REST
    assert list((paths.state / "ssh").iterdir()) == []
    assert "nothing" in ssh_config(config.parent, environ, "--remove").stdout


def test_a_home_without_ssh_gets_its_folder(tmp_path: Path, paths: Paths) -> None:
    """Part 5: ~/.ssh may not be there yet, and is nobody else's."""
    home = tmp_path / "fresh"
    home.mkdir()
    config = user_config({"HOME": str(home)})
    write_config(paths, config)
    assert config.read_text() == f"Include {paths.state}/ssh/config\n"
    assert config.parent.stat().st_mode & 0o777 == 0o700
    assert config.stat().st_mode & 0o777 == 0o600


async def test_uninstall_takes_the_line_away(
    config: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Part 5: nothing of ctui stays in the person's own file."""
    monkeypatch.setenv("HOME", str(config.parent.parent))
    assert not [part for part in (await plan_uninstall(paths)).parts if part.what == "ssh"]
    write_config(paths, config)
    plan = await plan_uninstall(paths)
    assert Part("ssh", f"the line of ctui in {config}") in plan.parts
    only = Uninstall(dry_run=True, parts=[Part("ssh", f"the line of ctui in {config}")])
    assert (await uninstall(paths, only)).parts == only.parts
    assert config.read_text() == _REST


def test_what_ssh_cannot_say_is_refused(paths: Paths) -> None:
    """Part 5: a folder's name is never a part of a command."""
    for name in ("a b", "a'b", 'a"b', "a%h", "a$(reboot)"):
        with pytest.raises(CtuiError, match="cannot name"):
            stanza(paths._replace(state=paths.state / name))


def test_a_connection_without_keys_or_task_is_one_line(tmp_path: Path, paths: Paths) -> None:
    """Part 5: what ssh shows above its own message."""
    environ = paths.environment()
    assert "ctui ssh-config" in refused(
        tmp_path, "ssh-config", "--connect", "one.ctui", code=255, given="", **environ
    )
    assert "is no task" in refused(
        tmp_path, "ssh-config", "--connect", "example.org", code=255, given="", **environ
    )
    assert "exclude each other" in refused(
        tmp_path, "ssh-config", "--print", "--remove", code=2, given="", **environ
    )
