"""ctui's own list of hosts that tasks reach: what package managers and git ask for.

Each is what a tool asks for by itself, with the place that says so. None takes pastes, gists or
files from somebody without an account. Some take a push or a package from whoever has one, and so
from a task into which somebody brought theirs: who fears that removes them, by `shipped = false`.
The model's own hosts are not among them: its calls have a socket of their own, and with another
person's key they take files.
"""

from __future__ import annotations

from typing import NamedTuple


class Shipped(NamedTuple):
    """A host, its ports, and where it is documented that the tool needs it."""

    host: str
    source: str
    ports: tuple[int, ...] = (443,)


_HTTP = (80, 443)
"""apt's archives are signed, and are asked for without TLS."""
_GIT = (22, 443)

SHIPPED = (
    # Python: pip, uv, poetry
    Shipped("pypi.org", "warehouse.pypa.io/api-reference: the index"),
    Shipped("files.pythonhosted.org", "warehouse.pypa.io/api-reference: the files"),
    # JavaScript: npm, pnpm, yarn
    Shipped("registry.npmjs.org", "docs.npmjs.com/cli/using-npm/registry"),
    Shipped("registry.yarnpkg.com", "classic.yarnpkg.com/en/docs/yarnrc: the default registry"),
    Shipped("nodejs.org", "github.com/nodejs/node-gyp: headers for native modules"),
    # Rust: cargo, rustup
    Shipped("index.crates.io", "doc.rust-lang.org/cargo/reference/registries.html: sparse index"),
    Shipped("static.crates.io", "doc.rust-lang.org/cargo: the files that the index names"),
    Shipped("static.rust-lang.org", "rust-lang.github.io/rustup/environment-variables.html"),
    # Go
    Shipped("proxy.golang.org", "go.dev/ref/mod#module-proxy: the default GOPROXY"),
    Shipped("sum.golang.org", "go.dev/ref/mod#checksum-database"),
    Shipped("go.dev", "go.dev/dl: toolchains"),
    Shipped("dl.google.com", "go.dev/dl: where toolchains are fetched from"),
    # Java: Maven, Gradle
    Shipped("repo.maven.apache.org", "maven.apache.org/guides/introduction: Maven Central"),
    Shipped("repo1.maven.org", "central.sonatype.org/consume: Maven Central"),
    Shipped("plugins.gradle.org", "docs.gradle.org/current/userguide/plugins.html"),
    Shipped("services.gradle.org", "docs.gradle.org/current/userguide/gradle_wrapper.html"),
    # Ruby, PHP, .NET
    Shipped("rubygems.org", "guides.rubygems.org/rubygems-org-api: the index"),
    Shipped("index.rubygems.org", "guides.rubygems.org/rubygems-org-compact-index-api"),
    Shipped("repo.packagist.org", "packagist.org/apidoc: the metadata"),
    Shipped("api.nuget.org", "learn.microsoft.com/nuget/api/overview"),
    # Debian, Ubuntu, Alpine
    Shipped("deb.debian.org", "wiki.debian.org/SourcesList", _HTTP),
    Shipped("security.debian.org", "wiki.debian.org/SourcesList", _HTTP),
    Shipped("archive.ubuntu.com", "help.ubuntu.com/community/Repositories", _HTTP),
    Shipped("security.ubuntu.com", "help.ubuntu.com/community/Repositories", _HTTP),
    Shipped("ports.ubuntu.com", "help.ubuntu.com/community/Repositories", _HTTP),
    Shipped("dl-cdn.alpinelinux.org", "wiki.alpinelinux.org/wiki/Repositories", _HTTP),
    # Git hosts, and where they keep archives of code
    Shipped("github.com", "docs.github.com: about remote repositories", _GIT),
    Shipped("codeload.github.com", "docs.github.com: downloading source code archives"),
    Shipped("gitlab.com", "docs.gitlab.com/user/ssh", _GIT),
    Shipped("bitbucket.org", "support.atlassian.com/bitbucket-cloud: clone a repository", _GIT),
    Shipped("codeberg.org", "docs.codeberg.org/getting-started", _GIT),
)
