"""Signatures of AWS: those of its documents, and those of its own library."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.gateway.api.signing import Signer
from ctui.gateway.model import Login
from tests.gateway.api.conftest import Open, Serve

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEJr/token+of=a=session"
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
SIGNER = Signer(f"{KEY}:{SECRET}", "us-east-1")


@pytest.mark.parametrize(
    ("method", "query", "signature"),
    [
        ("GET", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "?Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
    ],
)
def test_the_examples_of_aws(method: str, query: str, signature: str) -> None:
    """Of its Signature Version 4 test suite: get-vanilla, post-vanilla, query-order-key-case."""
    signer = SIGNER._replace(service="service")
    said = dict(signer.headers(method, f"https://example.amazonaws.com/{query}", b"", AT))
    assert said[b"authorization"].decode() == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={signature}"
    )
    assert said[b"x-amz-date"] == b"20150830T123600Z"


MODELS = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=1)


@given(
    method=st.sampled_from(["GET", "POST"]),
    host=st.sampled_from(["https://bedrock.eu-west-1.amazonaws.com", "http://127.0.0.1:8080/aws"]),
    # A path with dots alone is resolved before it is signed, and passed on to nobody (`routes`).
    model=MODELS.filter(lambda text: text not in {".", ".."}),
    query=st.dictionaries(MODELS, MODELS, max_size=3),
    body=st.binary(max_size=100),
    token=st.sampled_from(["", TOKEN]),
)
def test_what_the_library_of_aws_signs(
    method: str, host: str, model: str, query: dict[str, str], body: bytes, token: str
) -> None:
    auth = pytest.importorskip("botocore.auth", reason="needs botocore")
    request = pytest.importorskip("botocore.awsrequest").AWSRequest
    keys = pytest.importorskip("botocore.credentials").Credentials(KEY, SECRET, token or None)
    asked = "&".join(f"{quote(key, safe='')}={quote(text, safe='')}" for key, text in query.items())
    url = f"{host}/model/{quote(model, safe='')}/invoke" + (f"?{asked}" if asked else "")
    theirs: Any = request(method, url, data=body)
    theirs.context["timestamp"] = "20150830T123600Z"
    signer = auth.SigV4Auth(keys, "bedrock", "eu-west-1")
    theirs.headers["X-Amz-Date"] = theirs.context["timestamp"]
    if token:
        theirs.headers["X-Amz-Security-Token"] = token
    canonical = signer.canonical_request(theirs)
    signature = signer.signature(signer.string_to_sign(theirs, canonical), theirs)
    ours = Signer(f"{KEY}:{SECRET}{':' + token if token else ''}", "eu-west-1")
    said = dict(ours.headers(method, url, body, AT))
    assert said[b"authorization"].decode().partition("Signature=")[2] == signature


async def test_a_call_is_signed_as_it_is_sent(open_gate: Open, serve: Serve) -> None:
    """The host reads what it got, and comes to the same signature; the secret is in none of it."""
    server = await serve()
    keys = f"{KEY}:{SECRET}:{TOKEN}"
    gate = await open_gate(
        Login("aws", "bedrock", keys, base_url=f"{server.url}/aws", region="us-east-1")
    )
    path = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke"
    async with gate.client() as client:
        del client.headers["authorization"]
        sent = {"x-amz-date": "20000101T000000Z", "x-amz-security-token": "the task's own"}
        assert (await client.post(path, content=b"{}", headers=sent)).status_code == 200
    [seen] = server.seen
    assert (seen.target, seen.body) == (f"/aws{path}", b"{}")
    at = datetime.strptime(str(seen.header("x-amz-date")), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    assert seen.header("x-amz-security-token") == TOKEN
    expected = Signer(keys, "us-east-1").headers("POST", f"{server.url}{seen.target}", b"{}", at)
    assert seen.header("authorization") == dict(expected)[b"authorization"].decode()
    assert SECRET not in repr(seen)
