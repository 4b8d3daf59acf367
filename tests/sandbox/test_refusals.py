"""What an engine's refusals mean, by whichever way they come."""

from __future__ import annotations

import pytest

from ctui.errors import (
    Conflict,
    CtuiError,
    ExternalFailure,
    NotFound,
    RunnerUnavailable,
    Unavailable,
)
from ctui.sandbox.docker.transport import refusal


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (404, "No such container: x", NotFound),
        (409, "can not get logs from container which is dead or marked for removal", NotFound),
        (409, "container x is marked for removal and cannot be started", NotFound),
        (409, "the name x is in use", Conflict),
        (500, "write /var/lib/x: no space left on device", Unavailable),
        (503, "later", RunnerUnavailable),
        (500, "the daemon is shutting down", RunnerUnavailable),
        (500, "dial unix /run/containerd/containerd.sock: connect: refused", RunnerUnavailable),
        (500, "something else", ExternalFailure),
    ],
)
def test_a_refusal_is_what_one_can_do_about_it(
    status: int, said: str, kind: type[CtuiError]
) -> None:
    """S3, beside it: what is being removed is as good as gone."""
    assert type(refusal(status, said)) is kind
