"""Counting and pricing on their own; each rule without a socket."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.errors import InvalidInput
from ctui.gateway.api.call import estimate
from ctui.gateway.api.event_stream import EventStream
from ctui.gateway.api.headers import onward
from ctui.gateway.api.prices import PRICES, UNKNOWN, dollars, price_of
from ctui.gateway.api.routes import address, host_and_port
from ctui.gateway.api.usage import Counter
from ctui.gateway.books.rows import NewCall, Usage
from ctui.gateway.custom_headers import custom_headers
from ctui.gateway.model import Login
from tests.gateway.api.test_elsewhere import ANSWER
from tests.gateway.upstream import DELTA, END, START, STOP, WHOLE, sse

SEEN = Usage(1000, 50, 2000, 100, 200)


def counted(data: list[bytes], kind: str = "text/event-stream") -> Counter:
    counter = Counter(kind, lambda _: None)
    for part in data:
        counter.feed(part)
    counter.end()
    return counter


@given(st.lists(st.integers(0, len(WHOLE)), max_size=12))
def test_pieces_of_any_size_count_the_same(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(WHOLE)]
    counter = counted([WHOLE[a:b] for a, b in pairwise(places)])
    assert (counter.usage, counter.model, counter.whole) == (SEEN, "claude-sonnet-5", True)


@given(st.lists(st.integers(0, len(ANSWER)), max_size=12))
def test_frames_of_any_size_count_the_same(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(ANSWER)]
    parts = [ANSWER[a:b] for a, b in pairwise(places)]
    assert counted(parts, "application/vnd.amazon.eventstream").usage == SEEN


@given(
    st.lists(st.binary(max_size=300), max_size=5),
    st.sampled_from(
        ["text/event-stream", "application/vnd.amazon.eventstream", "application/json"]
    ),
)
def test_no_bytes_disturb_it(parts: list[bytes], kind: str) -> None:
    """What is no answer counts nothing, and what comes behind it in lines is still seen."""
    counted(parts, kind)
    if kind == "text/event-stream":
        assert counted([*parts, b"\n", WHOLE]).usage == SEEN


def test_text_that_looks_like_usage_is_not_counted() -> None:
    """A task can have the model say anything."""
    said = END.replace(b'"', b'\\"').replace(b"50", b"0")
    fake = DELTA.replace(b"Hi.", said)
    assert counted([sse(START, fake, END, fake, STOP)]).usage == SEEN


def test_what_is_paid_beside_the_answer_counts() -> None:
    """The API sums a conversation up when it is asked to, and says so in `iterations` only."""
    iterations = (
        b'"iterations":[{"type":"compaction","input_tokens":180000,"output_tokens":3500,'
        b'"cache_read_input_tokens":7,"cache_creation_input_tokens":5},'
        b'{"type":"message","input_tokens":1000,"output_tokens":50}],'
    )
    end = END.replace(b'"usage":{', b'"usage":{' + iterations)
    for stream in (sse(START, end, STOP), sse(START, end, end, STOP)):
        assert counted([stream]).usage == Usage(181_000, 3550, 2007, 105, 200)


def test_a_line_without_end_is_not_held() -> None:
    counter = counted([b"data: " + b"x" * (1 << 20)] * 4)
    assert len(counter._rest) <= 1 << 20
    counter.feed(b"\n" + WHOLE)
    assert counter.usage == SEEN


def test_a_frame_that_is_too_long_ends_the_counting() -> None:
    stream = EventStream()
    assert list(stream.feed(b"\x7f\xff\xff\xff" * 4)) == []
    assert list(stream.feed(ANSWER)) == []
    assert len(stream._rest) == 0


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("claude-sonnet-5", "claude-sonnet-5"),
        ("claude-sonnet-5[1m]", "claude-sonnet-5"),
        ("claude-opus-4-8", "claude-opus-4-8"),
        ("claude-opus-4-20250514", "claude-opus-4"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("claude-3-7-sonnet-latest", "claude-3-7-sonnet"),
        ("claude-opus-4-9", None),
        ("claude-opus-4-8-turbo", None),
        ("gpt-5", None),
        ("", None),
    ],
)
def test_a_price_is_found_by_each_name_of_a_model(name: str, model: str | None) -> None:
    """And not by one that only begins alike: a new model may cost more."""
    assert price_of(name) == (PRICES[model] if model else None)


def test_the_higher_speed_has_its_own_price() -> None:
    assert price_of("claude-opus-4-8", fast=True) == (10, 50)
    assert price_of("claude-sonnet-5", fast=True) == PRICES["claude-sonnet-5"]
    assert dollars("who-knows", Usage(input_tokens=1_000_000)) == UNKNOWN.read
    assert dollars("claude-haiku-4-5", Usage(searches=3)) == pytest.approx(0.03)


def test_an_estimate_is_what_was_seen_and_the_usual_rest() -> None:
    call = NewCall(1, 0, "a/1", "a", "claude-sonnet-5", "k", "h", 443, 4000)
    nothing = estimate(call, Usage())
    assert (nothing.usage.input_tokens, nothing.usage.output_tokens) == (1000, 500)
    begun = estimate(call, SEEN, status=200, down=40_000)
    assert (begun.usage.input_tokens, begun.usage.output_tokens) == (1000, 1000)
    assert not begun.whole


def test_where_a_call_goes() -> None:
    usual = Login("k", "api-key", "s")
    assert address(usual, "/v1/messages", "beta=true") == (
        "https://api.anthropic.com/v1/messages?beta=true"
    )
    assert host_and_port(address(usual, "/v1/messages", "")) == ("api.anthropic.com", 443)
    aws = Login("a", "bedrock", "s", base_url="https://bedrock-runtime.eu-west-1.amazonaws.com")
    assert address(aws, "/inference-profiles", "") == (
        "https://bedrock.eu-west-1.amazonaws.com/inference-profiles"
    )
    assert host_and_port("http://127.0.0.1:81/x") == ("127.0.0.1", 81)
    assert host_and_port("http://proxy.corp/x") == ("proxy.corp", 80)


def test_custom_headers_are_read_as_the_cli_reads_them() -> None:
    text = "X-Team: blue\r\n\nx-key:  a: b \n"
    assert custom_headers(text) == (("X-Team", "blue"), ("x-key", "a: b"))
    assert custom_headers("") == ()


@pytest.mark.parametrize(
    "line",
    [
        "no colon secret",
        "a b: secret",
        "x: secret\x00",
        "x: ",
        ": secret",
        "Host: secret",
        "x: \u00fc",
    ],
)
def test_a_bad_header_is_named_by_its_line(line: str) -> None:
    with pytest.raises(InvalidInput) as failed:
        custom_headers(f"x-a: b\n{line}")
    assert "secret" not in failed.value.one_line()


def test_a_login_s_own_authorization_is_the_only_one() -> None:
    login = Login("l", "bearer", "s", headers=(("Authorization", "Basic x"),))
    sent = onward([(b"authorization", b"Bearer placeholder"), (b"accept", b"*/*")], login)
    assert sent == [(b"accept", b"*/*"), (b"authorization", b"Basic x")]
