"""Requests for a proxy: the host that one names, and its head as it goes on; pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import h11

from ctui.gateway.egress.names import Target, target_of
from ctui.gateway.egress.upstream import Upstream
from ctui.gateway.http1 import ECHOES, end_to_end, framing, upgrade
from ctui.host_port import HTTP
from ctui.text import one_line

_PREFIX = b"http://"


class BadRequest(ValueError):
    """A request that no proxy can serve; the message says why."""


def split(request: h11.Request) -> tuple[Target, bytes]:
    """Return the host of a request with a whole address, and what is behind it.

    Raises:
        BadRequest: it has another address.
        BadName: the address names no host.
    """
    address = request.target
    if address[: len(_PREFIX)].lower() != _PREFIX:
        raise BadRequest("this is the task's proxy, for CONNECT and for addresses with http://")
    host, slash, path = address[len(_PREFIX) :].partition(b"/")
    host, mark, query = host.partition(b"?")
    if mark:
        path, slash = mark + query + slash + path, b"/"
    if b"@" in host or b"#" in address:
        raise BadRequest("an address with a login or a fragment")
    return target_of(host.decode("ascii"), HTTP), b"/" + path


def path_of(request: h11.Request) -> bytes:
    """Return the path of a request that no proxy was meant for.

    Raises:
        BadRequest: it has a whole address, which a server reads instead of the `Host`.
    """
    if request.method == b"CONNECT" or not request.target.startswith((b"/", b"*")):
        raise BadRequest("a request for a proxy inside of a connection to a host")
    return request.target


def other_host(request: h11.Request, target: Target) -> str:
    """Return what the `Host` of a request for a target names instead of it; "" if it is the same.

    Programs of HTTP/1.0 need not say it.
    """
    values = [value for name, value in request.headers if name == b"host"]
    if not values and request.http_version == b"1.0":
        return ""
    try:
        [value] = values
        named = target_of(value.decode("ascii"), target.port)
    except ValueError:
        return "unreadable"
    return "" if named == target else str(named)


def passed_on(
    request: h11.Request, path: bytes, target: Target, proxy: Upstream | None
) -> h11.Request:
    """Return the head of a request as the host is to get it, or a proxy of the person.

    Raises:
        BadRequest: the proxy's answer would have its password in it.
    """
    host = str(target).encode() if target.port != HTTP else str(target).rpartition(":")[0].encode()
    other = upgrade(request.headers)
    headers = [
        (b"Host", host),
        *end_to_end(request.headers, b"host"),
        *framing(request.headers),
        *(other or [(b"Connection", b"close")]),
    ]
    if proxy is not None:
        path = _PREFIX + host + path
        if proxy.user:
            if request.method.upper() in ECHOES:
                raise BadRequest("its answer would bring a proxy's password back")
            login = base64.b64encode(f"{proxy.user}:{proxy.password}".encode())
            headers.append((b"Proxy-Authorization", b"Basic " + login))
    return h11.Request(method=request.method, target=path, headers=headers)


def program_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return what a program calls itself, without its version: a claim."""
    for name, value in headers:
        if name == b"user-agent":
            return one_line(value.decode("latin-1"), 200).partition("/")[0].partition(" ")[0][:40]
    return ""
