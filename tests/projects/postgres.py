"""An image of PostgreSQL for tests, where no registry is in reach.

It is not the official one: it is built here from Debian's packages, on the Debian that ctui's own
image is built on, with an entrypoint that does what the official image's does for a project: it
begins as root, gives the data's folder to its user, makes a cluster with the password, database and
scripts that it is given, and then runs the server. It stays on the engine for the next test.
"""

from __future__ import annotations

import hashlib

from ctui.sandbox.docker.base_image import debian
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.toolchain import File, make_tar
from ctui.sandbox.proxies import proxy_environment

_ENTRYPOINT = """#!/bin/bash
set -eu
export PATH="$(echo /usr/lib/postgresql/*/bin):$PATH"
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /run/postgresql
  chmod 0700 "$PGDATA"
  find "$PGDATA" /run/postgresql ! -user postgres -exec chown postgres {} +
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?a password is needed}"
  export PGPASSWORD="$POSTGRES_PASSWORD" PGUSER=postgres
  initdb --pwfile=<(printf %s "$POSTGRES_PASSWORD") -A scram-sha-256 >/dev/null
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  pg_ctl -w -o "-c listen_addresses=" start >/dev/null
  createdb "$POSTGRES_DB"
  for file in /docker-entrypoint-initdb.d/*.sql; do
    psql -q -v ON_ERROR_STOP=1 -d "$POSTGRES_DB" -f "$file"
  done
  pg_ctl -w -m fast stop >/dev/null
fi
exec "$@"
"""
_DOCKERFILE = """FROM {base}
RUN apt-get update && apt-get install -y --no-install-recommends postgresql \\
    && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/*
COPY entrypoint /entrypoint
ENV PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["/entrypoint"]
CMD ["postgres", "-c", "listen_addresses=*"]
STOPSIGNAL SIGINT
EXPOSE 5432
"""


async def postgres_image(engine: Engine) -> str:
    """Return the image's tag; the first time it is built."""
    dockerfile = _DOCKERFILE.replace("{base}", await debian(lambda _: None))
    digest = hashlib.sha256((dockerfile + _ENTRYPOINT).encode()).hexdigest()[:12]
    tag = f"ctui-test-postgres:{digest}"
    if await engine.image_id(tag) is None:
        files = {
            "Dockerfile": File(dockerfile.encode()),
            "entrypoint": File(_ENTRYPOINT.encode(), 0o755),
        }
        proxies = proxy_environment(engine=engine.endpoint.url)
        await engine.build(make_tar(files), tag, proxies, {}, lambda _: None)
    return tag
