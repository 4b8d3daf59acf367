"""The gateway's own connections to the API."""

from __future__ import annotations

from collections.abc import Sequence

import httpx2

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
    """Client of the API; it takes proxies and certificates from this process's environment."""

    def __init__(self) -> None:
        self._client = httpx2.AsyncClient(
            timeout=_TIMEOUT, limits=_LIMITS, follow_redirects=False, trust_env=True
        )

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> httpx2.Response:
        """Send a request with exactly these headers, and return the answer's head.

        No error says more than its kind: the library's own text may quote a header.

        Raises:
            Unreachable: nothing answered.
        """
        try:
            request = httpx2.Request(method, url, headers=list(headers), content=body or None)
            return await self._client.send(request, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise Unreachable(_kind(error), sent=False) from None
        except httpx2.ProxyError as error:
            raise Unreachable(_kind(error), sent=False) from None
        except httpx2.TransportError as error:
            raise Unreachable(_kind(error), sent=True) from None
        except (httpx2.InvalidURL, httpx2.HTTPError, UnicodeError) as error:
            raise Unreachable(_kind(error), sent=False) from None

    async def close(self) -> None:
        await self._client.aclose()


def _kind(error: Exception) -> str:
    return type(error).__name__
