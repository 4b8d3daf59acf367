"""The words in which a person is asked for consent."""

from __future__ import annotations

import shlex

from ctui.environments.plan import Plan
from ctui.sandbox.services import ImageBuild, Service

_LINES = 200


def consent_text(plan: Plan, *, changed: bool = False) -> str:
    """Return what will be built and run, as the person is asked about it.

    With `changed` they consented to something else before.
    """
    definition = plan.found.definition
    lines = ["It has changed since you consented."] if changed else []
    lines += [f"{plan.repository.name} brings an environment for its tasks ({definition.file}):"]
    if definition.build:
        lines += _build(plan, definition.build)
    elif definition.image:
        lines.append(f"  uses the image {definition.image}")
    for title, steps in (
        ("as root", definition.root_steps),
        ("once", definition.steps),
        ("at each start of a task", definition.start_steps),
    ):
        lines += [f"  runs {title}: {step.command}" for step in steps]
    env = {**definition.container_env, **definition.remote_env, **definition.env}
    lines += [f"  sets {name}={value}" for name, value in env.items()]
    lines += [
        f"  gives each task your secret {name}, if you have set one" for name in definition.secrets
    ]
    lines += [f"  gives each task a volume at {one.target}" for one in definition.volumes]
    lines += [line for one in definition.services for line in _service(plan, one)]
    refused = [one for one in plan.found.keys if one.status == "refused"]
    lines += [f"  refused: {one.key}: {one.reason}" for one in refused]
    if plan.covers:
        lines.append(f"  files that are a part of it: {', '.join(plan.covers)}")
    lines.append("It is built and run in containers as sealed as tasks, never on this machine.")
    return "\n".join(_shown(line) for line in lines)


def _build(plan: Plan, build: ImageBuild) -> list[str]:
    """Return what is built, with all that it runs."""
    where = build.context or "the repository"
    lines = [f"  builds {build.dockerfile}, with {where} as its context:"]
    lines += _dockerfile(plan, build.dockerfile)
    lines += [f"  up to its stage {build.target}"] if build.target else []
    return [*lines, *(f"  with the argument {name}={value}" for name, value in build.args.items())]


def _service(plan: Plan, service: Service) -> list[str]:
    """Return what is started beside each task, and what it may do."""
    lines = _build(plan, service.build) if service.build else []
    image = "what that builds" if service.build else f"the image {service.image}"
    lines.append(f"  starts beside each task {service.name}, from {image}")
    for word, argv in (("entrypoint", service.entrypoint), ("command", service.command)):
        lines += [f"    with the {word} {shlex.join(argv)}"] if argv else []
    lines += [f"    with {name}={value}" for name, value in service.env.items()]
    lines += [f"    ready once it can run {shlex.join(service.health)}"] if service.health else []
    lines += [f"    reads {one.path or 'the worktree'} at {one.target}" for one in service.files]
    kept = (*(["its volumes"] if service.keeps_data else []), *service.kept)
    return [*lines, *(f"    keeps {one} as long as the task" for one in kept)]


def _dockerfile(plan: Plan, path: str) -> list[str]:
    """Return its lines, without blank ones: these could fill what is shown."""
    lines = [f"    {line}" for line in plan.dockerfiles[path].split("\n") if line.strip()]
    if more := len(lines[_LINES:]):
        where = f"git show {plan.files.commit[:12]}:{path}"
        return [*lines[:_LINES], f"    and {more} more lines, which are not shown: {where}"]
    return lines


def _shown(line: str) -> str:
    """Return one line with every character that a terminal might act on written as its escape.

    None is left out: what is shown is what is run.
    """
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in line
    )
