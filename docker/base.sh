#!/bin/sh
# Make sure that a base image for tasks exists, and print its name.
#
#   base.sh         Debian, pulled where a registry answers, else made from Debian packages.
#   base.sh TIME    the same, but pulled or made anew, and kept by that time.
set -eu

pulled=debian:bookworm-slim
made=ctui-base:bookworm-slim${1:+-$1}

say() { printf '%s\n' "$*" >&2; }
have() { docker image inspect "$1" >/dev/null 2>&1; }

if have "$made"; then echo "$made"; exit 0; fi
if [ -z "${1:-}" ] && have "$pulled"; then echo "$pulled"; exit 0; fi
if timeout 60 docker pull "$pulled" >/dev/null 2>&1; then
  if [ -n "${1:-}" ]; then docker tag "$pulled" "$made"; echo "$made"; else echo "$pulled"; fi
  exit 0
fi

if ! command -v mmdebstrap >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get install -y --no-install-recommends mmdebstrap >&2 || { apt-get update >&2; apt-get install -y --no-install-recommends mmdebstrap >&2; }
  else
    say "no registry answers and mmdebstrap is missing: install it (apt-get install mmdebstrap), or load $pulled with docker load"
    exit 1
  fi
fi
say "making $made from Debian packages (about a minute)"
mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p' \
  /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null | grep -m1 '/debian/*$' || true)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The finished file decides: a pipe would hide that mmdebstrap failed.
mmdebstrap --quiet --variant=minbase --include=ca-certificates \
  --aptopt='Acquire::Languages "none"' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io \
  bookworm "$work/base.tar" ${mirror:+"$mirror"} >&2
docker import --change 'ENV LANG=C.UTF-8' "$work/base.tar" "$made" >/dev/null
echo "$made"
