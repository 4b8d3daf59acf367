"""`ctui env add`: packages that a task would have wanted to install."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from ctui.environments.addition import with_packages
from ctui.errors import Conflict, InvalidInput
from tests.cli.commands import ctui, refused
from tests.environments.test_choice import put

COMMAND = "apt-get update && apt-get install -y --no-install-recommends libpq-dev jq"


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[claude]\nmodel = "haiku"\n',
        '[environment]\nsetup = "npm ci"\n',
        "[environment]",
        '[environment] # ours\nsetup = "x"\n[claude]\nmodel = "haiku"\n',
    ],
)
def test_the_rest_of_the_file_stays(text: str) -> None:
    made = tomllib.loads(with_packages(text, "f", ("libpq-dev", "jq")))
    assert made["environment"].pop("setup_root") == [COMMAND]
    before = tomllib.loads(text)
    assert made == {**before, "environment": before.get("environment", {})}


@pytest.mark.parametrize(
    "text",
    [
        '[environment]\nsetup_root = "x"\n',
        '[environment]\ndockerfile = "D"\n',
        'environment = { setup = "x" }\n',
    ],
)
def test_what_root_does_already_is_the_person_s_to_change(text: str) -> None:
    with pytest.raises(Conflict, match="already what root does") as caught:
        with_packages(text, "f", ("jq",))
    assert "apt-get install" in caught.value.hint


@pytest.mark.parametrize("name", ["-y", "a;b", "a b", "$(x)", "", "A"])
def test_a_name_is_a_package_s(name: str) -> None:
    with pytest.raises(InvalidInput):
        with_packages("", "f", (name,))


def test_the_command_writes_the_checkout_s_file(repository: Path) -> None:
    ctui(repository, "env", "add", "jq")
    assert "install -y --no-install-recommends jq" in (repository / ".ctui.toml").read_text()
    assert "already what root does" in refused(repository, "env", "add", "jq")
    (repository / ".ctui.toml").unlink()
    put(repository, {".devcontainer.json": '{"image": "debian"}'})
    assert ".devcontainer.json" in refused(repository, "env", "add", "jq")
    assert not (repository / ".ctui.toml").exists()
