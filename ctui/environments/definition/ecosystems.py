"""The ecosystems whose lock files are known: what sets a project up, and what that fills."""

from __future__ import annotations

from typing import NamedTuple


class Ecosystem(NamedTuple):
    """One package manager."""

    name: str
    files: tuple[str, ...]
    """Lock files or manifests; where one of them is at the root, it is in use."""
    setup: str
    carry: tuple[str, ...] = ()
    needs: str = ""
    """Program that ctui's default image lacks for it; "" where it has all."""


ECOSYSTEMS = (
    Ecosystem("npm", ("package-lock.json", "npm-shrinkwrap.json"), "npm ci", ("node_modules",)),
    Ecosystem(
        "pnpm",
        ("pnpm-lock.yaml",),
        "npx --yes pnpm install --frozen-lockfile",
        ("node_modules",),
    ),
    Ecosystem(
        "yarn", ("yarn.lock",), "npx --yes yarn install --frozen-lockfile", ("node_modules",)
    ),
    Ecosystem("uv", ("uv.lock",), "uv sync --frozen", (".venv",)),
    Ecosystem(
        "poetry",
        ("poetry.lock",),
        "python3 -m venv .venv && .venv/bin/pip install poetry && .venv/bin/poetry install",
        (".venv",),
    ),
    Ecosystem(
        "pip",
        ("requirements.txt", "requirements-dev.txt", "requirements.lock", "constraints.txt"),
        "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
        (".venv",),
    ),
    Ecosystem("cargo", ("Cargo.lock",), "cargo fetch --locked", ("target",), "cargo"),
    Ecosystem("go", ("go.sum", "go.mod"), "go mod download", (), "go"),
    Ecosystem(
        "bundler",
        ("Gemfile.lock",),
        "bundle config set --local path vendor/bundle && bundle install",
        ("vendor/bundle",),
        "ruby and bundler",
    ),
    Ecosystem("composer", ("composer.lock",), "composer install", ("vendor",), "composer"),
    Ecosystem("maven", ("pom.xml",), "mvn -B dependency:go-offline", (), "maven"),
    Ecosystem(
        "gradle",
        ("gradle.lockfile", "build.gradle", "build.gradle.kts"),
        "./gradlew --no-daemon dependencies",
        (),
        "a JDK",
    ),
)
"""In the order in which they are looked for."""

MANIFESTS = frozenset(
    {
        *(name for one in ECOSYSTEMS for name in one.files),
        *("package.json", "pyproject.toml", "Cargo.toml", "Gemfile", "composer.json"),
    }
)
"""Names of files that say which packages are installed: another one of them is another set-up."""

USUAL_CARRY = ("node_modules", ".venv", "venv", "target", "vendor/bundle", "vendor")
"""Folders that come into new worktrees where nobody says which; only what git ignores."""
