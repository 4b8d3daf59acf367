"""Services of a sandbox as data: what the engine is told of them, and what they must not be."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ctui.errors import CtuiError, InvalidInput
from ctui.sandbox.docker.container_body import create_body
from ctui.sandbox.docker.services.bodies import CAPABILITIES, holder_body, service_body
from ctui.sandbox.docker.services.image_facts import ImageFacts, read_facts
from ctui.sandbox.docker.services.naming import service_name, volume_name
from ctui.sandbox.docker.services.worktree_path import worktree_path
from ctui.sandbox.proxies import past_proxies
from ctui.sandbox.services import Service, WorktreeMount, refuse_shadowing, refuse_shared_ports
from ctui.sandbox.spec import (
    HOLDER,
    LABEL_INSTANCE,
    LABEL_KEEPS,
    LABEL_RUN,
    LABEL_SERVICE,
    LABEL_TASK,
    Limits,
    Mount,
    SandboxSpec,
)

INSTANCE = "0123456789abcdef"
DB = Service(name="db", image="postgres:16", env={"A": "b"})


def spec_of(worktree: Path, *services: Service) -> SandboxSpec:
    return SandboxSpec(
        name="ctui-01234567-one-1",
        image="ctui:test",
        command=(),
        uid=1000,
        gid=1000,
        env={},
        mounts=(Mount(str(worktree), "/workspace"),),
        network="ctui-01234567",
        network_of="ctui-01234567-one-holder" if services else "",
        services=services,
        labels={
            LABEL_INSTANCE: INSTANCE, LABEL_TASK: "one", LABEL_RUN: "1", LABEL_SERVICE: ""
        },
        limits=Limits(memory=1 << 30, cpus=1.5, pids=100),
    )  # fmt: skip


def service(spec: SandboxSpec, facts: ImageFacts = ImageFacts()) -> dict[str, Any]:  # noqa: B008 - it is frozen
    return service_body(spec, spec.services[0], facts, {})


def test_only_the_holder_is_on_a_network_and_knows_the_names(tmp_path: Path) -> None:
    """Part 4: services and sandbox share one namespace, under the services' names."""
    spec = spec_of(tmp_path, DB, Service(name="queue", image="x"))
    holder = holder_body(spec)
    assert holder["HostConfig"]["NetworkMode"] == "ctui-01234567"
    assert holder["HostConfig"]["ExtraHosts"] == ["db:127.0.0.1", "queue:127.0.0.1"]
    sealed = msgspec.structs.replace(spec, hosts={"gw": "127.0.0.9"}, resolver="127.0.0.1")
    holder = holder_body(sealed)["HostConfig"]
    assert holder["ExtraHosts"] == ["gw:127.0.0.9", "db:127.0.0.1", "queue:127.0.0.1"]
    assert holder["Dns"] == ["127.0.0.1"]
    for body in (service(spec), create_body(spec)):
        assert body["HostConfig"]["NetworkMode"] == "container:ctui-01234567-one-holder"
        assert "Hostname" not in body  # an engine refuses both


def test_a_task_without_services_has_no_holder(tmp_path: Path) -> None:
    """Part 4: nothing changes for it."""
    body = create_body(spec_of(tmp_path))
    assert body["HostConfig"]["NetworkMode"] == "ctui-01234567"
    assert body["Hostname"] == "ctui-01234567-one-1"


def test_what_stands_beside_a_sandbox_may_little(tmp_path: Path) -> None:
    """Part 4: no-new-privileges, few capabilities, limits, bounded logs, nothing of the host."""
    spec = spec_of(tmp_path, DB)
    for body in (holder_body(spec), service(spec)):
        host = body["HostConfig"]
        assert host["CapDrop"] == ["ALL"]
        assert "no-new-privileges" in host["SecurityOpt"]
        assert any(one.startswith("seccomp={") for one in host["SecurityOpt"])
        assert host["MemorySwap"] == host["Memory"] <= 1 << 30
        assert 0 < host["PidsLimit"] <= 100
        assert host["NanoCpus"] == 1_500_000_000
        assert host["LogConfig"]["Config"] == {"max-size": "8m", "max-file": "2"}
        assert host["RestartPolicy"] == {"Name": "no"}
        assert not {"Privileged", "Devices", "PidMode", "IpcMode", "UsernsMode", "Binds"} & set(
            host
        )
        assert not {"PortBindings", "PublishAllPorts"} & set(host)
    assert service(spec)["HostConfig"]["CapAdd"] == list(CAPABILITIES)
    assert service(spec)["HostConfig"]["Mounts"] == []
    assert "CapAdd" not in holder_body(spec)["HostConfig"]
    assert holder_body(spec)["HostConfig"]["ReadonlyRootfs"]


def test_labels_of_an_image_cannot_make_it_something_else(tmp_path: Path) -> None:
    """An image's labels are its containers', so each of ours is said."""
    spec = spec_of(tmp_path, DB)
    for body, name in ((holder_body(spec), HOLDER), (service(spec), "db")):
        assert body["Labels"] == {
            LABEL_INSTANCE: INSTANCE,
            LABEL_TASK: "one",
            LABEL_RUN: "1",
            LABEL_SERVICE: name,
            LABEL_KEEPS: "",
        }
    assert create_body(spec)["Labels"][LABEL_SERVICE] == ""


