"""What holds for every conversation: it reads the same however its lines arrived."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import is_partial
from ctui.claude.transcript.blocks import LongText, Prompt
from ctui.claude.transcript.transcript import Transcript
from ctui.text import sanitise
from tests.claude import lines
from tests.claude.fold import JournalLine, contents, fold, out

_PARENTS = st.sampled_from([None, "t1", "t2", "unknown"])
_CALLS = st.sampled_from(["t1", "t2", "t3"])
_REQUESTS = st.sampled_from(["r1", "r2", "r3"])
_TEXT = st.text(max_size=12) | st.sampled_from(["\x1b[31mred", "\u202e", "\ud83d", "a\nb", ""])


@st.composite
def _streamed(draw: st.DrawFn) -> list[bytes]:
    """One message: parts and whole lines, as the CLI mixes them, perhaps cut off anywhere."""
    message, parent = draw(st.sampled_from(["m1", "m2", "m3"])), draw(_PARENTS)
    journal = [lines.message_start(message, parent)]
    for index in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["text", "thinking", "tool_use"]))
        pieces = draw(st.lists(_TEXT, max_size=4))
        block: dict[str, Any] = {
            "text": lines.text("".join(pieces)),
            "thinking": lines.thinking("".join(pieces)),
            "tool_use": lines.tool_use(draw(_CALLS), "Bash", command="".join(pieces)),
        }[kind]
        journal += lines.deltas(index, block, pieces, parent)
        if draw(st.booleans()):
            journal.append(lines.assistant(message, block, parent))
        journal.append(lines.part(parent, type="content_block_stop", index=index))
    return journal[: draw(st.integers(1, len(journal)))]


_WHOLE = st.one_of(
    st.builds(lambda uuid, text: [lines.echo(uuid, text)], st.sampled_from("abc"), _TEXT),
    st.builds(lambda call, text: [lines.tool_result(call, text)], _CALLS, _TEXT),
    st.builds(lambda call, text: [lines.tool_result(call, text, error=True)], _CALLS, _TEXT),
    st.builds(lambda r, call: [lines.can_use_tool(r, call, "Bash")], _REQUESTS, _CALLS),
    st.builds(lambda r: [lines.answer_echo(r, behavior="allow", updatedInput={})], _REQUESTS),
    st.builds(lambda r: [lines.answer_echo(r, behavior="deny", message="no")], _REQUESTS),
    st.builds(lambda r: [lines.line(type="control_cancel_request", request_id=r)], _REQUESTS),
    st.builds(lambda cost: [lines.result(cost)], st.floats(0, 10)),
    st.just([lines.init()]),
    st.just([lines.system("api_retry", attempt=1, max_retries=10, error_status=529)]),
)
_HOSTILE = st.one_of(
    st.binary(max_size=40).filter(lambda line: b"\n" not in line),
    st.sampled_from(
        [
            b"",
            b"null",
            b"[1,2]",
            b'"text"',
            b"{",
            b"[" * 5000,
            b'{"type":"keep_alive"}',
            b'{"type":"assistant"}',
            b'{"type":"user","message":7}',
            b'{"type":"stream_event","event":{"type":"content_block_delta","index":"x"}}',
            b'{"type":"stream_event","type":"result","is_error":true}',
            b'{"type":"control_response","response":[]}',
            b'{"type":"system","subtype":{"a":1}}',
        ]
    ),
)
_CONVERSATION = st.lists(_WHOLE | _streamed(), max_size=9).map(
    lambda groups: [line for group in groups for line in group]
)
_TWO_RUNS = st.builds(lambda a, b: out(a, 1) + out(b, 2), _CONVERSATION, _CONVERSATION)
_END: list[JournalLine] = [("err", 2, lines.relay("exited", code=0))]


@given(_TWO_RUNS)
@settings(max_examples=60)
def test_live_and_from_the_archive_it_reads_the_same(journal: list[JournalLine]) -> None:
    ended = journal + _END
    assert contents(fold(ended).blocks) == contents(fold(ended, archived=True).blocks)


@given(_TWO_RUNS, st.data())
@settings(max_examples=50)
def test_at_every_moment_the_archive_lacks_nothing_but_open_blocks(
    journal: list[JournalLine], data: st.DataObject
) -> None:
    seen = journal[: data.draw(st.integers(0, len(journal)))]
    live, archived = contents(fold(seen).blocks), contents(fold(seen, archived=True).blocks)
    assert live[: len(archived)] == archived
    assert all(
        facts.get("open") or facts.get("state") == "preparing" for _, facts in live[len(archived) :]
    )


@given(_TWO_RUNS, st.data())
@settings(max_examples=50)
def test_a_viewer_who_comes_later_reads_the_same(
    journal: list[JournalLine], data: st.DataObject
) -> None:
    joined = data.draw(st.integers(0, len(journal)))
    late = Transcript()
    for time, (stream, run, line) in enumerate(journal + _END):
        if time >= joined or not is_partial(line):
            late.feed(decode(line, stream), run=run, time=time)
    assert contents(late.blocks) == contents(fold(journal + _END).blocks)


@given(_CONVERSATION, st.lists(_HOSTILE, min_size=1, max_size=4), st.data())
@settings(max_examples=60)
def test_hostile_lines_in_between_change_nothing_else(
    conversation: list[bytes], hostile: list[bytes], data: st.DataObject
) -> None:
    mixed = [(line, False) for line in [lines.init(), *conversation]]
    for line in hostile:
        mixed.insert(data.draw(st.integers(1, len(mixed))), (line, True))
    disturbed, plain = Transcript(), Transcript()
    for time, (line, is_hostile) in enumerate(mixed):
        disturbed.feed(decode(line), run=1, time=time)
        if not is_hostile:
            plain.feed(decode(line), run=1, time=time)
    assert _without_disturbance(disturbed) == _without_disturbance(plain)


@given(_CONVERSATION)
@settings(max_examples=50)
def test_changes_are_all_that_a_screen_needs(conversation: list[bytes]) -> None:
    transcript, shown = Transcript(), dict[int, Any]()
    order: list[int] = []
    for time, line in enumerate(conversation):
        changes = transcript.feed(decode(line), run=1, time=time)
        for block_id in changes.removed:
            del shown[block_id]
        for block_id in (*changes.added, *changes.changed):
            block = transcript.block(block_id)
            assert block is not None
            shown[block_id] = contents([block])
        if changes.start is not None:
            order[changes.start :] = [block.id for block in transcript.blocks[changes.start :]]
        assert order == [block.id for block in transcript.blocks]
        assert shown == {block.id: contents([block]) for block in transcript.blocks}


@given(_CONVERSATION)
@settings(max_examples=50)
def test_no_unsanitised_text_reaches_a_block(conversation: list[bytes]) -> None:
    for _, facts in contents(fold(out(conversation)).blocks):
        for value in facts.values():
            said = value if isinstance(value, str) else str(value)
            assert sanitise(said) == said


@given(st.lists(st.text(max_size=5), max_size=8), st.integers(0, 50), st.booleans())
def test_a_long_text_reads_like_a_plain_one(pieces: list[str], size: int, looked: bool) -> None:
    text, plain = LongText(), "".join(pieces)
    for piece in pieces:
        text.append(piece)
        if looked:
            assert plain.startswith(str(text))
    assert (len(text), text.head(size)) == (len(plain), plain[:size])
    assert text.tail(size) == plain[max(0, len(plain) - size) :]
    assert str(text) == plain


def _without_disturbance(transcript: Transcript) -> list[Any]:
    """All but the notices, which stray lines add and split, and the times that tell of a turn."""
    blocks = [block for block in transcript.blocks if type(block).__name__ != "Notice"]
    found = contents(blocks)
    for block, (_, facts) in zip(blocks, found, strict=True):
        if isinstance(block, Prompt):
            # A stray line between two messages ends the queue that the CLI could have merged.
            facts["text"] = facts["text"].rpartition("\n")[2]
    return found
