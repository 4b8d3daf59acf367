"""The gateway's own connections to the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx2

from ctui.gateway.trust import trusted

_TIMEOUT = httpx2.Timeout(connect=10.0, write=60.0, read=900.0, pool=30.0)
"""Seconds. An answer that is no stream may take the API ten minutes, a stream has its pings."""

_LIMITS = httpx2.Limits(max_connections=512, max_keepalive_connections=64, keepalive_expiry=60.0)


class Unreachable(Exception):
    """The API did not answer.

    Attributes:
        sent: True where it may have taken the request.
    """

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


class Upstream:
    """Client of the API; proxies and certificates are those that an environment names."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Prepare a client; `environ` is this process's, where a library reads it by itself."""
        self._environ = environ
        self._made: httpx2.AsyncClient | None = None

    @property
    def _client(self) -> httpx2.AsyncClient:
        """The client, made when it is first used: a bad setting is that call's problem."""
        if self._made is None:
            self._made = httpx2.AsyncClient(
                verify=trusted(self._environ),
                timeout=_TIMEOUT,
                limits=_LIMITS,
                follow_redirects=False,
                trust_env=True,
            )
        return self._made

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> httpx2.Response:
        """Send a request with exactly these headers, and return the answer's head.

        No error says more than its kind: the library's own text may quote a header.

        Raises:
            Unreachable: nothing answered.
        """
        try:
            client = self._client
        except (ValueError, OSError, ImportError, httpx2.InvalidURL) as error:
            # A proxy's address may hold a password: nothing of it is said.
            raise Unreachable(f"proxy or certificates: {_kind(error)}", sent=False) from None
        try:
            request = httpx2.Request(method, url, headers=list(headers), content=body or None)
            return await client.send(request, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise Unreachable(_kind(error), sent=False) from None
        except httpx2.ProxyError as error:
            raise Unreachable(_kind(error), sent=False) from None
        except httpx2.TransportError as error:
            raise Unreachable(_kind(error), sent=True) from None
        except (httpx2.InvalidURL, httpx2.HTTPError, UnicodeError) as error:
            raise Unreachable(_kind(error), sent=False) from None

    async def close(self) -> None:
        if self._made is not None:
            await self._made.aclose()


def _kind(error: Exception) -> str:
    return type(error).__name__
