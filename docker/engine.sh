#!/bin/sh
# Make sure that a Docker engine answers: the one that does, else (as root on Debian or Ubuntu) a new one.
set -eu

log=/var/log/ctui-dockerd.log
wait_seconds=60

say() { printf '%s\n' "$*" >&2; }
answers() { command -v docker >/dev/null 2>&1 && docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

if answers; then exit 0; fi
if [ -n "${DOCKER_HOST:-}" ]; then
  say "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST: start it, or unset DOCKER_HOST"
  exit 1
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  say "no Docker engine answers: install Docker (https://docs.docker.com/engine/install), start it, and add yourself to the group docker"
  exit 1
fi
if ! command -v dockerd >/dev/null 2>&1; then
  say "installing docker.io"
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y --no-install-recommends docker.io iptables >"$log" 2>&1 ||
    { apt-get update >>"$log" 2>&1 && apt-get install -y --no-install-recommends docker.io iptables >>"$log" 2>&1; } ||
    { say "docker.io could not be installed: see $log"; exit 1; }
fi
if answers; then exit 0; fi
if [ -d /run/systemd/system ]; then
  systemctl start docker || { say "dockerd does not start: see journalctl -u docker"; exit 1; }
else
  if ! mountpoint -q /sys/fs/cgroup; then mount -t cgroup2 none /sys/fs/cgroup || true; fi
  say "starting dockerd (log: $log)"
  # In a folder that is itself an overlay only vfs works, and dockerd says so by dying.
  for driver in "" vfs; do
    setsid nohup dockerd ${driver:+--storage-driver "$driver"} >>"$log" 2>&1 </dev/null &
    pid=$!
    waited=0
    while [ $waited -lt $wait_seconds ] && kill -0 $pid 2>/dev/null; do
      if answers; then exit 0; fi
      sleep 1
      waited=$((waited + 1))
    done
    if answers; then exit 0; fi
    kill $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
  done
fi
answers || { say "dockerd was started but does not answer: see $log"; exit 1; }
