"""The docker SDK's client: made for an endpoint, and its errors turned into ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ctui.errors import (
    RunnerUnavailable,
)
from ctui.sandbox.docker.endpoint import Endpoint
from ctui.sandbox.docker.transport import EngineHangs, refusal
from ctui.text import one_line

if TYPE_CHECKING:
    from docker.api.client import APIClient

T = TypeVar("T")

THREADS = 16
"""Calls that may be under way at once, and connections kept open."""
_CALL_SECONDS = 120
_HELLO_SECONDS = 4
"""For an engine's first words; one that hangs takes connections and says nothing."""


def connect_sdk(endpoint: Endpoint) -> APIClient:
    """Open the SDK's client. Raises Unavailable if nothing answers."""
    from docker.api.client import APIClient
    from docker.tls import TLSConfig

    class Client(APIClient):
        """Client that ignores the environment, whose `REQUESTS_CA_BUNDLE` would win over its CA."""

        @property
        def trust_env(self) -> bool:
            return False

        @trust_env.setter
        def trust_env(self, value: bool) -> None:
            """Ignore the value, which the session sets while it is made."""

    tls = endpoint.tls
    config = (
        TLSConfig(client_cert=(tls.certificate, tls.key), ca_cert=tls.ca, verify=True)
        if tls
        else False
    )
    with _translated(endpoint):
        client = Client(
            base_url=endpoint.url,
            version="auto",
            timeout=_HELLO_SECONDS,
            tls=config,
            num_pools=THREADS,
            max_pool_size=THREADS,
            use_ssh_client=endpoint.kind == "dial",
        )
        client.ping()
        client.timeout = _CALL_SECONDS
        return client


def translated_call(call: Callable[[], T], endpoint: Endpoint) -> T:
    """Make a call of the SDK. Raises what of `ctui.errors` fits."""
    with _translated(endpoint):
        return call()


@contextmanager
def _translated(endpoint: Endpoint) -> Iterator[None]:
    """Turn whatever the SDK raises into an error that says what to do."""
    from requests.exceptions import RequestException

    from docker import errors

    try:
        yield
    except errors.APIError as error:
        raise refusal(error.status_code or 0, _said(error)) from error
    except (errors.DockerException, RequestException, OSError) as error:
        raise (
            EngineHangs
            if _timed_out(error)
            else RunnerUnavailable(
                f"no Docker engine answers at {endpoint.url}",
                hint="start it, or choose another with DOCKER_HOST; `ctui doctor` looks closer",
            )
        ) from error


def _timed_out(error: BaseException | None) -> bool:
    """Return True if a time limit is among the causes of an error that the SDK wraps."""
    from requests.exceptions import ReadTimeout

    while error is not None:
        if isinstance(error, TimeoutError | ReadTimeout):
            return True
        error = error.__cause__ or error.__context__
    return False


def _said(error: Any) -> str:
    return one_line(str(error.explanation or error), 300)