def test_what_a_service_keeps_is_a_volume_of_its_task(tmp_path: Path) -> None:
    facts = ImageFacts(volumes=("/data", "/log"))
    assert service(spec_of(tmp_path, DB), facts)["HostConfig"]["Mounts"] == []
    kept = Service(name="db", image="x", keeps_data=True, kept=("/more",))
    assert service(spec_of(tmp_path, kept), facts)["Labels"][LABEL_KEEPS] == "yes"
    mounts = service(spec_of(tmp_path, kept), facts)["HostConfig"]["Mounts"]
    assert [one["Target"] for one in mounts] == ["/more", "/data", "/log"]
    assert {one["Type"] for one in mounts} == {"volume"}
    assert len({one["Source"] for one in mounts}) == 3


def test_a_service_cannot_write_the_names_that_the_sandbox_believes(tmp_path: Path) -> None:
    """Its root could send what is secret to itself: the engine shares these files."""
    spec = spec_of(tmp_path, DB)
    body = service_body(spec, DB, ImageFacts(), {"/etc/hosts": "/engine/hosts"})
    (mount,) = body["HostConfig"]["Mounts"]
    assert (mount["Source"], mount["Target"]) == ("/engine/hosts", "/etc/hosts")
    assert mount["ReadOnly"] is True


def test_names_of_two_tasks_never_meet() -> None:
    """`a` with a service `b-c` is not `a-b` with a service `c`."""
    assert service_name(INSTANCE, "a", "b-c") != service_name(INSTANCE, "a-b", "c")
    assert volume_name(INSTANCE, "a", "b-c", "/x") != volume_name(INSTANCE, "a-b", "c", "/x")


def test_an_image_says_what_it_needs_and_is_not_believed_more() -> None:
    said = {
        "Volumes": {"/data": {}, "relative": {}},
        "ExposedPorts": {"5432/tcp": {}, "53/udp": {}, "99999/tcp": {}, "x/tcp": {}, "80": {}},
        "Healthcheck": {"Test": ["CMD-SHELL", "pg_isready"]},
    }
    assert read_facts(said) == ImageFacts(("/data",), (80, 5432), ("/bin/sh", "-c", "pg_isready"))
    assert read_facts({"Healthcheck": {"Test": ["CMD", "a", "b"]}}).health == ("a", "b")
    assert read_facts({"Healthcheck": {"Test": ["NONE"]}}).health == ()
    assert read_facts({"Volumes": None, "ExposedPorts": None, "Healthcheck": "x"}) == ImageFacts()


def test_a_service_reads_the_worktree_and_nothing_behind_a_link(tmp_path: Path) -> None:
    """Part 4: paths inside the worktree, checked by descriptor."""
    tree = tmp_path / "tree"
    (tree / "db").mkdir(parents=True)
    (tree / "db" / "init.sql").write_text("select 1")
    (tree / "out").symlink_to(tmp_path)
    (tree / "db" / "passwd").symlink_to("/etc/passwd")
    os.mkfifo(tree / "db" / "pipe")
    assert worktree_path(str(tree), "db/init.sql", "db") == str(tree / "db" / "init.sql")
    assert worktree_path(str(tree), "", "db") == str(tree)
    for path in ("out", "out/tree", "db/passwd", "db/pipe", "../tree", "missing", "db/init.sql/x"):
        with pytest.raises(CtuiError) as caught:
            worktree_path(str(tree), path, "db")
        assert path in caught.value.message
    reads = Service(name="db", image="x", files=(WorktreeMount("db/init.sql", "/init.sql"),))
    (mount,) = service(spec_of(tree, reads))["HostConfig"]["Mounts"]
    assert mount["ReadOnly"] is True
    assert json.dumps(mount["BindOptions"]) == '{"Propagation": "rprivate", "NonRecursive": true}'


def test_ports_of_images_meet_as_those_that_are_said() -> None:
    """Part 4: two with one port, in one line that names both and the setting."""
    with pytest.raises(InvalidInput, match="the services a and b both listen on 80") as caught:
        refuse_shared_ports({"a": (80, 81), "b": (8080, 80)}, "")
    assert "`port`" in caught.value.hint
    refuse_shared_ports({"a": (80, 80), "b": (81,)}, "")


def test_no_service_takes_the_name_of_what_is_told_secrets() -> None:
    """The login goes to the model's server, and through proxies."""
    proxy = Service(name="proxy", image="x")
    for server, variables in (
        ("http://proxy:8000", {}),
        ("", {"https_proxy": "http://me:secret@proxy:3128"}),
        ("", {"ALL_PROXY": "proxy:3128"}),
    ):
        with pytest.raises(InvalidInput, match="the service proxy has the name"):
            refuse_shadowing([proxy], server, variables)
    refuse_shadowing([proxy], "http://model:1", {"NO_PROXY": "proxy", "PROXY": "http://proxy"})


def test_services_are_asked_past_a_proxy() -> None:
    proxies = {"HTTP_PROXY": "http://p", "NO_PROXY": "example.org,db"}
    found = past_proxies(proxies, ["db", "queue"])
    assert found["NO_PROXY"] == found["no_proxy"] == "example.org,db,queue"
    assert past_proxies({}, ["db"]) == {}
