"""An environment whose inputs changed is built in the background, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ctui.client.tasks.rebuild import rebuild_in_background
from ctui.environments.lookup import plan_of
from ctui.environments.records import Records
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from tests.environments.test_choice import put
from tests.environments.test_consent import TABLE, as_built


def test_only_another_input_of_what_is_in_use_and_agreed_to_begins_a_build(
    paths: Paths, repository: Path
) -> None:
    """Part 2: rebuilt in the background when inputs change, never without consent."""
    found, begun = open_repository(repository), list[Path]()
    assert rebuild_in_background(paths, found, begun.append) == ""
    put(repository, TABLE)
    assert rebuild_in_background(paths, found, begun.append) == ""  # nothing of it is in use yet
    as_built(paths, repository)
    assert rebuild_in_background(paths, found, begun.append) == ""  # it is up to date
    put(repository, {**TABLE, "package-lock.json": "{}\n"})
    assert rebuild_in_background(paths, found, begun.append) == ""  # nobody has consented
    assert begun == []
    plan = plan_of(paths, found, "HEAD")
    assert plan is not None
    Records(paths).give_consent(str(found.common_dir), plan.consent, ".ctui.toml")
    assert rebuild_in_background(paths, found, begun.append) == plan.id
    assert begun == [repository]
    made = as_built(paths, repository)
    Records(paths).save(msgspec.structs.replace(made, state="failed"))
    assert rebuild_in_background(paths, found, begun.append) == ""  # it failed, which the list says
    assert len(begun) == 1


def test_a_definition_that_cannot_be_read_begins_nothing(paths: Paths, repository: Path) -> None:
    begun: list[Path] = []
    put(repository, TABLE)
    as_built(paths, repository)
    put(repository, {".ctui.toml": "[environment]\nsetup = 7\n"})
    assert rebuild_in_background(paths, open_repository(repository), begun.append) == ""
    assert begun == []
