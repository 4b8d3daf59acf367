"""Proxies reach builds and tasks, wherever the person has set them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctui.sandbox.proxies import is_own_address, proxy_environment

_PROXY = "http://proxy.example:3128"


def test_what_a_shell_says_counts_in_both_cases() -> None:
    """T14: programs read one spelling or the other."""
    found = proxy_environment({"https_proxy": _PROXY, "NO_PROXY": "intern", "HTTP_PROXY": ""})
    assert found == {
        "HTTPS_PROXY": _PROXY,
        "https_proxy": _PROXY,
        "NO_PROXY": "intern",
        "no_proxy": "intern",
    }
    assert proxy_environment({"NO_PROXY": "intern"}) == {}


def test_dockers_own_file_counts_where_the_shell_says_nothing(tmp_path: Path) -> None:
    """T14: as for `docker run`, an engine can have proxies of its own."""
    proxies = {
        "default": {"httpProxy": _PROXY, "noProxy": "intern"},
        "tcp://there:2375": {"httpsProxy": "http://other.example:1"},
    }
    (tmp_path / "config.json").write_text(json.dumps({"proxies": proxies}))
    environ = {"DOCKER_CONFIG": str(tmp_path)}
    assert proxy_environment(environ)["HTTP_PROXY"] == _PROXY
    assert proxy_environment(environ)["no_proxy"] == "intern"
    at = proxy_environment(environ, engine="tcp://there:2375")
    assert at == dict.fromkeys(("HTTPS_PROXY", "https_proxy"), "http://other.example:1")
    own = proxy_environment({**environ, "HTTP_PROXY": "http://mine:1"})
    assert own["http_proxy"] == "http://mine:1"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"proxies":[]}',
        '{"proxies":{"default":7}}',
        '{"proxies":{"default":{"httpProxy":7}}}',
    ],
)
def test_a_file_that_says_something_else_says_nothing(tmp_path: Path, text: str) -> None:
    """T14, beside it: the file is docker's, and may be anything."""
    (tmp_path / "config.json").write_text(text)
    assert proxy_environment({"DOCKER_CONFIG": str(tmp_path)}) == {}


def test_a_sandbox_gets_no_proxy_that_would_be_itself() -> None:
    """T14, beside it: a build is on the host's network, a task is not."""
    environ = {"HTTP_PROXY": "http://127.0.0.1:3128", "HTTPS_PROXY": _PROXY}
    assert set(proxy_environment(environ, in_sandbox=True)) == {"HTTPS_PROXY", "https_proxy"}
    assert proxy_environment(environ)["http_proxy"] == "http://127.0.0.1:3128"
    assert proxy_environment({"HTTP_PROXY": "localhost:1"}, in_sandbox=True) == {}


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://localhost:8080", True),
        ("https://api.localhost/x", True),
        ("http://127.9.0.1", True),
        ("http://[::1]:80", True),
        ("http://[::ffff:127.0.0.1]", True),
        ("http://0.0.0.0:1", True),
        ("localhost:3128", True),
        ("http://localhost.example", False),
        ("http://10.0.0.1", False),
        ("https://api.anthropic.com", False),
        ("http://[", False),
    ],
)
def test_addresses_of_whoever_asks(url: str, own: bool) -> None:
    """T15: these lead into the sandbox itself."""
    assert is_own_address(url) is own
