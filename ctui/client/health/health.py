"""Checks of what ctui needs, with what mends it."""

from __future__ import annotations

import os
import platform
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from ctui import __version__
from ctui.claude.login.login import LoginSearch, describe, time_left
from ctui.client.base_url import check_base_url
from ctui.client.health.mending import mend_engine
from ctui.client.health.store_health import REPAIR, check_state
from ctui.client.model_platform import ready_platform
from ctui.config import load_config, parse_size
from ctui.config.sources import read_values, retired_in
from ctui.errors import CtuiError, Refused
from ctui.git.process.version import git_version, require_git
from ctui.humanize import size_text
from ctui.paths import Paths
from ctui.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from ctui.sandbox.docker.endpoint import Endpoint
    from ctui.sandbox.docker.engine import Engine


class Check(msgspec.Struct, frozen=True):
    """One thing that ctui needs."""

    name: str
    ok: bool
    found: str
    mend: str = ""
    """The command or change that mends it; beside something that works, a remark."""
    brief: str = ""
    """Words for a narrow place instead of a mark, such as how long a login still lasts."""


async def check_all(paths: Paths) -> list[Check]:
    """Look at everything, from what is nearest to what depends on it."""
    near = [_version(), _state(paths), _config(paths), _git(), login_check(paths)]
    return [*near, *await _engine_and_image(paths)]


def _version() -> Check:
    return Check("ctui", True, f"{__version__}, Python {platform.python_version()}")


def _state(paths: Paths) -> Check:
    state = paths.state
    try:
        check_state(paths)
    except CtuiError as error:
        return Check("state", False, error.message, error.hint)
    return Check("state", True, str(state))


def _config(paths: Paths) -> Check:
    file = paths.config_file
    try:
        load_config(paths)
    except CtuiError as error:
        return Check("config", False, error.message, _mend_config(file, error))
    try:
        check_base_url(paths)
    except CtuiError as error:
        return Check("config", False, error.message, error.hint)
    if retired := retired_in(file):
        return Check("config", True, f"{file}: {'; '.join(retired)}")
    return Check("config", True, str(file) if file.is_file() else f"defaults; {file} would count")


def _mend_config(file: Path, error: CtuiError) -> str:
    try:
        read_values(file)
    except CtuiError:
        return f"{error.hint}: `ctui config edit`"
    return error.hint  # a variable's, which no editor of the file mends


def _git() -> Check:
    try:
        require_git()
    except CtuiError as error:
        return Check("git", False, error.message, error.hint)
    return Check("git", True, ".".join(map(str, git_version())))


def login_check(paths: Paths) -> Check:
    """Return whether tasks have a login, and where it is from; the network is not asked."""
    try:
        if platform := ready_platform(os.environ):
            return Check("login", True, f"{platform}, by Claude Code's own variables")
        found = LoginSearch(paths).state()
    except CtuiError as error:
        return Check("login", False, error.message, error.hint)
    return Check("login", True, describe(found), brief=time_left(found))


async def _engine_and_image(paths: Paths) -> list[Check]:
    from ctui.sandbox.docker.endpoint import resolve_endpoint
    from ctui.sandbox.docker.engine import Engine
    from ctui.sandbox.docker.transport import EngineHangs

    endpoint = None
    try:
        endpoint = resolve_endpoint()
        engine = await Engine.connect(endpoint)
    except CtuiError as error:
        return [_no_engine(endpoint, error)]
    try:
        return [
            await _engine(paths, engine),
            *await _runtime(paths, engine),
            await _image(paths, engine),
            *await _sandboxes(paths, engine),
        ]
    except EngineHangs as error:
        return [_no_engine(endpoint, error)]
    finally:
        await engine.close()


def _no_engine(endpoint: Endpoint | None, error: CtuiError) -> Check:
    from ctui.sandbox.docker.transport import EngineHangs

    url, hangs = endpoint.url if endpoint else "", isinstance(error, EngineHangs)
    found = f"{error.message} ({url})" if hangs else error.message
    return Check("engine", False, found, mend_engine(url, os.environ, hangs=hangs))


async def _engine(paths: Paths, engine: Engine) -> Check:
    try:
        info = await engine.info()
    except Refused as error:
        return Check("engine", False, f"{error.message} ({engine.endpoint.url})", error.hint)
    if full := _full(paths, info.root):
        return Check("engine", False, full, "free some space: `docker system df`")
    found = f"Docker {info.version} at {engine.endpoint.url}"
    if not info.live_restore:
        note = 'tasks stop when dockerd restarts: set "live-restore": true in its daemon.json'
        return Check("engine", True, found, note)
    return Check("engine", True, found)


def _full(paths: Paths, root: str) -> str:
    """Return what to say of the engine's disk if tasks are paused or fail on it, or ""."""
    try:
        floor = parse_size(load_config(paths).tasks.free_space)
    except CtuiError:
        floor = 0  # which is said of the settings
    with suppress(OSError):
        if root and (free := shutil.disk_usage(root).free) <= floor:
            return f"its disk has {size_text(free)} left ({root})"
    return ""


async def _runtime(paths: Paths, engine: Engine) -> list[Check]:
    """Look for the runtime that the settings name; nothing where they name none."""
    try:
        wanted = load_config(paths).sandbox.runtime
    except CtuiError:
        return []  # which is said of the settings
    if not wanted:
        return []
    there = (await engine.info()).runtimes
    if wanted in there:
        return [Check("runtime", True, wanted)]
    named = one_line(", ".join(there), 200)
    mend = "name it in the engine's daemon.json, or unset sandbox.runtime"
    return [Check("runtime", False, f"the engine has no {one_line(wanted, 60)}, but {named}", mend)]


async def _sandboxes(paths: Paths, engine: Engine) -> list[Check]:
    """Name those that work for nobody; nothing where there are none, or no store to ask."""
    from ctui.client.health.adoption import unknown_sandboxes

    try:
        names = await unknown_sandboxes(paths, engine)
    except CtuiError:
        return []
    if not names:
        return []
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    found = f"no task knows what runs in {one_line(', '.join(names[:3]))}{more}"
    return [Check("sandboxes", False, found, f"{REPAIR} adopts them")]


async def _image(paths: Paths, engine: Engine) -> Check:
    from ctui.sandbox.docker.image import require_image

    try:
        config = load_config(paths)
    except CtuiError:
        mend = "mend the config, then `ctui image build`"
        return Check("image", False, "which one depends on the config", mend)
    try:
        tag = await require_image(engine, config.image)
    except CtuiError as error:
        return Check("image", False, error.message, error.hint)
    return Check("image", True, tag)
