from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from ctui.errors import InvalidInput
from ctui.sandbox.docker.endpoint import DEFAULT_SOCKET, Endpoint, Tls, resolve_endpoint


def context(home: Path, name: str, host: str) -> None:
    folder = home / ".docker" / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    meta = {"Name": name, "Endpoints": {"docker": {"Host": host}}}
    (folder / "meta.json").write_text(json.dumps(meta))


def test_nothing_set_means_the_default_socket(tmp_path: Path) -> None:
    assert resolve_endpoint({"HOME": str(tmp_path)}) == Endpoint("unix", DEFAULT_SOCKET)


def test_docker_host_wins(tmp_path: Path) -> None:
    context(tmp_path, "remote", "tcp://10.0.0.1:2375")
    found = resolve_endpoint(
        {"HOME": str(tmp_path), "DOCKER_HOST": "unix:///run/x.sock", "DOCKER_CONTEXT": "remote"}
    )
    assert found == Endpoint("unix", "/run/x.sock")


def test_a_socket_is_the_same_engine_by_each_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to("run")
    names = [f"unix://{tmp_path}/{folder}/docker.sock" for folder in ("run", "link")]
    one, other = [resolve_endpoint({"DOCKER_HOST": name}) for name in names]
    assert one.url != other.url
    assert one.identity == other.identity == names[0]
    assert resolve_endpoint({"DOCKER_HOST": "tcp://e:1"}).identity == "tcp://e:1"


def test_the_chosen_context_is_used(tmp_path: Path) -> None:
    context(tmp_path, "remote", "tcp://10.0.0.1:2375")
    (tmp_path / ".docker" / "config.json").write_text('{"currentContext": "remote"}')
    assert resolve_endpoint({"HOME": str(tmp_path)}) == Endpoint("tcp", "10.0.0.1:2375")


def test_tls_files_come_from_the_environment(tmp_path: Path) -> None:
    environ = {"DOCKER_HOST": "tcp://h", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/c"}
    wanted = Endpoint("tcp", "h:2376", Tls("/c/ca.pem", "/c/cert.pem", "/c/key.pem"))
    assert resolve_endpoint({**environ, "HOME": str(tmp_path)}) == wanted


def test_ssh_goes_through_the_docker_command(tmp_path: Path) -> None:
    context(tmp_path, "box", "ssh://me@box")
    found = resolve_endpoint({"HOME": str(tmp_path), "DOCKER_CONTEXT": "box"})
    assert found.kind == "dial"
    assert found.command == ("docker", "--context", "box", "system", "dial-stdio")


@pytest.mark.parametrize("environ", [{"DOCKER_HOST": "npipe://x"}, {"DOCKER_CONTEXT": "none"}])
def test_what_cannot_be_used_is_said(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        resolve_endpoint({**environ, "HOME": str(tmp_path)})
