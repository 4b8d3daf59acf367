"""Requests to AWS that are signed by a person's keys (Signature Version 4); pure."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from functools import reduce
from typing import NamedTuple
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


class Signer(NamedTuple):
    """Keys, and what their signatures are for.

    Attributes:
        keys: "ID:SECRET", or "ID:SECRET:TOKEN" of a session; none of them has a colon.
        region: of the service.
        service: its name in signatures.
    """

    keys: str
    region: str
    service: str = "bedrock"

    def headers(
        self, method: str, url: str, body: bytes, at: datetime
    ) -> list[tuple[bytes, bytes]]:
        """Return the headers by which AWS takes a request for the person's.

        Args:
            method: of the request.
            url: exactly as it is sent.
            body: all of it.
            at: now, in UTC; AWS takes five minutes' difference.
        """
        key, secret, token = (*self.keys.split(":"), "")[:3]
        stamp = at.strftime("%Y%m%dT%H%M%SZ")
        said = {"host": _host(url), "x-amz-date": stamp}
        if token:
            said["x-amz-security-token"] = token
        names = ";".join(said)
        scope = f"{stamp[:8]}/{self.region}/{self.service}/aws4_request"
        request = "\n".join(
            (
                *(method, *_path_and_query(url)),
                *(f"{name}:{value}" for name, value in said.items()),
                *("", names, hashlib.sha256(body).hexdigest()),
            )
        )
        text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = reduce(_hmac, (*scope.split("/"), text), b"AWS4" + secret.encode()).hex()
        said["authorization"] = (
            f"{_ALGORITHM} Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return [(name.encode(), value.encode()) for name, value in said.items()]


def _host(url: str) -> str:
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.netloc.removesuffix(f":{usual}")


def _path_and_query(url: str) -> tuple[str, str]:
    """Return both as they are signed: the path encoded once more, what is asked for in order."""
    parts = urlsplit(url)
    pairs = sorted(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
    return quote(parts.path or "/", safe="/~"), "&".join(f"{name}={value}" for name, value in pairs)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
